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
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PLAN_FD 3
#define EXIT_MINIRT 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127

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
	process_prepare(plan);
	if (plan->terminal) {
		/* The size is this side's: it is asked for while stdio still is ours. */
		join_enter(entry);
		master = tty_open_inside((unsigned int)plan->uid);
	} else {
		join_enter(entry);
		for (int n = 0; n < 3; n++)
			if (dup2(pipes->inside[n], n) < 0 ||
			    fchown(n, (uid_t)plan->uid, (gid_t)plan->gid) < 0)
				fail(STAGE_TERMINAL, "stdio");
	}
	if (socket_send(channel, "r", 1, &master, master >= 0 ? 1 : 0) < 0)
		fail(STAGE_CONTROL, "tell the relay");
	fd_close(&master);
	process_apply(plan, -1);
	process_execute(plan);
}

/* Waits for execve: end of file is success. Otherwise the child's line, whose reading is the caller's. */
static bool started(int channel, struct relay *relay, struct line *line)
{
	int fds[SOCKET_MAX_FDS] = { -1, -1, -1, -1 };

	for (;;) {
		size_t count = 1;
		ssize_t got = socket_receive(channel, line->data, sizeof(line->data) - 1, fds, &count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		line->size = (size_t)got;
		line->data[got] = '\0';
		if (got != 1 || line->data[0] != 'r')
			return false;
		if (count > 0)
			relay->out[0] = relay->in = fds[0];
	}
}

/* The field's words for a command that cannot be run; the exit status that shells give it. */
static int refuse(const struct plan *plan, const struct line *line, char *text, size_t size)
{
	const char *name = plan->args.items[0];
	bool exec = strstr(line->data, "\"stage\":\"exec\"") != NULL &&
		    strstr(line->data, "\"what\":\"cwd") == NULL;

	if (exec && strstr(line->data, "\"errno\":2,") != NULL) {
		const char *why = strchr(name, '/') == NULL ? "executable file not found in $PATH" :
							      "no such file or directory";
		const char *stat = strchr(name, '/') == NULL ? "" : "stat ";
		snprintf(text, size, "exec: \"%s\": %s%s%s%s", name, stat, *stat ? name : "",
			 *stat ? ": " : "", why);
		return EXIT_NOT_FOUND;
	}
	if (exec && strstr(line->data, "\"errno\":13,") != NULL) {
		snprintf(text, size, "exec: \"%s\": permission denied", name);
		return EXIT_NOT_EXECUTABLE;
	}
	snprintf(text, size, "%.*s", (int)strcspn(line->data, "\n"), line->data);
	return exec ? EXIT_NOT_EXECUTABLE : EXIT_MINIRT;
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

static int finish(const struct plan *plan, int status, const char *refused, bool truncated)
{
	struct line line;

	if (plan->result == NULL) {
		if (refused != NULL)
			fprintf(stderr, "exec failed: %s\n", refused);
		return status;
	}
	if (refused != NULL) {
		line_begin(&line, "failed", refused);
	} else {
		line_begin(&line, "event", "exited");
		line_number(&line, "code", status);
		line_flag(&line, "truncated", truncated);
	}
	line_end_stamped(&line);
	write_result(plan, &line);
	return status;
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
static bool launch(struct plan *plan, const struct entry *entry, struct relay *relay,
		   struct line *line)
{
	struct pipes pipes;
	int channel[2];
	int pidfd = -1;

	open_pipes(&pipes, plan->terminal);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		fail(STAGE_CONTROL, "socketpair");
	if (join_clone(entry, &pidfd) == 0)
		run_inside(plan, entry, &pipes, channel[1]);
	fd_close(&channel[1]);
	for (int n = 0; n < 3; n++)
		fd_close(&pipes.inside[n]);
	relay->init = pidfd;
	relay->in = pipes.outside[0];
	relay->out[0] = pipes.outside[1];
	relay->out[1] = pipes.outside[2];
	if (plan->terminal)
		tty_make_raw(&relay->tty);
	bool ok = started(channel[0], relay, line);
	fd_close(&channel[0]);
	if (plan->terminal && relay->out[0] >= 0)
		(void)fcntl(relay->out[0], F_SETFL, O_RDWR | O_NONBLOCK);
	if (!plan->keep_stdin) {
		if (!plan->terminal)
			fd_close(&relay->in);
		relay->in = -1;
	}
	return ok;
}

int role_exec(int argc, char **argv)
{
	struct relay relay = { .in = -1, .out = { -1, -1 } };
	struct outcome outcome = { 0 };
	struct plan plan;
	struct line line;
	char refused[4096];
	bool ok;

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
	if (strcmp(plan.exec[1], "client") == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGHUP);
	relay.terminal = plan.terminal;
	relay.log = open_output(&plan);
	relay.signals = catch_signals();
	struct entry entry = join_begin(&plan, plan.exec[0], plan.exec[1]);
	ok = launch(&plan, &entry, &relay, &line);
	if (ok)
		outcome = relay_run(&relay);
	else
		outcome.status = refuse(&plan, &line, refused, sizeof(refused));
	tty_restore(&relay.tty);
	tty_linger();
	/* Interrupted: the connection just closes, and the monitor kills what is left of the command. */
	if (outcome.interrupted)
		return 128 + outcome.signal;
	join_end(&entry, plan.exec[0]);
	return finish(&plan, outcome.status, ok ? NULL : refused,
		      relay.log != NULL && relay.log->truncated);
}
