import type { Action, Condition, Profile, Rule } from './profile.ts';

/**
 * minirt's RuntimeDefault: what a program in a container may ask of the kernel. Whatever is not in the table is refused
 * with EPERM; calls newer than all of these do not exist there (ENOSYS), so that libc falls back to older ones.
 */
export function defaultProfile(arch: string): Profile {
  return {
    defaultAction: refused(EPERM),
    architectures: architectures[arch] ?? [],
    rules: [first, ...groups.map(groupRule), ...filtered],
  };
}

const EPERM = 1;
const ENOSYS = 38;

function refused(number: number): Action {
  return { kind: 'errno', number };
}

/** The host's architecture, by Go's name, and those whose programs its kernel runs as well. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  amd64: ['x86_64', 'x86', 'x32'],
  arm64: ['aarch64', 'arm'],
};

interface Group {
  /** Why these may be called. */
  readonly why: string;
  /** Separated by spaces. */
  readonly calls: string;
  readonly where?: Condition;
}

function groupRule({ calls, where }: Group): Rule {
  return { names: calls.split(' '), action: { kind: 'allow' }, ...(where === undefined ? {} : { includes: where }) };
}

/** Exported for the test that checks that none is named twice. */
export const groups: readonly Group[] = [
  {
    why: 'files by name: the mount namespace, permissions and read-only mounts decide',
    calls:
      'access chdir chmod chown chown32 creat faccessat faccessat2 fchdir fchmodat fchmodat2 fchownat fstatat64 futimesat getcwd ' +
      'lchown lchown32 link linkat lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 ' +
      'readlink readlinkat rename renameat renameat2 rmdir stat stat64 statfs statfs64 statx symlink symlinkat truncate ' +
      'truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes',
  },
  {
    why: 'files by descriptor: whoever has one was given it',
    calls:
      '_llseek cachestat close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 fallocate fchmod fchown fchown32 ' +
      'fcntl fcntl64 fdatasync flock fstat fstat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 getdents getdents64 ioctl lseek ' +
      'pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readv sendfile sendfile64 splice sync ' +
      'sync_file_range syncfs tee vmsplice write writev',
  },
  {
    why: 'extended attributes: security.* and trusted.* need capabilities anyway',
    calls:
      'fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr ' +
      'lsetxattr removexattr removexattrat setxattr setxattrat',
  },
  {
    why: 'waiting for events',
    calls:
      '_newselect epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd ' +
      'eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll ppoll_time64 pselect6 ' +
      'pselect6_time64 select signalfd signalfd4',
  },
  {
    why: 'asynchronous files of the first kind; io_uring is left out, whose kernel side has had too many holes',
    calls: 'io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit',
  },
  {
    why: 'memory of its own',
    calls:
      'brk madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap ' +
      'mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages',
  },
  {
    why: 'processes and threads; new namespaces are filtered below',
    calls:
      'execve execveat exit exit_group fork get_robust_list get_thread_area getpgid getpgrp getpid getppid getsid gettid ' +
      'pidfd_open pidfd_send_signal prctl restart_syscall rseq set_robust_list set_thread_area set_tid_address setpgid setsid ' +
      'vfork wait4 waitid waitpid',
  },
  {
    why: 'locks between threads',
    calls: 'futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake',
  },
  {
    why: 'signals; the PID namespace bounds whom they reach',
    calls:
      'alarm kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait ' +
      'rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn tgkill tkill',
  },
  {
    why: 'who a process is: the kernel asks for CAP_SETUID, CAP_SETGID or CAP_SETPCAP',
    calls:
      'capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid ' +
      'getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid ' +
      'setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32',
  },
  {
    why: 'how much a process may use, and when it runs: raising anything needs a capability',
    calls:
      'getcpu getpriority getrlimit getrusage ioprio_get ioprio_set prlimit64 sched_get_priority_max sched_get_priority_min ' +
      'sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 ' +
      'sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield setpriority setrlimit ugetrlimit',
  },
  {
    why: 'time; setting the clock needs CAP_SYS_TIME in the kernel, and adjtimex also reads',
    calls:
      'adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep ' +
      'clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun ' +
      'timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 ' +
      'timerfd_settime timerfd_settime64 times',
  },
  {
    why: 'sockets, once there is one; socket() itself is filtered below',
    calls:
      'accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send ' +
      'sendmmsg sendmsg sendto setsockopt shutdown socketpair',
  },
  {
    why: 'System V and POSIX queues, semaphores and shared memory of the IPC namespace',
    calls:
      'ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink ' +
      'msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget',
  },
  {
    why: 'a process that confines itself further',
    calls:
      'landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr lsm_list_modules seccomp',
  },
  { why: 'what the system is, and randomness', calls: 'getrandom sysinfo uname' },
  {
    why: 'debuggers: from Linux 4.8 on, a tracer cannot lead its child around the filter; yama and uids decide',
    calls: 'process_vm_readv process_vm_writev ptrace',
    where: { minKernel: [4, 8] },
  },
  {
    why: 'every program of x86-64 sets its thread register; Wine and DOSEMU have segments of their own',
    calls: 'arch_prctl modify_ldt',
    where: { arches: ['amd64'] },
  },
  {
    why: '32-bit ARM programs flush their caches and set their thread register',
    calls: 'arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2',
    where: { arches: ['arm64'] },
  },
  {
    why: 'the capability is there for mounts, namespaces and the like',
    calls:
      'clone3 fanotify_init fsconfig fsmount fsopen fspick listmount mount mount_setattr move_mount open_tree quotactl quotactl_fd ' +
      'setdomainname sethostname setns statmount umount umount2 unshare',
    where: { caps: ['CAP_SYS_ADMIN'] },
  },
  { why: 'chroot', calls: 'chroot', where: { caps: ['CAP_SYS_CHROOT'] } },
  {
    why: 'files by handle go around every path',
    calls: 'open_by_handle_at',
    where: { caps: ['CAP_DAC_READ_SEARCH'] },
  },
  { why: 'programs in the kernel', calls: 'bpf', where: { caps: ['CAP_BPF'] } },
  { why: 'performance counters', calls: 'perf_event_open', where: { caps: ['CAP_PERFMON'] } },
  { why: "the kernel's log", calls: 'syslog', where: { caps: ['CAP_SYSLOG'] } },
  {
    why: "others' memory, descriptors and resources",
    calls: 'kcmp pidfd_getfd process_madvise',
    where: { caps: ['CAP_SYS_PTRACE'] },
  },
  {
    why: 'kernel modules',
    calls: 'delete_module finit_module init_module',
    where: { caps: ['CAP_SYS_MODULE'] },
  },
  { why: 'reboot', calls: 'reboot', where: { caps: ['CAP_SYS_BOOT'] } },
  { why: 'process accounting', calls: 'acct', where: { caps: ['CAP_SYS_PACCT'] } },
  { why: 'ports of the hardware', calls: 'ioperm iopl', where: { caps: ['CAP_SYS_RAWIO'] } },
  {
    why: "the host's clock",
    calls: 'clock_settime clock_settime64 settimeofday stime',
    where: { caps: ['CAP_SYS_TIME'] },
  },
  { why: 'hanging up terminals', calls: 'vhangup', where: { caps: ['CAP_SYS_TTY_CONFIG'] } },
  {
    why: 'placing memory on nodes',
    calls: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
    where: { caps: ['CAP_SYS_NICE'] },
  },
];

