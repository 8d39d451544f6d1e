/* Makes a pod's namespaces and keeps them alive as files; needs no process to stay. */
#include "fd.h"
#include "mounts.h"
#include "own.h"
#include "path.h"
#include "plan.h"
#include "roles.h"
#include "status.h"
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const struct {
	const char *kind;
	int flag;
} kinds[] = { { "net", CLONE_NEWNET }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS } };

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail(STAGE_NAMESPACES, "bring lo up");
}

/* New namespaces of every kind that the plan keeps. Answers the user namespace that they belong to, if it is new. */
static int make_namespaces(const struct plan *plan)
{
	int users = -1;
	int fresh = 0;

	for (size_t i = 0; i < plan->step_count; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
			if (plan->steps[i].kind == STEP_BIND_NS &&
			    strcmp(plan->steps[i].args[0], kinds[k].kind) == 0)
				fresh |= kinds[k].flag;
	/* The host's name and settings are not ours to change. */
	errno = EINVAL;
	if (plan->hostname != NULL && (fresh & CLONE_NEWUTS) == 0)
		fail(STAGE_NAMESPACES, "hostname without a new uts namespace");
	if (users_own(plan))
		users = users_make(plan, fresh);
	else if (unshare(fresh) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	if ((fresh & CLONE_NEWNET) != 0)
		raise_loopback();
	if (plan->hostname != NULL && sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		fail(STAGE_NAMESPACES, "hostname %s", plan->hostname);
	return users;
}

static void keep_namespace(const char *kind, const char *path, int users)
{
	char source[32];

	/* This process has entered all but that one. */
	if (strcmp(kind, "user") == 0)
		snprintf(source, sizeof(source), "/proc/self/fd/%d", users);
	else
		snprintf(source, sizeof(source), "/proc/self/ns/%s", kind);
	if (mount(source, path, NULL, MS_BIND, NULL) < 0)
		fail(STAGE_MOUNTS, "bind %s", path);
}

/* Written through a procfs of our own, which nobody can have mounted over; dots separate, slashes are refused. */
static void set_sysctl(const struct plan *plan, const char *name, const char *value)
{
	char path[256];
	int size = snprintf(path, sizeof(path), "sys/%s", name);
	autoclose int fs = fsopen("proc", FSOPEN_CLOEXEC);
	autoclose int proc = -1;
	autoclose int fd = -1;

	errno = EINVAL;
	if (size < 0 || (size_t)size >= sizeof(path) || strpbrk(name, "/\n") != NULL ||
	    strchr(value, '\n') != NULL)
		fail(STAGE_NAMESPACES, "sysctl %s", name);
	for (char *dot = path; (dot = strchr(dot, '.')) != NULL;)
		*dot = '/';
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		fail(STAGE_NAMESPACES, "private procfs");
	proc = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	/* Those of an ipc namespace are for whoever is root where it belongs, those of a network for who has power over it. */
	bool as_owner = users_own(plan) && strncmp(name, "net.", 4) != 0;
	if (as_owner && seteuid(users_on_host(plan, 0)) < 0)
		fail(STAGE_NAMESPACES, "sysctl %s", name);
	fd = proc < 0 ? -1 : path_open(proc, path, O_WRONLY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value) ||
	    (as_owner && seteuid(0) < 0))
		fail(STAGE_NAMESPACES, "sysctl %s", name);
}

/* What is mounted beneath must neither be copied to other namespaces nor keep unmounts from having an effect. */
static void make_private_mount(const char *path)
{
	struct statx about;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about) < 0)
		fail(STAGE_MOUNTS, "private-mount %s", path);
	if ((about.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 &&
	    mount(path, path, NULL, MS_BIND, NULL) < 0)
		fail(STAGE_MOUNTS, "private-mount %s", path);
	if (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
		fail(STAGE_MOUNTS, "private-mount %s", path);
}

static void unbind(const char *path)
{
	/* Gone already, or never mounted: what is wanted is true. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		fail(STAGE_MOUNTS, "unbind %s", path);
}

/* Nothing when one is there already. For root alone to reach: what is above it must be private. */
static void make_in_memory(const char *type, char **args)
{
	const char *path = args[0];
	autoclose int made = -1;
	struct statx about;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &about) < 0)
		fail(STAGE_MOUNTS, "%s %s", type, path);
	if ((about.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
		return;
	made = mounts_make_filesystem(type, type, args[2], 0);
	/* Not by an option, which containers would see. */
	if (made < 0 || fchmodat(made, ".", (mode_t)strtoul(args[1], NULL, 8), 0) < 0 ||
	    move_mount(made, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail(STAGE_MOUNTS, "%s %s", type, path);
}

int role_sandbox(int argc, char **argv)
{
	struct plan plan;
	int users;

	(void)argc;
	(void)argv;
	plan_read(&plan, STDIN_FILENO, 's');
	users = make_namespaces(&plan);
	for (size_t i = 0; i < plan.step_count; i++) {
		const struct step *step = &plan.steps[i];
		if (step->kind == STEP_BIND_NS)
			keep_namespace(step->args[0], step->args[1], users);
		else if (step->kind == STEP_SYSCTL)
			set_sysctl(&plan, step->args[0], step->args[1]);
		else if (step->kind == STEP_PRIVATE_MOUNT)
			make_private_mount(step->args[0]);
		else if (step->kind == STEP_TMPFS)
			make_in_memory("tmpfs", step->args);
		else if (step->kind == STEP_HUGETLBFS)
			make_in_memory("hugetlbfs", step->args);
		else if (step->kind == STEP_OWN)
			own_volume(step->args[0], (gid_t)plan_number(step->args[1]),
				   strcmp(step->args[2], "ro") == 0,
				   strcmp(step->args[3], "always") == 0);
		else
			unbind(step->args[0]);
	}
	return 0;
}
