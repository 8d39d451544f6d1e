/* Making the objects of a layer. Order per object: create, owner, mode (chown clears setuid), xattrs (both clear
 * capabilities), times. */
#include "fd.h"
#include "fsops.h"
#include "path.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

void tree_lower(struct tree *tree, const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		fail(STAGE_UNPACK, "lower layer");
	if (tree->lower_count == MAX_LOWERS) {
		errno = E2BIG;
		fail(STAGE_UNPACK, "lower layers");
	}
	tree->lowers[tree->lower_count++] = fd;
}

static int hex_digit(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *at = digit == '\0' ? NULL : strchr(digits, digit);

	return at == NULL ? -1 : (int)(at - digits);
}

void tree_xattr(struct tree *tree, const char *name, const char *hex)
{
	size_t size = strlen(hex) / 2;
	struct xattr *xattr = &tree->xattrs[tree->xattr_count];

	errno = E2BIG;
	if (tree->xattr_count == MAX_XATTRS)
		fail(STAGE_UNPACK, "xattrs");
	*xattr = (struct xattr){ .name = strdup(name), .value = malloc(size + 1), .size = size };
	if (xattr->name == NULL || xattr->value == NULL)
		fail(STAGE_UNPACK, "memory");
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);
		errno = EINVAL;
		if (high < 0 || low < 0)
			fail(STAGE_UNPACK, "xattr %s", name);
		xattr->value[i] = (char)(high * 16 + low);
	}
	tree->xattr_count++;
}

static void drop_xattrs(struct tree *tree)
{
	for (size_t i = 0; i < tree->xattr_count; i++) {
		free(tree->xattrs[i].name);
		free(tree->xattrs[i].value);
	}
	tree->xattr_count = 0;
}

static void set_xattrs(struct tree *tree, int fd, const char *path)
{
	for (size_t i = 0; i < tree->xattr_count; i++) {
		const struct xattr *xattr = &tree->xattrs[i];
		if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0)
			continue;
		/* Old tmpfs has no user xattrs; a capability that is lost is another program. */
		if (errno == EOPNOTSUPP && strncmp(xattr->name, "user.", 5) == 0)
			continue;
		fail(STAGE_UNPACK, "%s: xattr %s", path, xattr->name);
	}
	drop_xattrs(tree);
}

static void describe(struct tree *tree, int fd, const char *path,
		     const struct attributes *attributes)
{
	if (fchown(fd, attributes->uid, attributes->gid) < 0)
		fail(STAGE_UNPACK, "%s: owner", path);
	if (fchmod(fd, attributes->mode) < 0)
		fail(STAGE_UNPACK, "%s: mode", path);
	set_xattrs(tree, fd, path);
}

static void set_times(int fd, const char *path, const struct attributes *attributes)
{
	const struct timespec times[2] = { attributes->mtime, attributes->mtime };

	if (futimens(fd, times) < 0)
		fail(STAGE_UNPACK, "%s: time", path);
}

/* The same for what cannot be opened; it was just made and is no directory. */
static void describe_at(struct tree *tree, const char *path, mode_t type,
			const struct attributes *attributes)
{
	const struct timespec times[2] = { attributes->mtime, attributes->mtime };
	const char *name;
	int parent = tree_parent(tree, path, &name);

	if (fchownat(parent, name, attributes->uid, attributes->gid, AT_SYMLINK_NOFOLLOW) < 0)
		fail(STAGE_UNPACK, "%s: owner", path);
	if (type != S_IFLNK && fchmodat(parent, name, attributes->mode, 0) < 0)
		fail(STAGE_UNPACK, "%s: mode", path);
	if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		fail(STAGE_UNPACK, "%s: time", path);
	/* Links, devices and FIFOs carry no user xattrs and no capabilities. */
	drop_xattrs(tree);
}

static void make_way(int parent, const char *name, const char *path)
{
	if (remove_all(parent, name) < 0)
		fail(STAGE_UNPACK, "%s: replace", path);
}

/* A parent that only had to be there is described after all. */
static struct directory *find_implied(struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->directory_count; i++)
		if (!tree->directories[i].described && strcmp(tree->directories[i].path, path) == 0)
			return &tree->directories[i];
	return NULL;
}

