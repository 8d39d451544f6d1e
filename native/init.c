#include "init.h"

#include "fd.h"
#include "process.h"
#include "socket.h"
#include "status.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Namespaces that a plan may join: there are eight kinds. */
#define MAX_JOINS 8

static int namespace_flag(const char *kind)
{
	static const struct {
		const char *kind;
		int flag;
	} known[] = {
		{ "net", CLONE_NEWNET }, { "ipc", CLONE_NEWIPC },	{ "uts", CLONE_NEWUTS },
		{ "pid", CLONE_NEWPID }, { "cgroup", CLONE_NEWCGROUP }, { "user", CLONE_NEWUSER },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].kind, kind) == 0)
			return known[i].flag;
	return 0;
}

/* Waits for one message; without its monitor init has no reason to go on. */
static void await(int channel, const char *message)
{
	char got;
	ssize_t size;

	do
		size = read(channel, &got, 1);
	while (size < 0 && errno == EINTR);
	if (size != 1 || got != message[0])
		_exit(EXIT_FAILED);
}

/*
 * All files are opened before the first namespace is entered. `pid` is the monitor's business: it is set by clone. `user`
 * comes last, when all is built that only the host's root can build.
 */
static void enter_namespaces(const struct plan *plan)
{
	int fresh = CLONE_NEWNS;
	int fds[MAX_JOINS];

	errno = E2BIG;
	if (plan->joins.count / 2 > MAX_JOINS)
		fail(STAGE_NAMESPACES, "join: too many");
	for (size_t i = 0; i + 1 < plan->joins.count; i += 2) {
		fds[i / 2] = open(plan->joins.items[i + 1], O_RDONLY | O_CLOEXEC);
		if (fds[i / 2] < 0)
			fail(STAGE_NAMESPACES, "open %s", plan->joins.items[i + 1]);
	}
	for (size_t i = 0; i + 1 < plan->joins.count; i += 2) {
		int flag = namespace_flag(plan->joins.items[i]);
		if (flag != CLONE_NEWPID && flag != CLONE_NEWUSER && setns(fds[i / 2], flag) < 0)
			fail(STAGE_NAMESPACES, "join %s", plan->joins.items[i]);
		fd_close(&fds[i / 2]);
	}
	for (size_t i = 0; i < plan->news.count; i++)
		fresh |= namespace_flag(plan->news.items[i]);
	/* The cgroup namespace gets its root from the cgroup that this process is in by now. */
	if (unshare(fresh & ~CLONE_NEWPID) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		fail(STAGE_NAMESPACES, "make mounts slaves of the host's");
}

static void set_stdio(const struct plan *plan, const struct init_fds *fds, int slave)
{
	for (int n = 0; n < 3; n++) {
		int fd = slave >= 0 ? slave : fds->stdio[n];
		if (dup2(fd, n) < 0)
			fail(STAGE_TERMINAL, "stdio");
		/* So that a program that is not root can open /dev/stdout again. */
		if (slave < 0 &&
		    fchown(n, users_on_host(plan, plan->uid), users_on_host(plan, plan->gid)) < 0)
			fail(STAGE_TERMINAL, "owner of stdio");
	}
	if (slave >= 0 && ioctl(0, TIOCSCTTY, 0) < 0)
		fail(STAGE_TERMINAL, "controlling terminal");
}

void init_run(struct plan *plan, const struct sources *sources, const struct init_fds *fds)
{
	int master = -1;
	int slave = -1;
	int root, users;

	status_fd(fds->channel);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	await(fds->channel, INIT_GO);
	if (setsid() < 0)
		fail(STAGE_TERMINAL, "setsid");
	process_prepare(plan);
	users = users_open(plan);
	enter_namespaces(plan);
	root = mounts_make_root(plan, users);
	mounts_apply(plan, sources, root, users);
	if (plan->terminal)
		master = mounts_terminal(plan, root, &slave);
	mounts_enter(plan, root);
	fd_close(&root);
	set_stdio(plan, fds, slave);
	fd_close(&slave);
	if (users >= 0) {
		users_enter(users);
		/* Its own mounts, to which it may add; those that are there hold together. */
		if (unshare(CLONE_NEWNS) < 0)
			fail(STAGE_NAMESPACES, "unshare mounts");
		fd_close(&users);
	}
	process_apply(plan, fds->channel);
	if (socket_send(fds->channel, INIT_READY, 1, &master, master >= 0 ? 1 : 0) < 0)
		fail(STAGE_CONTROL, "tell the monitor");
	fd_close(&master);
	await(fds->channel, INIT_START);
	process_execute(plan);
}
