/*
 * role exec: runs a command in a running container. The host's descriptors never enter it: the command has pipes, or a
 * terminal of the container's own, and this process carries the bytes.
 */
#include "fd.h"
#include "join.h"
#include "process.h"
#include "relay.h"
#include "roles.h"
#include "socket.h"
#include "status.h"
#include "users.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PLAN_FD		    3
#define EXIT_MINIRT	    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

static bool is_client(const struct plan *plan)
{
	return strcmp(plan->exec[1], "client") == 0;
}

/* The two ends of the command's stdio; all -1 with a terminal. */
struct pipes {
	int inside[3];
	int outside[3];
};

static void open_pipes(struct pipes *pipes, bool terminal)
{
	for (int n = 0; n < 3; n++) {
		int pair[2];
		pipes->inside[n] = pipes->outside[n] = -1;
		if (terminal)
			continue;
		if (pipe2(pair, O_CLOEXEC) < 0)
			fail(STAGE_TERMINAL, "pipe");
		pipes->inside[n] = pair[n == 0 ? 0 : 1];
		pipes->outside[n] = pair[n == 0 ? 1 : 0];
		if (fcntl(pipes->outside[n], F_SETFL, O_NONBLOCK) < 0)
			fail(STAGE_TERMINAL, "pipe");
	}
}

/* From here on signals are read, not taken: raw mode is always undone, and a stop is orderly. */
static int catch_signals(void)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		sigaddset(&set, caught[i]);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		fail(STAGE_TERMINAL, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		fail(STAGE_TERMINAL, "signals");
	return fd;
}

static _Noreturn void run_inside(struct plan *plan, const struct entry *entry,
				 const struct pipes *pipes, int channel)
{
	int master = -1;

	status_fd(channel);
	if (setsid() < 0)
		fail(STAGE_TERMINAL, "setsid");
	join_cgroups1(entry);
	process_prepare(plan);
	if (plan->terminal) {
		/* The size is this side's: it is asked for while stdio still is ours. */
		join_enter(plan, entry);
		master = tty_open_inside((unsigned int)plan->uid, (unsigned short)plan->winsize[0],
					 (unsigned short)plan->winsize[1]);
	} else {
		/* From within a user namespace the pipes, which are the host's, could not be given away. */
		for (int n = 0; n < 3; n++)
			if (dup2(pipes->inside[n], n) < 0 ||
			    fchown(n, users_on_host(plan, plan->uid),
				   users_on_host(plan, plan->gid)) < 0)
				fail(STAGE_TERMINAL, "stdio");
		join_enter(plan, entry);
	}
	if (socket_send(channel, "r", 1, &master, master >= 0 ? 1 : 0) < 0)
		fail(STAGE_CONTROL, "tell the relay");
	fd_close(&master);
	/* Without a leaf to kill, the command itself must notice that its client is gone. */
	process_apply(plan, entry->leaf < 0 && is_client(plan) ? channel : -1);
	process_execute(plan);
}

enum launched { STARTED, REFUSED, INTERRUPTED };

/* Waits for execve: end of file is success. Otherwise the child's line, whose reading is the caller's. */
static enum launched wait_started(int channel, struct relay *relay, struct line *line,
				  struct outcome *outcome)
{
	int fds[SOCKET_MAX_FDS];

	for (;;) {
		struct pollfd polls[] = { { .fd = channel, .events = POLLIN },
					  { .fd = relay->signals, .events = POLLIN } };
		size_t count = 1;
		/* A file of the container's may keep execve waiting for ever. */
		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[1].revents != 0 && !relay_signal(relay, outcome))
			return INTERRUPTED;
		if (polls[0].revents == 0)
			continue;
		ssize_t got =
			socket_receive(channel, line->data, sizeof(line->data) - 1, fds, &count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return STARTED;
		line->size = (size_t)got;
		line->data[got] = '\0';
		if (got != 1 || line->data[0] != 'r')
			return REFUSED;
		if (count == 0)
			continue;
		relay->out[0] = relay->in = fds[0];
		/* It may have changed since the child asked. */
		if (!relay->fixed_size)
			tty_copy_size(fds[0]);
	}
}

/* Why a command could not be run, and the exit status that shells give that. */
struct refusal {
	int status;
	int error;
	char text[4096];
};

static struct refusal refuse(const struct plan *plan, const struct line *line)
{
	const char *name = plan->args.items[0];
	const char *number = strstr(line->data, "\"errno\":");
	bool exec = strstr(line->data, "\"stage\":\"exec\"") != NULL &&
		    strstr(line->data, "\"what\":\"cwd /") == NULL;
	struct refusal refusal = { .status = EXIT_NOT_EXECUTABLE };
	char *text = refusal.text;
	const size_t size = sizeof(refusal.text);

	if (number != NULL)
		refusal.error = atoi(number + strlen("\"errno\":"));
	if (exec && refusal.error == ENOENT) {
		const char *why = strchr(name, '/') == NULL ? "executable file not found in $PATH"
							    : "no such file or directory";
		const char *stat = strchr(name, '/') == NULL ? "" : "stat ";
		snprintf(text, size, "exec: \"%s\": %s%s%s%s", name, stat, *stat ? name : "",
			 *stat ? ": " : "", why);
		refusal.status = EXIT_NOT_FOUND;
	} else if (exec && (refusal.error == EACCES || refusal.error == ENOEXEC)) {
		snprintf(text, size, "exec: \"%s\": %s", name,
			 refusal.error == EACCES ? "permission denied" : "exec format error");
	} else {
		snprintf(text, size, "%.*s", (int)strcspn(line->data, "\n"), line->data);
		refusal.status = exec ? EXIT_NOT_EXECUTABLE : EXIT_MINIRT;
	}
	return refusal;
}

