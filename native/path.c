#include "path.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int path_resolve(int root, const char *path, const struct open_how *how)
{
	/* The kernel answers EAGAIN when something was renamed meanwhile and it cannot be sure. */
	for (int tries = 0; tries < 128; tries++) {
		long fd = syscall(SYS_openat2, root, path, how, sizeof(*how));
		if (fd >= 0 || errno != EAGAIN)
			return (int)fd;
	}
	return -1;
}

int path_open(int root, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0644 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};

	return path_resolve(root, path[0] == '\0' ? "/" : path, &how);
}

/* As many as the kernel follows. */
#define MOST_LINKS 40

/* Where the link at `path`, which is `name` in `parent`, leads, as a path from the root: 1. 0 when it is no link. */
static int link_target(const char *path, int parent, const char *name, char target[PATH_MAX])
{
	char text[PATH_MAX];
	ssize_t size = readlinkat(parent, name, text, sizeof(text) - 1);
	int before;
	int length;

	if (size < 0)
		return errno == EINVAL ? 0 : -1;
	text[size] = '\0';
	before = text[0] == '/' ? 0 : (int)(strrchr(path, '/') - path);
	length = snprintf(target, PATH_MAX, "%.*s/%s", before, path, text);
	errno = ENAMETOOLONG;
	return length < PATH_MAX ? 1 : -1;
}

static int make_dir(int root, const char *path, int links);

/* One component: `prefix` is resolved anew from the root, so that links in it stay beneath. */
static int make_one(int root, const char *prefix, int links)
{
	const char *slash = strrchr(prefix, '/');
	char target[PATH_MAX];
	autoclose int parent = -1;
	autoclose int made = -1;
	int linked;

	memcpy(target, prefix, (size_t)(slash - prefix));
	target[slash - prefix] = '\0';
	parent = path_open(root, target, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return -1;
	/* Whatever the umask was. */
	if (mkdirat(parent, slash + 1, 0755) == 0)
		return fchmodat(parent, slash + 1, 0755, 0);
	linked = errno == EEXIST ? link_target(prefix, parent, slash + 1, target) : -1;
	if (linked <= 0)
		return linked;
	made = make_dir(root, target, links - 1);
	return made < 0 ? -1 : 0;
}

static int make_dir(int root, const char *path, int links)
{
	size_t length = strlen(path);
	char prefix[PATH_MAX];
	int fd = path_open(root, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	errno = links > 0 ? ENAMETOOLONG : ELOOP;
	if (length >= sizeof(prefix) || links <= 0)
		return -1;
	for (size_t end = 1; end <= length; end++) {
		if ((path[end] != '/' && path[end] != '\0') || path[end - 1] == '/')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		if (make_one(root, prefix, links) < 0)
			return -1;
	}
	return path_open(root, path, O_PATH | O_DIRECTORY, 0);
}

int path_make_dir(int root, const char *path)
{
	return make_dir(root, path, MOST_LINKS);
}

int path_make_parent(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];

	if (slash == NULL || slash[1] == '\0' || (size_t)(slash - path) >= sizeof(parent)) {
		errno = EINVAL;
		return -1;
	}
	*name = slash + 1;
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	return path_make_dir(root, parent[0] == '\0' ? "/" : parent);
}

static int make_file(int root, const char *path, int links)
{
	const char *name;
	char target[PATH_MAX];
	autoclose int parent = -1;
	autoclose int made = -1;
	int fd = path_open(root, path, O_PATH, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	errno = ELOOP;
	parent = links <= 0 ? -1 : path_make_parent(root, path, &name);
	if (parent < 0)
		return -1;
	made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
	if (made < 0 && errno == EEXIST && link_target(path, parent, name, target) > 0)
		return make_file(root, target, links - 1);
	if (made < 0 || fchmod(made, 0644) < 0)
		return -1;
	return path_open(root, path, O_PATH, 0);
}

int path_make_file(int root, const char *path)
{
	return make_file(root, path, MOST_LINKS);
}
