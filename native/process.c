#include "process.h"

#include "fd.h"
#include "path.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void process_protect(char **argv)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	struct statvfs where;
	autoclose int self = -1;

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || statvfs("/proc/self/exe", &where) < 0)
		fail(STAGE_EXEC, "protect");
	if (where.f_flag & ST_RDONLY)
		return;
	/*
	 * A container may run /proc/self/exe and later open that file for writing. Through a read-only mount that
	 * belongs to no namespace (it dissolves when `self` closes) it cannot, and no memory is spent on a copy.
	 */
	self = open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (self < 0 || mount_setattr(self, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		fail(STAGE_EXEC, "protect");
	/* argv[-1] is "minirt-helper": main hands on the array that it got. */
	execveat(self, "", argv - 1, environ, AT_EMPTY_PATH);
	fail(STAGE_EXEC, "protect");
}

void process_prepare(struct plan *plan)
{
	autoclose int fd = -1;

	if (plan->seccomp != NULL) {
		plan->seccomp_fd = open(plan->seccomp, O_RDONLY | O_CLOEXEC);
		if (plan->seccomp_fd < 0)
			fail(STAGE_SECCOMP, "open %s", plan->seccomp);
	}
	/* The host's /proc, and this task's own attribute: from inside neither could be had, or trusted. */
	if (plan->apparmor != NULL) {
		plan->apparmor_fd = open("/proc/self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
		if (plan->apparmor_fd < 0)
			plan->apparmor_fd = open("/proc/self/attr/exec", O_WRONLY | O_CLOEXEC);
		if (plan->apparmor_fd < 0)
			fail(STAGE_CREDENTIALS, "apparmor %s", plan->apparmor);
	}
	if (plan->oom[0] == NULL)
		return;
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, plan->oom[0], strlen(plan->oom[0])) > 0)
		return;
	if (strcmp(plan->oom[1], "required") == 0)
		fail(STAGE_CREDENTIALS, "oom-score-adj %s", plan->oom[0]);
}

static void enter_cwd(const char *cwd)
{
	char now[PATH_MAX];
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int dir = -1;

	/* No magic links on the way: /proc/self/fd/N would lead out (CVE-2024-21626). */
	dir = root < 0 ? -1 : path_make_dir(root, cwd == NULL ? "/" : cwd);
	if (dir < 0 || fchdir(dir) < 0)
		fail(STAGE_EXEC, "cwd %s", cwd);
	errno = EPERM;
	if (getcwd(now, sizeof(now)) == NULL || now[0] != '/')
		fail(STAGE_EXEC, "cwd %s", cwd);
}

static void reset_scheduling(void)
{
	const struct sched_param normal = { 0 };
	cpu_set_t every;

	memset(&every, 0xff, sizeof(every));
	/* What the owner was given must not be inherited; the kernel narrows the mask to the cpuset. */
	if (sched_setaffinity(0, sizeof(every), &every) < 0)
		fail(STAGE_CREDENTIALS, "affinity");
	if (sched_setscheduler(0, SCHED_OTHER, &normal) < 0)
		fail(STAGE_CREDENTIALS, "scheduler");
	(void)setpriority(PRIO_PROCESS, 0, 0);
}

static void set_limits(const struct plan *plan)
{
	static const struct {
		const char *name;
		__rlimit_resource_t id;
	} known[] = {
		{ "as", RLIMIT_AS },	       { "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },	       { "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },     { "locks", RLIMIT_LOCKS },
		{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE },       { "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },     { "rss", RLIMIT_RSS },
		{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },
		{ "stack", RLIMIT_STACK },     { "sigpending", RLIMIT_SIGPENDING },
	};

	for (size_t i = 0; i + 2 < plan->rlimits.count; i += 3) {
		char **words = plan->rlimits.items + i;
		struct rlimit limit = { plan_number(words[1]), plan_number(words[2]) };
		size_t k = 0;
		while (k < sizeof(known) / sizeof(*known) && strcmp(known[k].name, words[0]) != 0)
			k++;
		errno = EINVAL;
		if (k == sizeof(known) / sizeof(*known) || setrlimit(known[k].id, &limit) < 0)
			fail(STAGE_CREDENTIALS, "rlimit %s", words[0]);
	}
}

static void load_seccomp(const struct plan *plan)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	struct sock_fprog program = { .filter = filter };
	ssize_t size;

	if (plan->seccomp == NULL)
		return;
	size = pread(plan->seccomp_fd, filter, sizeof(filter), 0);
	errno = size < 0 ? errno : EINVAL;
	if (size <= 0 || (size_t)size % sizeof(*filter) != 0)
		fail(STAGE_SECCOMP, "filter");
	program.len = (unsigned short)((size_t)size / sizeof(*filter));
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		fail(STAGE_SECCOMP, "load");
}

