/* Where things go: resolution of paths that a layer names. */
#include "fd.h"
#include "fsops.h"
#include "path.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_LINKS 40

/*
 * Whether following `path` climbs above the root on the way. The kernel keeps such a path beneath the root anyway;
 * but nobody writes one by accident, so the layer is refused.
 */
static bool climbs(int root, const char *path)
{
	char left[PATH_MAX * 2];
	char done[PATH_MAX * 2] = "";
	char target[PATH_MAX];
	size_t depth = 0;
	int links = 0;

	snprintf(left, sizeof(left), "%s", path);
	while (left[0] != '\0') {
		size_t size = strcspn(left, "/");
		char name[NAME_MAX + 1];
		size_t used = strlen(done);
		if (size > NAME_MAX)
			return false;
		memcpy(name, left, size);
		name[size] = '\0';
		memmove(left, left + size + (left[size] == '/'),
			strlen(left + size) + 1 - (left[size] == '/'));
		if (size == 0 || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			if (depth-- == 0)
				return true;
			*strrchr(done, '/') = '\0';
			continue;
		}
		if (used + size + 2 > sizeof(done))
			return false;
		snprintf(done + used, sizeof(done) - used, "/%s", name);
		autoclose int link = path_open(root, done, O_PATH | O_NOFOLLOW, 0);
		ssize_t length = link < 0 ? -1 : readlinkat(link, "", target, sizeof(target) - 1);
		if (length < 0) {
			depth++;
			continue;
		}
		target[length] = '\0';
		done[used] = '\0';
		if (++links > MAX_LINKS || (size_t)length + strlen(left) + 2 > sizeof(left))
			return false;
		if (target[0] == '/') {
			done[0] = '\0';
			depth = 0;
		}
		memmove(left + length + 1, left, strlen(left) + 1);
		memcpy(left, target, (size_t)length);
		left[length] = '/';
	}
	return false;
}

/* Opens a directory of the layer; EXDEV when a link on the way leads above the root. */
static int open_directory(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd >= 0 || (errno != EXDEV && errno != EAGAIN))
		return fd;
	if (climbs(root, path)) {
		errno = EXDEV;
		return -1;
	}
	return path_open(root, path, O_PATH | O_DIRECTORY, 0);
}

void tree_forget(struct tree *tree)
{
	fd_close(&tree->parent);
}

struct directory *tree_directory(struct tree *tree, const char *path)
{
	struct directory *last;

	if ((tree->directory_count & (tree->directory_count - 1)) == 0) {
		size_t room = tree->directory_count == 0 ? 1 : tree->directory_count * 2;
		struct directory *larger = realloc(tree->directories, room * sizeof(*larger));
		if (larger == NULL)
			fail(STAGE_UNPACK, "memory");
		tree->directories = larger;
	}
	last = &tree->directories[tree->directory_count++];
	*last = (struct directory){ .path = strdup(path) };
	if (last->path == NULL)
		fail(STAGE_UNPACK, "memory");
	return last;
}

/* Makes one missing directory; its parent is there. */
static void make_missing(struct tree *tree, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char above[PATH_MAX] = "";
	autoclose int parent = -1;

	if (slash != NULL) {
		memcpy(above, path, (size_t)(slash - path));
		above[slash - path] = '\0';
	}
	parent = slash == NULL ? fcntl(tree->root, F_DUPFD_CLOEXEC, 0)
			       : open_directory(tree->root, above);
	if (parent < 0)
		fail(STAGE_UNPACK, "%s: parent directory", path);
	if (mkdirat(parent, name, 0755) < 0) {
		/* A link that leads nowhere within the layer leads outside of it. */
		if (errno == EEXIST)
			errno = EXDEV;
		fail(STAGE_UNPACK, "%s: directory on the way", path);
	}
	tree_directory(tree, path);
}

static int make_directories(struct tree *tree, const char *path)
{
	char prefix[PATH_MAX];
	size_t length = strlen(path);

	for (size_t end = 1; end <= length; end++) {
		if (path[end] != '/' && path[end] != '\0')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		autoclose int there = open_directory(tree->root, prefix);
		if (there < 0 && errno != ENOENT)
			fail(STAGE_UNPACK, "%s: directory on the way", prefix);
		if (there < 0)
			make_missing(tree, prefix);
	}
	return open_directory(tree->root, path);
}

/* Splits `path`: its directory goes to `above`. The words of a frame are checked here and nowhere else. */
static const char *split(const char *path, char above[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	size_t size = slash == NULL ? 0 : (size_t)(slash - path);

	errno = ENAMETOOLONG;
	if (strlen(path) >= PATH_MAX)
		fail(STAGE_UNPACK, "%.80s...: name", path);
	errno = EINVAL;
	if (path[0] == '/' || name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		fail(STAGE_UNPACK, "%s: name", path);
	memcpy(above, path, size);
	above[size] = '\0';
	return name;
}

static int parent_of(struct tree *tree, const char *path, const char **name, bool make)
{
	char above[PATH_MAX] = "";

	*name = split(path, above);
	if (tree->parent >= 0 && strcmp(above, tree->parent_path) == 0)
		return tree->parent;
	tree_forget(tree);
	if (above[0] == '\0')
		tree->parent = fcntl(tree->root, F_DUPFD_CLOEXEC, 0);
	else
		tree->parent = open_directory(tree->root, above);
	if (tree->parent < 0 && errno == ENOENT && make)
		tree->parent = make_directories(tree, above);
	if (tree->parent >= 0)
		memcpy(tree->parent_path, above, strlen(above) + 1);
	return tree->parent;
}

int tree_parent(struct tree *tree, const char *path, const char **name)
{
	int parent = parent_of(tree, path, name, true);

	if (parent < 0)
		fail(STAGE_UNPACK, "%s: parent directory", path);
	tree->written = true;
	return parent;
}

int tree_find_parent(struct tree *tree, const char *path, const char **name)
{
	return parent_of(tree, path, name, false);
}
