/* role peek: reads files beneath the root of an image or of a running container, for TypeScript to parse. */
#include "fd.h"
#include "join.h"
#include "mounts.h"
#include "path.h"
#include "process.h"
#include "roles.h"
#include "status.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

static void say(const char *path, const char *key, int64_t value)
{
	struct line line;

	line_begin(&line, "path", path);
	line_number(&line, key, value);
	line_end(&line);
	if (write_all(STDOUT_FILENO, line.data, line.size) < 0)
		fail(STAGE_CONTROL, "answer");
}

/* Only regular files: a device or FIFO of the image must not be waited for, or worse. */
static void read_one(int root, const char *path, uint64_t limit)
{
	autoclose int fd = path_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat about;
	char *data;
	int got;

	if (fd < 0 || fstat(fd, &about) < 0)
		return say(path, "errno", errno);
	if (!S_ISREG(about.st_mode) || (uint64_t)about.st_size > limit)
		return say(path, "errno", S_ISREG(about.st_mode) ? EFBIG : EINVAL);
	data = malloc((size_t)about.st_size + 1);
	if (data == NULL)
		fail(STAGE_CONTROL, "memory");
	got = about.st_size == 0 ? 1 : read_all(fd, data, (size_t)about.st_size);
	/* It changed while it was read: whoever wrote it may try again. */
	if (got != 1)
		say(path, "errno", got < 0 ? errno : EAGAIN);
	else {
		say(path, "size", about.st_size);
		if (write_all(STDOUT_FILENO, data, (size_t)about.st_size) < 0)
			fail(STAGE_CONTROL, "answer");
	}
	free(data);
}

static int root_of_image(const struct plan *plan)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail(STAGE_NAMESPACES, "unshare");
	return mounts_make_root(plan, -1);
}

static int root_of_container(const struct plan *plan)
{
	char id[32];
	int root;

	snprintf(id, sizeof(id), "peek-%d", getpid());
	/* Never ended: the leaf goes with the connection. */
	struct entry entry = join_begin(plan, id, "client");
	join_enter(plan, &entry);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		fail(STAGE_ROOTFS, "open");
	return root;
}

int role_peek(int argc, char **argv)
{
	struct plan plan;
	int root;

	(void)argc;
	process_protect(argv);
	plan_read(&plan, STDIN_FILENO, 'p');
	root = plan.socket != NULL ? root_of_container(&plan) : root_of_image(&plan);
	for (size_t i = 0; i + 1 < plan.reads.count; i += 2)
		read_one(root, plan.reads.items[i], plan_number(plan.reads.items[i + 1]));
	return 0;
}
