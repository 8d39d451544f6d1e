#include "log.h"

#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void flush(struct log *log)
{
	size_t done = 0;

	while (done < log->size) {
		ssize_t put = write(log->fd, log->out + done, log->size - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (size_t)put;
	}
	/* What a full disk refused is lost and counted; the next line starts on a line of its own. */
	if (done < log->size) {
		log->lost += log->size - done;
		log->torn |= done > 0 && log->out[done - 1] != '\n';
	}
	log->size = 0;
}

static void put_line(struct log *log, const char *name, char tag, const char *text, size_t size)
{
	struct timespec now;
	struct tm utc;
	char head[64];
	size_t length;

	if (log->size + sizeof(head) + size + 2 > sizeof(log->out))
		flush(log);
	if (log->torn)
		log->out[log->size++] = '\n';
	log->torn = false;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	length = strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &utc);
	length += (size_t)snprintf(head + length, sizeof(head) - length, ".%09ldZ %s %c ",
				   now.tv_nsec, name, tag);
	memcpy(log->out + log->size, head, length);
	memcpy(log->out + log->size + length, text, size);
	log->size += length + size;
	log->out[log->size++] = '\n';
}

/* Moves a first partial line out of a stream that holds more than one line's worth. */
static void put_partial(struct log *log, struct log_stream *stream)
{
	put_line(log, stream->name, 'P', stream->data, LOG_LINE);
	stream->size -= LOG_LINE;
	memmove(stream->data, stream->data + LOG_LINE, stream->size);
}

static void end_line(struct log *log, struct log_stream *stream)
{
	if (stream->size > 0 && stream->data[stream->size - 1] == '\r')
		stream->size--;
	if (stream->size > LOG_LINE)
		put_partial(log, stream);
	put_line(log, stream->name, 'F', stream->data, stream->size);
	stream->size = 0;
}

void log_add(struct log *log, struct log_stream *stream, const char *data, size_t size)
{
	if (size > log->limit) {
		size = (size_t)log->limit;
		log->truncated = true;
	}
	log->limit -= log->limit == UINT64_MAX ? 0 : size;
	while (size > 0) {
		const char *newline = memchr(data, '\n', size);
		size_t left = newline == NULL ? size : (size_t)(newline - data);
		size -= left;
		while (left > 0) {
			size_t room = sizeof(stream->data) - stream->size;
			size_t part = left < room ? left : room;
			memcpy(stream->data + stream->size, data, part);
			stream->size += part;
			data += part;
			left -= part;
			if (stream->size == sizeof(stream->data))
				put_partial(log, stream);
		}
		if (newline != NULL) {
			end_line(log, stream);
			data++;
			size--;
		}
	}
	flush(log);
}

void log_finish(struct log *log, struct log_stream *stream)
{
	if (stream->size > LOG_LINE)
		put_partial(log, stream);
	if (stream->size > 0)
		put_line(log, stream->name, 'P', stream->data, stream->size);
	stream->size = 0;
	flush(log);
}
