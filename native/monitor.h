/* One container's supervisor: the parts that monitor.c, control.c and leaf.c share. */
#pragma once

#include "log.h"
#include "plan.h"
#include "status.h"

#include <sys/types.h>

struct monitor;

/* Something that epoll watches; embedded first in what it belongs to. */
struct source {
	int fd;
	void (*ready)(struct monitor *m, struct source *source);
};

enum phase {
	PHASE_CREATED,	/* init waits before execve */
	PHASE_STARTING, /* told to execve, no answer yet */
	PHASE_RUNNING,
	PHASE_ENDED, /* exited or failed; what is left in the pipes is being logged */
};

/* One connection. */
struct client {
	struct source source;
	struct client *next;
	bool watching;
	bool dead;	 /* freed by the loop, once nobody is using it */
	off_t told;	 /* how much of the record it was told */
	size_t in_size;	 /* of a request that is arriving */
	size_t out_size; /* of what the socket has not taken yet */
	char in[2048];
	char out[16384];
};

/* The cgroup of one command that was executed in the container. */
struct leaf {
	struct source source; /* its cgroup.events */
	struct leaf *next;
	struct client *owner; /* whoever began it, NULL once that one is gone */
	bool kill_with_owner;
	bool ended; /* to be removed as soon as it is empty */
	char id[64];
};

struct output {
	struct source source;
	struct log_stream stream;
};

struct monitor {
	struct plan plan;
	int epoll;
	int record;
	int cgroup; /* the container's cgroup2 directory, or -1 */
	int stdin_hold;
	enum phase phase;
	bool stopping;
	bool done;
	uint64_t deadline;
	struct source init; /* pidfd */
	struct source channel;
	struct source timer;
	struct source listener;
	struct client *clients;
	struct client *starter; /* waits for the answer to `start` */
	struct leaf *leaves;
	struct log log;
	struct output outputs[2]; /* a terminal has only the first */
};

/* monitor.c */
int monitor_watch(struct monitor *m, struct source *source, uint32_t events);
void monitor_unwatch(struct monitor *m, struct source *source);
/* SIGKILL to everything in the container. -1 with errno when there is nothing. */
int monitor_kill(struct monitor *m);
/* Sends the signal to init by pidfd and records it. 0 or errno. */
int monitor_signal(struct monitor *m, int signal, const char *why);
/* Arms the timer at this CLOCK_MONOTONIC instant. */
void monitor_arm(struct monitor *m, uint64_t at);
int monitor_start(struct monitor *m);
void monitor_channel_ready(struct monitor *m, struct source *source);
void monitor_init_ready(struct monitor *m, struct source *source);
/* Kills init and waits for its end. */
void monitor_reap_init(struct monitor *m);

/* create.c */
/* Makes init and follows it until it waits before execve; fails with init's own line. */
pid_t create_init(struct monitor *m);
/* Before `created`: kills what there is, waits for it, and fails with this line. */
_Noreturn void create_abandon(struct monitor *m, const struct line *line);

/* control.c */
void control_accept(struct monitor *m, struct source *source);
/* Appends a line to the record, then tells the watchers. */
void control_record(struct monitor *m, const struct line *line);
/* Answers a request; `error` 0 is success. */
void control_reply(struct monitor *m, struct client *client, const char *name, int error);
/* Sends a line with descriptors. */
void control_send(struct monitor *m, struct client *client, const struct line *line, const int *fds,
		  size_t count);
/* Frees the connections that ended. */
void control_reap(struct monitor *m);

/* leaf.c */
void leaf_begin(struct monitor *m, struct client *client, char **args);
/* 0 or errno. */
int leaf_end(struct monitor *m, const char *id);
int leaf_kill(struct monitor *m, const char *id);
/* The connection ended: its leaves are killed or left to themselves. */
void leaf_orphan(struct monitor *m, const struct client *client);
/* The container ended: removes every leaf that is empty. */
void leaf_sweep(struct monitor *m);
