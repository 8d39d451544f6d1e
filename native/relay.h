/* Carries bytes between this process's stdio (or a file) and a command's, until the command is over. */
#pragma once

#include "log.h"
#include "tty.h"

#include <stdbool.h>

struct relay {
	int init; /* pidfd of the command */
	int in;	  /* what the command reads; -1 when it reads nothing of ours */
	int out[2]; /* what it writes: stdout and stderr, or the terminal's master in both roles and -1 */
	int signals; /* signalfd */
	bool terminal;
	bool fixed_size; /* the terminal's size is not that of ours */
	struct log *log; /* for a hook: where its output goes instead of our stdio */
	struct tty tty;
};

/* How it ended. */
struct outcome {
	bool interrupted; /* by a signal to us, or by the loss of our stdout */
	int signal;	  /* the signal, then */
	int status;	  /* the command's exit status, 128+n for a signal, otherwise */
};

/* Reads one signal. False when it tells us to go: the outcome says so. */
bool relay_signal(struct relay *relay, struct outcome *outcome);
/* Runs until the command ended and its output is complete, or we are told to go. */
struct outcome relay_run(struct relay *relay);
