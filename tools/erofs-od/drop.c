// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "log.h"
#include "pins.h"
#include "remove.h"
#include "report.h"

enum option_key {
	KEY_ALL = 0x100,
};

/**
 * struct drop - state of the command
 * @names: blobs to remove, followed by a NULL; none with @all
 * @found: for each name: whether such a blob exists
 * @all: remove blobs of any name
 * @domain: only blobs of this domain, or NULL
 * @dir: the cache
 * @bound: the module has the cache bound
 * @pins: its directory of pins, or negative
 * @report: results
 */
struct drop {
	char **names;
	bool *found;
	bool all;
	const char *domain;
	struct cachedir dir;
	bool bound;
	int pins;
	struct report report;
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "All blobs that are not in use", 0 },
	{ "domain", 'd', "NAME", 0, "Only blobs of this domain, or of the image of this name if it "
	  "is in no domain", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct drop *drop = input;

	(void)state;
	switch (key) {
	case KEY_ALL:
		drop->all = true;
		return 0;
	case 'd':
		drop->domain = text;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void check(void *input, const struct cli_values *values, struct argp_state *state)
{
	struct drop *drop = input;

	if (values->nr_args && drop->all)
		argp_error(state, "--all and NAME exclude each other");
	if (!values->nr_args && !drop->all)
		argp_error(state, "missing argument NAME, or --all");
	drop->names = values->args;
}

static const struct cli cli = {
	.doc = "Remove blobs that are not in use from the cache. They are fetched again when needed.",
	.shared = CLI_JSON | CLI_PROC | CLI_CACHE,
	.options = options,
	.args_doc = "NAME...\n--all",
	.max_args = UINT_MAX,
	.parse = parse_option,
	.check = check,
};

static bool is_wanted(const struct drop *drop, const struct object *object)
{
	bool wanted = drop->all;
	size_t i;

	if (drop->domain && (strncmp(object->volume, "Ierofs,", 7) ||
			     strcmp(object->volume + 7, drop->domain)))
		return false;
	for (i = 0; drop->names[i]; i++) {
		if (strcmp(drop->names[i], object->blob))
			continue;
		drop->found[i] = true;
		wanted = true;
	}
	return wanted;
}

static int visit(const struct object *object, void *arg)
{
	struct drop *drop = arg;
	int err;

	if (!is_wanted(drop, object))
		return 0;
	if (pins_has(drop->pins, object->name)) {
		report_failed(&drop->report, object, "pinned", "'erofs-od unpin' it first");
		return 0;
	}
	err = object_remove(&drop->dir, object, drop->bound);
	if (!err)
		report_done(&drop->report, object, "dropped",
			    (uint64_t)object->st.st_blocks * 512);
	else if (err == -EBUSY)
		report_failed(&drop->report, object, "in use", "mounted or being opened");
	else if (err != -ENOENT)
		report_failed(&drop->report, object, "not dropped", "%s", strerror(-err));
	return 0;
}

static int report_missing(const struct drop *drop)
{
	int err = 0;
	size_t i;

	for (i = 0; drop->names[i]; i++) {
		if (drop->found[i])
			continue;
		log_err("%s: no such blob in %s", drop->names[i], drop->dir.path);
		err = -ENOENT;
	}
	return err;
}

static int run(struct drop *drop, const struct cli_values *values)
{
	int err = cachedir_open(&drop->dir, values->cache, values->proc);

	if (err)
		return err;
	drop->bound = cachedir_is_bound(&drop->dir);
	drop->pins = pins_open(drop->dir.root, false);
	err = cachedir_each(&drop->dir, visit, drop);
	if (drop->pins >= 0)
		close(drop->pins);
	return err ? err : report_missing(drop);
}

int command_drop(int argc, char **argv)
{
	struct cli_values values;
	struct drop drop = { 0 };
	int err, status;

	cli_parse(&cli, argc, argv, &values, &drop);
	drop.found = calloc((size_t)argc + 1, sizeof(*drop.found));
	report_init(&drop.report, values.json);
	err = drop.found ? run(&drop, &values) : -ENOMEM;
	status = report_end(&drop.report, err);
	if (drop.found)
		cachedir_close(&drop.dir);
	free(drop.found);
	return status;
}
