/* Lists of NUL-terminated words, as requests and plans are written. */
#pragma once

#include <stddef.h>

#define PLAN_LIMIT (4u << 20)

struct words {
	char *data;   /* owned by words_read, borrowed by words_split */
	char **items; /* NULL-terminated, owned */
	size_t count;
};

/* A growing, NULL-terminated list of borrowed words; usable as argv. */
struct list {
	char **items;
	size_t count;
};

/* Reads fd to its end. -1 with errno: E2BIG over `limit`, EINVAL when the last word has no NUL. */
int words_read(struct words *words, int fd, size_t limit);
/* Splits `size` bytes in place. -1 with errno EINVAL or ENOMEM. */
int words_split(struct words *words, char *data, size_t size);
/* Frees the items only. */
void words_drop(struct words *words);
/* Appends one word. -1 with errno ENOMEM. */
int list_add(struct list *list, char *word);
/* Reads exactly `size` bytes: 1 done, 0 end of file before, -1 error. */
int read_all(int fd, void *data, size_t size);
/* Writes all of it: 0, or -1 with errno. */
int write_all(int fd, const void *data, size_t size);
