// SPDX-License-Identifier: GPL-2.0-only
#include "status.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "log.h"

enum option_key {
	KEY_PROC = 0x100,
};

/**
 * struct arguments - the command line
 * @json: for programs
 * @verbose: blobs and requests too
 * @proc: where /proc is
 */
struct arguments {
	bool json;
	bool verbose;
	const char *proc;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "For programs: all there is, as JSON", 0 },
	{ "verbose", 'v', NULL, 0, "Show each blob and each request", 0 },
	{ "proc", KEY_PROC, "DIR", 0, "Read a copy of /proc in DIR, say from another machine", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'j':
		args->json = true;
		break;
	case 'v':
		args->verbose = true;
		break;
	case KEY_PROC:
		args->proc = text;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much", text);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.doc = "Show the mounted images: how much of each is in the cache, and who waits for what.",
};

static int explain(const struct arguments *args, const char *missing, int err)
{
	if (err == -ENOENT && missing && !strncmp(missing, "fs/", 3)) {
		log_err("the module %s is not loaded",
			strstr(missing, "erofs_od") ? "erofs_od" : "cachefiles_od");
		return OD_EXIT_NO_MODULE;
	}
	if (missing)
		log_err("%s/%s: %s", args->proc, missing, strerror(-err));
	else
		log_err("%s", strerror(-err));
	return OD_EXIT_FAILED;
}

static int print(const struct arguments *args, const struct status *status)
{
	int err = 0;

	if (args->json)
		err = status_json(status, stdout);
	else
		status_show(status, args->verbose, stdout);
	if (err || fflush(stdout)) {
		log_err("the output cannot be written: %s", strerror(errno));
		return OD_EXIT_FAILED;
	}
	return OD_EXIT_OK;
}

int command_status(int argc, char **argv)
{
	struct arguments args = { .proc = "/proc" };
	struct status status;
	const char *missing;
	int err, result;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	err = status_load(&status, args.proc, &missing);
	if (err)
		result = explain(&args, missing, err);
	else
		result = print(&args, &status);
	status_free(&status);
	return result;
}
