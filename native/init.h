/* The container's first process, from clone to execve. */
#pragma once

#include "mounts.h"
#include "plan.h"

/* What the monitor hands to init; init closes what it does not use by executing. */
struct init_fds {
	int channel;  /* seqpacket to the monitor: see init.c */
	int stdio[3]; /* -1 with a terminal */
};

/* One-byte messages of the channel. */
#define INIT_GO	   "g" /* monitor: the cgroups are set, build the container */
#define INIT_READY "r" /* init: built, waiting; carries the terminal's master when there is one */
#define INIT_START                                                                                 \
	"s" /* monitor: execve. Then end of file means that it happened, a JSON line that it failed. */

_Noreturn void init_run(struct plan *plan, const struct sources *sources,
			const struct init_fds *fds);
