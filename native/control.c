/* The control socket: frames in, lines out. A client that is slow or gone never holds the monitor up. */
#include "fd.h"
#include "monitor.h"
#include "socket.h"
#include "words.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#define MAX_CLIENTS 128

/* Fills the client's buffer with whole lines of the record, when it has nothing else to send. */
static void take_record(struct monitor *m, struct client *client)
{
	ssize_t got;

	if (!client->watching || client->out_size > 0)
		return;
	/* With room left for the one answer that may have to follow. */
	got = pread(m->record, client->out, sizeof(client->out) - sizeof(struct line),
		    client->told);
	while (got > 0 && client->out[got - 1] != '\n')
		got--;
	if (got > 0) {
		client->out_size = (size_t)got;
		client->told += got;
	}
}

/* Sends what the socket takes. Until it has taken all, nothing more is read: who does not listen may not ask. */
static void push(struct monitor *m, struct client *client)
{
	struct epoll_event event = { .data = { .ptr = &client->source } };

	for (take_record(m, client); client->out_size > 0 && !client->dead;
	     take_record(m, client)) {
		ssize_t sent = send(client->source.fd, client->out, client->out_size,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EAGAIN)
			break;
		if (sent < 0) {
			client->dead = true;
			return;
		}
		client->out_size -= (size_t)sent;
		memmove(client->out, client->out + sent, client->out_size);
	}
	event.events = client->out_size > 0 ? EPOLLOUT : EPOLLIN;
	(void)epoll_ctl(m->epoll, EPOLL_CTL_MOD, client->source.fd, &event);
}

void control_send(struct monitor *m, struct client *client, const struct line *line, const int *fds,
		  size_t count)
{
	/* Descriptors travel with their own bytes, so nothing may be queued before them. */
	if (client->out_size + line->size > sizeof(client->out) ||
	    (count > 0 && client->out_size > 0)) {
		client->dead = true;
		return;
	}
	if (count > 0) {
		if (socket_send(client->source.fd, line->data, line->size, fds, count) !=
		    (ssize_t)line->size)
			client->dead = true;
		return;
	}
	memcpy(client->out + client->out_size, line->data, line->size);
	client->out_size += line->size;
	push(m, client);
}

void control_record(struct monitor *m, const struct line *line)
{
	bool written = write(m->record, line->data, line->size) == (ssize_t)line->size;

	for (struct client *client = m->clients; client != NULL; client = client->next) {
		/* A full disk must not hide the line from those who listen. */
		if (client->watching && !written)
			control_send(m, client, line, NULL, 0);
		else
			push(m, client);
	}
}

void control_reply(struct monitor *m, struct client *client, const char *name, int error)
{
	struct line line;

	line_begin(&line, "reply", name);
	line_flag(&line, "ok", error == 0);
	if (error != 0) {
		line_number(&line, "errno", error);
		line_text(&line, "what", name);
	}
	line_end(&line);
	control_send(m, client, &line, NULL, 0);
}

/* SIGKILL's moment counts from the signal itself: nobody who asks can know when it is sent. */
static int do_stop(struct monitor *m, char **args)
{
	uint64_t signal;
	uint64_t grace;
	uint64_t at;
	struct timespec now;
	int error = 0;

	if (parse_number(args[0], 10, 64, &signal) < 0 ||
	    parse_number(args[1], 10, INT64_MAX, &grace) < 0 ||
	    parse_number(args[2], 10, INT64_MAX, &at) < 0)
		return EINVAL;
	if (m->phase == PHASE_ENDED)
		return ESRCH;
	if (!m->stopping)
		error = monitor_signal(m, (int)signal, "stop");
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t sent = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (at > sent && grace < at - sent)
		at = sent + grace;
	if (!m->stopping || at < m->deadline)
		monitor_arm(m, at);
	m->stopping = true;
	return error;
}

static int do_signal(struct monitor *m, char **args)
{
	uint64_t signal;

	if (parse_number(args[0], 10, 64, &signal) < 0)
		return EINVAL;
	return m->phase == PHASE_ENDED ? ESRCH : monitor_signal(m, (int)signal, "signal");
}

static int do_kill(struct monitor *m, char **args)
{
	(void)args;
	return m->phase == PHASE_ENDED ? ESRCH : monitor_signal(m, SIGKILL, "kill");
}

static int do_resize(struct monitor *m, char **args)
{
	uint64_t rows;
	uint64_t columns;
	struct winsize size = { 0 };

	if (parse_number(args[0], 10, UINT16_MAX, &rows) < 0 ||
	    parse_number(args[1], 10, UINT16_MAX, &columns) < 0)
		return EINVAL;
	size.ws_row = (unsigned short)rows;
	size.ws_col = (unsigned short)columns;
	if (!m->plan.terminal)
		return ENOTTY;
	return ioctl(m->outputs[0].source.fd, TIOCSWINSZ, &size) < 0 ? errno : 0;
}

