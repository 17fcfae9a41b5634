// SPDX-License-Identifier: GPL-2.0-only
#include "pins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cachedir.h"
#include "command.h"
#include "log.h"

enum option_key {
	KEY_DIR = 0x100,
	KEY_PROC,
};

/**
 * struct arguments - the command line
 * @names: of blobs, with a NULL at the end, or NULL
 * @dir: directory of the cache, or NULL
 * @proc: where /proc is
 */
struct arguments {
	char **names;
	const char *dir;
	const char *proc;
};

static const struct argp_option options[] = {
	{ "dir", KEY_DIR, "CACHE", 0, "Directory of the cache (default: the one that is served, or "
	  CACHEDIR_DEFAULT ")", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Where /proc is", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case KEY_DIR:
		args->dir = text;
		break;
	case KEY_PROC:
		args->proc = text;
		break;
	case ARGP_KEY_ARGS:
		args->names = state->argv + state->next;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int run(const struct arguments *args, int (*change)(int pins, const char *blob))
{
	struct cachedir dir;
	int err = cachedir_open(&dir, args->dir, args->proc), one, pins;
	size_t i;

	pins = err ? err : pins_open(dir.root, true);
	if (!err && pins < 0) {
		err = pins;
		log_err("%s/pins: %s", dir.path, strerror(-err));
	}
	for (i = 0; !(err && pins < 0) && args->names[i]; i++) {
		one = change(pins, args->names[i]);
		if (!one)
			continue;
		log_err("%s: %s", args->names[i],
			one == -ENOENT ? "not pinned" : strerror(-one));
		err = one;
	}
	if (pins >= 0)
		close(pins);
	cachedir_close(&dir);
	return err ? OD_EXIT_FAILED : OD_EXIT_OK;
}

static const struct argp pin_argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "NAME...",
	.doc = "Keep blobs in the cache: they are never culled, whatever their domain and however "
	       "long they are not used. A blob may be pinned before it is there.",
};

static const struct argp unpin_argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "NAME...",
	.doc = "Let blobs be culled again.",
};

static int command(const struct argp *argp, int argc, char **argv,
		   int (*change)(int pins, const char *blob))
{
	struct arguments args = { .proc = "/proc" };

	argp_parse(argp, argc, argv, 0, NULL, &args);
	if (!args.names) {
		log_err("no NAME is given");
		return OD_EXIT_USAGE;
	}
	return run(&args, change);
}

int command_pin(int argc, char **argv)
{
	return command(&pin_argp, argc, argv, pins_add);
}

int command_unpin(int argc, char **argv)
{
	return command(&unpin_argp, argc, argv, pins_remove);
}
