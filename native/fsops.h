/* A tree that is being unpacked. Every function fails with stage unpack; none returns after a failure. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <time.h>

#define MAX_LOWERS 127
#define MAX_XATTRS 64

struct attributes {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

/* A directory whose times are set last; `described` is false for a parent that only had to be there. */
struct directory {
	char *path;
	bool described;
	struct attributes attributes;
};

struct xattr {
	char *name;
	char *value;
	size_t size;
};

struct tree {
	int root;
	int parent;		    /* the directory that was used last ... */
	char parent_path[PATH_MAX]; /* ... and what it was called */
	int lowers[MAX_LOWERS];	    /* top first */
	size_t lower_count;
	struct directory *directories;
	size_t directory_count;
	struct xattr xattrs[MAX_XATTRS]; /* for the next object */
	size_t xattr_count;
	bool written; /* something was made, and finish has not come yet */
};

/* fsops_tree.c: objects */
void tree_lower(struct tree *tree, const char *path);
void tree_xattr(struct tree *tree, const char *name, const char *hex);
void tree_mkdir(struct tree *tree, const char *path, const struct attributes *attributes);
/* A new empty file, open for writing; tree_describe completes it. */
int tree_create(struct tree *tree, const char *path);
void tree_describe(struct tree *tree, int file, const char *path,
		   const struct attributes *attributes);
void tree_symlink(struct tree *tree, const char *path, const char *target,
		  const struct attributes *attributes);
void tree_hardlink(struct tree *tree, const char *path, const char *target);
void tree_node(struct tree *tree, const char *path, mode_t type, dev_t device,
	       const struct attributes *attributes);
void tree_remove(struct tree *tree, const char *path);
void tree_finish(struct tree *tree);

/* fsops_layer.c: what one layer says about those below it */
void tree_opaque(struct tree *tree, const char *path);
void tree_whiteout(struct tree *tree, const char *path);
/* What the lower layers show at `path`, as an O_PATH descriptor; -1 when nothing. */
int tree_below(const struct tree *tree, const char *path);
/* Brings a file of a lower layer into this one, with everything that describes it. */
void tree_copy_up(struct tree *tree, const char *path);

/* fsops_path.c: places */
/* The directory of `path`'s last component (made when missing), owned by the tree; *name is that component. */
int tree_parent(struct tree *tree, const char *path, const char **name);
/* The same, but -1 with errno when there is no such directory. */
int tree_find_parent(struct tree *tree, const char *path, const char **name);
/* Forgets the cached directory: something was removed or renamed. */
void tree_forget(struct tree *tree);
/* Remembers a directory for tree_finish. */
struct directory *tree_directory(struct tree *tree, const char *path);

/* fsops_remove.c */
/* Removes `name` in `parent`, directories with all they hold; never follows a link or enters a mount. -1 with errno. */
int remove_all(int parent, const char *name);
