/* SPDX-License-Identifier: GPL-2.0-only */
/* The sub-commands of erofs-od, and what all of them share. */
#ifndef OD_COMMAND_H
#define OD_COMMAND_H

#include <argp.h>

/**
 * enum od_exit - exit codes, as the man page has them
 * @OD_EXIT_OK: done
 * @OD_EXIT_FAILED: not done
 * @OD_EXIT_USAGE: the command line makes no sense
 * @OD_EXIT_NO_MODULE: a kernel module is not loaded
 * @OD_EXIT_NO_DAEMON: no daemon serves the cache
 */
enum od_exit {
	OD_EXIT_OK = 0,
	OD_EXIT_FAILED = 1,
	OD_EXIT_USAGE = 2,
	OD_EXIT_NO_MODULE = 3,
	OD_EXIT_NO_DAEMON = 4,
};

/**
 * struct command - a sub-command
 * @name: what to type
 * @summary: for the list of commands
 * @run: does it and returns an enum od_exit; argv[0] is "erofs-od NAME"
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int command_mount(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_status(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_dropin(int argc, char **argv);
int command_drop(int argc, char **argv);
int command_pin(int argc, char **argv);
int command_unpin(int argc, char **argv);
int command_refresh(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_backup(int argc, char **argv);

#endif
