/*
 * role dial PORT [join]: carries the connection that stdin is to a port of the loopback; with `join` in the network
 * namespace on descriptor 3. Ends when both sides have said all, or with the caller.
 */
#include "fd.h"
#include "roles.h"
#include "status.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define NETNS_FD     3
#define LARGEST_PORT 65535

/* One direction; `begin` to `end` is what was read and not yet written. */
struct flow {
	int from, to;
	size_t begin, end;
	bool over; /* `from` says no more */
	bool done; /* and `to` was told */
	char data[65536];
};

static int connect_to(const struct sockaddr *address, socklen_t size)
{
	autoclose int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, address, size) < 0)
		return -1;
	return fd_steal(&fd);
}

/* IPv4 first: its error is the one that is told. */
static int connect_loopback(in_port_t port)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = port,
				    .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = port,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = connect_to((const struct sockaddr *)&four, sizeof(four));
	int saved = errno;

	if (fd < 0)
		fd = connect_to((const struct sockaddr *)&six, sizeof(six));
	if (fd < 0)
		errno = saved;
	return fd;
}

/* A side broke off: so does the other, with what TCP has to say that. */
static _Noreturn void break_off(const struct flow *flow)
{
	const struct linger now = { .l_onoff = 1 };

	(void)setsockopt(flow->from, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)setsockopt(flow->to, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	_exit(0);
}

static bool is_later(ssize_t got)
{
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Moves what can be moved without waiting. */
static void move(struct flow *flow)
{
	ssize_t got;

	if (flow->begin == flow->end && !flow->over) {
		got = recv(flow->from, flow->data, sizeof(flow->data), MSG_DONTWAIT);
		if (got < 0 && !is_later(got))
			break_off(flow);
		flow->over = got == 0;
		flow->begin = 0;
		flow->end = got > 0 ? (size_t)got : 0;
	}
	while (flow->begin < flow->end) {
		got = send(flow->to, flow->data + flow->begin, flow->end - flow->begin,
			   MSG_DONTWAIT | MSG_NOSIGNAL);
		if (is_later(got))
			return;
		if (got < 0)
			break_off(flow);
		flow->begin += (size_t)got;
	}
	if (flow->over && !flow->done) {
		(void)shutdown(flow->to, SHUT_WR);
		flow->done = true;
	}
}

static short wants(const struct flow *reading, const struct flow *writing)
{
	short events = 0;

	if (!reading->over && reading->begin == reading->end)
		events |= POLLIN;
	if (writing->begin < writing->end)
		events |= POLLOUT;
	return events;
}

static void carry(int here, int there)
{
	static struct flow out, back;

	out.from = back.to = here;
	out.to = back.from = there;
	while (!out.done || !back.done) {
		struct pollfd ends[] = { { .fd = here, .events = wants(&out, &back) },
					 { .fd = there, .events = wants(&back, &out) } };

		/* What nobody waits for must not wake us again and again. */
		for (size_t i = 0; i < 2; i++)
			if (ends[i].events == 0)
				ends[i].fd = -1;
		if (poll(ends, 2, -1) < 0 && errno != EINTR)
			fail(STAGE_CONTROL, "poll");
		move(&out);
		move(&back);
	}
}

int role_dial(int argc, char **argv)
{
	char *rest = NULL;
	long port = argc > 1 ? strtol(argv[1], &rest, 10) : 0;
	autoclose int there = -1;

	errno = EINVAL;
	if (port < 1 || port > LARGEST_PORT || *rest != '\0')
		fail(STAGE_PLAN, "port %s", argc > 1 ? argv[1] : "(none)");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(STAGE_CONTROL, "death signal");
	if (argc > 2 && strcmp(argv[2], "join") == 0 && setns(NETNS_FD, CLONE_NEWNET) < 0)
		fail(STAGE_NAMESPACES, "join network");
	there = connect_loopback(htons((in_port_t)port));
	if (there < 0)
		fail(STAGE_CONTROL, "connect");
	carry(STDIN_FILENO, there);
	return 0;
}
