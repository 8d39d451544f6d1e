#include "plan.h"

#include "status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, NUMBER, LIST, FLAG, STEP };

#define MAX_ARGS 5
#define ID_LIMIT 0x7fffffffu

/*
 * What an argument may be: "*" any word, "/" absolute path, "u" id up to 2^31-1, "U" 64-bit number, "w" 16-bit,
 * "l" number or `unlimited`, "o" octal mode, "x" hex mask, "i" -1000..1000, "f" mount flags; else a choice "a|b".
 */
struct shape {
	const char *name;
	const char *roles;
	enum kind kind;
	size_t place; /* offset in struct plan; for STEP its step_kind */
	const char *args[MAX_ARGS];
};

#define AT(field) offsetof(struct plan, field)

static const struct shape shapes[] = {
	{ "pod", "mep", TEXT, AT(pod), { "*" } },
	{ "container", "mep", TEXT, AT(container), { "*" } },
	{ "socket", "mep", TEXT, AT(socket), { "/" } },
	{ "record", "m", TEXT, AT(record), { "/" } },
	{ "log", "m", TEXT, AT(log), { "/" } },
	{ "cgroup2", "m", TEXT, AT(cgroup2), { "/" } },
	{ "cgroup1", "m", LIST, AT(cgroup1), { "/" } },
	{ "devices", "m", TEXT, AT(devices), { "default|all" } },
	{ "join", "m", LIST, AT(joins), { "net|ipc|uts|pid|user", "/" } },
	{ "new", "m", LIST, AT(news), { "pid|cgroup|ipc|uts|net" } },
	{ "store", "mp", TEXT, AT(store), { "/" } },
	{ "overlay", "mp", TEXT, AT(overlay), { "*", "*", "*", "*" } },
	{ "rootfs", "m", TEXT, AT(rootfs), { "/" } },
	{ "mount", "m", STEP, STEP_MOUNT, { "*", "*", "/", "f", "*" } },
	{ "bind", "m", STEP, STEP_BIND, { "/", "/", "f" } },
	{ "bind-part", "m", STEP, STEP_BIND_PART, { "/", "*", "/", "f" } },
	{ "layers", "m", STEP, STEP_LAYERS, { "/", "*", "*", "/", "f" } },
	{ "mkdir", "m", STEP, STEP_MKDIR, { "/", "o", "u", "u" } },
	{ "symlink", "m", STEP, STEP_SYMLINK, { "*", "/" } },
	{ "node", "m", STEP, STEP_NODE, { "/", "c|b", "u", "u", "o" } },
	{ "mask", "m", STEP, STEP_MASK, { "/" } },
	{ "readonly", "m", STEP, STEP_READONLY, { "/" } },
	{ "readonly-rootfs", "m", FLAG, AT(readonly_rootfs), { NULL } },
	{ "terminal", "me", FLAG, AT(terminal), { NULL } },
	{ "stdin", "me", FLAG, AT(keep_stdin), { NULL } },
	{ "arg", "me", LIST, AT(args), { "*" } },
	{ "env", "me", LIST, AT(env), { "*" } },
	{ "cwd", "me", TEXT, AT(cwd), { "/" } },
	{ "uid", "me", NUMBER, AT(uid), { "u" } },
	{ "gid", "me", NUMBER, AT(gid), { "u" } },
	{ "group", "me", LIST, AT(groups), { "u" } },
	{ "users", "mes", NUMBER, AT(users), { "u", "u" } },
	{ "umask", "me", NUMBER, AT(umask), { "o" } },
	{ "caps", "me", NUMBER, AT(caps), { "x", "x", "x", "x", "x" } },
	{ "no-new-privs", "me", FLAG, AT(no_new_privs), { NULL } },
	{ "seccomp", "me", TEXT, AT(seccomp), { "/" } },
	{ "apparmor", "me", TEXT, AT(apparmor), { "*" } },
	{ "rlimit", "me", LIST, AT(rlimits), { "*", "l", "l" } },
	{ "oom-score-adj", "me", TEXT, AT(oom), { "i", "required|preferred" } },
	{ "exec", "e", TEXT, AT(exec), { "*", "client|hook" } },
	{ "output", "e", TEXT, AT(output), { "/", "U" } },
	{ "result", "e", TEXT, AT(result), { "/" } },
	{ "winsize", "e", NUMBER, AT(winsize), { "w", "w" } },
	{ "hostname", "s", TEXT, AT(hostname), { "*" } },
	{ "bind-ns", "s", STEP, STEP_BIND_NS, { "net|ipc|uts|user", "/" } },
	{ "sysctl", "s", STEP, STEP_SYSCTL, { "*", "*" } },
	{ "private-mount", "s", STEP, STEP_PRIVATE_MOUNT, { "/" } },
	{ "unbind", "s", STEP, STEP_UNBIND, { "/" } },
	{ "tmpfs", "s", STEP, STEP_TMPFS, { "/", "o", "*" } },
	{ "hugetlbfs", "s", STEP, STEP_HUGETLBFS, { "/", "o", "*" } },
	{ "own", "s", STEP, STEP_OWN, { "/", "u", "ro|rw", "always|mismatch" } },
	{ "read", "p", LIST, AT(reads), { "/", "U" } },
};

static const char flag_words[] = "ro|rro|nosuid|nodev|noexec|relatime|rec|rprivate|rslave|rshared";

