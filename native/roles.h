/* One function per role; argv[0] is the role's name. */
#pragma once

int role_monitor(int argc, char **argv);
int role_exec(int argc, char **argv);
int role_sandbox(int argc, char **argv);
int role_peek(int argc, char **argv);
int role_lock(int argc, char **argv);
int role_fsops(int argc, char **argv);
int role_dial(int argc, char **argv);
int role_compile_seccomp(int argc, char **argv);
int role_reap(int argc, char **argv);
