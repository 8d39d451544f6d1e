/* A pod's user namespace: ids inside it are those from `first` on outside. */
#pragma once

#include "plan.h"

#include <sys/types.h>

/* Whether the plan has one. */
bool users_own(const struct plan *plan);
/* What an id of the plan is on the host. Fails with stage credentials for one that the namespace does not have. */
uid_t users_on_host(const struct plan *plan, uint64_t id);
/*
 * New namespaces of the kinds in `flags`, owned by a new user namespace. This process enters them, but not the user
 * namespace, over which it keeps all its power. Answers a descriptor of the user namespace.
 */
int users_make(const struct plan *plan, int flags);
/* Opens the user namespace that the plan joins; -1 when there is none. */
int users_open(const struct plan *plan);
/* What `mount`, detached, shows as owned by some id inside is owned by the same id where it lies. -1 with errno. */
int users_map_mount(int mount, int namespace);
/* What this process makes from here on belongs to that id of the host, while it keeps all its capabilities. */
void users_act_as(uid_t id);
/* Enters it as its root, for good. */
void users_enter(int namespace);
/* Having entered it: until then this process has an id that nobody has inside. */
void users_become_root(void);