int parse_number(const char *word, int base, uint64_t limit, uint64_t *value)
{
	char *end;

	/* strtoull takes spaces, signs and 0x; a plan may not. */
	errno = EINVAL;
	if (strspn(word, "0123456789abcdef") != strlen(word) || word[0] == '\0')
		return -1;
	errno = 0;
	*value = strtoull(word, &end, base);
	if (errno == 0 && *end != '\0')
		errno = EINVAL;
	if (errno == 0 && *value > limit)
		errno = ERANGE;
	return errno == 0 ? 0 : -1;
}

uint64_t plan_number(const char *word)
{
	uint64_t value = UINT64_MAX;

	return parse_number(word, 10, UINT64_MAX, &value) < 0 ? UINT64_MAX : value;
}

/* Whether `size` bytes of word are one of the words of "a|b|c". */
static bool is_choice(const char *choices, const char *word, size_t size)
{
	for (;; choices++) {
		size_t length = strcspn(choices, "|");
		if (length == size && memcmp(choices, word, size) == 0)
			return true;
		choices += length;
		if (*choices == '\0')
			return false;
	}
}

static bool are_flags(const char *word)
{
	while (*word != '\0') {
		size_t length = strcspn(word, ",");
		if (!is_choice(flag_words, word, length))
			return false;
		word += length;
		if (*word == ',')
			word++;
	}
	return true;
}

/* Checks one argument; numbers also arrive in *value. */
static bool is_valid(const char *type, const char *word, uint64_t *value)
{
	if (type[1] != '\0')
		return is_choice(type, word, strlen(word));
	switch (type[0]) {
	case '/':
		return word[0] == '/';
	case 'u':
		return parse_number(word, 10, ID_LIMIT, value) == 0;
	case 'w':
		return parse_number(word, 10, UINT16_MAX, value) == 0;
	case 'U':
		return parse_number(word, 10, INT64_MAX, value) == 0;
	case 'l':
		return strcmp(word, "unlimited") == 0 ||
		       parse_number(word, 10, INT64_MAX, value) == 0;
	case 'o':
		return parse_number(word, 8, 07777, value) == 0;
	case 'x':
		return parse_number(word, 16, UINT64_MAX, value) == 0;
	case 'i':
		return parse_number(word + (word[0] == '-'), 10, 1000, value) == 0;
	case 'f':
		return are_flags(word);
	default:
		return true;
	}
}

static const struct shape *shape_of(const char *name, char role)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (strcmp(shapes[i].name, name) == 0 && strchr(shapes[i].roles, role) != NULL)
			return &shapes[i];
	errno = EINVAL;
	fail(STAGE_PLAN, "operation %s", name);
}

static void add_step(struct plan *plan, enum step_kind kind, char **args)
{
	if ((plan->step_count & (plan->step_count - 1)) == 0) {
		size_t room = plan->step_count == 0 ? 1 : plan->step_count * 2;
		struct step *larger = realloc(plan->steps, room * sizeof(*larger));
		if (larger == NULL)
			fail(STAGE_PLAN, "memory");
		plan->steps = larger;
	}
	plan->steps[plan->step_count++] = (struct step){ .kind = kind, .args = args };
}

static void store(struct plan *plan, const struct shape *shape, char **args, const uint64_t *values)
{
	char *place = shape->kind == STEP ? NULL : (char *)plan + shape->place;

	if (shape->kind == STEP)
		return add_step(plan, (enum step_kind)shape->place, args);
	if (shape->kind == FLAG) {
		*(bool *)place = true;
		return;
	}
	for (size_t i = 0; i < MAX_ARGS && shape->args[i] != NULL; i++) {
		if (shape->kind == TEXT)
			((char **)(void *)place)[i] = args[i];
		else if (shape->kind == NUMBER)
			((uint64_t *)(void *)place)[i] = values[i];
		else if (list_add((struct list *)(void *)place, args[i]) < 0)
			fail(STAGE_PLAN, "memory");
	}
}

void plan_read(struct plan *plan, int fd, char role)
{
	struct words words;
	size_t at = 1;

	*plan = (struct plan){ .umask = 022, .seccomp_fd = -1, .apparmor_fd = -1 };
	if (words_read(&words, fd, PLAN_LIMIT) < 0)
		fail(STAGE_PLAN, "read");
	errno = EINVAL;
	if (strcmp(words.items[0], "minirt-plan 1") != 0)
		fail(STAGE_PLAN, "version %.40s", words.items[0]);
	while (at < words.count && strcmp(words.items[at], "end") != 0) {
		const struct shape *shape = shape_of(words.items[at++], role);
		char **args = words.items + at;
		uint64_t values[MAX_ARGS] = { 0 };
		size_t arity = 0;
		for (; arity < MAX_ARGS && shape->args[arity] != NULL; arity++, at++) {
			if (at >= words.count)
				fail(STAGE_PLAN, "operation %s: argument missing", shape->name);
			if (!is_valid(shape->args[arity], args[arity], &values[arity])) {
				errno = EINVAL;
				fail(STAGE_PLAN, "operation %s: argument %s", shape->name,
				     args[arity]);
			}
		}
		store(plan, shape, args, values);
	}
	errno = EINVAL;
	if (at + 1 != words.count)
		fail(STAGE_PLAN, "%s", at < words.count ? "words after end" : "no end");
}
