#include "join.h"

#include "fd.h"
#include "socket.h"
#include "status.h"
#include "users.h"

#include <endian.h>
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

/* Receives one line with its descriptors; a line of the monitor's arrives in one piece. */
static void receive_line(int monitor, struct line *line, int *fds, size_t *count)
{
	line->size = 0;
	while (line->size == 0 || line->data[line->size - 1] != '\n') {
		size_t more = line->size == 0 ? *count : 0;
		ssize_t got = socket_receive(monitor, line->data + line->size,
					     sizeof(line->data) - 1 - line->size, fds, &more);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EPIPE : errno;
			fail(STAGE_CONTROL, "read monitor");
		}
		if (line->size == 0)
			*count = more;
		line->size += (size_t)got;
	}
	line->data[line->size] = '\0';
}

static void send_request(int monitor, const char *const *words)
{
	char frame[512];
	size_t size = sizeof(uint32_t);

	for (; *words != NULL; words++) {
		size_t length = strlen(*words) + 1;
		errno = EMSGSIZE;
		if (length > sizeof(frame) - size)
			fail(STAGE_CONTROL, "request");
		memcpy(frame + size, *words, length);
		size += length;
	}
	uint32_t body = htole32((uint32_t)(size - sizeof(uint32_t)));
	memcpy(frame, &body, sizeof(body));
	/* A monitor that is gone has no use for it; what follows notices. */
	(void)socket_send(monitor, frame, size, NULL, 0);
}

/* The greeting is the same line for the same container, so it need not be parsed. */
static void check_hello(const struct plan *plan, int monitor)
{
	struct line expected;
	struct line hello;
	size_t none = 0;

	receive_line(monitor, &hello, NULL, &none);
	line_begin(&expected, "hello", "minirt-monitor");
	line_number(&expected, "version", 1);
	line_text(&expected, "pod", plan->pod);
	line_text(&expected, "container", plan->container);
	line_end(&expected);
	errno = EPROTO;
	if (hello.size != expected.size || memcmp(hello.data, expected.data, hello.size) != 0)
		fail(STAGE_CONTROL, "it is another container's monitor");
}

struct entry join_begin(const struct plan *plan, const char *id, const char *kind)
{
	struct entry entry = { .monitor = -1, .init = -1, .leaf = -1 };
	int fds[SOCKET_MAX_FDS];
	size_t count = SOCKET_MAX_FDS;
	size_t at = 1;
	struct line reply;

	errno = EINVAL;
	if (plan->socket == NULL || plan->pod == NULL || plan->container == NULL)
		fail(STAGE_PLAN, "no container");
	entry.monitor = socket_connect(plan->socket);
	if (entry.monitor < 0)
		fail(STAGE_CONTROL, "connect %s", plan->socket);
	check_hello(plan, entry.monitor);
	send_request(entry.monitor, (const char *const[]){ "exec-begin", id, kind, NULL });
	receive_line(entry.monitor, &reply, fds, &count);
	if (strstr(reply.data, "\"ok\":true") == NULL || count < 1) {
		errno = ESRCH;
		fail(STAGE_CONTROL, "enter container: %.200s", reply.data);
	}
	entry.init = fds[0];
	if (at < count && strstr(reply.data, "\"leaf\":") != NULL)
		entry.leaf = fds[at++];
	while (at < count)
		entry.cgroups1[entry.cgroups1_count++] = fds[at++];
	return entry;
}

void join_end(const struct entry *entry, const char *id)
{
	send_request(entry->monitor, (const char *const[]){ "exec-end", id, NULL });
}

int join_clone(const struct entry *entry, int *pidfd)
{
	struct clone_args args = {
		.flags = (uint64_t)CLONE_PIDFD |
			 (entry->leaf >= 0 ? (uint64_t)CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = entry->leaf >= 0 ? (unsigned long long)entry->leaf : 0,
	};
	long pid;

	/* For the children only; this process stays on the host. */
	if (setns(entry->init, CLONE_NEWPID) < 0)
		fail(STAGE_NAMESPACES, "join pid");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		fail(STAGE_CGROUP, "clone");
	return (int)pid;
}

void join_cgroups1(const struct entry *entry)
{
	for (size_t i = 0; i < entry->cgroups1_count; i++)
		if (write(entry->cgroups1[i], "0", 1) != 1)
			fail(STAGE_CGROUP, "join");
}

void join_enter(const struct plan *plan, const struct entry *entry)
{
	int user = users_own(plan) ? CLONE_NEWUSER : 0;

	if (setns(entry->init, user | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
				       CLONE_NEWCGROUP) < 0)
		fail(STAGE_NAMESPACES, "join");
	if (user != 0)
		users_become_root();
}
