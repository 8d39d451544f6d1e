/* Paths of an image-controlled tree: every one is resolved by the kernel beneath a root descriptor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct open_how;

/* openat2, again and again as long as others rename what is on the way. -1 with errno. */
int path_resolve(int root, const char *path, const struct open_how *how);
/* openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, `resolve` more; O_CLOEXEC is added. -1 with errno. */
int path_open(int root, const char *path, uint64_t flags, uint64_t resolve);
/*
 * Makes missing directories like mkdir -p, mode 0755, also those that links of the image lead to. Answers an O_PATH
 * descriptor of the last one.
 */
int path_make_dir(int root, const char *path);
/* Like path_make_dir for the parents, then an empty file (0644) when nothing is there, at the end of links. O_PATH. */
int path_make_file(int root, const char *path);
/* Opens the parent directory (making it) and says where the last component starts. */
int path_make_parent(int root, const char *path, const char **name);
