#include "users.h"

#include "fd.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

bool users_own(const struct plan *plan)
{
	return plan->users[USERS_COUNT] != 0;
}

uid_t users_on_host(const struct plan *plan, uint64_t id)
{
	if (!users_own(plan))
		return (uid_t)id;
	errno = EINVAL;
	if (id >= plan->users[USERS_COUNT])
		fail(STAGE_CREDENTIALS, "id %u is not in the user namespace", (unsigned)id);
	return (uid_t)(plan->users[USERS_FIRST] + id);
}

static void write_map(const struct plan *plan, pid_t pid, const char *name)
{
	char path[48];
	char text[48];
	int size = snprintf(text, sizeof(text), "0 %u %u\n", (unsigned)plan->users[USERS_FIRST],
			    (unsigned)plan->users[USERS_COUNT]);
	autoclose int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)size) != size)
		fail(STAGE_NAMESPACES, "%s", name);
}

/* One byte each way, so that both sides know where the other is. */
static bool hand_over(int channel)
{
	char byte = 0;

	return write(channel, &byte, 1) == 1 && read(channel, &byte, 1) == 1;
}

void users_become_root(void)
{
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		fail(STAGE_CREDENTIALS, "root of the user namespace");
}

static _Noreturn void hold_namespaces(int channel, int flags)
{
	char byte;

	status_fd(channel);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER) < 0)
		fail(STAGE_NAMESPACES, "unshare user");
	if (!hand_over(channel))
		_exit(EXIT_FAILED);
	/* POSIX queues belong to who made the namespace. */
	users_become_root();
	if (unshare(flags) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	/* Ended by the other side, that way or by its death. */
	_exit(write(channel, "", 1) == 1 && read(channel, &byte, 1) == 0 ? 0 : EXIT_FAILED);
}

/* The child's byte; anything longer is the line that says why it failed. */
static void await_child(int channel)
{
	struct line line;
	ssize_t got = read(channel, line.data, sizeof(line.data));

	if (got > 1 && write_all(STDOUT_FILENO, line.data, (size_t)got) == 0)
		_exit(EXIT_FAILED);
	errno = ECHILD;
	if (got != 1)
		fail(STAGE_NAMESPACES, "user namespace");
}

int users_make(const struct plan *plan, int flags)
{
	char path[48];
	int pair[2];
	autoclose int namespace = -1;
	autoclose int pidfd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail(STAGE_NAMESPACES, "socketpair");
	pid = fork();
	if (pid < 0)
		fail(STAGE_NAMESPACES, "fork");
	if (pid == 0) {
		/* Its closing, here or by our death, is what the child ends by. */
		fd_close(&pair[0]);
		hold_namespaces(pair[1], flags);
	}
	fd_close(&pair[1]);
	await_child(pair[0]);
	write_map(plan, pid, "uid_map");
	write_map(plan, pid, "gid_map");
	if (write(pair[0], "", 1) != 1)
		fail(STAGE_NAMESPACES, "user namespace");
	await_child(pair[0]);
	/* Nobody else reaps it, so the number is still its own. */
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (namespace < 0 || pidfd < 0 || setns(pidfd, flags) < 0)
		fail(STAGE_NAMESPACES, "enter what the user namespace owns");
	fd_close(&pair[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd_steal(&namespace);
}

int users_open(const struct plan *plan)
{
	int fd = -1;

	for (size_t i = 0; fd < 0 && i + 1 < plan->joins.count; i += 2) {
		if (strcmp(plan->joins.items[i], "user") != 0)
			continue;
		fd = open(plan->joins.items[i + 1], O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail(STAGE_NAMESPACES, "open %s", plan->joins.items[i + 1]);
	}
	errno = EINVAL;
	if ((fd >= 0) != users_own(plan))
		fail(STAGE_NAMESPACES, "ids without a user namespace, or the other way round");
	return fd;
}

int users_map_mount(int mount, int namespace)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP,
				   .userns_fd = (uint64_t)(unsigned)namespace };

	return mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
}

void users_act_as(uid_t id)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)syscall(SYS_setfsgid, id);
	(void)syscall(SYS_setfsuid, id);
	/* To be no longer root has cost those that concern files. */
	if (syscall(SYS_capget, &header, data) < 0)
		fail(STAGE_CREDENTIALS, "capabilities");
	for (int half = 0; half < 2; half++)
		data[half].effective = data[half].permitted;
	if (syscall(SYS_capset, &header, data) < 0 || (uid_t)syscall(SYS_setfsuid, id) != id ||
	    (gid_t)syscall(SYS_setfsgid, id) != id)
		fail(STAGE_CREDENTIALS, "act as %u", (unsigned)id);
}

void users_enter(int namespace)
{
	if (setns(namespace, CLONE_NEWUSER) < 0)
		fail(STAGE_NAMESPACES, "join user");
	users_become_root();
}
