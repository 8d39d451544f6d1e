/* minirt-helper ROLE: picks the role and nothing else. */
#include "roles.h"
#include "status.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
	{ "monitor", role_monitor }, { "exec", role_exec },
	{ "sandbox", role_sandbox }, { "peek", role_peek },
	{ "lock", role_lock },	     { "fsops", role_fsops },
	{ "dial", role_dial },	     { "compile-seccomp", role_compile_seccomp },
	{ "reap", role_reap },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(roles) / sizeof(*roles); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run(argc - 1, argv + 1);
	errno = EINVAL;
	fail(STAGE_PLAN, "role %s", argc > 1 ? argv[1] : "(none)");
}