/* The result file appears whole or not at all. */
static void write_result(const struct plan *plan, const struct line *line)
{
	char draft[4096];
	autoclose int fd = -1;

	snprintf(draft, sizeof(draft), "%s.tmp", plan->result);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, line->data, line->size) < 0 || rename(draft, plan->result) < 0)
		fail(STAGE_LOG, "write %s", plan->result);
}

static void write_failed(const struct plan *plan, int error, const char *what)
{
	struct line line;

	line_begin(&line, "failed", what);
	line_number(&line, "errno", error);
	line_end_stamped(&line);
	write_result(plan, &line);
}

/* A hook's owner reads nothing but the result: whatever goes wrong has to be there. */
static const struct plan *hook;

static void tell_owner(int error, const char *what)
{
	char text[4096];

	/* When not even that can be written, stderr is told. */
	status_fd(STDERR_FILENO);
	snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
	write_failed(hook, error, text);
}

static int finish(const struct plan *plan, int status, bool truncated)
{
	struct line line;

	if (plan->result == NULL)
		return status;
	line_begin(&line, "event", "exited");
	line_number(&line, "code", status);
	line_flag(&line, "truncated", truncated);
	line_end_stamped(&line);
	write_result(plan, &line);
	return status;
}

/* We were told to go, so the command goes too: with its leaf, for which the monitor waits for us, or alone. */
static int abandon(const struct plan *plan, const struct relay *relay,
		   const struct outcome *outcome)
{
	char text[64];

	if (relay->init >= 0)
		(void)syscall(SYS_pidfd_send_signal, relay->init, SIGKILL, NULL, 0);
	snprintf(text, sizeof(text), "interrupted by signal %d", outcome->signal);
	if (plan->result != NULL)
		write_failed(plan, EINTR, text);
	return 128 + outcome->signal;
}

static struct log *open_output(const struct plan *plan)
{
	static struct log log;

	if (plan->output[0] == NULL)
		return NULL;
	log.limit = plan_number(plan->output[1]);
	log.fd = open(plan->output[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log.fd < 0)
		fail(STAGE_LOG, "open %s", plan->output[0]);
	return &log;
}

/* Clones the command and hands back what is left of it on this side. */
static enum launched launch(struct plan *plan, const struct entry *entry, struct relay *relay,
			    struct line *line, struct outcome *outcome)
{
	struct pipes pipes;
	int channel[2];
	int pidfd = -1;

	open_pipes(&pipes, plan->terminal);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		fail(STAGE_CONTROL, "socketpair");
	if (join_clone(entry, &pidfd) == 0) {
		fd_close(&channel[0]);
		run_inside(plan, entry, &pipes, channel[1]);
	}
	fd_close(&channel[1]);
	for (int n = 0; n < 3; n++)
		fd_close(&pipes.inside[n]);
	relay->init = pidfd;
	relay->in = pipes.outside[0];
	relay->out[0] = pipes.outside[1];
	relay->out[1] = pipes.outside[2];
	/* Who does not type into it keeps his own Ctrl-C. */
	if (plan->terminal && plan->keep_stdin)
		tty_make_raw(&relay->tty);
	enum launched how = wait_started(channel[0], relay, line, outcome);
	if (how != INTERRUPTED)
		fd_close(&channel[0]);
	if (plan->terminal && relay->out[0] >= 0)
		(void)fcntl(relay->out[0], F_SETFL, O_RDWR | O_NONBLOCK);
	if (!plan->keep_stdin) {
		if (!plan->terminal)
			fd_close(&relay->in);
		relay->in = -1;
	}
	return how;
}

int role_exec(int argc, char **argv)
{
	struct relay relay = { .in = -1, .out = { -1, -1 } };
	struct outcome outcome = { 0 };
	struct plan plan;
	struct line line;

	(void)argc;
	status_fd(STDERR_FILENO);
	status_exit(EXIT_MINIRT);
	process_protect(argv);
	plan_read(&plan, PLAN_FD, 'e');
	(void)close(PLAN_FD);
	errno = EINVAL;
	if (plan.exec[0] == NULL || plan.args.count == 0)
		fail(STAGE_PLAN, "no command");
	/* A client's command ends with the client, however that ends; a hook's outlives its owner. */
	if (is_client(&plan))
		(void)prctl(PR_SET_PDEATHSIG, SIGHUP);
	hook = &plan;
	if (plan.result != NULL)
		status_tell(tell_owner);
	relay.terminal = plan.terminal;
	relay.fixed_size = plan.winsize[0] != 0 && plan.winsize[1] != 0;
	relay.log = open_output(&plan);
	relay.signals = catch_signals();
	struct entry entry = join_begin(&plan, plan.exec[0], plan.exec[1]);
	enum launched how = launch(&plan, &entry, &relay, &line, &outcome);
	if (how == STARTED)
		outcome = relay_run(&relay);
	tty_restore(&relay.tty);
	tty_linger();
	if (outcome.interrupted)
		return abandon(&plan, &relay, &outcome);
	join_end(&entry, plan.exec[0]);
	if (how == STARTED)
		return finish(&plan, outcome.status, relay.log != NULL && relay.log->truncated);
	struct refusal refusal = refuse(&plan, &line);
	if (plan.result != NULL)
		write_failed(&plan, refusal.error, refusal.text);
	else
		fprintf(stderr, "exec failed: %s\n", refusal.text);
	return refusal.status;
}
