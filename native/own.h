/* The group of a volume (Kubernetes: fsGroup). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Gives everything in the directory `path` to `group`, lets that read it, write it too unless `readonly`, enter folders, and
 * have what is made in them. `always`: also when the root looks as if that had been done. Fails with stage mounts.
 */
void own_volume(const char *path, gid_t group, bool readonly, bool always);
