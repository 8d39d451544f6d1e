/* role lock: takes a lock on an open file that the caller holds, so that the kernel frees it when the caller dies. */
#include "roles.h"
#include "status.h"

#include <errno.h>
#include <sys/file.h>

#define LOCK_FD	   3
#define EXIT_TAKEN 1

int role_lock(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (flock(LOCK_FD, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return EXIT_TAKEN;
	fail(STAGE_CONTROL, "flock");
}
