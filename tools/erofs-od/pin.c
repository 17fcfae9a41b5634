// SPDX-License-Identifier: GPL-2.0-only
#include "pins.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cachedir.h"
#include "cli.h"
#include "command.h"
#include "log.h"

static int run(const struct cli_values *values, int (*change)(int pins, const char *blob))
{
	struct cachedir dir;
	int err = cachedir_open(&dir, values->cache, values->proc), one, pins;
	size_t i;

	pins = err ? err : pins_open(dir.root, true);
	if (!err && pins < 0) {
		err = pins;
		log_err("%s/pins: %s", dir.path, strerror(-err));
	}
	for (i = 0; !(err && pins < 0) && values->args[i]; i++) {
		one = change(pins, values->args[i]);
		if (!one)
			continue;
		log_err("%s: %s", values->args[i],
			one == -ENOENT ? "not pinned" : strerror(-one));
		err = one;
	}
	if (pins >= 0)
		close(pins);
	cachedir_close(&dir);
	return err ? OD_EXIT_FAILED : OD_EXIT_OK;
}

static const struct cli pin_cli = {
	.doc = "Keep blobs in the cache: they are never culled, whatever their domain and however "
	       "long they are not used. A blob may be pinned before it is in the cache.",
	.shared = CLI_PROC | CLI_CACHE,
	.args_doc = "NAME...",
	.required = { "NAME" },
	.max_args = UINT_MAX,
};

static const struct cli unpin_cli = {
	.doc = "Let blobs be culled again.",
	.shared = CLI_PROC | CLI_CACHE,
	.args_doc = "NAME...",
	.required = { "NAME" },
	.max_args = UINT_MAX,
};

static int command(const struct cli *cli, int argc, char **argv,
		   int (*change)(int pins, const char *blob))
{
	struct cli_values values;

	cli_parse(cli, argc, argv, &values, NULL);
	return run(&values, change);
}

int command_pin(int argc, char **argv)
{
	return command(&pin_cli, argc, argv, pins_add);
}

int command_unpin(int argc, char **argv)
{
	return command(&unpin_cli, argc, argv, pins_remove);
}
