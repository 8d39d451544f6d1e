/* Which device nodes may be opened in a cgroup. */
#pragma once

/* Attaches the default rules to the cgroup2 directory behind `cgroup`. -1 with errno. */
int devices_restrict(int cgroup);
