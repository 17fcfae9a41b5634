/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of erofs-od. */
#ifndef OD_TOOLS_COMMAND_H
#define OD_TOOLS_COMMAND_H

#include <argp.h>

/**
 * enum od_exit - exit statuses, see erofs-od(8)
 * @OD_EXIT_OK: success
 * @OD_EXIT_FAILED: failure
 * @OD_EXIT_USAGE: invalid command line
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
 * struct command - a command
 * @name: its name
 * @summary: for --help
 * @run: runs it with argv[0] "erofs-od NAME". Return: enum od_exit
 */
struct command {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
};

int command_mount(int argc, char **argv);
int command_umount(int argc, char **argv);
int command_status(int argc, char **argv);
int command_top(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_prefetch(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_dropin(int argc, char **argv);
int command_drop(int argc, char **argv);
int command_pin(int argc, char **argv);
int command_unpin(int argc, char **argv);
int command_refresh(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_backup(int argc, char **argv);

#endif
