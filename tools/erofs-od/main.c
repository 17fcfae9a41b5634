// SPDX-License-Identifier: GPL-2.0-only
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "log.h"

const char *argp_program_version = "erofs-od " OD_VERSION;

static const struct command commands[] = {
	{ "mount", "mount an image", command_mount },
	{ "umount", "unmount images", command_umount },
	{ "status", "show mounts, blobs and waiting requests", command_status },
	{ "top", "show reads and fetches, updated continuously", command_top },
	{ "trace", "record what a command reads of an image", command_trace },
	{ "prefetch", "fetch an image, or files of it, into the cache", command_prefetch },
	{ "doctor", "check what prevents mounts on this host", command_doctor },
	{ "drop", "remove blobs from the cache", command_drop },
	{ "pin", "keep blobs in the cache", command_pin },
	{ "unpin", "let blobs be culled again", command_unpin },
	{ "refresh", "remove cached blobs that have changed at their source", command_refresh },
	{ "adopt", "write maps for cache files that have none", command_adopt },
	{ "backup", "copy a cache", command_backup },
	{ "dropin", "serve unmodified clients of erofs and cachefiles", command_dropin },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

/**
 * struct choice - the chosen command
 * @command: the command, or NULL
 * @first: index of its name in argv
 */
struct choice {
	const struct command *command;
	int first;
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct choice *choice = state->input;
	size_t i;

	switch (key) {
	case ARGP_KEY_ARG:
		for (i = 0; i < COMMANDS; i++)
			if (!strcmp(text, commands[i].name))
				choice->command = &commands[i];
		if (!choice->command)
			argp_error(state, "unknown command '%s'", text);
		choice->first = state->next - 1;
		/* The rest belongs to the command. */
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "missing argument COMMAND");
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

static char *list_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size, i;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return NULL;
	fputs("Commands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fputs("\n'erofs-od COMMAND --help' shows the options of a command.", out);
	fclose(out);
	return list;
}

static const struct argp argp = {
	.parser = parse_option,
	.args_doc = "COMMAND [ARG...]",
	.doc = "Mount images on demand, and manage their cache.\v ",
	.help_filter = list_commands,
};

int main(int argc, char **argv)
{
	struct choice choice = { 0 };
	char name[64];

	argp_err_exit_status = OD_EXIT_USAGE;
	log_init("erofs-od", false);
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	snprintf(name, sizeof(name), "erofs-od %s", choice.command->name);
	argv[choice.first] = name;
	return choice.command->run(argc - choice.first, argv + choice.first);
}
