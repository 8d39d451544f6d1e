/* Answers: one JSON object a line, and the one way to fail. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum stage {
	STAGE_PLAN,
	STAGE_CGROUP,
	STAGE_NAMESPACES,
	STAGE_ROOTFS,
	STAGE_MOUNTS,
	STAGE_SUBPATH,
	STAGE_DEVICES,
	STAGE_CREDENTIALS,
	STAGE_SECCOMP,
	STAGE_TERMINAL,
	STAGE_EXEC,
	STAGE_CONTROL,
	STAGE_LOG,
	STAGE_UNPACK,
};

#define EXIT_FAILED 70

/* One line under construction: longer texts are cut, the line stays valid JSON. */
struct line {
	char data[4096];
	size_t size;
};

/* `{"KEY":"VALUE"`: KEY is "event", "reply" or "hello". */
void line_begin(struct line *line, const char *key, const char *value);
void line_text(struct line *line, const char *key, const char *value);
void line_number(struct line *line, const char *key, int64_t value);
void line_flag(struct line *line, const char *key, int value);
/* Closes the object: `}\n`. */
void line_end(struct line *line);
/* The stamps `t` and `wall`, then line_end. */
void line_end_stamped(struct line *line);
/* A whole `failed` line with stamps. */
void line_failed(struct line *line, enum stage stage, int error, const char *what);

/* Where fail() writes; stdout until set. */
void status_fd(int fd);
/* Told what fail() would write, instead of a descriptor, until status_fd is called: which it does before it may fail. */
void status_tell(void (*told)(int error, const char *what));
/* What fail() exits with; EXIT_FAILED until set. */
void status_exit(int code);
/* Writes one `failed` line with the current errno in one write, then _exit. */
_Noreturn void fail(enum stage stage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