static int do_rotate(struct monitor *m, char **args)
{
	int fd = open(m->plan.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);

	(void)args;
	if (fd < 0)
		return errno;
	fd_close(&m->log.fd);
	m->log.fd = fd;
	m->log.torn = false;
	return 0;
}

static int do_exec_end(struct monitor *m, char **args)
{
	return leaf_end(m, args[0]);
}

static int do_exec_kill(struct monitor *m, char **args)
{
	return leaf_kill(m, args[0]);
}

/* Requests that are answered at once; the rest is in handle(). */
static const struct {
	const char *name;
	size_t arity;
	int (*run)(struct monitor *m, char **args);
} requests[] = {
	{ "stop", 3, do_stop },		  { "signal", 1, do_signal },
	{ "kill", 0, do_kill },		  { "resize", 2, do_resize },
	{ "rotate", 0, do_rotate },	  { "exec-end", 1, do_exec_end },
	{ "exec-kill", 1, do_exec_kill },
};

static void handle(struct monitor *m, struct client *client, const struct words *words)
{
	const char *name = words->items[0];
	size_t arity = words->count - 1;

	if (strcmp(name, "watch") == 0 && arity == 0) {
		client->watching = true;
		return push(m, client);
	}
	if (strcmp(name, "exec-begin") == 0 && arity == 2)
		return leaf_begin(m, client, words->items + 1);
	if (strcmp(name, "start") == 0 && arity == 0) {
		int error = monitor_start(m);
		if (error != 0)
			return control_reply(m, client, name, error);
		m->starter = client; /* answered when execve has happened or failed */
		return;
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (strcmp(name, requests[i].name) == 0 && arity == requests[i].arity)
			return control_reply(m, client, name, requests[i].run(m, words->items + 1));
	control_reply(m, client, "unknown", EINVAL);
}

/* Takes the first frame out of the client's buffer: 1, or 0 when it has not arrived whole, -1 when it is wrong. */
static int take_frame(struct client *client, struct words *words, char *frame)
{
	uint32_t size;

	if (client->in_size < sizeof(size))
		return 0;
	memcpy(&size, client->in, sizeof(size));
	size = le32toh(size);
	if (size > sizeof(client->in) - sizeof(size))
		return -1;
	if (client->in_size < sizeof(size) + size)
		return 0;
	memcpy(frame, client->in + sizeof(size), size);
	client->in_size -= sizeof(size) + size;
	memmove(client->in, client->in + sizeof(size) + size, client->in_size);
	return words_split(words, frame, size) < 0 ? -1 : 1;
}

static void client_ready(struct monitor *m, struct source *source)
{
	struct client *client = (struct client *)source;
	char frame[sizeof(client->in)];
	struct words words;
	int taken = 1;

	push(m, client);
	if (client->dead || client->out_size > 0)
		return;
	ssize_t got = recv(source->fd, client->in + client->in_size,
			   sizeof(client->in) - client->in_size, MSG_DONTWAIT);
	client->dead = got == 0 || (got < 0 && errno != EAGAIN);
	client->in_size += got < 0 ? 0 : (size_t)got;
	while (!client->dead && client->out_size == 0 &&
	       (taken = take_frame(client, &words, frame)) == 1) {
		handle(m, client, &words);
		words_drop(&words);
	}
	client->dead |= taken < 0;
}

/* Whoever may open the socket is root by its mode; this is asked of the kernel once more. */
static bool is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

void control_accept(struct monitor *m, struct source *source)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = fd < 0 ? NULL : calloc(1, sizeof(*client));
	size_t count = 0;
	struct line line;

	for (struct client *at = m->clients; at != NULL; at = at->next)
		count++;
	if (client == NULL || count >= MAX_CLIENTS || !is_root(fd)) {
		fd_close(&fd);
		free(client);
		return;
	}
	client->source = (struct source){ .fd = fd, .ready = client_ready };
	client->next = m->clients;
	m->clients = client;
	if (monitor_watch(m, &client->source, EPOLLIN) < 0)
		client->dead = true;
	line_begin(&line, "hello", "minirt-monitor");
	line_number(&line, "version", 1);
	line_text(&line, "pod", m->plan.pod);
	line_text(&line, "container", m->plan.container);
	line_end(&line);
	control_send(m, client, &line, NULL, 0);
}

void control_reap(struct monitor *m)
{
	for (struct client **at = &m->clients; *at != NULL;) {
		struct client *client = *at;
		if (!client->dead) {
			at = &client->next;
			continue;
		}
		*at = client->next;
		if (m->starter == client)
			m->starter = NULL;
		leaf_orphan(m, client);
		monitor_unwatch(m, &client->source);
		free(client);
	}
}
