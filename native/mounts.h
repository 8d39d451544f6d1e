/* The container's file system, made from detached mounts on descriptors beneath its root. */
#pragma once

#include "plan.h"

/* A new, detached mount of a new file system; `data` is a comma list, which is overwritten. -1 with errno. */
int mounts_make_filesystem(const char *type, const char *source, char *data, uint64_t attr);

/* Host side of the plan's binds: opened in the host's mount namespace, so that `rshared` still means the host. */
struct sources {
	int *fds; /* one for each step, -1 where a step has none */
};

/* Clones every bind source, mapped to the ids of the user namespace `users` unless that is -1. Before the mount namespace is left. */
void mounts_open_sources(const struct plan *plan, struct sources *sources, int users);
/* rootfs.c: in the new mount namespace, makes the root file system on top of "/". Answers a descriptor of it. */
int mounts_make_root(const struct plan *plan, int users);
/*
 * In that namespace: a detached clone of what the absolute or relative path `part` leads to beneath an overlay of layers,
 * which are words as in the plan's `overlay`; empty: of all of it. -1 with errno when there is no such directory.
 */
int mounts_open_layers(const char *store, char *const *words, const char *part, int users);
/* Carries out all steps beneath `root`, in order. */
void mounts_apply(const struct plan *plan, const struct sources *sources, int root, int users);
/* Opens a new terminal of the container's own devpts; /dev/console becomes it. *slave is the other side. */
int mounts_terminal(const struct plan *plan, int root, int *slave);
/* Applies readonly-rootfs and makes `root` the root; nothing of the host's tree is left. */
void mounts_enter(const struct plan *plan, int root);
