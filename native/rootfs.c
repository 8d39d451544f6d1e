/* The root file system: an overlay of the image's layers, or a directory. */
#include "fd.h"
#include "mounts.h"
#include "path.h"
#include "status.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Overlay splits its options at commas and takes a backslash as an escape. */
static size_t put_escaped(char *out, size_t room, const char *key, const char *value)
{
	size_t size = (size_t)snprintf(out, room, ",%s=", key);

	for (; *value != '\0' && size + 3 < room; value++) {
		if (strchr(",:\\", *value) != NULL)
			out[size++] = '\\';
		out[size++] = *value;
	}
	out[size] = '\0';
	if (*value != '\0') {
		errno = E2BIG;
		fail(STAGE_ROOTFS, "overlay %s", key);
	}
	return size;
}

/* A clone of what `part` leads to beneath `tree`; of all of it when that is empty. -1 with errno. */
static int clone_beneath(int tree, const char *part)
{
	autoclose int inside =
		part[0] == '\0' ? -1 : path_open(tree, part, O_PATH | O_DIRECTORY, 0);

	if (inside < 0 && part[0] != '\0')
		return -1;
	return open_tree(inside < 0 ? tree : inside, "",
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/*
 * mount(2) and not fsopen: its options may fill a page, and names relative to the store keep 127 layers within it.
 * The overlay is mounted on the store for a moment, which hides nothing as nobody looks, and moved away.
 */
static int make_overlay(const char *store, char *const *words, const char *part)
{
	char options[4096];
	size_t size =
		(size_t)snprintf(options, sizeof(options), "lowerdir=%s", words[OVERLAY_LOWER]);
	autoclose int made = -1;
	int root, why;

	errno = E2BIG;
	if (size >= sizeof(options))
		fail(STAGE_ROOTFS, "overlay layers");
	if (words[OVERLAY_UPPER][0] != '\0') {
		size += put_escaped(options + size, sizeof(options) - size, "upperdir",
				    words[OVERLAY_UPPER]);
		size += put_escaped(options + size, sizeof(options) - size, "workdir",
				    words[OVERLAY_WORK]);
	}
	if (words[OVERLAY_OPTIONS][0] != '\0')
		size += (size_t)snprintf(options + size, sizeof(options) - size, ",%s",
					 words[OVERLAY_OPTIONS]);
	errno = E2BIG;
	if (size >= sizeof(options))
		fail(STAGE_ROOTFS, "overlay options");
	errno = EINVAL;
	if (chdir(store) < 0 || mount("overlay", ".", "overlay", 0, options) < 0)
		fail(STAGE_ROOTFS, "overlay on %s", store);
	made = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	root = made < 0 ? -1 : clone_beneath(made, part);
	why = errno;
	if (umount2(store, MNT_DETACH) < 0 || chdir("/") < 0)
		fail(STAGE_ROOTFS, "overlay from %s", store);
	errno = why;
	return root;
}

/* An overlay has at least two layers; one that nobody writes to is a directory. */
static int open_only_layer(const char *store, const char *layer, const char *part)
{
	autoclose int stored = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int only =
		stored < 0 ? -1 : openat(stored, layer, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return only < 0 ? -1 : clone_beneath(only, part);
}

static int open_layers(const char *store, char *const *words, const char *part)
{
	if (words[OVERLAY_UPPER][0] == '\0' && strchr(words[OVERLAY_LOWER], ':') == NULL)
		return open_only_layer(store, words[OVERLAY_LOWER], part);
	return make_overlay(store, words, part);
}

/* Over the store, while nobody else looks, there is one whose files belong to the ids of the user namespace. */
static void map_store(const char *store, int users)
{
	autoclose int mapped = open_tree(AT_FDCWD, store, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mapped < 0 || users_map_mount(mapped, users) < 0)
		fail(STAGE_MOUNTS, "id-map %s", store);
	if (move_mount(mapped, "", AT_FDCWD, store, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail(STAGE_ROOTFS, "cover %s", store);
}

int mounts_open_layers(const char *store, char *const *words, const char *part, int users)
{
	int root, why;

	if (users < 0)
		return open_layers(store, words, part);
	map_store(store, users);
	root = open_layers(store, words, part);
	why = errno;
	if (umount2(store, MNT_DETACH) < 0)
		fail(STAGE_ROOTFS, "uncover %s", store);
	errno = why;
	return root;
}

int mounts_make_root(const struct plan *plan, int users)
{
	struct mount_attr private = { .propagation = MS_PRIVATE };
	struct stat about;
	int root;

	errno = EINVAL;
	if (plan->overlay[OVERLAY_LOWER] != NULL && plan->store == NULL)
		fail(STAGE_ROOTFS, "overlay without a store");
	else if (plan->overlay[OVERLAY_LOWER] != NULL)
		root = mounts_open_layers(plan->store, plan->overlay, "", users);
	else if (plan->rootfs != NULL)
		root = open_tree(AT_FDCWD, plan->rootfs,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	else
		fail(STAGE_ROOTFS, "none in the plan");
	if (root < 0 || fstat(root, &about) < 0)
		fail(STAGE_ROOTFS, "open %s", plan->rootfs == NULL ? "layer" : plan->rootfs);
	errno = ENOTDIR;
	if (!S_ISDIR(about.st_mode))
		fail(STAGE_ROOTFS, "open %s", plan->rootfs);
	/*
	 * On top of "/": lookups of the host's paths go on to start beneath it, so that nothing is hidden, and the
	 * root's descriptor now is a mount of this namespace, on which others can be put before Linux 6.15 too.
	 */
	if (mount_setattr(root, "", AT_EMPTY_PATH, &private, sizeof(private)) < 0 ||
	    move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail(STAGE_ROOTFS, "attach");
	return root;
}
