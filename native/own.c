/* Gives what is in a volume to a group. Containers of earlier pods may have put anything there but what leads out. */
#include "own.h"

#include "fd.h"
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct owning {
	gid_t group;
	mode_t files; /* added to the mode of each, and to that of directories */
};

/*
 * Where a walk is: the path from the volume's root, and how far each directory above has been read. Directories may be
 * deeper than a process has descriptors, and than a path may be long.
 */
struct walk {
	int root;
	char *path; /* names, each with a slash after it */
	size_t size;
	size_t room;
	long *read;
	size_t depth;
	size_t deepest;
};

/* Neither a link is followed nor a mount entered: both belong to somebody else. */
static int open_entry(int parent, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));
}

/* Whether somebody removed, moved or covered what was there a moment ago. */
static bool is_gone(int error)
{
	return error == ENOENT || error == EXDEV || error == ENOTDIR || error == ELOOP;
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

/* 1 for a directory, 0 for anything else, also for what is gone. */
static int own_entry(int parent, const char *name, const struct owning *how)
{
	autoclose int fd = open_entry(parent, name, O_PATH);
	struct stat about;

	if (fd < 0)
		return is_gone(errno) ? 0 : -1;
	if (fstat(fd, &about) < 0 || own_one(fd, how, &about) < 0)
		return -1;
	return S_ISDIR(about.st_mode) ? 1 : 0;
}

static int go_down(struct walk *walk, const char *name, long read)
{
	size_t size = strlen(name) + 1;

	if (walk->size + size > walk->room) {
		size_t room = (walk->room + size) * 2;
		char *larger = realloc(walk->path, room);
		if (larger == NULL)
			return -1;
		walk->path = larger;
		walk->room = room;
	}
	if (walk->depth == walk->deepest) {
		size_t deepest = walk->deepest * 2 + 16;
		long *more = realloc(walk->read, deepest * sizeof(*more));
		if (more == NULL)
			return -1;
		walk->read = more;
		walk->deepest = deepest;
	}
	memcpy(walk->path + walk->size, name, size - 1);
	walk->path[walk->size + size - 1] = '/';
	walk->size += size;
	walk->read[walk->depth++] = read;
	return 0;
}

/* How far the directory above has been read. */
static long go_up(struct walk *walk)
{
	walk->size--;
	while (walk->size > 0 && walk->path[walk->size - 1] != '/')
		walk->size--;
	return walk->read[--walk->depth];
}

/* The directory that the walk is in, from the volume's root in pieces that are no longer than a path may be. */
static DIR *enter(const struct walk *walk)
{
	autoclose int fd = open_entry(walk->root, ".", O_RDONLY | O_DIRECTORY);
	char piece[PATH_MAX];
	size_t done = 0;
	DIR *stream;

	while (fd >= 0 && done < walk->size) {
		size_t size = walk->size - done < sizeof(piece) ? walk->size - done : sizeof(piece);
		while (walk->path[done + size - 1] != '/')
			size--;
		memcpy(piece, walk->path + done, size);
		piece[size - 1] = '\0';
		int below = open_entry(fd, piece, O_RDONLY | O_DIRECTORY);
		fd_close(&fd);
		fd = below;
		done += size;
	}
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (stream != NULL)
		(void)fd_steal(&fd);
	return stream;
}

/* Out of a directory, and of those above that are gone. NULL without errno: that was the last. */
static DIR *leave(struct walk *walk)
{
	while (walk->depth > 0) {
		long read = go_up(walk);
		DIR *stream = enter(walk);

		if (stream != NULL) {
			seekdir(stream, read);
			return stream;
		}
		if (!is_gone(errno))
			return NULL;
	}
	errno = 0;
	return NULL;
}

/* -1 with errno */
static int own_below(struct walk *walk, const struct owning *how)
{
	DIR *stream = enter(walk);
	struct dirent *entry;
	int kind;

	while (stream != NULL) {
		errno = 0;
		entry = readdir(stream);
		if (entry == NULL && errno != 0)
			break;
		if (entry == NULL) {
			(void)closedir(stream);
			stream = leave(walk);
			continue;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		kind = own_entry(dirfd(stream), entry->d_name, how);
		if (kind < 0 || (kind == 1 && go_down(walk, entry->d_name, telldir(stream)) < 0))
			break;
		if (kind == 1) {
			(void)closedir(stream);
			stream = enter(walk);
			if (stream == NULL && is_gone(errno))
				stream = leave(walk);
		}
	}
	if (stream == NULL)
		return errno == 0 ? 0 : -1;
	int saved = errno;
	(void)closedir(stream);
	errno = saved;
	return -1;
}

void own_volume(const char *path, gid_t group, bool readonly, bool always)
{
	struct owning how = { .group = group, .files = readonly ? 0440 : 0660 };
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct walk walk = { .root = fd };
	mode_t wanted = how.files | S_ISGID | S_IXUSR | S_IXGRP;
	struct stat about;

	if (fd < 0 || fstat(fd, &about) < 0)
		fail(STAGE_MOUNTS, "own %s", path);
	if (!always && about.st_gid == group && (about.st_mode & wanted) == wanted)
		return;
	/* The root last: whoever comes after an interruption begins again. */
	if (own_below(&walk, &how) < 0 || own_one(fd, &how, &about) < 0)
		fail(STAGE_MOUNTS, "own %s", path);
	free(walk.path);
	free(walk.read);
}
