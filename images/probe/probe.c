/*
 * probe WORD [ARGUMENT...] [, WORD ...]: what tests run in containers. One behaviour per word; words separated by `,`
 * run one after another. A word that cannot do what it says ends the program with 99 and a line on stderr.
 *
 *   exit N              ends with status N
 *   signal NAME         ends itself with this signal (PID 1 cannot)
 *   pause               waits for ever, with default dispositions
 *   sleep SECONDS       may be fractional
 *   deaf                waits for ever and ignores TERM, INT, QUIT and HUP
 *   trap NAME... [exit N|go]  waits for one of these signals, prints `got NAME`, then exits N (0) or goes on waiting
 *   print N             N bytes of a known pattern on stdout
 *   say TEXT · err TEXT a line on stdout, on stderr
 *   cat                 copies stdin to stdout until it ends
 *   env · args          each variable, each remaining word, one a line
 *   id                  uid=N gid=N groups=N,N
 *   caps                the Cap lines, NoNewPrivs and Seccomp of /proc/self/status
 *   fds                 open descriptors and what they are
 *   mounts · cwd · tty · limits · stamps
 *   write FILE TEXT · append FILE TEXT · read FILE · ls DIR · stat FILE · mknod FILE c|b MAJOR MINOR · open FILE
 *   listen PORT         answers every TCP connection with `hello` and an HTTP 200, for ever
 *   connect HOST PORT   exits 0 when it could (IPv4 address)
 *   tree DEPTH WIDTH    forks a tree of processes that all wait for ever
 *   orphan              leaves a grandchild behind that waits for ever with stdout open
 *   zombie              has a dead child that it never waits for, and waits for ever
 *   hog MIB             touches this much memory, then waits for ever
 *   spin SECONDS        uses one CPU
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void broken(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },	  { "QUIT", SIGQUIT }, { "KILL", SIGKILL },   { "USR1", SIGUSR1 },
	{ "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "CONT", SIGCONT }, { "WINCH", SIGWINCH }, { "SEGV", SIGSEGV },
	{ "ABRT", SIGABRT }, { "PIPE", SIGPIPE }, { "STOP", SIGSTOP }, { "CHLD", SIGCHLD },
};

static int signal_number(const char *name)
{
	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	return 0;
}

static const char *signal_name(int number)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "?";
}

static const char *argument(char **args, int at)
{
	for (int i = 0; i <= at; i++)
		if (args[i] == NULL) {
			errno = EINVAL;
			broken("an argument is missing");
		}
	return args[at];
}

static void nap(double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds };

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void do_trap(char **args)
{
	sigset_t set;
	int status = 0;
	int goes_on = 0;
	int got;

	sigemptyset(&set);
	for (int i = 0; args[i] != NULL; i++) {
		if (strcmp(args[i], "exit") == 0)
			status = atoi(argument(args, ++i));
		else if (strcmp(args[i], "go") == 0)
			goes_on = 1;
		else
			sigaddset(&set, signal_number(args[i]));
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	do {
		if (sigwait(&set, &got) != 0)
			broken("sigwait");
		printf("got %s\n", signal_name(got));
		fflush(stdout);
	} while (goes_on);
	exit(status);
}

static void do_print(char **args)
{
	long left = atol(argument(args, 0));
	char block[6400];

	/* Lines of 64 bytes, so that a reader sees what is missing. */
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i % 64 == 63 ? '\n' : (char)('0' + i % 10);
	while (left > 0) {
		ssize_t put = write(1, block, left < (long)sizeof(block) ? (size_t)left : sizeof(block));
		if (put < 0)
			broken("write");
		left -= put;
	}
}

static void show_file(const char *path, const char *prefixes)
{
	FILE *file = fopen(path, "re");
	char line[4096];

	if (file == NULL)
		broken(path);
	while (fgets(line, sizeof(line), file) != NULL) {
		char word[64] = "";
		sscanf(line, "%62[A-Za-z]", word);
		if (prefixes == NULL || (word[0] != '\0' && strstr(prefixes, word) != NULL))
			fputs(line, stdout);
	}
	fclose(file);
}

