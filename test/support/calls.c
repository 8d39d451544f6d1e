/*
 * calls WORD...: makes each of these system calls, with arguments that do no harm, and prints `WORD ERRNO-NAME` (or `ok`).
 * What a filter refuses fails before the kernel looks at the arguments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH_BITS 0x100000000L

#ifdef __x86_64__
/* The gate of 32-bit programs, which a 64-bit one can use as well. */
static long call_32bit(long number, long a, long b)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory", "r8", "r9", "r10", "r11");
	result = (int)result;
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return result;
}
#define SOCKET_32BIT(family) call_32bit(359, family, 5)
#define SOCKETCALL() call_32bit(102, 1, 0)
#define GETPID_32BIT() call_32bit(20, 0, 0)
#define SOCKET_X32(family) syscall(SYS_socket | 0x40000000, family, 5, 0)
#else
#define SOCKET_32BIT(family) (errno = ENOSYS, -1L)
#define SOCKETCALL() (errno = ENOSYS, -1L)
#define GETPID_32BIT() 0L
#define SOCKET_X32(family) (errno = ENOSYS, -1L)
#endif

static long clone_with(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return pid;
}

#define CALL(word, call)                                                     \
	if (strcmp(name, word) == 0)                                         \
		return call

static long make(const char *name)
{
	CALL("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	CALL("add_key", syscall(SYS_add_key, "user", "x", "y", 1, -3));
	CALL("request_key", syscall(SYS_request_key, "user", "x", NULL, -3));
	CALL("bpf", syscall(SYS_bpf, 5, NULL, 0));
	CALL("userfaultfd", syscall(SYS_userfaultfd, 1));
	CALL("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	CALL("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	CALL("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	CALL("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 0));
	CALL("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	CALL("mount", syscall(SYS_mount, NULL, "/nowhere", NULL, 0, NULL));
	CALL("umount2", syscall(SYS_umount2, "/nowhere", 0));
	CALL("pivot_root", syscall(SYS_pivot_root, "/nowhere", "/nowhere"));
	CALL("open_tree", syscall(SYS_open_tree, -1, "nowhere", 0));
	CALL("move_mount", syscall(SYS_move_mount, -1, "", -1, "", 0));
	CALL("fsopen", syscall(SYS_fsopen, "nothing", 0));
	CALL("fsmount", syscall(SYS_fsmount, -1, 0, 0));
	CALL("fspick", syscall(SYS_fspick, -1, "", 0));
	CALL("mount_setattr", syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
	CALL("unshare", syscall(SYS_unshare, CLONE_NEWUSER));
	CALL("setns", syscall(SYS_setns, -1, 0));
	CALL("clone", clone_with(0));
	CALL("clone-user", clone_with(CLONE_NEWUSER));
	CALL("clone-net", clone_with(CLONE_NEWNET));
	CALL("clone3", syscall(SYS_clone3, NULL, 0));
	CALL("init_module", syscall(SYS_init_module, NULL, 0, ""));
	CALL("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	CALL("swapon", syscall(SYS_swapon, "/nowhere", 0));
	CALL("syslog", syscall(SYS_syslog, 10, NULL, 0));
	CALL("acct", syscall(SYS_acct, "/nowhere"));
	CALL("quotactl", syscall(SYS_quotactl, 0, NULL, 0, NULL));
	CALL("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
	CALL("personality-query", syscall(SYS_personality, 0xffffffffUL));
	CALL("personality-aslr", syscall(SYS_personality, 0x0040000UL));
	CALL("socket-inet", syscall(SYS_socket, 2, 1, 0));
	CALL("socket-netlink", syscall(SYS_socket, 16, 3, 0));
	CALL("socket-alg", syscall(SYS_socket, 38, 5, 0));
	CALL("socket-vsock", syscall(SYS_socket, 40, 1, 0));
	CALL("socket-alg-high-bits", syscall(SYS_socket, HIGH_BITS | 38, 5, 0));
	CALL("socket-alg-32bit", SOCKET_32BIT(38));
	CALL("socket-alg-x32", SOCKET_X32(38));
	CALL("socketcall-32bit", SOCKETCALL());
	CALL("getpid-32bit", GETPID_32BIT());
	CALL("ptrace", syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
	CALL("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
	CALL("process_madvise", syscall(SYS_process_madvise, -1, NULL, 0, 0, 0));
	CALL("chroot", syscall(SYS_chroot, "/"));
	CALL("fchmodat2", syscall(452, -1, "nowhere", 0, 0x100));
	CALL("listmount", syscall(458, NULL, NULL, 0, 0));
	CALL("future", syscall(1023));
	errno = ENOEXEC;
	return -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		errno = 0;
		printf("%s %s\n", argv[i], make(argv[i]) < 0 ? strerrorname_np(errno) : "ok");
	}
	return 0;
}
