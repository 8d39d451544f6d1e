/* role compile-seccomp: a profile's words on stdin, the BPF program that they mean on stdout. */
#include "plan.h"
#include "roles.h"
#include "status.h"
#include "words.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define MAX_ARCHES   8
#define MAX_NEWER    64
#define MAX_COMPARED 6
#define X32_BIT	     0x40000000u

struct arch {
	uint32_t token;
	uint32_t last; /* the greatest number of a call that a rule is about */
};

/* A call that libseccomp may not know; its number is the same on every architecture. */
struct newer {
	uint32_t action;
	uint32_t number;
};

struct profile {
	scmp_filter_ctx filter;
	uint32_t fallback;
	struct arch arches[MAX_ARCHES];
	size_t arch_count;
	struct newer newer[MAX_NEWER];
	size_t newer_count;
};

/* The words, one after another; fails when there are no more. */
struct reader {
	struct words words;
	size_t at;
};

static char *next(struct reader *reader)
{
	errno = EINVAL;
	if (reader->at >= reader->words.count)
		fail(STAGE_SECCOMP, "no end");
	return reader->words.items[reader->at++];
}

static uint64_t next_number(struct reader *reader, int base, uint64_t limit)
{
	const char *word = next(reader);
	uint64_t value;

	if (parse_number(word, base, limit, &value) < 0)
		fail(STAGE_SECCOMP, "number %s", word);
	return value;
}

static bool lets_pass(uint32_t action)
{
	return action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG;
}

static void check(int result, const char *what, const char *subject)
{
	if (result >= 0)
		return;
	errno = -result;
	fail(STAGE_SECCOMP, "%s %s", what, subject);
}

static void add_arch(struct profile *profile, const char *name)
{
	uint32_t token = seccomp_arch_resolve_name(name);

	errno = EINVAL;
	if (token == 0 || profile->arch_count == MAX_ARCHES)
		fail(STAGE_SECCOMP, "architecture %s", name);
	if (seccomp_arch_exist(profile->filter, token) == -EEXIST)
		check(seccomp_arch_add(profile->filter, token), "architecture", name);
	profile->arches[profile->arch_count++].token = token;
}

static enum scmp_compare operator_of(const char *word)
{
	static const struct {
		const char *word;
		enum scmp_compare op;
	} known[] = {
		{ "NE", SCMP_CMP_NE },
		{ "LT", SCMP_CMP_LT },
		{ "LE", SCMP_CMP_LE },
		{ "EQ", SCMP_CMP_EQ },
		{ "GE", SCMP_CMP_GE },
		{ "GT", SCMP_CMP_GT },
		{ "MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].word, word) == 0)
			return known[i].op;
	errno = EINVAL;
	fail(STAGE_SECCOMP, "comparison %s", word);
}

/* Remembers how far the calls of each architecture are known. Pseudo numbers are negative: it does not have the call. */
static void reach(struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->arch_count; i++) {
		struct arch *arch = &profile->arches[i];
		int number = seccomp_syscall_resolve_name_arch(arch->token, name);
		if (number >= 0 && ((uint32_t)number & ~X32_BIT) > arch->last)
			arch->last = (uint32_t)number & ~X32_BIT;
	}
}

static void add_rule(struct profile *profile, struct reader *reader)
{
	uint32_t action = (uint32_t)next_number(reader, 16, UINT32_MAX);
	const char *name = next(reader);
	unsigned count = (unsigned)next_number(reader, 10, MAX_COMPARED);
	struct scmp_arg_cmp compared[MAX_COMPARED];
	int number = seccomp_syscall_resolve_name(name);
	int result;

	for (unsigned i = 0; i < count; i++) {
		compared[i].arg = (unsigned)next_number(reader, 10, MAX_COMPARED - 1);
		compared[i].op = operator_of(next(reader));
		compared[i].datum_a = next_number(reader, 10, UINT64_MAX);
		compared[i].datum_b = next_number(reader, 10, UINT64_MAX);
	}
	if (number == __NR_SCMP_ERROR) {
		errno = ENOSYS;
		/* A call that nobody knows is refused by default; where that is not so, a refusal would be lost. */
		if (lets_pass(profile->fallback) && !lets_pass(action))
			fail(STAGE_SECCOMP, "system call %s", name);
		return;
	}
	reach(profile, name);
	if (action == profile->fallback)
		return;
	result = seccomp_rule_add_array(profile->filter, action, number, count, compared);
	if (result != -EEXIST)
		check(result, "rule of", name);
}

static void add_newer(struct profile *profile, struct reader *reader)
{
	struct newer *newer = &profile->newer[profile->newer_count];

	errno = E2BIG;
	if (profile->newer_count == MAX_NEWER)
		fail(STAGE_SECCOMP, "too many newer calls");
	newer->action = (uint32_t)next_number(reader, 16, UINT32_MAX);
	newer->number = (uint32_t)next_number(reader, 10, X32_BIT - 1);
	profile->newer_count++;
	for (size_t i = 0; i < profile->arch_count; i++)
		if (newer->number > profile->arches[i].last)
			profile->arches[i].last = newer->number;
}

static void read_profile(struct profile *profile, struct reader *reader)
{
	errno = EINVAL;
	if (strcmp(next(reader), "minirt-seccomp 1") != 0 || strcmp(next(reader), "default") != 0)
		fail(STAGE_SECCOMP, "version");
	profile->fallback = (uint32_t)next_number(reader, 16, UINT32_MAX);
	errno = EINVAL;
	profile->filter = seccomp_init(profile->fallback);
	if (profile->filter == NULL)
		fail(STAGE_SECCOMP, "default action");
	/* A balanced tree instead of a list: half of the instructions for the average call. */
	check(seccomp_attr_set(profile->filter, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize", "");
	for (;;) {
		const char *word = next(reader);
		if (strcmp(word, "end") == 0)
			break;
		if (strcmp(word, "arch") == 0)
			add_arch(profile, next(reader));
		else if (strcmp(word, "rule") == 0)
			add_rule(profile, reader);
		else if (strcmp(word, "newer") == 0)
			add_newer(profile, reader);
		else {
			errno = EINVAL;
			fail(STAGE_SECCOMP, "word %s", word);
		}
	}
	errno = EINVAL;
	if (reader->at != reader->words.count)
		fail(STAGE_SECCOMP, "words after end");
}

struct program {
	struct sock_filter code[BPF_MAXINSNS];
	size_t count;
};

static void emit(struct program *program, struct sock_filter instruction)
{
	errno = E2BIG;
	if (program->count == BPF_MAXINSNS)
		fail(STAGE_SECCOMP, "too long a filter");
	program->code[program->count++] = instruction;
}

/* What comes before libseccomp's part for the calls from `base` on: those it does not know, and those that nobody knows. */
static void emit_calls(struct program *program, const struct profile *profile, uint32_t base,
		       uint32_t last)
{
	const uint32_t absent = SECCOMP_RET_ERRNO | ENOSYS;

	for (size_t i = 0; i < profile->newer_count; i++) {
		emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   base + profile->newer[i].number, 0, 1));
		emit(program,
		     (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, profile->newer[i].action));
	}
	if (lets_pass(profile->fallback))
		return;
	/* A call that came after the profile was written: libc then does without it. */
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, base + last, 0, 1));
	emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, absent));
}

