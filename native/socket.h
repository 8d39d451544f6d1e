/* Unix sockets with descriptors in the mail. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* An exec needs init, its leaf, and one of every v1 hierarchy. */
#define SOCKET_MAX_FDS 16

/* Sends data with `count` descriptors. Bytes sent, or -1 with errno. Never raises SIGPIPE. */
ssize_t socket_send(int fd, const void *data, size_t size, const int *fds, size_t count);
/* Receives at most `size` bytes; up to *count descriptors (close-on-exec), *count says how many came. */
ssize_t socket_receive(int fd, void *data, size_t size, int *fds, size_t *count);
/* A listening stream socket, mode 0600. -1 with errno. */
int socket_listen(const char *path);
/* Connects to one. -1 with errno. */
int socket_connect(const char *path);
