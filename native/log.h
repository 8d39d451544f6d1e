/* The CRI log format: `2016-10-06T00:17:09.669794202Z stdout F text`. Never blocks on a full disk: it counts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer line is split into partial ones of this size, as containerd does. */
#define LOG_LINE 16384

struct log {
	int fd;
	uint64_t limit; /* of content bytes that are kept; UINT64_MAX: all */
	uint64_t lost;	/* bytes that the file system refused */
	bool truncated; /* the limit cut something */
	bool torn;	/* the file may end in half a line */
	size_t size;
	char out[65536];
};

/* One of the streams of a log; `name` is stdout or stderr. Two bytes more, for the `\r` and to see that a line goes on. */
struct log_stream {
	const char *name;
	size_t size;
	char data[LOG_LINE + 2];
};

/* Adds what was read from the stream and writes all complete lines. */
void log_add(struct log *log, struct log_stream *stream, const char *data, size_t size);
/* Writes the rest, which had no newline, as a partial line. */
void log_finish(struct log *log, struct log_stream *stream);
