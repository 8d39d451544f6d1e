/* Creates one container, supervises it, and outlives whoever asked for it. */
#include "monitor.h"

#include "devices.h"
#include "fd.h"
#include "init.h"
#include "mounts.h"
#include "process.h"
#include "roles.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND_NS 1000000000ull

/* How long the pipes of a container that ended are read: whoever holds them open may not hold the log up. */
#define DRAIN_NS SECOND_NS

int monitor_watch(struct monitor *m, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data = { .ptr = source } };

	return epoll_ctl(m->epoll, EPOLL_CTL_ADD, source->fd, &event);
}

void monitor_unwatch(struct monitor *m, struct source *source)
{
	(void)epoll_ctl(m->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	fd_close(&source->fd);
}

int monitor_kill(struct monitor *m)
{
	autoclose int all =
		m->cgroup < 0 ? -1 : openat(m->cgroup, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (all >= 0)
		(void)!write(all, "1", 1);
	return pidfd_send_signal(m->init.fd, SIGKILL, NULL, 0);
}

int monitor_signal(struct monitor *m, int signal, const char *why)
{
	bool all = signal == SIGKILL && strcmp(why, "signal") != 0;
	int error = (all ? monitor_kill(m) : pidfd_send_signal(m->init.fd, signal, NULL, 0)) < 0
			    ? errno
			    : 0;
	struct line line;

	line_begin(&line, "event", "signal");
	line_number(&line, "signal", signal);
	line_text(&line, "why", why);
	line_flag(&line, "ok", error == 0);
	line_end_stamped(&line);
	control_record(m, &line);
	return error;
}

void monitor_arm(struct monitor *m, uint64_t at)
{
	/* An instant of zero would disarm it. */
	struct itimerspec when = { .it_value = { .tv_sec = (time_t)(at / SECOND_NS),
						 .tv_nsec = (long)(at % SECOND_NS) + (at == 0) } };

	m->deadline = at;
	(void)timerfd_settime(m->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void timer_ready(struct monitor *m, struct source *source)
{
	uint64_t times;

	if (read(source->fd, &times, sizeof(times)) < 0)
		return;
	if (m->phase == PHASE_ENDED)
		m->done = true;
	else
		(void)monitor_signal(m, SIGKILL, "deadline");
}

int monitor_start(struct monitor *m)
{
	if (m->phase != PHASE_CREATED)
		return m->phase == PHASE_ENDED ? ESRCH : EALREADY;
	if (socket_send(m->channel.fd, INIT_START, 1, NULL, 0) < 0)
		return errno;
	m->phase = PHASE_STARTING;
	return 0;
}

static void event(struct monitor *m, const char *name, const char *key, int64_t value)
{
	struct line line;

	line_begin(&line, "event", name);
	if (key != NULL)
		line_number(&line, key, value);
	line_end_stamped(&line);
	control_record(m, &line);
}

/* Ends what there is, so that nobody is left in the cgroup when the failure is told. */
static void reap_init(struct monitor *m)
{
	siginfo_t info;

	(void)monitor_kill(m);
	(void)waitid(P_PIDFD, (id_t)m->init.fd, &info, WEXITED);
}

/* After `start`: end of file is execve's success, a line is its failure. */
static void channel_ready(struct monitor *m, struct source *source)
{
	struct line line;
	ssize_t got = recv(source->fd, line.data, sizeof(line.data) - 1, MSG_DONTWAIT);
	int error = 0;

	if (got < 0 && errno == EAGAIN)
		return;
	monitor_unwatch(m, source);
	if (m->phase != PHASE_STARTING)
		return;
	if (got > 0) {
		line.size = (size_t)got;
		line.data[got] = '\0';
		const char *number = strstr(line.data, "\"errno\":");
		error = number == NULL ? EIO : atoi(number + strlen("\"errno\":"));
		m->phase = PHASE_ENDED;
		m->done = true;
		reap_init(m);
		control_record(m, &line);
	} else {
		m->phase = PHASE_RUNNING;
		event(m, "started", NULL, 0);
	}
	if (m->starter != NULL && !m->starter->dead)
		control_reply(m, m->starter, "start", error);
	m->starter = NULL;
}

static bool outputs_ended(const struct monitor *m)
{
	return m->outputs[0].source.fd < 0 && m->outputs[1].source.fd < 0;
}

static void init_ready(struct monitor *m, struct source *source)
{
	siginfo_t info = { 0 };
	struct timespec now;

	if (waitid(P_PIDFD, (id_t)source->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	if (m->channel.fd >= 0)
		channel_ready(m, &m->channel);
	(void)epoll_ctl(m->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	if (m->phase == PHASE_ENDED)
		return;
	m->phase = PHASE_ENDED;
	event(m, "exited", info.si_code == CLD_EXITED ? "code" : "signal", info.si_status);
	/* Whoever is left, in a shared pid namespace or in a leaf, ends with the container. */
	(void)monitor_kill(m);
	fd_close(&m->stdin_hold);
	clock_gettime(CLOCK_MONOTONIC, &now);
	monitor_arm(m, (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec + DRAIN_NS);
	m->done = outputs_ended(m);
}

static void output_ready(struct monitor *m, struct source *source)
{
	static char data[32768];
	struct output *output = (struct output *)source;
	ssize_t got = read(source->fd, data, sizeof(data));

	if (got > 0)
		return log_add(&m->log, &output->stream, data, (size_t)got);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A terminal is in error for as long as nobody has it open: not its end before init's. */
	if (m->plan.terminal && m->phase != PHASE_ENDED) {
		(void)epoll_ctl(m->epoll, EPOLL_CTL_DEL, source->fd, NULL);
		return;
	}
	monitor_unwatch(m, source);
	m->done |= m->phase == PHASE_ENDED && outputs_ended(m);
}

static void open_files(struct monitor *m)
{
	const struct plan *plan = &m->plan;

	errno = EINVAL;
	if (plan->pod == NULL || plan->container == NULL || plan->record == NULL ||
	    plan->socket == NULL || plan->log == NULL || plan->args.count == 0)
		fail(STAGE_PLAN, "pod, container, record, socket, log and arg are needed");
	m->record = open(plan->record, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (m->record < 0)
		fail(STAGE_CONTROL, "open %s", plan->record);
	m->log.fd = open(plan->log,
			 O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (m->log.fd < 0)
		fail(STAGE_LOG, "open %s", plan->log);
	m->listener = (struct source){ .fd = socket_listen(plan->socket), .ready = control_accept };
	if (m->listener.fd < 0)
		fail(STAGE_CONTROL, "listen %s", plan->socket);
	if (plan->cgroup2 != NULL) {
		m->cgroup = open(plan->cgroup2, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (m->cgroup < 0)
			fail(STAGE_CGROUP, "open %s", plan->cgroup2);
	}
	if (plan->devices != NULL && strcmp(plan->devices, "default") == 0) {
		errno = ENOTDIR;
		if (m->cgroup < 0 || devices_restrict(m->cgroup) < 0)
			fail(STAGE_DEVICES, "restrict %s",
			     plan->cgroup2 == NULL ? "without cgroup2" : plan->cgroup2);
	}
}

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
		.flags = CLONE_PIDFD | (wants(&m->plan.news, 1, "pid") ? CLONE_NEWPID : 0) |
			 (m->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = m->cgroup >= 0 ? (uint64_t)m->cgroup : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		fail(m->cgroup >= 0 ? STAGE_CGROUP : STAGE_NAMESPACES, "clone");
	if (pid == 0)
		init_run(&m->plan, sources, fds);
	m->init = (struct source){ .fd = pidfd, .ready = init_ready };
	return (pid_t)pid;
}

/* Before `created`: kills what there is, waits for it, and fails with this line. */
_Noreturn static void abandon(struct monitor *m, const struct line *line)
{
	reap_init(m);
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
			abandon(m, &line);
		}
	}
}

/* Makes init and follows it until it waits before execve. */
static pid_t create(struct monitor *m)
{
	struct sources sources;
	struct init_fds fds;
	struct line line;
	int pair[2];
	int master = -1;
	size_t count = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail(STAGE_CONTROL, "socketpair");
	fds.channel = pair[1];
	open_stdio(m, &fds);
	mounts_open_sources(&m->plan, &sources);
	join_pid_namespace(&m->plan);
	pid_t pid = clone_init(m, &sources, &fds);
	m->channel = (struct source){ .fd = pair[0], .ready = channel_ready };
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
		abandon(m, &line);
	}
	if (count == 1 && fcntl(master, F_SETFL, O_NONBLOCK) == 0)
		m->outputs[0].source.fd = master;
	return pid;
}

static void tell_created(struct monitor *m, pid_t pid)
{
	struct line line;
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	line_begin(&line, "event", "created");
	line_number(&line, "pid", pid);
	line_end_stamped(&line);
	control_record(m, &line);
	(void)write_all(STDOUT_FILENO, line.data, line.size);
	/* stderr stays: it is where a sanitizer speaks, and nobody else does. */
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
}

static void supervise(struct monitor *m)
{
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->timer =
		(struct source){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				 .ready = timer_ready };
	if (m->epoll < 0 || m->timer.fd < 0 || monitor_watch(m, &m->listener, EPOLLIN) < 0 ||
	    monitor_watch(m, &m->init, EPOLLIN) < 0 || monitor_watch(m, &m->channel, EPOLLIN) < 0 ||
	    monitor_watch(m, &m->timer, EPOLLIN) < 0) {
		struct line line;
		line_failed(&line, STAGE_CONTROL, errno, "epoll");
		abandon(m, &line);
	}
	for (int n = 0; n < 2; n++)
		if (m->outputs[n].source.fd >= 0)
			(void)monitor_watch(m, &m->outputs[n].source, EPOLLIN);
}

static void run(struct monitor *m)
{
	/* One event a turn: a handler may close anything, and no stale event can follow. epoll serves all in turn. */
	while (!m->done) {
		struct epoll_event one;
		if (epoll_wait(m->epoll, &one, 1, -1) == 1) {
			struct source *source = one.data.ptr;
			source->ready(m, source);
		}
		control_reap(m);
	}
	log_finish(&m->log, &m->outputs[0].stream);
	log_finish(&m->log, &m->outputs[1].stream);
	if (m->log.lost > 0)
		event(m, "log-lost", "bytes", (int64_t)m->log.lost);
	leaf_sweep(m);
}

int role_monitor(int argc, char **argv)
{
	static struct monitor m = {
		.epoll = -1,
		.record = -1,
		.cgroup = -1,
		.stdin_hold = -1,
		.log = { .fd = -1, .limit = UINT64_MAX },
		.outputs = { { .source = { .fd = -1, .ready = output_ready },
			       .stream = { .name = "stdout" } },
			     { .source = { .fd = -1, .ready = output_ready },
			       .stream = { .name = "stderr" } } },
	};
	static const int deaf_to[] = {
		SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2
	};

	(void)argc;
	process_protect(argv);
	(void)close_range(3, ~0U, 0);
	for (size_t i = 0; i < sizeof(deaf_to) / sizeof(*deaf_to); i++)
		(void)signal(deaf_to[i], SIG_IGN);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "minirt-monitor");
	if (chdir("/") < 0)
		fail(STAGE_CONTROL, "chdir");
	umask(022);
	plan_read(&m.plan, STDIN_FILENO, 'm');
	open_files(&m);
	pid_t pid = create(&m);
	supervise(&m);
	tell_created(&m, pid);
	run(&m);
	return 0;
}
