/* The client side of a monitor's control socket, for the roles that enter its container. */
#pragma once

#include "plan.h"
#include "socket.h"

#include <stddef.h>

/* A container that is being entered. */
struct entry {
	int monitor; /* connection; its closing ends a client's command */
	int init;    /* pidfd of the container's first process */
	int leaf;    /* cgroup2 directory of the command, -1 without cgroup2 */
	int cgroups1
		[SOCKET_MAX_FDS]; /* cgroup.procs of the container in every v1 hierarchy that it uses */
	size_t cgroups1_count;
};

/* Connects, checks that it is the right container, and begins an exec. Fails with stage control. */
struct entry join_begin(const struct plan *plan, const char *id, const char *kind);
/* Says that the command ended. Not answered for: there is nothing left to do about it. */
void join_end(const struct entry *entry, const char *id);
/* Clones a child into the container's pid namespace and the leaf. 0 in the child; *pidfd in the parent. */
int join_clone(const struct entry *entry, int *pidfd);
/* In the child, first: the container's cgroups of v1. */
void join_cgroups1(const struct entry *entry);
/* In the child: the user namespace, as its root, and all other namespaces of the container, the mount namespace with its root among them. */
void join_enter(const struct plan *plan, const struct entry *entry);
