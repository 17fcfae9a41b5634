// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"

#include <string.h>

#include "cachedir.h"

/* Keys that no command uses for its own options. */
enum shared_key {
	KEY_PROC = 0x300,
	KEY_CACHE,
	KEY_SYSROOT,
};

#define OPTIONS_MAX	16

/** struct parser - state of one cli_parse() */
struct parser {
	const struct cli *cli;
	struct cli_values *values;
	void *input;
};

static const struct {
	unsigned int flag;
	struct argp_option option;
} shared_options[] = {
	{ CLI_JSON, { "json", 'j', NULL, 0, "Print JSON, for programs", 0 } },
	{ CLI_PROC, { "proc", KEY_PROC, "DIR", 0, "Read DIR instead of /proc", 0 } },
	{ CLI_CACHE, { "dir", KEY_CACHE, "CACHE", 0, "Cache directory (default: the one in use, "
		       "otherwise " CACHEDIR_DEFAULT ")", 0 } },
	{ CLI_SYSROOT, { "sysroot", KEY_SYSROOT, "DIR", 0, "Work on the copy of a host's files "
			 "in DIR", 0 } },
};

/* Collects the command's own options, then its shared ones; @list is zeroed. */
static void collect_options(const struct cli *cli, struct argp_option list[OPTIONS_MAX])
{
	const struct argp_option *own = cli->options;
	size_t count = 0, i;

	for (; own && (own->name || own->key) && count < OPTIONS_MAX - 1; own++)
		list[count++] = *own;
	for (i = 0; i < sizeof(shared_options) / sizeof(shared_options[0]); i++)
		if (cli->shared & shared_options[i].flag && count < OPTIONS_MAX - 1)
			list[count++] = shared_options[i].option;
}

static unsigned int count_required(const struct cli *cli)
{
	unsigned int n = 0;

	while (n < 3 && cli->required[n])
		n++;
	return n;
}

static void take_args(struct parser *parser, struct argp_state *state)
{
	const struct cli *cli = parser->cli;
	unsigned int required = count_required(cli);
	unsigned int max = cli->max_args ? cli->max_args : required;
	struct cli_values *values = parser->values;

	values->args = state->argv + state->next;
	values->nr_args = (unsigned int)(state->argc - state->next);
	if (values->nr_args < required)
		argp_error(state, "missing argument %s", cli->required[values->nr_args]);
	if (values->nr_args > max)
		argp_error(state, "unexpected argument '%s'", values->args[max]);
}

static error_t parse_key(int key, char *text, struct argp_state *state)
{
	struct parser *parser = state->input;
	struct cli_values *values = parser->values;
	const struct cli *cli = parser->cli;

	switch (key) {
	case ARGP_KEY_NO_ARGS:
	case ARGP_KEY_ARGS:
		take_args(parser, state);
		return 0;
	case ARGP_KEY_END:
		if (cli->check)
			cli->check(parser->input, values, state);
		return 0;
	case ARGP_KEY_ARG:
	case ARGP_KEY_INIT:
	case ARGP_KEY_SUCCESS:
	case ARGP_KEY_ERROR:
	case ARGP_KEY_FINI:
		return ARGP_ERR_UNKNOWN;
	case KEY_PROC:
		values->proc = text;
		return 0;
	case KEY_CACHE:
		values->cache = text;
		return 0;
	case KEY_SYSROOT:
		values->sysroot = text;
		return 0;
	case 'j':
		values->json = true;
		return 0;
	}
	return cli->parse ? cli->parse(parser->input, key, text, state) : ARGP_ERR_UNKNOWN;
}

/**
 * cli_parse - parse the command line of a command
 * @cli: its description
 * @argc: as in main(), from the command's name on
 * @argv: as in main(); the arguments are moved to its end
 * @values: filled in
 * @input: passed to the callbacks of @cli
 *
 * Exits after printing usage, help or version, or an error.
 */
void cli_parse(const struct cli *cli, int argc, char **argv, struct cli_values *values,
	       void *input)
{
	struct argp_option options[OPTIONS_MAX] = { 0 };
	struct parser parser = { .cli = cli, .values = values, .input = input };
	const struct argp argp = {
		.options = options,
		.parser = parse_key,
		.args_doc = cli->args_doc,
		.doc = cli->doc,
	};

	collect_options(cli, options);
	memset(values, 0, sizeof(*values));
	values->proc = "/proc";
	argp_parse(&argp, argc, argv, 0, NULL, &parser);
}