static void do_id(void)
{
	gid_t groups[1024];
	int count = getgroups(1024, groups);

	printf("uid=%u gid=%u groups=", geteuid(), getegid());
	for (int i = 0; i < count; i++)
		printf("%s%u", i == 0 ? "" : ",", groups[i]);
	puts("");
}

static void do_list(const char *path, int with_targets)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char target[PATH_MAX];

	if (dir == NULL)
		broken(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || (with_targets && atoi(entry->d_name) == dirfd(dir)))
			continue;
		ssize_t size = with_targets ? readlinkat(dirfd(dir), entry->d_name, target, sizeof(target)) : 0;
		printf("%s%s%.*s\n", entry->d_name, with_targets ? " " : "", size > 0 ? (int)size : 0, target);
	}
	closedir(dir);
}

static void put_text(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		broken(path);
	close(fd);
}

static void do_stat(const char *path)
{
	struct stat stat;

	if (lstat(path, &stat) < 0)
		broken(path);
	printf("%o %u %u %lld %lu %u:%u\n", stat.st_mode, stat.st_uid, stat.st_gid, (long long)stat.st_size,
	       (unsigned long)stat.st_nlink, major(stat.st_rdev), minor(stat.st_rdev));
}

static void do_mknod(char **args)
{
	mode_t type = argument(args, 1)[0] == 'b' ? S_IFBLK : S_IFCHR;
	dev_t device = makedev((unsigned)atoi(argument(args, 2)), (unsigned)atoi(argument(args, 3)));

	if (mknod(args[0], type | 0666, device) < 0)
		broken(args[0]);
}

static void do_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		broken(path);
	close(fd);
}

static struct sockaddr_in address_of(const char *host, const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		broken(host);
	return address;
}

static _Noreturn void do_listen(const char *port)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
	struct sockaddr_in address = address_of("0.0.0.0", port);
	int one = 1;
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(server, 64) < 0)
		broken("listen");
	puts("listening");
	fflush(stdout);
	for (;;) {
		char request[4096];
		int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		if (recv(client, request, sizeof(request), 0) > 0)
			(void)!write(client, answer, sizeof(answer) - 1);
		close(client);
	}
}

