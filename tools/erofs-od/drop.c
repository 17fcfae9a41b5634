// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "pins.h"
#include "remove.h"
#include "report.h"

enum option_key {
	KEY_DIR = 0x100,
	KEY_PROC,
	KEY_ALL,
};

/**
 * struct arguments - the command line
 * @names: of blobs, with a NULL at the end, or NULL
 * @found: for each name: there is such a blob
 * @all: whatever it is called
 * @domain: only blobs of this one, or NULL
 * @dir: directory of the cache, or NULL
 * @proc: where /proc is
 * @json: for programs
 */
struct arguments {
	char **names;
	bool *found;
	bool all;
	const char *domain;
	const char *dir;
	const char *proc;
	bool json;
};

/**
 * struct drop - the command at work
 * @args: what is wanted
 * @dir: the cache
 * @bound: the module has it bound
 * @pins: its directory of pins, or negative
 * @report: what was done
 */
struct drop {
	const struct arguments *args;
	struct cachedir dir;
	bool bound;
	int pins;
	struct report report;
};

static const struct argp_option options[] = {
	{ "all", KEY_ALL, NULL, 0, "All blobs that are not in use", 0 },
	{ "domain", 'd', "NAME", 0, "Only blobs of this domain, or of the image of this name, if it "
	  "is in no domain", 0 },
	{ "dir", KEY_DIR, "CACHE", 0, "Directory of the cache (default: the one that is served, or "
	  CACHEDIR_DEFAULT ")", 0 },
	{ "json", 'j', NULL, 0, "For programs: what became of each blob, as JSON", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Where /proc is", 0 },
	{ 0 },
};

static void check_arguments(struct argp_state *state, const struct arguments *args)
{
	if (args->names && args->all)
		argp_error(state, "--all and NAME exclude each other");
	if (!args->names && !args->all)
		argp_error(state, "no NAME is given, nor --all");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case KEY_ALL:
		args->all = true;
		break;
	case 'd':
		args->domain = text;
		break;
	case KEY_DIR:
		args->dir = text;
		break;
	case KEY_PROC:
		args->proc = text;
		break;
	case 'j':
		args->json = true;
		break;
	case ARGP_KEY_ARGS:
		args->names = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		check_arguments(state, args);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "NAME...\n--all",
	.doc = "Remove blobs that nothing uses from the cache: they are fetched again when they are "
	       "wanted.",
};

static bool is_wanted(const struct drop *drop, const struct object *object)
{
	const struct arguments *args = drop->args;
	bool wanted = args->all;
	size_t i;

	if (args->domain && (strncmp(object->volume, "Ierofs,", 7) ||
			     strcmp(object->volume + 7, args->domain)))
		return false;
	for (i = 0; args->names && args->names[i]; i++) {
		if (strcmp(args->names[i], object->blob))
			continue;
		args->found[i] = true;
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
		report_failed(&drop->report, object, "in use", "it is mounted or being opened");
	else if (err != -ENOENT)
		report_failed(&drop->report, object, "not dropped", "%s", strerror(-err));
	return 0;
}

static int tell_missing(const struct drop *drop)
{
	const struct arguments *args = drop->args;
	int err = 0;
	size_t i;

	for (i = 0; args->names && args->names[i]; i++) {
		if (args->found[i])
			continue;
		log_err("%s: no such blob is in %s", args->names[i], drop->dir.path);
		err = -ENOENT;
	}
	return err;
}

static int run(struct drop *drop)
{
	int err = cachedir_open(&drop->dir, drop->args->dir, drop->args->proc);

	if (err)
		return err;
	drop->bound = cachedir_is_bound(&drop->dir);
	drop->pins = pins_open(drop->dir.root, false);
	err = cachedir_each(&drop->dir, visit, drop);
	if (drop->pins >= 0)
		close(drop->pins);
	return err ? err : tell_missing(drop);
}

int command_drop(int argc, char **argv)
{
	struct arguments args = { .proc = "/proc" };
	struct drop drop = { .args = &args };
	int err, status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	args.found = calloc((size_t)argc + 1, sizeof(*args.found));
	report_init(&drop.report, args.json);
	err = args.found ? run(&drop) : -ENOMEM;
	status = report_end(&drop.report, err);
	if (args.found)
		cachedir_close(&drop.dir);
	free(args.found);
	return status;
}
