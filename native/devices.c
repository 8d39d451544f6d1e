#include "devices.h"

#include "fd.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define ANY_MINOR UINT32_MAX

/* What a container may open; making a node of any kind harms nobody as long as it cannot be opened. */
static const struct {
	uint32_t major, minor;
} allowed[] = {
	{ 1, 3 },	    /* null */
	{ 1, 5 },	    /* zero */
	{ 1, 7 },	    /* full */
	{ 1, 8 },	    /* random */
	{ 1, 9 },	    /* urandom */
	{ 5, 0 },	    /* tty */
	{ 5, 1 },	    /* console */
	{ 5, 2 },	    /* ptmx */
	{ 136, ANY_MINOR }, /* pts */
};

#define RULES (sizeof(allowed) / sizeof(*allowed))

static struct bpf_insn load(unsigned reg, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				  .dst_reg = reg & 0xfu,
				  .src_reg = BPF_REG_1,
				  .off = (int16_t)offset };
}

static struct bpf_insn jump(unsigned operation, unsigned reg, int16_t skip, uint32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | BPF_K | operation),
				  .dst_reg = reg & 0xfu,
				  .off = skip,
				  .imm = (int32_t)value };
}

/* Answers 0 or 1. */
static size_t answer(struct bpf_insn *at, int32_t value)
{
	at[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K,
				   .dst_reg = BPF_REG_0,
				   .imm = value };
	at[1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return 2;
}

static size_t compile(struct bpf_insn *code)
{
	struct bpf_insn *at = code;

	/* r2 access (once shifted), r3 type, r5 major, r6 minor */
	*at++ = load(BPF_REG_2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	*at++ = load(BPF_REG_5, offsetof(struct bpf_cgroup_dev_ctx, major));
	*at++ = load(BPF_REG_6, offsetof(struct bpf_cgroup_dev_ctx, minor));
	*at++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				   .dst_reg = BPF_REG_3,
				   .src_reg = BPF_REG_2 };
	*at++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K,
				   .dst_reg = BPF_REG_3,
				   .imm = 0xffff };
	*at++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_RSH | BPF_K,
				   .dst_reg = BPF_REG_2,
				   .imm = 16 };
	*at++ = jump(BPF_JNE, BPF_REG_2, 2, BPF_DEVCG_ACC_MKNOD);
	at += answer(at, 1);
	*at++ = jump(BPF_JEQ, BPF_REG_3, 2, BPF_DEVCG_DEV_CHAR);
	at += answer(at, 0);
	for (size_t i = 0; i < RULES; i++) {
		bool any = allowed[i].minor == ANY_MINOR;
		*at++ = jump(BPF_JNE, BPF_REG_5, any ? 2 : 3, allowed[i].major);
		if (!any)
			*at++ = jump(BPF_JNE, BPF_REG_6, 2, allowed[i].minor);
		at += answer(at, 1);
	}
	at += answer(at, 0);
	return (size_t)(at - code);
}

int devices_restrict(int cgroup)
{
	struct bpf_insn code[32 + RULES * 4];
	union bpf_attr attr;
	autoclose int program = -1;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)code;
	attr.insn_cnt = (uint32_t)compile(code);
	attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (program < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)program;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr));
}
