// SPDX-License-Identifier: GPL-2.0-only
#include "status.h"

#include <errno.h>
#include <string.h>

#include "cli.h"
#include "command.h"
#include "log.h"

static const struct argp_option options[] = {
	{ "verbose", 'v', NULL, 0, "Show each blob and each request", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	bool *verbose = input;

	(void)text;
	(void)state;
	if (key != 'v')
		return ARGP_ERR_UNKNOWN;
	*verbose = true;
	return 0;
}

static const struct cli cli = {
	.doc = "Show the mounted images: how much of each is cached, and which reads wait.",
	.shared = CLI_JSON | CLI_PROC,
	.options = options,
	.parse = parse_option,
};

/** status_explain - report why status_load() failed. Return: the exit status */
int status_explain(const char *proc, const char *missing, int err)
{
	if (err == -ENOENT && missing && !strncmp(missing, "fs/", 3)) {
		log_err("module %s is not loaded",
			strstr(missing, "erofs_od") ? "erofs_od" : "cachefiles_od");
		return OD_EXIT_NO_MODULE;
	}
	if (missing)
		log_err("%s/%s: %s", proc, missing, strerror(-err));
	else
		log_err("failed to read the status: %s", strerror(-err));
	return OD_EXIT_FAILED;
}

static int print(struct status *status, const struct cli_values *values, bool verbose)
{
	int err = verbose ? status_load_users(status, values->proc) : 0;

	if (err) {
		log_err("%s: %s", values->proc, strerror(-err));
		return OD_EXIT_FAILED;
	}
	if (values->json)
		err = status_json(status, stdout);
	else
		status_show(status, verbose, stdout);
	if (err || fflush(stdout)) {
		log_err("failed to write the output: %s", strerror(errno));
		return OD_EXIT_FAILED;
	}
	return OD_EXIT_OK;
}

int command_status(int argc, char **argv)
{
	struct cli_values values;
	struct status status;
	const char *missing;
	bool verbose = false;
	int err, result;

	cli_parse(&cli, argc, argv, &values, &verbose);
	err = status_load(&status, values.proc, &missing);
	if (err)
		result = status_explain(values.proc, missing, err);
	else
		result = print(&status, &values, verbose);
	status_free(&status);
	return result;
}
