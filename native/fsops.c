/*
 * fsops DIR: carries out file operations beneath DIR. What a layer holds is hostile, so every path is resolved by the
 * kernel beneath the root descriptor, and the last component is never followed.
 *
 * stdin is a row of frames: u32 little-endian length, then that many bytes of NUL-terminated words. Paths are relative
 * to DIR, without `..`. Numbers are decimal, MODE is octal, TIME is `seconds nanoseconds`, ATTR is `MODE UID GID TIME`.
 *
 *   lower DIR                        a layer below this one, whole, top first; before what looks for it, which is marked +
 *   xattr NAME HEX                   for the object of the next frame
 *   mkdir PATH ATTR                  an existing directory keeps its children
 *   file PATH ATTR SIZE              followed by SIZE bytes, outside any frame
 *   symlink PATH TARGET UID GID TIME
 *   hardlink PATH TARGET             + TARGET beneath DIR; one of a lower layer is copied up first
 *   node PATH c|b MAJOR MINOR ATTR
 *   fifo PATH ATTR
 *   opaque PATH                      + hides what lower layers have in this directory
 *   whiteout PATH                    + hides what lower layers have under this name; after everything else of the layer
 *   remove PATH                      whatever it is, with all that is in it; no error when there is nothing
 *   finish                           + times of directories, attributes of parents nobody described, syncfs
 *
 * Whatever is in the way of a new object is removed first. The first failure ends it all: one `failed` line (stage
 * unpack) on stdout and exit status 70. End of input before `finish` is a failure too, unless all it did was `remove`.
 */
#include "fsops.h"

#include "fd.h"
#include "plan.h"
#include "roles.h"
#include "status.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_LIMIT (256u << 10)
#define BUFFER_SIZE (256u << 10)

struct input {
	char *data;
	size_t from;
	size_t to;
};

/* Reads more behind what is buffered: false at the end of the input. */
static bool fill(struct input *input)
{
	ssize_t got;

	if (input->from > 0) {
		memmove(input->data, input->data + input->from, input->to - input->from);
		input->to -= input->from;
		input->from = 0;
	}
	do
		got = read(STDIN_FILENO, input->data + input->to,
			   FRAME_LIMIT + BUFFER_SIZE - input->to);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		fail(STAGE_UNPACK, "read request");
	input->to += (size_t)got;
	return got > 0;
}

/* Makes `size` bytes available: false when the input ends cleanly before the first of them. */
static bool need(struct input *input, size_t size)
{
	while (input->to - input->from < size) {
		if (fill(input))
			continue;
		if (input->to == input->from)
			return false;
		errno = EPIPE;
		fail(STAGE_UNPACK, "request ends within a frame");
	}
	return true;
}

static bool next_frame(struct input *input, struct words *words)
{
	const unsigned char *head;
	size_t size;

	if (!need(input, 4))
		return false;
	head = (const unsigned char *)input->data + input->from;
	size = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	errno = EMSGSIZE;
	if (size == 0 || size > FRAME_LIMIT)
		fail(STAGE_UNPACK, "frame of %zu bytes", size);
	if (!need(input, 4 + size)) {
		errno = EPIPE;
		fail(STAGE_UNPACK, "request ends within a frame");
	}
	if (words_split(words, input->data + input->from + 4, size) < 0)
		fail(STAGE_UNPACK, "frame");
	input->from += 4 + size;
	return true;
}

static uint64_t number(const char *word, int base, uint64_t limit)
{
	uint64_t value;

	if (parse_number(word, base, limit, &value) < 0)
		fail(STAGE_UNPACK, "number %.40s", word);
	return value;
}

static void read_time(char **words, struct timespec *time)
{
	bool negative = words[0][0] == '-';
	int64_t seconds = (int64_t)number(words[0] + negative, 10, INT64_MAX);

	time->tv_sec = negative ? -seconds : seconds;
	time->tv_nsec = (long)number(words[1], 10, 999999999);
}

static void read_attributes(char **words, struct attributes *attributes)
{
	attributes->mode = (mode_t)number(words[0], 8, 07777);
	attributes->uid = (uid_t)number(words[1], 10, UINT32_MAX - 1);
	attributes->gid = (gid_t)number(words[2], 10, UINT32_MAX - 1);
	read_time(words + 3, &attributes->mtime);
}

/* The bytes that follow a `file` frame go from the buffer into the file. */
static void copy_content(struct input *input, int file, const char *path, uint64_t size)
{
	while (size > 0) {
		size_t part = input->to - input->from;
		if (part == 0) {
			input->from = input->to = 0;
			errno = EPIPE;
			if (!fill(input))
				fail(STAGE_UNPACK, "%s: content ends early", path);
			continue;
		}
		if (part > size)
			part = (size_t)size;
		if (write_all(file, input->data + input->from, part) < 0)
			fail(STAGE_UNPACK, "%s: write", path);
		input->from += part;
		size -= part;
	}
}

