#include "relay.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

/* A writable pipe takes this much without blocking (PIPE_BUF). */
#define PIECE 4096
/* After the command's end: a child that it left behind may hold the pipe and say nothing. */
#define QUIET_MS 200
/* ... or go on talking; what it says from here on is not the command's. */
#define TALK_MS 1000

/* One direction: a buffer between two descriptors; `log` takes the place of `to`. */
struct flow {
	int from;
	int to;
	struct log *log;
	struct log_stream *stream;
	size_t start;
	size_t end;
	char data[32768];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool pending(const struct flow *flow)
{
	return flow->end > flow->start;
}

/* Reads once. The end of a terminal is EIO. */
static void flow_read(struct flow *flow)
{
	ssize_t got = read(flow->from, flow->data, sizeof(flow->data));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		flow->from = -1;
		return;
	}
	if (flow->log != NULL)
		return log_add(flow->log, flow->stream, flow->data, (size_t)got);
	flow->start = 0;
	flow->end = (size_t)got;
}

/* Writes once. False when nobody reads any more. */
static bool flow_write(struct flow *flow)
{
	size_t size = flow->end - flow->start;
	ssize_t put = write(flow->to, flow->data + flow->start, size < PIECE ? size : PIECE);

	if (put < 0)
		return errno == EINTR || errno == EAGAIN;
	flow->start += (size_t)put;
	return true;
}

static struct pollfd wish(const struct flow *flow)
{
	struct pollfd poll = { .fd = flow->from, .events = POLLIN };

	if (pending(flow))
		poll = (struct pollfd){ .fd = flow->to, .events = POLLOUT };
	return poll;
}

static bool interrupt(struct outcome *outcome, int signal)
{
	outcome->interrupted = true;
	outcome->signal = signal;
	return false;
}

/* Window changes are passed on; any other signal ends us. */
bool relay_signal(struct relay *relay, struct outcome *outcome)
{
	struct signalfd_siginfo info;

	if (read(relay->signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGWINCH) {
		if (relay->terminal && !relay->fixed_size)
			tty_copy_size(relay->out[0]);
		return true;
	}
	return interrupt(outcome, (int)info.ssi_signo);
}

static void on_exit_of_command(struct relay *relay, struct outcome *outcome)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)relay->init, &info, WEXITED) < 0)
		outcome->status = 255;
	else
		outcome->status =
			info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	relay->init = -1;
}

/* The end of our input is the end of the command's; a terminal has no such end. False when ours was hung up. */
static bool on_input(struct relay *relay, struct flow *in)
{
	if (!pending(in)) {
		flow_read(in);
		if (in->from < 0 && relay->tty.raw)
			return false;
	} else if (!flow_write(in)) {
		in->from = -1;
		in->start = in->end;
	}
	if (in->from < 0 && !pending(in) && !relay->terminal)
		fd_close(&relay->in);
	return true;
}

/* How long poll may wait; 0 when the output is complete. */
static int patience(int64_t ended, int64_t heard, const struct flow *out, const struct flow *err)
{
	int64_t now = now_ms();
	int64_t quiet = heard + QUIET_MS < ended + TALK_MS ? heard + QUIET_MS : ended + TALK_MS;

	if (ended < 0 || pending(out) || pending(err))
		return -1;
	if (out->from < 0 && err->from < 0)
		return 0;
	return quiet > now ? (int)(quiet - now) : 0;
}

enum { AT_IN, AT_OUT, AT_ERR, AT_SIGNALS, AT_COMMAND, AT_STDOUT, POLLS };

struct outcome relay_run(struct relay *relay)
{
	static struct flow in, out, err;
	static struct log_stream streams[2] = { { .name = "stdout" }, { .name = "stderr" } };
	struct outcome outcome = { 0 };
	int64_t ended = -1;
	int64_t heard = 0;
	int wait;

	in = (struct flow){ .from = relay->in < 0 ? -1 : STDIN_FILENO, .to = relay->in };
	out = (struct flow){
		.from = relay->out[0], .to = STDOUT_FILENO, .log = relay->log, .stream = &streams[0]
	};
	err = (struct flow){
		.from = relay->out[1], .to = STDERR_FILENO, .log = relay->log, .stream = &streams[1]
	};
	while ((wait = patience(ended, heard, &out, &err)) != 0) {
		struct pollfd polls[POLLS] = {
			[AT_IN] = relay->in < 0 ? (struct pollfd){ .fd = -1 } : wish(&in),
			[AT_OUT] = wish(&out),
			[AT_ERR] = wish(&err),
			[AT_SIGNALS] = { .fd = relay->signals, .events = POLLIN },
			[AT_COMMAND] = { .fd = relay->init, .events = POLLIN },
			[AT_STDOUT] = { .fd = relay->log == NULL ? STDOUT_FILENO : -1 },
		};
		if (poll(polls, POLLS, wait) < 0 && errno != EINTR)
			break;
		if (polls[AT_SIGNALS].revents != 0 && !relay_signal(relay, &outcome))
			break;
		if (polls[AT_IN].revents != 0 && !on_input(relay, &in) &&
		    !interrupt(&outcome, SIGHUP))
			break;
		for (int n = 0; n < 2; n++) {
			struct flow *flow = n == 0 ? &out : &err;
			if (polls[AT_OUT + n].revents == 0)
				continue;
			heard = now_ms();
			if (!pending(flow))
				flow_read(flow);
			else if (!flow_write(flow)) {
				(void)interrupt(&outcome, SIGPIPE);
				return outcome;
			}
		}
		if (polls[AT_COMMAND].revents != 0) {
			on_exit_of_command(relay, &outcome);
			ended = heard = now_ms();
		}
		/* Nobody reads our stdout any more: that is known although the command says nothing. */
		if (ended < 0 && (polls[AT_STDOUT].revents & (POLLERR | POLLHUP)) != 0 &&
		    !interrupt(&outcome, relay->tty.raw ? SIGHUP : SIGPIPE))
			break;
	}
	if (relay->log != NULL)
		for (int n = 0; n < 2; n++)
			log_finish(relay->log, &streams[n]);
	return outcome;
}
