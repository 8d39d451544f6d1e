#include "socket.h"

#include "fd.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

union control {
	struct cmsghdr header; /* for alignment */
	char bytes[CMSG_SPACE(sizeof(int) * SOCKET_MAX_FDS)];
};

ssize_t socket_send(int fd, const void *data, size_t size, const int *fds, size_t count)
{
	struct iovec part = { .iov_base = (void *)(size_t)data, .iov_len = size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control = { 0 };

	if (count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t socket_receive(int fd, void *data, size_t size, int *fds, size_t *count)
{
	struct iovec part = { .iov_base = data, .iov_len = size };
	union control control = { 0 };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	size_t room = *count;
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);

	*count = 0;
	if (header == NULL || header->cmsg_type != SCM_RIGHTS)
		return got;
	for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
		int one;
		memcpy(&one, (char *)header + at, sizeof(int));
		if (*count < room)
			fds[(*count)++] = one;
		else
			fd_close(&one);
	}
	return got;
}

static int address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

int socket_listen(const char *path)
{
	struct sockaddr_un address;
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	int bound = -1;

	if (fd >= 0 && address_of(path, &address) == 0)
		bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(before);
	return bound < 0 || listen(fd, 64) < 0 ? -1 : fd_steal(&fd);
}

int socket_connect(const char *path)
{
	struct sockaddr_un address;
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || address_of(path, &address) < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fd_steal(&fd);
}