static void do_connect(const char *host, const char *port)
{
	struct sockaddr_in address = address_of(host, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		broken("connect");
	close(fd);
}

static void do_tree(int depth, int width)
{
	for (int i = 0; depth > 0 && i < width; i++) {
		pid_t pid = fork();
		if (pid < 0)
			broken("fork");
		if (pid == 0) {
			do_tree(depth - 1, width);
			wait_for_ever();
		}
	}
}

static void do_orphan(void)
{
	pid_t pid = fork();

	if (pid < 0)
		broken("fork");
	if (pid == 0) {
		if (fork() == 0)
			wait_for_ever();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void do_zombie(void)
{
	pid_t pid = fork();

	if (pid < 0)
		broken("fork");
	if (pid == 0)
		_exit(0);
	printf("zombie %d\n", pid);
	fflush(stdout);
	wait_for_ever();
}

static void do_hog(long mib)
{
	for (long i = 0; i < mib; i++) {
		char *block = malloc(1 << 20);
		if (block == NULL)
			broken("malloc");
		memset(block, 1, 1 << 20);
	}
	puts("full");
	fflush(stdout);
	wait_for_ever();
}

static void do_spin(double seconds)
{
	struct timespec now;
	double end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = (double)now.tv_sec + (double)now.tv_nsec / 1e9 + seconds;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((double)now.tv_sec + (double)now.tv_nsec / 1e9 < end);
}

static void do_stamps(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld%09ld\n", (long long)now.tv_sec, now.tv_nsec);
}

static void do_cat(void)
{
	char block[65536];
	ssize_t got;

	while ((got = read(0, block, sizeof(block))) > 0)
		if (write(1, block, (size_t)got) != got)
			broken("write");
	if (got < 0)
		broken("read");
}

static void do_lines(char **lines)
{
	for (; *lines != NULL; lines++)
		puts(*lines);
}

static _Noreturn void do_deaf(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	puts("ready");
	fflush(stdout);
	wait_for_ever();
}

#define ARG(n) argument(args, n)

static const struct word {
	const char *name;
	int number; /* case in run() */
} words[] = {
	{ "exit", 1 },	  { "signal", 2 }, { "pause", 3 },   { "sleep", 4 },  { "deaf", 5 },	{ "trap", 6 },
	{ "print", 7 },	  { "say", 8 },	   { "err", 9 },     { "cat", 10 },   { "env", 11 },	{ "args", 12 },
	{ "id", 13 },	  { "caps", 14 },  { "fds", 15 },    { "mounts", 16 }, { "cwd", 17 },	{ "tty", 18 },
	{ "limits", 19 }, { "stamps", 20 }, { "write", 21 }, { "append", 22 }, { "read", 23 },	{ "ls", 24 },
	{ "stat", 25 },	  { "mknod", 26 }, { "open", 27 },   { "listen", 28 }, { "connect", 29 }, { "tree", 30 },
	{ "orphan", 31 }, { "zombie", 32 }, { "hog", 33 },   { "spin", 34 },
};

static void run(int word, char **args)
{
	char path[PATH_MAX];

	switch (word) {
	case 1: exit(atoi(ARG(0)));
	case 2: kill(getpid(), signal_number(ARG(0))); break;
	case 3: wait_for_ever();
	case 4: nap(atof(ARG(0))); break;
	case 5: do_deaf();
	case 6: do_trap(args); break;
	case 7: do_print(args); break;
	case 8: puts(ARG(0)); break;
	case 9: fprintf(stderr, "%s\n", ARG(0)); break;
	case 10: do_cat(); break;
	case 11: do_lines(environ); break;
	case 12: do_lines(args); break;
	case 13: do_id(); break;
	case 14: show_file("/proc/self/status", "CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp"); break;
	case 15: do_list("/proc/self/fd", 1); break;
	case 16: show_file("/proc/self/mountinfo", NULL); break;
	case 17: puts(getcwd(path, sizeof(path)) == NULL ? "?" : path); break;
	case 18: puts(ttyname(0) == NULL ? "not a tty" : ttyname(0)); break;
	case 19: show_file("/proc/self/limits", NULL); break;
	case 20: do_stamps(); break;
	case 21: put_text(ARG(0), ARG(1), O_TRUNC); break;
	case 22: put_text(ARG(0), ARG(1), O_APPEND); break;
	case 23: show_file(ARG(0), NULL); break;
	case 24: do_list(ARG(0), 0); break;
	case 25: do_stat(ARG(0)); break;
	case 26: do_mknod(args); break;
	case 27: do_open(ARG(0)); break;
	case 28: do_listen(ARG(0));
	case 29: do_connect(ARG(0), ARG(1)); break;
	case 30: do_tree(atoi(ARG(0)), atoi(ARG(1))); wait_for_ever();
	case 31: do_orphan(); break;
	case 32: do_zombie(); break;
	case 33: do_hog(atol(ARG(0))); break;
	case 34: do_spin(atof(ARG(0))); break;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int at = 1; at < argc;) {
		char **args = argv + at + 1;
		size_t i = 0;
		int end = at;
		while (end < argc && strcmp(argv[end], ",") != 0)
			end++;
		argv[end] = NULL;
		while (i < sizeof(words) / sizeof(*words) && strcmp(words[i].name, argv[at]) != 0)
			i++;
		errno = EINVAL;
		if (i == sizeof(words) / sizeof(*words))
			broken(argv[at]);
		run(words[i].number, args);
		at = end + 1;
	}
	return 0;
}
