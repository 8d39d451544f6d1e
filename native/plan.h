/* A launch plan, read whole and checked before anything is done. See docs/helper-protocol.md. */
#pragma once

#include "words.h"

#include <stdbool.h>
#include <stdint.h>

enum step_kind {
	STEP_MOUNT,
	STEP_BIND,
	STEP_BIND_PART,
	STEP_LAYERS,
	STEP_MKDIR,
	STEP_SYMLINK,
	STEP_NODE,
	STEP_MASK,
	STEP_READONLY,
	STEP_BIND_NS,
	STEP_SYSCTL,
	STEP_PRIVATE_MOUNT,
	STEP_UNBIND,
	STEP_TMPFS,
	STEP_HUGETLBFS,
	STEP_OWN,
};

/* One operation whose place in the order matters; args are checked words. */
struct step {
	enum step_kind kind;
	char **args;
};

enum { CAPS_BOUNDING, CAPS_EFFECTIVE, CAPS_PERMITTED, CAPS_INHERITABLE, CAPS_AMBIENT, CAPS_SETS };
enum { USERS_FIRST, USERS_COUNT, USERS_ARGS };
enum { OVERLAY_LOWER, OVERLAY_UPPER, OVERLAY_WORK, OVERLAY_OPTIONS, OVERLAY_ARGS };

/* Absent texts are NULL, absent lists empty, absent numbers 0 (umask: 022). */
struct plan {
	char *pod;
	char *container;
	char *socket;
	char *record;
	char *log;
	char *cgroup2;
	struct list cgroup1;
	char *devices;
	struct list joins; /* KIND PATH, KIND PATH, ... */
	struct list news;  /* KIND, ... */
	char *store;
	char *overlay[OVERLAY_ARGS];
	char *rootfs;
	struct step *steps;
	size_t step_count;
	bool readonly_rootfs;
	bool terminal;
	bool keep_stdin;

	struct list args;
	struct list env;
	char *cwd;
	uint64_t uid;
	uint64_t gid;
	struct list groups;
	uint64_t umask;
	uint64_t caps[CAPS_SETS];
	bool no_new_privs;
	char *seccomp;
	char *apparmor;
	int apparmor_fd;     /* by process_prepare */
	int seccomp_fd;	     /* by process_prepare */
	struct list rlimits; /* NAME SOFT HARD, ... */
	char *oom[2];	     /* N, required|preferred */

	uint64_t users[USERS_ARGS]; /* ids of the host that a pod has for its own 0 and on */

	char *exec[2];	 /* ID, client|hook */
	char *output[2]; /* FILE, LIMIT */
	char *result;
	uint64_t winsize[2]; /* rows, columns; 0: that of the caller's terminal */

	char *hostname;
	struct list reads; /* PATH LIMIT, ... */
};

/*
 * Reads and checks the plan of a role ('m' monitor, 'e' exec, 's' sandbox, 'p' peek); fails with stage plan.
 * The words live as long as the process.
 */
void plan_read(struct plan *plan, int fd, char role);
/* The value of a word that the plan's table has checked (`U`, `u`, `l`); `unlimited` is UINT64_MAX. */
uint64_t plan_number(const char *word);
/* Strict parsing: digits of the base only, at most `limit`. 0, or -1 with errno EINVAL or ERANGE. */
int parse_number(const char *word, int base, uint64_t limit, uint64_t *value);
