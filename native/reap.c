/*
 * role reap: PID 1 of a pod whose containers see each other's processes. It adopts what they leave behind, and does
 * nothing else. It has no files, no root but an empty one, no capabilities and no network, for containers can look at it.
 */
#include "fd.h"
#include "mounts.h"
#include "process.h"
#include "roles.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void enter_cgroup(const char *dir)
{
	char path[4096];
	int size = snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	autoclose int fd = -1;

	errno = ENAMETOOLONG;
	if (size > 0 && (size_t)size < sizeof(path))
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		fail(STAGE_CGROUP, "%s", dir);
}

static void enter_nothing(void)
{
	char none[] = "size=4k,mode=555";
	const struct plan nothing = { .readonly_rootfs = false };
	autoclose int root = -1;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	root = mounts_make_filesystem("tmpfs", "tmpfs", none,
				      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					      MOUNT_ATTR_NOEXEC);
	if (root < 0 || move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fail(STAGE_ROOTFS, "empty root");
	mounts_enter(&nothing, root);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		fail(STAGE_CREDENTIALS, "capabilities");
}

/* Only what it does from here on: a container that may trace it must not get further through it than by itself. */
static void allow_only_reaping(void)
{
#if defined(__x86_64__)
	const uint32_t arch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
	const uint32_t arch = AUDIT_ARCH_AARCH64;
#else
#error "the number of this architecture is missing"
#endif
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigtimedwait, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
		_exit(EXIT_FAILED);
}

static void reap_for_ever(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_SETMASK, &child, NULL) < 0)
		_exit(EXIT_FAILED);
	allow_only_reaping();
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		(void)sigwaitinfo(&child, NULL);
	}
}

/* reap FILE CGROUP...: FILE, which exists, keeps the new pid namespace. Ends when PID 1 is there; that one stays. */
int role_reap(int argc, char **argv)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	process_protect(argv);
	errno = EINVAL;
	if (argc < 3)
		fail(STAGE_PLAN, "reap");
	for (int i = 2; i < argc; i++)
		enter_cgroup(argv[i]);
	if (pipe2(ready, O_CLOEXEC) < 0 || unshare(CLONE_NEWPID) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	pid = fork();
	if (pid < 0)
		fail(STAGE_NAMESPACES, "fork");
	if (pid == 0) {
		(void)setsid();
		(void)prctl(PR_SET_NAME, "minirt-reaper");
		/* Containers see its command line. */
		for (int i = 1; i < argc; i++)
			memset(argv[i], 0, strlen(argv[i]));
		enter_nothing();
		drop_capabilities();
		if (write(ready[1], &byte, 1) != 1)
			_exit(EXIT_FAILED);
		(void)close_range(0, ~0U, 0);
		reap_for_ever();
	}
	fd_close(&ready[1]);
	if (read(ready[0], &byte, 1) != 1 ||
	    mount("/proc/self/ns/pid_for_children", argv[1], NULL, MS_BIND, NULL) < 0) {
		int why = errno;
		(void)kill(pid, SIGKILL);
		errno = why;
		fail(STAGE_NAMESPACES, "keep %s", argv[1]);
	}
	return 0;
}
