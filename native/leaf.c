/* Executed commands have cgroups of their own, so that each can be killed with all its descendants. */
#include "fd.h"
#include "monitor.h"
#include "socket.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#define NAME_SIZE 80

static const char *name_of(const char *id, char name[static NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "exec-%s", id);
	return name;
}

static struct leaf *find(struct monitor *m, const char *id)
{
	for (struct leaf *leaf = m->leaves; leaf != NULL; leaf = leaf->next)
		if (strcmp(leaf->id, id) == 0)
			return leaf;
	return NULL;
}

static int kill_leaf(const struct monitor *m, const struct leaf *leaf)
{
	char path[NAME_SIZE + 16];
	autoclose int fd = -1;

	snprintf(path, sizeof(path), "exec-%s/cgroup.kill", leaf->id);
	fd = openat(m->cgroup, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "1", 1) != 1 ? errno : 0;
}

/* Removes the leaf when it has ended and nobody is left in it. */
static void try_remove(struct monitor *m, struct leaf *leaf)
{
	char name[NAME_SIZE];

	if (!leaf->ended ||
	    (unlinkat(m->cgroup, name_of(leaf->id, name), AT_REMOVEDIR) < 0 && errno != ENOENT))
		return;
	for (struct leaf **at = &m->leaves; *at != NULL; at = &(*at)->next)
		if (*at == leaf) {
			*at = leaf->next;
			break;
		}
	monitor_unwatch(m, &leaf->source);
	free(leaf);
}

static void events_ready(struct monitor *m, struct source *source)
{
	char text[256];

	/* Reading acknowledges the event; whether it is empty is what rmdir says. */
	(void)!pread(source->fd, text, sizeof(text), 0);
	try_remove(m, (struct leaf *)source);
}

static bool is_id(const char *id)
{
	size_t size = strlen(id);

	return size > 0 && size < sizeof(((struct leaf *)NULL)->id) &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
		       size;
}

/* Makes the directory and watches it. Answers its descriptor, or -1 with errno. */
static int make(struct monitor *m, struct client *client, const char *id, bool kill_with_owner)
{
	char name[NAME_SIZE];
	struct leaf *leaf = calloc(1, sizeof(*leaf));
	autoclose int dir = -1;
	int saved;

	if (leaf == NULL || mkdirat(m->cgroup, name_of(id, name), 0755) < 0) {
		free(leaf);
		return -1;
	}
	dir = openat(m->cgroup, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	leaf->source = (struct source){ .fd = -1, .ready = events_ready };
	if (dir >= 0)
		leaf->source.fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (leaf->source.fd >= 0 && monitor_watch(m, &leaf->source, EPOLLPRI) == 0) {
		leaf->owner = client;
		leaf->kill_with_owner = kill_with_owner;
		memcpy(leaf->id, id, strlen(id));
		leaf->next = m->leaves;
		m->leaves = leaf;
		return fd_steal(&dir);
	}
	saved = errno;
	fd_close(&leaf->source.fd);
	free(leaf);
	(void)unlinkat(m->cgroup, name, AT_REMOVEDIR);
	errno = saved;
	return -1;
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fd_close(&fds[i]);
}

void leaf_begin(struct monitor *m, struct client *client, char **args)
{
	static const char request[] = "exec-begin";
	bool is_client = strcmp(args[1], "client") == 0;
	int fds[SOCKET_MAX_FDS] = { m->init.fd };
	size_t count = 1;
	struct line line;
	char path[4096];

	if (!is_id(args[0]) || (!is_client && strcmp(args[1], "hook") != 0))
		return control_reply(m, client, request, EINVAL);
	if (m->phase != PHASE_RUNNING)
		return control_reply(m, client, request, ESRCH);
	if (find(m, args[0]) != NULL)
		return control_reply(m, client, request, EEXIST);
	/* Better no command than one outside a hierarchy. */
	if (m->plan.cgroup1.count > SOCKET_MAX_FDS - 2)
		return control_reply(m, client, request, E2BIG);
	if (m->cgroup >= 0) {
		fds[count] = make(m, client, args[0], is_client);
		if (fds[count++] < 0)
			return control_reply(m, client, request, errno);
	}
	for (size_t i = 0; i < m->plan.cgroup1.count; i++) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", m->plan.cgroup1.items[i]);
		fds[count] = open(path, O_WRONLY | O_CLOEXEC);
		if (fds[count++] < 0) {
			int error = errno;
			close_all(fds + 1, count - 1);
			(void)leaf_end(m, args[0]);
			return control_reply(m, client, request, error);
		}
	}
	line_begin(&line, "reply", request);
	line_flag(&line, "ok", true);
	if (m->cgroup >= 0) {
		snprintf(path, sizeof(path), "%s/exec-%s", m->plan.cgroup2, args[0]);
		line_text(&line, "leaf", path);
	}
	line_end(&line);
	control_send(m, client, &line, fds, count);
	close_all(fds + 1, count - 1);
}

int leaf_end(struct monitor *m, const char *id)
{
	struct leaf *leaf = find(m, id);

	if (leaf == NULL)
		return m->cgroup < 0 ? 0 : ENOENT;
	leaf->ended = true;
	leaf->owner = NULL;
	try_remove(m, leaf);
	return 0;
}

int leaf_kill(struct monitor *m, const char *id)
{
	struct leaf *leaf = find(m, id);

	return leaf == NULL ? ENOENT : kill_leaf(m, leaf);
}

void leaf_orphan(struct monitor *m, const struct client *client)
{
	for (struct leaf *leaf = m->leaves, *next; leaf != NULL; leaf = next) {
		next = leaf->next;
		if (leaf->owner != client)
			continue;
		leaf->owner = NULL;
		leaf->ended = true;
		if (leaf->kill_with_owner)
			(void)kill_leaf(m, leaf);
		try_remove(m, leaf);
	}
}

void leaf_sweep(struct monitor *m)
{
	for (struct leaf *leaf = m->leaves, *next; leaf != NULL; leaf = next) {
		next = leaf->next;
		leaf->ended = true;
		try_remove(m, leaf);
	}
}
