#include "mounts.h"

#include "beneath.h"
#include "fd.h"
#include "path.h"
#include "status.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Whether the comma list has the word. */
static bool has_flag(const char *flags, const char *word)
{
	size_t size = strlen(word);

	for (;; flags++) {
		size_t length = strcspn(flags, ",");
		if (length == size && strncmp(flags, word, size) == 0)
			return true;
		flags += length;
		if (*flags == '\0')
			return false;
	}
}

static uint64_t attributes(const char *flags)
{
	return (has_flag(flags, "ro") ? (uint64_t)MOUNT_ATTR_RDONLY : 0) |
	       (has_flag(flags, "nosuid") ? (uint64_t)MOUNT_ATTR_NOSUID : 0) |
	       (has_flag(flags, "nodev") ? (uint64_t)MOUNT_ATTR_NODEV : 0) |
	       (has_flag(flags, "noexec") ? (uint64_t)MOUNT_ATTR_NOEXEC : 0);
}

static int set_attributes(int mount, uint64_t set, uint64_t propagation, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	return mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			     sizeof(attr));
}

static int attach(int mount, int target)
{
	return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static int clone_source(int fd, const char *path, const char *flags)
{
	unsigned recursive = has_flag(flags, "rec") ? AT_RECURSIVE : 0;

	return open_tree(fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive);
}

/* A part of a volume, made where it is missing: what was found once is what is mounted. */
static int clone_part(char **args)
{
	autoclose int volume = open(args[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int part = volume < 0 ? -1 : beneath_open(volume, args[1]);
	bool missing = volume >= 0 && part < 0 && errno == ENOENT;
	int source;

	if (missing)
		part = beneath_make(volume, args[1]);
	source = part < 0 ? -1 : clone_source(part, "", args[3]);
	if (source < 0)
		fail(STAGE_SUBPATH, "%s %s", missing ? "make" : "open", args[2]);
	return source;
}

static int open_source(const struct step *step)
{
	int source;

	if (step->kind == STEP_BIND_PART)
		return clone_part(step->args);
	source = clone_source(AT_FDCWD, step->args[0], step->args[2]);
	if (source < 0)
		fail(STAGE_MOUNTS, "bind %s", step->args[0]);
	return source;
}

void mounts_open_sources(const struct plan *plan, struct sources *sources, int users)
{
	sources->fds = calloc(plan->step_count + 1, sizeof(int));
	if (sources->fds == NULL)
		fail(STAGE_MOUNTS, "memory");
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		sources->fds[i] = -1;
		if (step->kind != STEP_BIND && step->kind != STEP_BIND_PART)
			continue;
		sources->fds[i] = open_source(step);
		if (users >= 0 && users_map_mount(sources->fds[i], users) < 0)
			fail(STAGE_MOUNTS, "id-map %s", step->args[0]);
	}
}

static bool is_on(int fd, long magic)
{
	struct statfs about;

	return fstatfs(fd, &about) == 0 && about.f_type == magic;
}

/* Nothing may cover a part of /proc: what writes there later must not be answered by a plain file. */
static void refuse_proc(int target, const char *path)
{
	if (is_on(target, PROC_SUPER_MAGIC)) {
		errno = EPERM;
		fail(STAGE_MOUNTS, "mount on %s", path);
	}
}

static int configure(int fs, char *data)
{
	for (char *rest = data, *word; (word = strsep(&rest, ",")) != NULL;) {
		char *value = strchr(word, '=');
		if (*word == '\0')
			continue;
		if (value != NULL)
			*value++ = '\0';
		if (fsconfig(fs, value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, word,
			     value, 0) < 0)
			return -1;
	}
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

int mounts_make_filesystem(const char *type, const char *source, char *data, uint64_t attr)
{
	autoclose int fs = fsopen(type, FSOPEN_CLOEXEC);

	if (fs < 0 ||
	    (source[0] != '\0' && fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) < 0) ||
	    configure(fs, data) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
}

static void apply_mount(int root, char **args)
{
	const char *type = args[0];
	const char *path = args[2];
	/* An image whose /proc or /sys is a link would move them to where it wants them. */
	bool fixed = strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0;
	autoclose int made = path_make_dir(root, path);
	autoclose int target = made < 0 ? -1
					: path_open(root, path, O_PATH | O_DIRECTORY,
						    fixed ? RESOLVE_NO_SYMLINKS : 0);
	autoclose int mounted = -1;

	if (target < 0)
		fail(STAGE_MOUNTS, "make %s", path);
	refuse_proc(target, path);
	mounted = mounts_make_filesystem(type, args[1], args[4], attributes(args[3]));
	if (mounted < 0 || attach(mounted, target) < 0)
		fail(STAGE_MOUNTS, "mount %s on %s", type, path);
}

static void apply_bind(int root, const char *path, const char *flags, int source)
{
	static const struct {
		const char *word;
		uint64_t propagation;
	} kinds[] = { { "rprivate", MS_PRIVATE },
		      { "rslave", MS_SLAVE },
		      { "rshared", MS_SHARED } };
	uint64_t propagation = MS_PRIVATE;
	autoclose int target = -1;
	struct stat about;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (has_flag(flags, kinds[i].word))
			propagation = kinds[i].propagation;
	if (fstat(source, &about) < 0)
		fail(STAGE_MOUNTS, "bind on %s", path);
	target = S_ISDIR(about.st_mode) ? path_make_dir(root, path) : path_make_file(root, path);
	if (target < 0)
		fail(STAGE_MOUNTS, "make %s", path);
	refuse_proc(target, path);
	if (set_attributes(source, 0, propagation, true) < 0 ||
	    set_attributes(source, attributes(flags), 0, false) < 0 ||
	    (has_flag(flags, "rro") && set_attributes(source, MOUNT_ATTR_RDONLY, 0, true) < 0) ||
	    attach(source, target) < 0)
		fail(STAGE_MOUNTS, "bind on %s", path);
}

/* What another image holds. Nobody writes to it, so it needs no upper directory. */
static void apply_layers(int root, char **args, int users)
{
	char none[] = "";
	char *words[OVERLAY_ARGS] = { args[1], none, none, none };
	autoclose int source = mounts_open_layers(args[0], words, args[2], users);

	if (source < 0)
		fail(STAGE_SUBPATH, "layers %s", args[3]);
	apply_bind(root, args[3], args[4], source);
}

static void apply_made(const struct plan *plan, int root, const struct step *step)
{
	char **args = step->args;
	const char *name;
	const char *path = args[step->kind == STEP_SYMLINK];
	autoclose int parent = path_make_parent(root, path, &name);
	int done = -1;

	if (parent < 0)
		fail(STAGE_MOUNTS, "make parent of %s", path);
	if (step->kind == STEP_SYMLINK) {
		done = symlinkat(args[0], parent, name);
	} else if (step->kind == STEP_MKDIR) {
		done = mkdirat(parent, name, (mode_t)strtoul(args[1], NULL, 8));
		if (done == 0)
			done = fchownat(parent, name, users_on_host(plan, plan_number(args[2])),
					users_on_host(plan, plan_number(args[3])),
					AT_SYMLINK_NOFOLLOW);
	} else {
		mode_t type = args[1][0] == 'c' ? S_IFCHR : S_IFBLK;
		dev_t device =
			makedev((unsigned)plan_number(args[2]), (unsigned)plan_number(args[3]));
		done = mknodat(parent, name, type | (mode_t)strtoul(args[4], NULL, 8), device);
		/* A device is the host's, whoever is root inside. */
		if (done == 0 && users_own(plan))
			done = fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW);
	}
	if (done < 0 && errno != EEXIST)
		fail(STAGE_MOUNTS, "make %s", path);
}

/* A mount that hides `target`: an empty read-only tmpfs over a directory, the host's real /dev/null over a file. */
static int make_mask(int target)
{
	char none[] = "";
	struct stat about;
	autoclose int null = -1;

	if (fstat(target, &about) < 0)
		return -1;
	if (S_ISDIR(about.st_mode))
		return mounts_make_filesystem("tmpfs", "tmpfs", none,
					      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
						      MOUNT_ATTR_NODEV);
	null = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (null < 0 || fstat(null, &about) < 0 || set_attributes(null, 0, MS_PRIVATE, false) < 0)
		return -1;
	errno = ENODEV;
	return S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3) ? fd_steal(&null) : -1;
}

static void apply_cover(int root, const struct step *step)
{
	const char *path = step->args[0];
	autoclose int target = path_open(root, path, O_PATH, RESOLVE_NO_SYMLINKS);
	autoclose int cover = -1;

	if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
		return;
	if (target < 0)
		fail(STAGE_MOUNTS, "open %s", path);
	if (step->kind == STEP_MASK) {
		cover = make_mask(target);
	} else {
		cover = open_tree(target, "",
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
					  AT_RECURSIVE);
		if (cover >= 0 && set_attributes(cover, MOUNT_ATTR_RDONLY, MS_PRIVATE, true) < 0)
			fail(STAGE_MOUNTS, "protect %s", path);
	}
	if (cover < 0 || attach(cover, target) < 0)
		fail(STAGE_MOUNTS, "cover %s", path);
}

void mounts_apply(const struct plan *plan, const struct sources *sources, int root, int users)
{
	umask(0);
	if (users >= 0)
		users_act_as(users_on_host(plan, 0));
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];
		if (step->kind == STEP_MOUNT)
			apply_mount(root, step->args);
		else if (step->kind == STEP_BIND)
			apply_bind(root, step->args[1], step->args[2], sources->fds[i]);
		else if (step->kind == STEP_BIND_PART)
			apply_bind(root, step->args[2], step->args[3], sources->fds[i]);
		else if (step->kind == STEP_LAYERS)
			apply_layers(root, step->args, users);
		else if (step->kind == STEP_MASK || step->kind == STEP_READONLY)
			apply_cover(root, step);
		else
			apply_made(plan, root, step);
	}
	if (users >= 0)
		users_act_as(0);
}

