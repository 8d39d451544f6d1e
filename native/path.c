#include "path.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int path_open(int root, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? 0644 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};

	/* The kernel answers EAGAIN when something was renamed meanwhile and it cannot be sure. */
	for (int tries = 0; tries < 128; tries++) {
		long fd =
			syscall(SYS_openat2, root, path[0] == '\0' ? "/" : path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			return (int)fd;
	}
	return -1;
}

/* One component: `prefix` is resolved anew from the root, so that links in it stay beneath. */
static int make_one(int root, const char *prefix)
{
	const char *slash = strrchr(prefix, '/');
	char parent_path[PATH_MAX];
	autoclose int parent = -1;

	memcpy(parent_path, prefix, (size_t)(slash - prefix));
	parent_path[slash - prefix] = '\0';
	parent = path_open(root, parent_path, O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, slash + 1, 0755) < 0)
		return errno == EEXIST ? 0 : -1;
	/* Whatever the umask was. */
	return fchmodat(parent, slash + 1, 0755, 0);
}

int path_make_dir(int root, const char *path)
{
	size_t length = strlen(path);
	char prefix[PATH_MAX];
	int fd = path_open(root, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (length >= sizeof(prefix)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t end = 1; end <= length; end++) {
		if ((path[end] != '/' && path[end] != '\0') || path[end - 1] == '/')
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		if (make_one(root, prefix) < 0)
			return -1;
	}
	return path_open(root, path, O_PATH | O_DIRECTORY, 0);
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

int path_make_file(int root, const char *path)
{
	const char *name;
	autoclose int parent = -1;
	autoclose int made = -1;
	int fd = path_open(root, path, O_PATH, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	parent = path_make_parent(root, path, &name);
	if (parent < 0)
		return -1;
	made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
	if (made < 0 || fchmod(made, 0644) < 0)
		return -1;
	return path_open(root, path, O_PATH, 0);
}
