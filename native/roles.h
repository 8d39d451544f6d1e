/* One function per role; argv[0] is the role's name. */
#pragma once

__attribute__((weak)) int role_monitor(int argc, char **argv);
__attribute__((weak)) int role_exec(int argc, char **argv);
__attribute__((weak)) int role_sandbox(int argc, char **argv);
__attribute__((weak)) int role_peek(int argc, char **argv);
__attribute__((weak)) int role_lock(int argc, char **argv);
__attribute__((weak)) int role_fsops(int argc, char **argv);