static void set_ids(const struct plan *plan)
{
	static gid_t groups[NGROUPS_MAX];

	errno = EINVAL;
	if (plan->groups.count > NGROUPS_MAX)
		fail(STAGE_CREDENTIALS, "groups");
	for (size_t i = 0; i < plan->groups.count; i++)
		groups[i] = (gid_t)plan_number(plan->groups.items[i]);
	/* Raw system calls: there is one thread, and libc's wrappers take locks and signals. */
	if (syscall(SYS_setgroups, plan->groups.count, groups) < 0)
		fail(STAGE_CREDENTIALS, "groups");
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0)
		fail(STAGE_CREDENTIALS, "gid %u", (unsigned)plan->gid);
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 ||
	    syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
		fail(STAGE_CREDENTIALS, "uid %u", (unsigned)plan->uid);
}

static void set_capabilities(const struct plan *plan)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++)
		data[half] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(plan->caps[CAPS_EFFECTIVE] >> (32 * half)),
			.permitted = (uint32_t)(plan->caps[CAPS_PERMITTED] >> (32 * half)),
			.inheritable = (uint32_t)(plan->caps[CAPS_INHERITABLE] >> (32 * half)),
		};
	if (syscall(SYS_capset, &header, data) < 0)
		fail(STAGE_CREDENTIALS, "capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		fail(STAGE_CREDENTIALS, "ambient capabilities");
	for (unsigned long cap = 0; cap < 64; cap++)
		if ((plan->caps[CAPS_AMBIENT] >> cap & 1) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			fail(STAGE_CREDENTIALS, "ambient capability %lu", cap);
}

static void drop_bounding(const struct plan *plan)
{
	/* Ends at the first number that this kernel does not know. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if ((plan->caps[CAPS_BOUNDING] >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap) < 0)
			fail(STAGE_CREDENTIALS, "bounding capability %lu", cap);
}

/* The kernel forgets the death signal when ids change, so it is set last; a parent that died before is seen here. */
static void die_with_parent(int lifeline)
{
	struct pollfd parent = { .fd = lifeline, .events = POLLRDHUP };

	if (lifeline < 0)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail(STAGE_CREDENTIALS, "death signal");
	if (poll(&parent, 1, 0) > 0 && (parent.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0)
		_exit(EXIT_FAILED);
}

void process_apply(const struct plan *plan, int lifeline)
{
	enter_cwd(plan->cwd);
	reset_scheduling();
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		fail(STAGE_CREDENTIALS, "session keyring");
	set_limits(plan);
	umask((mode_t)plan->umask);
	/* Without no_new_privs a filter needs CAP_SYS_ADMIN, which is about to go; with it the filter comes last. */
	if (!plan->no_new_privs)
		load_seccomp(plan);
	drop_bounding(plan);
	set_ids(plan);
	set_capabilities(plan);
	die_with_parent(lifeline);
	if (plan->no_new_privs) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			fail(STAGE_CREDENTIALS, "no_new_privs");
		load_seccomp(plan);
	}
}

/* The profile comes with the program. */
static void ask_for_profile(const struct plan *plan)
{
	char text[PATH_MAX + 8];
	int size;

	if (plan->apparmor == NULL)
		return;
	size = snprintf(text, sizeof(text), "exec %s", plan->apparmor);
	errno = ENAMETOOLONG;
	if (size < 0 || (size_t)size >= sizeof(text) ||
	    write(plan->apparmor_fd, text, (size_t)size) != size)
		fail(STAGE_CREDENTIALS, "apparmor %s", plan->apparmor);
}

static const char *path_of(const struct list *env)
{
	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], "PATH=", 5) == 0)
			return env->items[i] + 5;
	return DEFAULT_PATH;
}

/* Tries every folder of PATH; a file that may not be executed is remembered over one that is missing. */
static void execute_in_path(const char *path, char **args, char **env)
{
	int worst = ENOENT;
	char file[PATH_MAX];

	for (;;) {
		size_t length = strcspn(path, ":");
		int size = snprintf(file, sizeof(file), "%.*s/%s", (int)length, path, args[0]);
		if (length > 0 && size > 0 && (size_t)size < sizeof(file)) {
			execve(file, args, env);
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return;
			if (errno == EACCES)
				worst = EACCES;
		}
		path += length;
		if (*path++ == '\0')
			break;
	}
	errno = worst;
}

void process_execute(const struct plan *plan)
{
	static char *nothing[] = { NULL };
	char **env = plan->env.count > 0 ? plan->env.items : nothing;
	char **args = plan->args.items;
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		if (n != SIGKILL && n != SIGSTOP)
			(void)signal(n, SIG_DFL);
	sigemptyset(&none);
	errno = EINVAL;
	if (plan->args.count == 0 || args[0][0] == '\0' ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		fail(STAGE_EXEC, "no command");
	ask_for_profile(plan);
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail(STAGE_EXEC, "close_range");
	if (strchr(args[0], '/') != NULL)
		execve(args[0], args, env);
	else
		execute_in_path(path_of(&plan->env), args, env);
	fail(STAGE_EXEC, "%s", args[0]);
}
