#include "status.h"

#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Room that text never takes, so that stamps and the closing brace always fit. */
#define LINE_RESERVE 160

static const char *const stage_names[] = {
	[STAGE_PLAN] = "plan",
	[STAGE_CGROUP] = "cgroup",
	[STAGE_NAMESPACES] = "namespaces",
	[STAGE_ROOTFS] = "rootfs",
	[STAGE_MOUNTS] = "mounts",
	[STAGE_DEVICES] = "devices",
	[STAGE_CREDENTIALS] = "credentials",
	[STAGE_SECCOMP] = "seccomp",
	[STAGE_TERMINAL] = "terminal",
	[STAGE_EXEC] = "exec",
	[STAGE_CONTROL] = "control",
	[STAGE_LOG] = "log",
	[STAGE_UNPACK] = "unpack",
	[STAGE_SUBPATH] = "subpath",
};

/* The only globals: where fail() writes or whom it tells, and how it exits. */
static int status_to = STDOUT_FILENO;
static void (*status_told)(int error, const char *what);
static int failed_exit = EXIT_FAILED;

void status_fd(int fd)
{
	status_to = fd;
	status_told = NULL;
}

void status_tell(void (*told)(int error, const char *what))
{
	status_told = told;
}

void status_exit(int code)
{
	failed_exit = code;
}

static void put(struct line *line, size_t limit, const char *text, size_t size)
{
	if (line->size + size <= limit) {
		memcpy(line->data + line->size, text, size);
		line->size += size;
	}
}

static void put_string(struct line *line, const char *value)
{
	const size_t limit = sizeof(line->data) - LINE_RESERVE;
	char escaped[8];

	put(line, limit, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;
		if (c == '"' || c == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		else
			snprintf(escaped, sizeof(escaped), "%c", c);
		put(line, limit, escaped, strlen(escaped));
	}
	put(line, sizeof(line->data), "\"", 1);
}

static void put_key(struct line *line, const char *key)
{
	put(line, sizeof(line->data) - LINE_RESERVE, ",\"", 2);
	put(line, sizeof(line->data) - LINE_RESERVE, key, strlen(key));
	put(line, sizeof(line->data), "\":", 2);
}

void line_begin(struct line *line, const char *key, const char *value)
{
	line->size = 0;
	put_key(line, key);
	line->data[0] = '{';
	put_string(line, value);
}

void line_text(struct line *line, const char *key, const char *value)
{
	put_key(line, key);
	put_string(line, value);
}

void line_number(struct line *line, const char *key, int64_t value)
{
	char text[24];

	put_key(line, key);
	snprintf(text, sizeof(text), "%" PRId64, value);
	put(line, sizeof(line->data), text, strlen(text));
}

void line_flag(struct line *line, const char *key, int value)
{
	put_key(line, key);
	put(line, sizeof(line->data), value ? "true" : "false", value ? 4 : 5);
}

void line_end(struct line *line)
{
	put(line, sizeof(line->data), "}\n", 2);
}

void line_end_stamped(struct line *line)
{
	struct timespec mono;
	struct timespec wall;
	char text[96];

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	snprintf(text, sizeof(text), ",\"t\":\"%" PRId64 "\",\"wall\":%" PRId64,
		 (int64_t)mono.tv_sec * 1000000000 + mono.tv_nsec,
		 (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000);
	put(line, sizeof(line->data), text, strlen(text));
	line_end(line);
}

void line_failed(struct line *line, enum stage stage, int error, const char *what)
{
	line_begin(line, "event", "failed");
	line_text(line, "stage", stage_names[stage]);
	line_number(line, "errno", error);
	line_text(line, "what", what);
	line_end_stamped(line);
}

void fail(enum stage stage, const char *format, ...)
{
	int error = errno;
	struct line line;
	char what[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (status_told != NULL) {
		status_told(error, what);
		_exit(failed_exit);
	}
	line_failed(&line, stage, error, what);
	(void)write_all(status_to, line.data, line.size);
	_exit(failed_exit);
}
