/* Creates one container, supervises it, and outlives whoever asked for it. */
#include "monitor.h"

#include "devices.h"
#include "fd.h"
#include "init.h"
#include "process.h"
#include "roles.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND_NS 1000000000ull

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
void monitor_reap_init(struct monitor *m)
{
	siginfo_t info;

	(void)monitor_kill(m);
	(void)waitid(P_PIDFD, (id_t)m->init.fd, &info, WEXITED);
}

/* After `start`: end of file is execve's success, a line is its failure. */
void monitor_channel_ready(struct monitor *m, struct source *source)
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
		monitor_reap_init(m);
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

void monitor_init_ready(struct monitor *m, struct source *source)
{
	siginfo_t info = { 0 };
	struct timespec now;

	if (waitid(P_PIDFD, (id_t)source->fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	if (m->channel.fd >= 0)
		monitor_channel_ready(m, &m->channel);
	(void)epoll_ctl(m->epoll, EPOLL_CTL_DEL, source->fd, NULL);
	if (m->phase == PHASE_ENDED)
		return;
	m->phase = PHASE_ENDED;
	event(m, "exited", info.si_code == CLD_EXITED ? "code" : "signal", info.si_status);
	/* Whoever is left, in a shared pid namespace or in a leaf, ends with the container. */
	(void)monitor_kill(m);
	fd_close(&m->stdin_hold);
	/* Whoever still holds the pipes may not hold the log up: they are read for one more second. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	monitor_arm(m, (uint64_t)(now.tv_sec + 1) * SECOND_NS + (uint64_t)now.tv_nsec);
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
		create_abandon(m, &line);
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
	pid_t pid = create_init(&m);
	supervise(&m);
	tell_created(&m, pid);
	run(&m);
	return 0;
}