/** Every flag of clone(2) that makes a namespace. */
const NEW_NAMESPACES = 0x7e020000n;
/** PER_LINUX, PER_LINUX32, both with UNAME26, and the question which one it is. */
const PERSONALITIES = [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn];
const AF_ALG = 38n;
/** AF_KCM, AF_QIPCRTR, AF_SMC, AF_XDP, AF_MCTP: those above AF_VSOCK. */
const LATE_FAMILIES = [41n, 42n, 43n, 44n, 45n];

const withoutAdmin = { caps: ['CAP_SYS_ADMIN'] };

function when(name: string, op: 'EQ' | 'LT' | 'MASKED_EQ', value: bigint): Rule {
  return { names: [name], action: { kind: 'allow' }, args: [{ index: 0, op, value, valueTwo: 0n }] };
}

/**
 * The way of old 32-bit programs to sockets, whose family is in memory, where no filter sees it: it would lead around the
 * rules of socket(). Before all others, because libseccomp allows it along with each of their calls, unless there is a rule.
 */
const first: Rule = { names: ['socketcall'], action: refused(ENOSYS) };

const filtered: readonly Rule[] = [
  // Threads and processes, but no namespaces, least of all user namespaces.
  { ...when('clone', 'MASKED_EQ', NEW_NAMESPACES), excludes: withoutAdmin },
  { names: ['clone'], action: { kind: 'allow' }, includes: withoutAdmin },
  // Its flags are in memory, where no filter sees them: libc falls back to clone.
  { names: ['clone3'], action: refused(ENOSYS), excludes: withoutAdmin },
  ...PERSONALITIES.map((value) => when('personality', 'EQ', value)),
  // Not AF_ALG (CVE-2026-31431) and not AF_VSOCK, which no network namespace bounds. The kernel looks at 32 bits of this
  // argument and a filter at 64: so these are the families that may be, and none is only "not 38".
  when('socket', 'LT', AF_ALG),
  when('socket', 'EQ', 39n),
  ...LATE_FAMILIES.map((value) => when('socket', 'EQ', value)),
];
