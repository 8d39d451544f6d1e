/* Owned file descriptors: closed at the end of their scope; -1 is the only empty value. */
#pragma once

#include <errno.h>
#include <unistd.h>

#define autoclose __attribute__((cleanup(fd_close_)))

/* Never retried: Linux frees the descriptor even on EINTR. errno stays what it was. */
static inline void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void fd_close_(int *fd)
{
	fd_close(fd);
}

/* Hands the descriptor to the caller: `return fd_steal(&fd);` */
static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
