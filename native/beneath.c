#include "beneath.h"

#include "fd.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

static int open_beneath(int volume, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return path_resolve(volume, path, &how);
}

int beneath_open(int volume, const char *path)
{
	return open_beneath(volume, path, 0);
}

/* The mode is complete from the start: a mode that is set later would be set on whatever is there by then. */
static int make_one(int parent, const char *name, mode_t mode)
{
	mode_t before = umask(0);
	int made = mkdirat(parent, name, mode);
	int saved = errno;

	umask(before);
	errno = saved;
	return made == 0 || errno == EEXIST ? 0 : -1;
}

int beneath_make(int volume, const char *path)
{
	autoclose int at = open_beneath(volume, ".", O_DIRECTORY);
	size_t length = strlen(path);
	char prefix[PATH_MAX];
	struct stat about;

	errno = ENAMETOOLONG;
	if (at < 0 || length >= sizeof(prefix) || fstat(volume, &about) < 0)
		return -1;
	for (size_t start = 0, end; start < length; start = end + 1) {
		end = start + strcspn(path + start, "/");
		if (end == start)
			continue;
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		int next = open_beneath(volume, prefix, O_DIRECTORY);
		if (next < 0 && errno == ENOENT &&
		    make_one(at, prefix + start, about.st_mode & 07777) == 0)
			next = open_beneath(volume, prefix, O_DIRECTORY);
		if (next < 0)
			return -1;
		fd_close(&at);
		at = next;
	}
	return fd_steal(&at);
}
