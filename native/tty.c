#include "tty.h"

#include "fd.h"
#include "path.h"
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <time.h>

/* Readers on Linux lose what they have not read when the last writer of a terminal closes it. */
#define LINGER_NS 20000000

void tty_make_raw(struct tty *tty)
{
	struct termios mode;

	if (tty->raw || tcgetattr(STDIN_FILENO, &mode) < 0)
		return;
	tty->before = mode;
	cfmakeraw(&mode);
	/* NOW, not FLUSH: what was typed ahead is the shell's. */
	tty->raw = tcsetattr(STDIN_FILENO, TCSANOW, &mode) == 0;
}

void tty_restore(struct tty *tty)
{
	/* Whoever put us into the background may be gone: that must not keep the terminal raw. */
	(void)signal(SIGTTOU, SIG_IGN);
	if (tty->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->before);
	tty->raw = false;
}

void tty_copy_size(int to)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			(void)ioctl(to, TIOCSWINSZ, &size);
			return;
		}
}

int tty_open_inside(unsigned int uid, unsigned short rows, unsigned short columns)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int master = -1;
	autoclose int slave = -1;
	const struct winsize given = { .ws_row = rows, .ws_col = columns };
	struct statfs about;
	int unlock = 0;

	master = root < 0 ? -1 : path_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
	if (master < 0 || fstatfs(master, &about) < 0)
		fail(STAGE_TERMINAL, "open /dev/pts/ptmx");
	errno = EPERM;
	if (about.f_type != DEVPTS_SUPER_MAGIC)
		fail(STAGE_TERMINAL, "open /dev/pts/ptmx: it is no terminal");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		fail(STAGE_TERMINAL, "unlock");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fchown(slave, uid, (gid_t)-1) < 0)
		fail(STAGE_TERMINAL, "open");
	if (rows == 0 || columns == 0)
		tty_copy_size(master);
	else
		(void)ioctl(master, TIOCSWINSZ, &given);
	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		fail(STAGE_TERMINAL, "controlling terminal");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(slave, fd) < 0)
			fail(STAGE_TERMINAL, "stdio");
	return fd_steal(&master);
}

void tty_linger(void)
{
	struct timespec left = { .tv_nsec = LINGER_NS };

	if (!isatty(STDOUT_FILENO))
		return;
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		continue;
}
