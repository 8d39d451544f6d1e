/* Removing whatever is there. */
#include "fd.h"
#include "fsops.h"
#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The way down, for directories deeper than a process has descriptors: names in one growing text. */
struct way {
	char *names;
	size_t size;
	size_t room;
	size_t depth;
};

static int way_push(struct way *way, const char *name)
{
	size_t size = strlen(name) + 1;

	if (way->size + size > way->room) {
		size_t room = (way->room + size) * 2;
		char *larger = realloc(way->names, room);
		if (larger == NULL)
			return -1;
		way->names = larger;
		way->room = room;
	}
	memcpy(way->names + way->size, name, size);
	way->size += size;
	way->depth++;
	return 0;
}

/* The last name, valid until the next push. */
static const char *way_pop(struct way *way)
{
	way->size--;
	while (way->size > 0 && way->names[way->size - 1] != '\0')
		way->size--;
	way->depth--;
	return way->names + way->size;
}

/* Neither a link nor a mount: what is mounted below belongs to somebody else. */
static int open_child(int parent, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));
}

/* Empties the directory until only a subdirectory is in the way: its name goes to `child`. 1 found, 0 empty, -1. */
static int empty_directory(int fd, char child[NAME_MAX + 1])
{
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	int result = 0;

	if (stream == NULL) {
		fd_close(&again);
		return -1;
	}
	rewinddir(stream);
	while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno != EISDIR) {
			result = -1;
		} else if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
			result = errno == ENOTEMPTY ? 1 : -1;
			memcpy(child, entry->d_name, strlen(entry->d_name) + 1);
		}
	}
	if (result == 0 && errno != 0)
		result = -1;
	int saved = errno;
	(void)closedir(stream);
	errno = saved;
	return result;
}

/* Up again, and only to where it came from: a directory may be moved while one stands in it. */
static int climb(int *fd, int top, const struct way *way)
{
	autoclose int up = -1;

	if (way->depth > 0) {
		up = openat(*fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		up = fcntl(top, F_DUPFD_CLOEXEC, 0);
	}
	if (up < 0)
		return -1;
	fd_close(fd);
	*fd = fd_steal(&up);
	return 0;
}

static int empty_tree(int parent, const char *name, struct way *way)
{
	char child[NAME_MAX + 1];
	autoclose int fd = open_child(parent, name);

	if (fd < 0 || way_push(way, name) < 0)
		return -1;
	while (way->depth > 0) {
		int found = empty_directory(fd, child);
		if (found < 0)
			return -1;
		if (found == 1) {
			int below = open_child(fd, child);
			if (below < 0 || way_push(way, child) < 0) {
				fd_close(&below);
				return -1;
			}
			fd_close(&fd);
			fd = below;
			continue;
		}
		const char *done = way_pop(way);
		if (climb(&fd, parent, way) < 0 || unlinkat(fd, done, AT_REMOVEDIR) < 0)
			return -1;
	}
	return 0;
}

int remove_all(int parent, const char *name)
{
	struct way way = { .names = NULL };
	int result;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT || errno == ENOTDIR)
		return 0;
	if (errno != EISDIR)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return 0;
	result = errno == ENOTEMPTY ? empty_tree(parent, name, &way) : -1;
	int saved = errno;
	free(way.names);
	errno = saved;
	return result;
}