int mounts_terminal(const struct plan *plan, int root, int *slave)
{
	int unlocked = 0;
	autoclose int master =
		path_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS);
	autoclose int console = path_make_file(root, "/dev/console");
	autoclose int cover = -1;

	errno = master < 0 || console < 0 ? errno : ENODEV;
	if (master < 0 || console < 0 || !is_on(master, DEVPTS_SUPER_MAGIC))
		fail(STAGE_TERMINAL, "open ptmx");
	*slave = -1;
	if (ioctl(master, TIOCSPTLCK, &unlocked) == 0)
		*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0 || fchown(*slave, users_on_host(plan, plan->uid), (gid_t)-1) < 0)
		fail(STAGE_TERMINAL, "open slave");
	/* By descriptor: a path could lead elsewhere by now (CVE-2025-52565). */
	cover = open_tree(*slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (cover < 0 || attach(cover, console) < 0)
		fail(STAGE_TERMINAL, "bind console");
	return fd_steal(&master);
}

void mounts_enter(const struct plan *plan, int root)
{
	if (plan->readonly_rootfs && set_attributes(root, MOUNT_ATTR_RDONLY, 0, false) < 0)
		fail(STAGE_ROOTFS, "read-only");
	/* The old root ends on top of the new one, where it is taken off with everything beneath. */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		fail(STAGE_ROOTFS, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		fail(STAGE_ROOTFS, "leave the host's root");
}