static void do_mkdir(struct tree *tree, struct input *input, char **args)
{
	struct attributes attributes;

	(void)input;
	read_attributes(args + 1, &attributes);
	tree_mkdir(tree, args[0], &attributes);
}

static void do_file(struct tree *tree, struct input *input, char **args)
{
	struct attributes attributes;
	uint64_t size = number(args[6], 10, INT64_MAX);
	autoclose int file = -1;
	/* Reading on overwrites the words of the frame. */
	char path[PATH_MAX];

	read_attributes(args + 1, &attributes);
	file = tree_create(tree, args[0]);
	memcpy(path, args[0], strlen(args[0]) + 1); /* tree_create refuses longer ones */
	copy_content(input, file, path, size);
	tree_describe(tree, file, path, &attributes);
}

static void do_symlink(struct tree *tree, struct input *input, char **args)
{
	struct attributes attributes = { .mode = 0 };

	(void)input;
	attributes.uid = (uid_t)number(args[2], 10, UINT32_MAX - 1);
	attributes.gid = (gid_t)number(args[3], 10, UINT32_MAX - 1);
	read_time(args + 4, &attributes.mtime);
	tree_symlink(tree, args[0], args[1], &attributes);
}

static void do_hardlink(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_hardlink(tree, args[0], args[1]);
}

static void do_node(struct tree *tree, struct input *input, char **args)
{
	struct attributes attributes;
	unsigned int major = (unsigned int)number(args[2], 10, 0xfff);
	unsigned int minor = (unsigned int)number(args[3], 10, 0xfffff);
	mode_t type = strcmp(args[1], "b") == 0 ? S_IFBLK : S_IFCHR;

	(void)input;
	read_attributes(args + 4, &attributes);
	tree_node(tree, args[0], type, makedev(major, minor), &attributes);
}

static void do_fifo(struct tree *tree, struct input *input, char **args)
{
	struct attributes attributes;

	(void)input;
	read_attributes(args + 1, &attributes);
	tree_node(tree, args[0], S_IFIFO, 0, &attributes);
}

static void do_xattr(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_xattr(tree, args[0], args[1]);
}

static void do_lower(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_lower(tree, args[0]);
}

static void do_opaque(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_opaque(tree, args[0]);
}

static void do_whiteout(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_whiteout(tree, args[0]);
}

static void do_remove(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	tree_remove(tree, args[0]);
}

static void do_finish(struct tree *tree, struct input *input, char **args)
{
	(void)input;
	(void)args;
	tree_finish(tree);
}

static const struct operation {
	const char *name;
	size_t arguments;
	void (*run)(struct tree *tree, struct input *input, char **args);
} operations[] = {
	{ "lower", 1, do_lower },     { "xattr", 2, do_xattr },
	{ "mkdir", 6, do_mkdir },     { "file", 7, do_file },
	{ "symlink", 6, do_symlink }, { "hardlink", 2, do_hardlink },
	{ "node", 9, do_node },	      { "fifo", 6, do_fifo },
	{ "opaque", 1, do_opaque },   { "whiteout", 1, do_whiteout },
	{ "remove", 1, do_remove },   { "finish", 0, do_finish },
};

static const struct operation *operation_of(const struct words *words)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (strcmp(operations[i].name, words->items[0]) == 0 &&
		    words->count == operations[i].arguments + 1)
			return &operations[i];
	errno = EINVAL;
	fail(STAGE_UNPACK, "operation %.40s", words->items[0]);
}

int role_fsops(int argc, char **argv)
{
	struct tree tree = { .root = -1, .parent = -1 };
	struct input input = { .data = malloc(FRAME_LIMIT + BUFFER_SIZE) };
	struct words words;

	errno = EINVAL;
	if (argc != 2 || argv[1][0] != '/')
		fail(STAGE_UNPACK, "fsops wants one absolute directory");
	tree.root = open(argv[1], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree.root < 0)
		fail(STAGE_UNPACK, "open root");
	if (input.data == NULL)
		fail(STAGE_UNPACK, "memory");
	umask(0);
	while (next_frame(&input, &words)) {
		operation_of(&words)->run(&tree, &input, words.items + 1);
		words_drop(&words);
	}
	errno = EPIPE;
	if (tree.written)
		fail(STAGE_UNPACK, "request ends before finish");
	free(input.data);
	return 0;
}