static int open_or_make(struct tree *tree, const char *path)
{
	const char *name;
	int parent = tree_parent(tree, path, &name);
	int fd;

	if (mkdirat(parent, name, 0700) < 0) {
		if (errno != EEXIST)
			fail(STAGE_UNPACK, "%s: mkdir", path);
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		make_way(parent, name, path);
		if (mkdirat(parent, name, 0700) < 0)
			fail(STAGE_UNPACK, "%s: mkdir", path);
	}
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void tree_mkdir(struct tree *tree, const char *path, const struct attributes *attributes)
{
	bool is_root = strcmp(path, ".") == 0;
	autoclose int fd = is_root ? path_open(tree->root, "/", O_RDONLY | O_DIRECTORY, 0)
				   : open_or_make(tree, path);
	struct directory *known = find_implied(tree, path);

	if (fd < 0)
		fail(STAGE_UNPACK, "%s: open", path);
	tree->written = true;
	describe(tree, fd, path, attributes);
	if (known == NULL)
		known = tree_directory(tree, path);
	known->described = true;
	known->attributes = *attributes;
}

int tree_create(struct tree *tree, const char *path)
{
	const int flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC;
	const char *name;
	int parent = tree_parent(tree, path, &name);
	int fd = openat(parent, name, flags, 0600);

	if (fd < 0 && errno == EEXIST) {
		make_way(parent, name, path);
		fd = openat(parent, name, flags, 0600);
	}
	if (fd < 0)
		fail(STAGE_UNPACK, "%s: create", path);
	return fd;
}

void tree_describe(struct tree *tree, int file, const char *path,
		   const struct attributes *attributes)
{
	describe(tree, file, path, attributes);
	set_times(file, path, attributes);
}

void tree_symlink(struct tree *tree, const char *path, const char *target,
		  const struct attributes *attributes)
{
	const char *name;
	int parent = tree_parent(tree, path, &name);
	int result = symlinkat(target, parent, name);

	if (result < 0 && errno == EEXIST) {
		make_way(parent, name, path);
		result = symlinkat(target, parent, name);
	}
	if (result < 0)
		fail(STAGE_UNPACK, "%s: symlink", path);
	describe_at(tree, path, S_IFLNK, attributes);
}

void tree_node(struct tree *tree, const char *path, mode_t type, dev_t device,
	       const struct attributes *attributes)
{
	const char *name;
	int parent = tree_parent(tree, path, &name);
	int result = mknodat(parent, name, type | 0600, device);

	if (result < 0 && errno == EEXIST) {
		make_way(parent, name, path);
		result = mknodat(parent, name, type | 0600, device);
	}
	if (result < 0)
		fail(STAGE_UNPACK, "%s: make node", path);
	describe_at(tree, path, type, attributes);
}

/* The target's directory, as a descriptor of its own; what is only in a lower layer is brought here. */
static int find_target(struct tree *tree, const char *target, const char **name, struct stat *stat)
{
	for (int tries = 0; tries < 2; tries++) {
		int parent = tree_find_parent(tree, target, name);
		if (parent >= 0 && fstatat(parent, *name, stat, AT_SYMLINK_NOFOLLOW) == 0)
			return fcntl(parent, F_DUPFD_CLOEXEC, 0);
		if (tries == 0 && errno == ENOENT)
			tree_copy_up(tree, target);
	}
	return -1;
}

void tree_hardlink(struct tree *tree, const char *path, const char *target)
{
	const char *name;
	const char *target_name;
	struct stat from;
	struct stat to;
	autoclose int target_parent = find_target(tree, target, &target_name, &from);
	int parent;

	if (target_parent >= 0 && S_ISDIR(from.st_mode))
		errno = EISDIR;
	if (target_parent < 0 || S_ISDIR(from.st_mode))
		fail(STAGE_UNPACK, "%s: hard link to %s", path, target);
	parent = tree_parent(tree, path, &name);
	/* Removing the old object would remove the target when they are the same. */
	if (fstatat(parent, name, &to, AT_SYMLINK_NOFOLLOW) == 0) {
		if (to.st_dev == from.st_dev && to.st_ino == from.st_ino)
			return;
		make_way(parent, name, path);
	}
	if (linkat(target_parent, target_name, parent, name, 0) < 0)
		fail(STAGE_UNPACK, "%s: hard link to %s", path, target);
	drop_xattrs(tree);
}

void tree_remove(struct tree *tree, const char *path)
{
	const char *name;
	int parent = tree_find_parent(tree, path, &name);

	if (parent < 0 && errno == ENOENT)
		return;
	if (parent < 0 || remove_all(parent, name) < 0)
		fail(STAGE_UNPACK, "%s: remove", path);
}

/* A parent that the layer does not describe is what the layers below say it is. */
static void finish_directory(struct tree *tree, struct directory *directory)
{
	const char *name = ".";
	bool is_root = strcmp(directory->path, ".") == 0;
	int parent = is_root ? tree->root : tree_find_parent(tree, directory->path, &name);
	autoclose int fd =
		parent < 0 ? -1
			   : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat below;

	/* Replaced by something else meanwhile. */
	if (fd < 0)
		return;
	if (!directory->described) {
		autoclose int lower = tree_below(tree, directory->path);
		if (lower < 0 || fstat(lower, &below) < 0 || !S_ISDIR(below.st_mode))
			return;
		directory->attributes = (struct attributes){ .mode = below.st_mode & 07777,
							     .uid = below.st_uid,
							     .gid = below.st_gid,
							     .mtime = below.st_mtim };
		describe(tree, fd, directory->path, &directory->attributes);
	}
	set_times(fd, directory->path, &directory->attributes);
}

void tree_finish(struct tree *tree)
{
	autoclose int root = path_open(tree->root, "/", O_RDONLY | O_DIRECTORY, 0);

	for (size_t i = 0; i < tree->directory_count; i++) {
		finish_directory(tree, &tree->directories[i]);
		free(tree->directories[i].path);
	}
	free(tree->directories);
	tree->directories = NULL;
	tree->directory_count = 0;
	if (root < 0 || syncfs(root) < 0)
		fail(STAGE_UNPACK, "sync");
	tree->written = false;
}
