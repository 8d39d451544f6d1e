/*
 * fuzz-plan RUNS SEED FILE...: feeds the plan parser (native/plan.c) with what chance makes of the files, under ASan and
 * UBSan; `make -C native fuzz` builds it, scripts/fuzz-plan runs it. A file is a letter for the role and then a plan. The
 * same seed makes the same plans.
 *
 * plan.c and words.c are compiled with their allocations renamed to those below, so that what a refused plan leaves to the
 * end of its process is freed here.
 */
#include "../../native/plan.h"
#include "../../native/status.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 4096

#define LONGEST 4096

struct text {
	char data[LONGEST];
	size_t size;
	char role;
};

static uint64_t state;
static uint64_t accepted;
static uint64_t seen;
static void *held[MOST];
static size_t count;
static jmp_buf refused;

void fuzz_free(void *block);
void *fuzz_calloc(size_t number, size_t size);
void *fuzz_realloc(void *block, size_t size);

static void *hold(void *block)
{
	if (block != NULL && count == MOST)
		abort();
	if (block != NULL)
		held[count++] = block;
	return block;
}

void fuzz_free(void *block)
{
	for (size_t i = 0; i < count; i++)
		if (held[i] == block)
			held[i] = NULL;
	free(block);
}

void *fuzz_calloc(size_t number, size_t size)
{
	return hold(calloc(number, size));
}

void *fuzz_realloc(void *block, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (block != NULL && held[i] == block)
			return held[i] = realloc(block, size);
	return hold(realloc(block, size));
}

/* In the place of native/status.c: a refusal ends this plan, not the process. */
_Noreturn void fail(enum stage stage, const char *format, ...)
{
	if (stage != STAGE_PLAN || format == NULL)
		abort();
	longjmp(refused, 1);
}

/* Every word that the parser let through lies within the plan and ends there: reading it is the check. */
static size_t read_all_of(const struct plan *plan)
{
	const struct list *lists[] = { &plan->args,  &plan->env,     &plan->groups,
				       &plan->joins, &plan->rlimits, &plan->reads };
	size_t sum = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (size_t k = 0; k < lists[i]->count; k++)
			sum += strlen(lists[i]->items[k]);
	for (size_t i = 0; i < plan->step_count; i++)
		sum += strlen(plan->steps[i].args[0]);
	return sum;
}

static void run(char role, const char *data, size_t size)
{
	static int fd = -1;
	struct plan plan;

	if (fd < 0)
		fd = memfd_create("plan", 0);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	if (setjmp(refused) == 0) {
		plan_read(&plan, fd, role);
		seen += read_all_of(&plan);
		accepted++;
	}
	for (size_t i = 0; i < count; i++)
		free(held[i]);
	count = 0;
}

/* xorshift64: the same on every machine. */
static uint64_t chance(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

/* Puts `length` bytes in the place of `gone` at `at`. */
static void splice(struct text *text, size_t at, size_t gone, const char *bytes, size_t length)
{
	if (text->size - gone + length > LONGEST)
		return;
	memmove(text->data + at + length, text->data + at + gone, text->size - at - gone);
	memcpy(text->data + at, bytes, length);
	text->size += length - gone;
}

/* A word of another plan, with its end: from a random place to the next NUL. */
static size_t some_word(const struct text *from, const char **word)
{
	size_t at = chance(from->size);

	while (at > 0 && from->data[at - 1] != '\0')
		at--;
	*word = from->data + at;
	return strnlen(*word, from->size - at - 1) + 1;
}

static void mutate(struct text *text, const struct text *other)
{
	static const char *const odd[] = {
		"",	   "/",	  "-1",	      "unlimited", "18446744073709551616",
		"ro,,rec", "end", "\xff\xfe", "%s%n"
	};
	size_t at = chance(text->size);
	const char *word;
	size_t length;
	char byte = (char)chance(256);

	switch (chance(7)) {
	case 0:
		return splice(text, at, 1, &byte, 1);
	case 1:
		return splice(text, at, 0, &byte, 1);
	case 2:
		return splice(text, at, chance(text->size - at), "", 0);
	case 3:
		length = some_word(other, &word);
		return splice(text, at, 0, word, length);
	case 4: {
		size_t gone = some_word(text, &word);
		at = (size_t)(word - text->data);
		length = some_word(other, &word);
		return splice(text, at, gone, word, length);
	}
	case 5: {
		size_t gone = some_word(text, &word);
		const char *with = odd[chance(sizeof(odd) / sizeof(*odd))];
		return splice(text, (size_t)(word - text->data), gone, with, strlen(with) + 1);
	}
	default:
		length = some_word(text, &word);
		char copy[LONGEST];
		memcpy(copy, word, length);
		return splice(text, at, 0, copy, length);
	}
}

int main(int argc, char **argv)
{
	static struct text seeds[64];
	static struct text now;
	uint64_t runs = argc > 3 ? strtoull(argv[1], NULL, 10) : 0;
	size_t files = 0;

	state = argc > 3 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 1;
	for (int i = 3; i < argc && files < 64; i++) {
		FILE *file = fopen(argv[i], "r");
		if (file == NULL)
			abort();
		seeds[files].role = (char)fgetc(file);
		seeds[files].size = fread(seeds[files].data, 1, LONGEST, file);
		fclose(file);
		/* As it is, a seed is a good plan. */
		uint64_t before = accepted;
		run(seeds[files].role, seeds[files].data, seeds[files].size);
		if (accepted == before)
			return printf("%s is refused\n", argv[i]), 1;
		files++;
	}
	if (files == 0)
		return 2;
	for (uint64_t i = 0; i < runs; i++) {
		now = seeds[chance(files)];
		for (uint64_t k = chance(6); k < 6 && now.size > 1; k++)
			mutate(&now, &seeds[chance(files)]);
		if (chance(4) == 0)
			now.role = "mesp"[chance(4)];
		run(now.role, now.data, now.size);
	}
	printf("%llu plans, %llu accepted with %llu bytes\n", (unsigned long long)runs,
	       (unsigned long long)accepted, (unsigned long long)seen);
	return 0;
}
