#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_to_end(int fd, char **data, size_t *size, size_t limit)
{
	size_t room = 0;

	for (;;) {
		if (*size == room) {
			room = room == 0 ? 16384 : room * 2;
			char *larger = realloc(*data, room);
			if (larger == NULL)
				return -1;
			*data = larger;
		}
		ssize_t got = read(fd, *data + *size, room - *size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		*size += (size_t)got;
		if (*size > limit) {
			errno = E2BIG;
			return -1;
		}
	}
}

int words_read(struct words *words, int fd, size_t limit)
{
	size_t size = 0;
	char *data = NULL;

	if (read_to_end(fd, &data, &size, limit) < 0 || words_split(words, data, size) < 0) {
		int saved = errno;
		free(data);
		errno = saved;
		return -1;
	}
	return 0;
}

int words_split(struct words *words, char *data, size_t size)
{
	*words = (struct words){ .data = data };
	if (size == 0 || data[size - 1] != '\0') {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < size; i++)
		words->count += data[i] == '\0';
	words->items = calloc(words->count + 1, sizeof(char *));
	if (words->items == NULL)
		return -1;
	for (size_t i = 0; i < words->count; i++) {
		words->items[i] = data;
		data += strlen(data) + 1;
	}
	return 0;
}

void words_drop(struct words *words)
{
	free(words->items);
	words->items = NULL;
	words->count = 0;
}

int list_add(struct list *list, char *word)
{
	/* Grows at powers of two, always with room for the final NULL. */
	if ((list->count & (list->count + 1)) == 0) {
		char **larger = realloc(list->items, (list->count + 1) * 2 * sizeof(char *));
		if (larger == NULL)
			return -1;
		list->items = larger;
	}
	list->items[list->count++] = word;
	list->items[list->count] = NULL;
	return 0;
}

int read_all(int fd, void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, (char *)data + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		done += (size_t)got;
	}
	return 1;
}

int write_all(int fd, const void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, (const char *)data + done, size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		done += (size_t)put;
	}
	return 0;
}
