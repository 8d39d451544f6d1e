/* The command's own process between clone and execve: used by monitor's init and by exec's child. */
#pragma once

#include "plan.h"

/*
 * First thing in the child, while / and /proc are still the host's: opens the seccomp filter, writes oom_score_adj.
 * A merely `preferred` value that the kernel refuses is skipped.
 */
void process_prepare(struct plan *plan);

/*
 * Everything up to execve, in an order that matters: cwd (made if missing), scheduling, keyring, rlimits, umask,
 * groups, ids, capabilities, seccomp. The process is in its namespaces and "/" is the container's root; stdio is set
 * up. With `lifeline` >= 0 the process dies with its parent, which holds the other end of that socket.
 * Fails with a stage on the status fd.
 */
void process_apply(const struct plan *plan, int lifeline);

/*
 * Default dispositions, empty signal mask, every fd above 2 close-on-exec; looks args[0] up in the PATH of env; execve.
 * Fails with stage exec: errno ENOENT when it does not exist, EACCES when it is not executable.
 */
_Noreturn void process_execute(const struct plan *plan);

/* Before anything else in a role that enters containers: non-dumpable, and /proc/self/exe on a read-only mount. */
void process_protect(char **argv);
