// SPDX-License-Identifier: GPL-2.0-only
/* The command: asks all questions, and shows the answers. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "command.h"
#include "json.h"
#include "log.h"
#include "table.h"
#include "text.h"

enum option_key {
	KEY_FIX = 0x100,
	KEY_KERNEL,
	KEY_DIR,
	KEY_SYSROOT,
};

/**
 * struct arguments - the command line
 * @json: for programs
 * @fix: do what is safe
 * @kernel: release that is asked about, or NULL
 * @dir: folder of the cache, or NULL
 * @sysroot: folder that stands for /, or NULL
 */
struct arguments {
	bool json;
	bool fix;
	const char *kernel;
	const char *dir;
	const char *sysroot;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "For programs and bug reports: all there is, as JSON", 0 },
	{ "fix", KEY_FIX, NULL, 0, "Load the modules, make the cache's folder, run depmod; "
	  "nothing else", 0 },
	{ "kernel", KEY_KERNEL, "RELEASE", 0, "Ask about this kernel instead of the one that "
	  "runs", 0 },
	{ "dir", KEY_DIR, "CACHE", 0, "Folder of the cache (default: the one that is served, or "
	  DOCTOR_CACHE ")", 0 },
	{ "sysroot", KEY_SYSROOT, "DIR", 0, "Look at a copy of a machine's files in DIR", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;

	switch (key) {
	case 'j':
		args->json = true;
		break;
	case KEY_FIX:
		args->fix = true;
		break;
	case KEY_KERNEL:
		if (!*text || strchr(text, '/'))
			argp_error(state, "--kernel: '%s' is no kernel's release", text);
		args->kernel = text;
		break;
	case KEY_DIR:
		if (*text != '/')
			argp_error(state, "--dir: '%s' does not begin with /", text);
		args->dir = text;
		break;
	case KEY_SYSROOT:
		args->sysroot = text;
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
	.doc = "Tell what stands between this machine and a mount that works, and what to do "
	       "about it.",
};

/* A running daemon has said which folder it is. */
static char *cache_folder(const struct machine *machine, const char *given)
{
	char *path = machine_path(machine, "/proc/fs/cachefiles_od/cache");
	const char *bound = NULL;
	struct table cache;
	char *folder;

	if (!table_load(&cache, path))
		bound = table_find(&cache, "dir");
	folder = text_copy(given ? given : bound ? bound : DOCTOR_CACHE);
	table_free(&cache);
	free(path);
	return folder;
}

static void begin(struct doctor *doctor, const struct arguments *args)
{
	memset(doctor, 0, sizeof(*doctor));
	machine_init(&doctor->machine, args->sysroot, args->kernel);
	modules_init(&doctor->modules, &doctor->machine);
	dropin_read(&doctor->dropin, &doctor->machine, &doctor->modules);
	doctor->cache = cache_folder(&doctor->machine, args->dir);
}

static void end(struct doctor *doctor)
{
	findings_free(&doctor->findings);
	free(doctor->cache);
	dropin_free(&doctor->dropin);
	modules_free(&doctor->modules);
	machine_free(&doctor->machine);
}

static void ask(struct doctor *doctor)
{
	doctor_kernel(doctor);
	doctor_modules(doctor);
	doctor_trust(doctor);
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
	json_object_set_new(root, "kernel", json_text(doctor->machine.kernel));
	json_object_set_new(root, "distribution", json_text(doctor->machine.distribution));
	json_object_set_new(root, "arch", json_text(names.machine));
	json_object_set_new(root, "page_size", json_integer(sysconf(_SC_PAGESIZE)));
	json_object_set_new(root, "findings", findings_json(&doctor->findings));
	err = json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
	return err;
}

static int print(const struct doctor *doctor, const struct arguments *args)
{
	int err = 0;

	if (args->json)
		err = print_json(doctor);
	else
		findings_show(&doctor->findings, stdout);
	if (err || fflush(stdout)) {
		log_err("the output cannot be written: %s", strerror(errno));
		return OD_EXIT_FAILED;
	}
	return findings_count(&doctor->findings, FINDING_PROBLEM) ? OD_EXIT_FAILED : OD_EXIT_OK;
}

int command_doctor(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct doctor doctor;
	int result;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	begin(&doctor, &args);
	ask(&doctor);
	if (args.fix) {
		doctor_fix(&doctor);
		end(&doctor);
		begin(&doctor, &args);
		ask(&doctor);
	}
	result = print(&doctor, &args);
	end(&doctor);
	return result;
}
