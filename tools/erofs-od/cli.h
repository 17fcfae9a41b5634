/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of a command: its own options, those shared by several, and arguments. */
#ifndef OD_CLI_H
#define OD_CLI_H

#include <argp.h>
#include <stdbool.h>

/** enum cli_shared - options that several commands have */
enum cli_shared {
	CLI_JSON = 1 << 0,
	CLI_PROC = 1 << 1,
	CLI_CACHE = 1 << 2,
	CLI_SYSROOT = 1 << 3,
};

/**
 * struct cli_values - parsed values
 * @json: --json
 * @proc: --proc, or "/proc"
 * @cache: --dir, or NULL
 * @sysroot: --sysroot, or NULL
 * @args: the arguments, followed by a NULL
 * @nr_args: number of arguments
 */
struct cli_values {
	bool json;
	const char *proc;
	const char *cache;
	const char *sysroot;
	char **args;
	unsigned int nr_args;
};

/**
 * struct cli - description of a command line
 * @doc: what the command does
 * @shared: enum cli_shared
 * @options: the command's own options, or NULL
 * @args_doc: the arguments, as --help shows them, or NULL
 * @required: names of the arguments that have to be given
 * @max_args: number of arguments accepted; 0: as many as are required
 * @parse: handles one of @options. Return: 0 or ARGP_ERR_UNKNOWN
 * @check: called once everything is parsed, to check combinations of options, or NULL
 */
struct cli {
	const char *doc;
	unsigned int shared;
	const struct argp_option *options;
	const char *args_doc;
	const char *required[3];
	unsigned int max_args;
	error_t (*parse)(void *input, int key, char *text, struct argp_state *state);
	void (*check)(void *input, const struct cli_values *values, struct argp_state *state);
};

void cli_parse(const struct cli *cli, int argc, char **argv, struct cli_values *values,
	       void *input);

#endif
