/* The user's terminal on one side, the container's on the other. */
#pragma once

#include <stdbool.h>
#include <termios.h>

/* A terminal that may have been made raw; restore is safe at any time, as often as one likes. */
struct tty {
	bool raw;
	struct termios before;
};

/* Makes stdin raw when it is a terminal. */
void tty_make_raw(struct tty *tty);
void tty_restore(struct tty *tty);
/* Gives `to` the window size of this process's terminal, when it has one. */
void tty_copy_size(int to);
/*
 * In a container: opens a new terminal of its own devpts and makes it the controlling one and stdio. Its size is
 * `rows` by `columns`, or that of this process's terminal when they are 0. Answers the master.
 */
int tty_open_inside(unsigned int uid, unsigned short rows, unsigned short columns);
/* What was written last must be read before the other side sees the end: see node-pty#726. */
void tty_linger(void);
