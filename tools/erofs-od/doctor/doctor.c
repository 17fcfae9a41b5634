// SPDX-License-Identifier: GPL-2.0-only
/* The command: runs all checks and prints the findings. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cachedir.h"
#include "cli.h"
#include "command.h"
#include "json.h"
#include "log.h"
#include "table.h"
#include "text.h"

enum option_key {
	KEY_FIX = 0x100,
	KEY_KERNEL,
};

/**
 * struct arguments - the command line
 * @fix: do what is safe
 * @kernel: release to check, or NULL
 * @shared: the rest
 */
struct arguments {
	bool fix;
	const char *kernel;
	struct cli_values shared;
};

static const struct argp_option options[] = {
	{ "fix", KEY_FIX, NULL, 0, "Create the cache directory, run depmod, load the modules; "
	  "nothing else", 0 },
	{ "kernel", KEY_KERNEL, "RELEASE", 0, "Check this kernel instead of the running one", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct arguments *args = input;

	switch (key) {
	case KEY_FIX:
		args->fix = true;
		return 0;
	case KEY_KERNEL:
		if (!*text || strchr(text, '/'))
			argp_error(state, "invalid --kernel '%s': not a release", text);
		args->kernel = text;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void check_options(void *input, const struct cli_values *values, struct argp_state *state)
{
	(void)input;
	if (values->cache && *values->cache != '/')
		argp_error(state, "invalid --dir '%s': not an absolute path", values->cache);
}

static const struct cli cli = {
	.doc = "Check what prevents mounts on this host, and print what to do about it.",
	.shared = CLI_JSON | CLI_CACHE | CLI_SYSROOT,
	.options = options,
	.parse = parse_option,
	.check = check_options,
};

/* The directory that is bound, if there is one. */
static char *cache_directory(const struct host *host, const char *given)
{
	char *path = host_path(host, "/proc/fs/cachefiles_od/cache");
	const char *bound = NULL;
	struct table cache;
	char *dir;

	if (!table_load(&cache, path))
		bound = table_find(&cache, "dir");
	dir = text_copy(given ? given : bound ? bound : CACHEDIR_DEFAULT);
	table_free(&cache);
	free(path);
	return dir;
}

static void begin(struct doctor *doctor, const struct arguments *args)
{
	memset(doctor, 0, sizeof(*doctor));
	host_init(&doctor->host, args->shared.sysroot, args->kernel);
	modules_init(&doctor->modules, &doctor->host);
	dropin_read(&doctor->dropin, &doctor->host, &doctor->modules);
	doctor->cache = cache_directory(&doctor->host, args->shared.cache);
}

static void end(struct doctor *doctor)
{
	findings_free(&doctor->findings);
	free(doctor->cache);
	dropin_free(&doctor->dropin);
	modules_free(&doctor->modules);
	host_free(&doctor->host);
}

static void check(struct doctor *doctor)
{
	doctor_kernel(doctor);
	doctor_modules(doctor);
	doctor_algorithms(doctor);
	doctor_signature(doctor);
	doctor_security(doctor);
	doctor_stock(doctor);
	doctor_device(doctor);
	doctor_cache(doctor);
	doctor_daemon(doctor);
}

static int print_json(const struct doctor *doctor)
{
	json_t *root = json_object();
	struct utsname names;
	int err;

	uname(&names);
	json_object_set_new(root, "version", json_string(OD_VERSION));
	json_object_set_new(root, "kernel", json_text(doctor->host.kernel));
	json_object_set_new(root, "distribution", json_text(doctor->host.distribution));
	json_object_set_new(root, "arch", json_text(names.machine));
	json_object_set_new(root, "page_size", json_integer(sysconf(_SC_PAGESIZE)));
	json_object_set_new(root, "findings", findings_json(&doctor->findings));
	err = json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return err;
}

static void print_text(const struct doctor *doctor)
{
	struct utsname names;

	uname(&names);
	printf("erofs-od " OD_VERSION ", %s, kernel %s, %s, %ld KiB pages\n",
	       doctor->host.distribution, doctor->host.kernel, names.machine,
	       sysconf(_SC_PAGESIZE) / 1024);
	findings_show(&doctor->findings, stdout);
}

static int print(const struct doctor *doctor, bool json)
{
	int err = 0;

	if (json)
		err = print_json(doctor);
	else
		print_text(doctor);
	if (err || fflush(stdout)) {
		log_err("failed to write the output: %s", strerror(errno));
		return OD_EXIT_FAILED;
	}
	return findings_count(&doctor->findings, FINDING_PROBLEM) ? OD_EXIT_FAILED : OD_EXIT_OK;
}

int command_doctor(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct doctor doctor;
	int result;

	cli_parse(&cli, argc, argv, &args.shared, &args);
	begin(&doctor, &args);
	check(&doctor);
	if (args.fix) {
		doctor_fix(&doctor);
		end(&doctor);
		begin(&doctor, &args);
		check(&doctor);
	}
	result = print(&doctor, args.shared.json);
	end(&doctor);
	return result;
}