/* Emits a jump over whatever follows; land() makes it end behind what was emitted since. */
static size_t leap(struct program *program)
{
	emit(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	return program->count;
}

static void land(struct program *program, size_t from)
{
	program->code[from - 1].k = (uint32_t)(program->count - from);
}

static void emit_arch(struct program *program, const struct profile *profile,
		      const struct arch *arch)
{
	bool x32 = arch->token == SCMP_ARCH_X32;
	uint32_t audit = x32 ? SCMP_ARCH_X86_64 : arch->token;
	size_t other;

	emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, arch)));
	emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit, 1, 0));
	other = leap(program);
	emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr)));
	/* x32 is x86-64 with one bit more in the number: each looks only at its own calls. */
	if (audit == SCMP_ARCH_X86_64) {
		emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT,
							   x32 ? 1 : 0, x32 ? 0 : 1));
		size_t mine = leap(program);
		emit_calls(program, profile, x32 ? X32_BIT : 0, arch->last);
		land(program, mine);
	} else
		emit_calls(program, profile, 0, arch->last);
	land(program, other);
}

/* libseccomp's own part, which jumps only within itself. */
static void append_filter(struct program *program, const struct profile *profile)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t room = (BPF_MAXINSNS - program->count) * sizeof(*program->code);
	ssize_t size;

	if (fd < 0)
		fail(STAGE_SECCOMP, "memory");
	check(seccomp_export_bpf(profile->filter, fd), "filter", "");
	size = lseek(fd, 0, SEEK_END);
	errno = size < 0 ? errno : E2BIG;
	if (size < 0 || (size_t)size > room)
		fail(STAGE_SECCOMP, "too long a filter");
	if (pread(fd, program->code + program->count, (size_t)size, 0) != size)
		fail(STAGE_SECCOMP, "read");
	program->count += (size_t)size / sizeof(*program->code);
	(void)close(fd);
}

int role_compile_seccomp(int argc, char **argv)
{
	static struct program program;
	static struct profile profile;
	struct reader reader = { .at = 0 };

	(void)argc;
	(void)argv;
	if (words_read(&reader.words, STDIN_FILENO, PLAN_LIMIT) < 0)
		fail(STAGE_SECCOMP, "read");
	read_profile(&profile, &reader);
	for (size_t i = 0; i < profile.arch_count; i++)
		emit_arch(&program, &profile, &profile.arches[i]);
	append_filter(&program, &profile);
	if (write_all(STDOUT_FILENO, program.code, program.count * sizeof(*program.code)) < 0)
		fail(STAGE_SECCOMP, "answer");
	return 0;
}
