/* What one layer says about those below it, in the form overlayfs reads. */
#include "fd.h"
#include "fsops.h"
#include "path.h"
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#define OPAQUE "trusted.overlay.opaque"

static bool is_whiteout(const struct stat *stat)
{
	return S_ISCHR(stat->st_mode) && stat->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd)
{
	char value = '\0';

	return fgetxattr(fd, OPAQUE, &value, 1) == 1 && value == 'y';
}

/* Whether this lower layer hides what those below it have at `path`, through one of the directories on the way. */
static bool cuts_off(int lower, const char *path)
{
	char prefix[PATH_MAX];

	for (size_t end = 1; path[end] != '\0'; end++) {
		if (path[end] != '/')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		autoclose int fd = path_open(lower, prefix, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
					     RESOLVE_NO_SYMLINKS);
		if (fd < 0)
			return errno != ENOENT;
		if (is_opaque(fd))
			return true;
	}
	return false;
}

int tree_below(const struct tree *tree, const char *path)
{
	struct stat stat;

	for (size_t i = 0; i < tree->lower_count; i++) {
		autoclose int fd =
			path_open(tree->lowers[i], path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
		if (fd >= 0 && fstat(fd, &stat) == 0)
			return is_whiteout(&stat) ? -1 : fd_steal(&fd);
		if (cuts_off(tree->lowers[i], path))
			return -1;
	}
	return -1;
}

/* Overlayfs shows whiteouts that lie in a directory without layers below it, so none may be made there. */
static bool is_in_opaque(const struct tree *tree, int directory)
{
	struct stat root;
	struct stat here;
	autoclose int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fstat(tree->root, &root) < 0)
		fail(STAGE_UNPACK, "stat root");
	while (fd >= 0 && fstat(fd, &here) == 0) {
		if (is_opaque(fd))
			return true;
		if (here.st_dev == root.st_dev && here.st_ino == root.st_ino)
			return false;
		int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fd_close(&fd);
		fd = up;
	}
	fail(STAGE_UNPACK, "look for opaque directories");
}

static void set_opaque(int fd, const char *path)
{
	if (fsetxattr(fd, OPAQUE, "y", 1, 0) < 0)
		fail(STAGE_UNPACK, "%s: make opaque", path);
}

void tree_whiteout(struct tree *tree, const char *path)
{
	autoclose int below = tree_below(tree, path);
	const char *name;
	int parent;

	if (below < 0)
		return;
	parent = tree_find_parent(tree, path, &name);
	if (parent < 0 && errno != ENOENT)
		return; /* the directory itself was replaced by something else */
	parent = tree_parent(tree, path, &name);
	autoclose int here = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	autoclose int directory =
		here < 0 ? -1
			 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory >= 0)
		set_opaque(directory, path);
	if (here >= 0 || is_in_opaque(tree, parent))
		return;
	if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) < 0)
		fail(STAGE_UNPACK, "%s: whiteout", path);
}

/* Overlayfs does not look for the mark on the root of a layer: every name below is hidden instead. */
static void hide_everything(struct tree *tree)
{
	for (size_t i = 0; i < tree->lower_count; i++) {
		int fd = path_open(tree->lowers[i], "/", O_RDONLY | O_DIRECTORY, 0);
		DIR *stream = fd < 0 ? NULL : fdopendir(fd);
		const struct dirent *entry;
		if (stream == NULL)
			fail(STAGE_UNPACK, "read lower layer");
		while ((entry = readdir(stream)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				tree_whiteout(tree, entry->d_name);
		(void)closedir(stream);
	}
}

void tree_opaque(struct tree *tree, const char *path)
{
	const char *name;
	int parent;

	if (strcmp(path, ".") == 0) {
		hide_everything(tree);
		return;
	}
	parent = tree_parent(tree, path, &name);
	autoclose int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(parent, name, 0755) == 0) {
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		tree_directory(tree, path);
	}
	/* A name that is no directory in this layer hides what is below by itself. */
	if (fd >= 0)
		set_opaque(fd, path);
	else if (errno != ENOTDIR && errno != ELOOP)
		fail(STAGE_UNPACK, "%s: make opaque", path);
}

static void copy_xattrs(int from, int to, const char *path)
{
	char names[65536];
	char value[65536];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;
		ssize_t length;
		if (strncmp(name, "user.", 5) != 0 && strcmp(name, "security.capability") != 0)
			continue;
		length = fgetxattr(from, name, value, sizeof(value));
		if (length < 0 || fsetxattr(to, name, value, (size_t)length, 0) < 0)
			fail(STAGE_UNPACK, "%s: xattr %s", path, name);
	}
}

void tree_copy_up(struct tree *tree, const char *path)
{
	autoclose int below = tree_below(tree, path);
	autoclose int from = -1;
	autoclose int to = -1;
	char reopen[32];
	struct stat stat;

	errno = ENOENT;
	if (below < 0 || fstat(below, &stat) < 0)
		fail(STAGE_UNPACK, "%s: link target", path);
	errno = EOPNOTSUPP;
	if (!S_ISREG(stat.st_mode))
		fail(STAGE_UNPACK, "%s: hard link to what is no regular file of a lower layer",
		     path);
	/* A regular file is known to be behind it, so this follows nothing. */
	snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", below);
	from = open(reopen, O_RDONLY | O_CLOEXEC);
	to = from < 0 ? -1 : tree_create(tree, path);
	for (off_t left = stat.st_size; to >= 0 && left > 0;) {
		ssize_t sent = sendfile(to, from, NULL, (size_t)left);
		if (sent <= 0)
			fail(STAGE_UNPACK, "%s: copy", path);
		left -= sent;
	}
	const struct timespec times[2] = { stat.st_atim, stat.st_mtim };
	if (to < 0 || fchown(to, stat.st_uid, stat.st_gid) < 0 ||
	    fchmod(to, stat.st_mode & 07777) < 0)
		fail(STAGE_UNPACK, "%s: copy", path);
	copy_xattrs(from, to, path);
	if (futimens(to, times) < 0)
		fail(STAGE_UNPACK, "%s: time", path);
}
