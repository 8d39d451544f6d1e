/* Gives what is in a volume to a group. Containers of earlier pods may have put anything there but what leads out. */
#include "own.h"

#include "fd.h"
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A descriptor is held for each. */
#define DEEPEST 400

struct owning {
	gid_t group;
	mode_t files; /* added to the mode of each, and to that of directories */
};

/* Neither a link is followed nor a mount entered: both belong to somebody else. */
static int open_entry(int parent, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));
}

static int own_one(int fd, const struct owning *how, const struct stat *about)
{
	char path[64];
	mode_t mode = (about->st_mode & 07777) | how->files;

	if (fchownat(fd, "", (uid_t)-1, how->group, AT_EMPTY_PATH) < 0)
		return -1;
	if (S_ISLNK(about->st_mode))
		return 0;
	if (S_ISDIR(about->st_mode))
		mode |= S_ISGID | S_IXUSR | S_IXGRP;
	/* By the descriptor: fchmodat2(2) is newer than the oldest kernel that must do. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

static int own_below(int fd, const struct owning *how, int depth);

static int own_entry(int parent, const char *name, const struct owning *how, int depth)
{
	autoclose int fd = open_entry(parent, name, O_PATH);
	autoclose int folder = -1;
	struct stat about;

	/* Somebody removed it, or mounted something there. */
	if (fd < 0)
		return errno == ENOENT || errno == EXDEV ? 0 : -1;
	if (fstat(fd, &about) < 0 || own_one(fd, how, &about) < 0)
		return -1;
	if (!S_ISDIR(about.st_mode))
		return 0;
	folder = open_entry(fd, ".", O_RDONLY | O_DIRECTORY);
	return folder < 0 ? -1 : own_below(folder, how, depth + 1);
}

static int own_below(int fd, const struct owning *how, int depth)
{
	int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	int result = 0;

	if (stream == NULL) {
		fd_close(&again);
		return -1;
	}
	errno = depth > DEEPEST ? ELOOP : 0;
	while (errno == 0 && result == 0 && (entry = readdir(stream)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = own_entry(fd, entry->d_name, how, depth);
		errno = result == 0 ? 0 : errno;
	}
	if (errno != 0)
		result = -1;
	int saved = errno;
	(void)closedir(stream);
	errno = saved;
	return result;
}

void own_volume(const char *path, gid_t group, bool readonly, bool always)
{
	struct owning how = { .group = group, .files = readonly ? 0440 : 0660 };
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	mode_t wanted = how.files | S_ISGID | S_IXUSR | S_IXGRP;
	struct stat about;

	if (fd < 0 || fstat(fd, &about) < 0)
		fail(STAGE_MOUNTS, "own %s", path);
	if (!always && about.st_gid == group && (about.st_mode & wanted) == wanted)
		return;
	/* The root last: whoever comes after an interruption begins again. */
	if (own_below(fd, &how, 0) < 0 || own_one(fd, &how, &about) < 0)
		fail(STAGE_MOUNTS, "own %s", path);
}
