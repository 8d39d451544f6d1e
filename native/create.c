/* From the plan to an init that waits before execve. */
#include "fd.h"
#include "init.h"
#include "monitor.h"
#include "socket.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The monitor's ends of stdio go to m, the container's into fds. */
static void open_stdio(struct monitor *m, struct init_fds *fds)
{
	int in[2];

	fds->stdio[0] = fds->stdio[1] = fds->stdio[2] = -1;
	if (m->plan.terminal)
		return;
	if (pipe2(in, O_CLOEXEC) < 0)
		fail(STAGE_TERMINAL, "pipe");
	fds->stdio[0] = in[0];
	m->stdin_hold = in[1];
	if (!m->plan.keep_stdin)
		fd_close(&m->stdin_hold);
	for (int n = 0; n < 2; n++) {
		int out[2];
		if (pipe2(out, O_CLOEXEC) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0)
			fail(STAGE_TERMINAL, "pipe");
		fds->stdio[n + 1] = out[1];
		m->outputs[n].source.fd = out[0];
	}
}

static bool wants(const struct list *list, size_t step, const char *kind)
{
	for (size_t i = 0; i < list->count; i += step)
		if (strcmp(list->items[i], kind) == 0)
			return true;
	return false;
}

/* Children of this process go into the shared pid namespace; the monitor itself stays where it is. */
static void join_pid_namespace(const struct plan *plan)
{
	for (size_t i = 0; i + 1 < plan->joins.count; i += 2) {
		if (strcmp(plan->joins.items[i], "pid") != 0)
			continue;
		autoclose int fd = open(plan->joins.items[i + 1], O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWPID) < 0)
			fail(STAGE_NAMESPACES, "join pid");
	}
}

static pid_t clone_init(struct monitor *m, const struct sources *sources,
			const struct init_fds *fds)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = (uint64_t)CLONE_PIDFD |
			 (wants(&m->plan.news, 1, "pid") ? (uint64_t)CLONE_NEWPID : 0) |
			 (m->cgroup >= 0 ? (uint64_t)CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = m->cgroup >= 0 ? (unsigned long long)m->cgroup : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		fail(m->cgroup >= 0 ? STAGE_CGROUP : STAGE_NAMESPACES, "clone");
	if (pid == 0)
		init_run(&m->plan, sources, fds);
	m->init = (struct source){ .fd = pidfd, .ready = monitor_init_ready };
	return (pid_t)pid;
}

void create_abandon(struct monitor *m, const struct line *line)
{
	monitor_reap_init(m);
	(void)write_all(m->record, line->data, line->size);
	(void)write_all(STDOUT_FILENO, line->data, line->size);
	_exit(EXIT_FAILED);
}

static void enter_cgroups1(struct monitor *m, pid_t pid)
{
	char path[4096];
	char text[16];
	struct line line;

	for (size_t i = 0; i < m->plan.cgroup1.count; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", m->plan.cgroup1.items[i]);
		autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
		int size = snprintf(text, sizeof(text), "%d", pid);
		if (fd < 0 || write(fd, text, (size_t)size) != size) {
			line_failed(&line, STAGE_CGROUP, errno, path);
			create_abandon(m, &line);
		}
	}
}

/* Makes init and follows it until it waits before execve. */
pid_t create_init(struct monitor *m)
{
	struct sources sources;
	struct init_fds fds;
	struct line line;
	int pair[2];
	int master = -1;
	int users;
	size_t count = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail(STAGE_CONTROL, "socketpair");
	fds.channel = pair[1];
	open_stdio(m, &fds);
	users = users_open(&m->plan);
	mounts_open_sources(&m->plan, &sources, users);
	fd_close(&users);
	join_pid_namespace(&m->plan);
	pid_t pid = clone_init(m, &sources, &fds);
	m->channel = (struct source){ .fd = pair[0], .ready = monitor_channel_ready };
	/* Only the container may hold its ends: their closing means something. */
	fd_close(&pair[1]);
	for (int n = 0; n < 3; n++)
		fd_close(&fds.stdio[n]);
	for (size_t i = 0; i < m->plan.step_count; i++)
		fd_close(&sources.fds[i]);
	free(sources.fds);
	enter_cgroups1(m, pid);
	(void)socket_send(m->channel.fd, INIT_GO, 1, NULL, 0);
	ssize_t got = socket_receive(m->channel.fd, line.data, sizeof(line.data), &master, &count);
	if (got != 1 || line.data[0] != INIT_READY[0]) {
		line.size = got > 0 ? (size_t)got : 0;
		if (got <= 0)
			line_failed(&line, STAGE_EXEC, got < 0 ? errno : ECHILD, "init died");
		create_abandon(m, &line);
	}
	if (count == 1 && fcntl(master, F_SETFL, O_NONBLOCK) == 0)
		m->outputs[0].source.fd = master;
	return pid;
}
