// SPDX-License-Identifier: GPL-2.0-only
/* --fix: what is safe and can be undone. It builds, unloads and configures nothing. */
#include "doctor.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "log.h"
#include "text.h"

extern char **environ;

static void create_directory(struct doctor *doctor)
{
	char *path = host_path(&doctor->host, "%s", doctor->cache);
	char *slash;

	if (findings_state(&doctor->findings, FINDING_CACHE_FOLDER) == FINDING_PROBLEM) {
		for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(path, 0755);
			*slash = '/';
		}
		if (mkdir(path, 0700))
			log_err("failed to create %s: %s", doctor->cache, strerror(errno));
		else
			log_info("created %s", doctor->cache);
	}
	free(path);
}

static int run(char *const argv[])
{
	int err, status;
	pid_t pid;

	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return -err;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* The remedy is a call of depmod if, and only if, the index is out of date. */
static void index_modules(struct doctor *doctor)
{
	const char *remedy = doctor->findings.list[FINDING_MODULES_BUILT].remedy;
	char *root = host_path(&doctor->host, "/");
	char *const argv[] = { "depmod", "-a", "-b", root, doctor->host.kernel, NULL };
	int err;

	if (remedy && !strncmp(remedy, "depmod ", 7)) {
		err = run(argv);
		if (err)
			log_err("depmod -a %s: %s", doctor->host.kernel, strerror(-err));
		else
			log_info("ran depmod -a %s", doctor->host.kernel);
	}
	free(root);
}

static void load(struct doctor *doctor, enum od_module module)
{
	const char *name = module_name(module);
	int err;

	if (doctor->modules.loaded[module].is_loaded)
		return;
	err = module_insert(&doctor->modules, name);
	if (err)
		log_err("failed to load %s: %s; see the kernel log", name, strerror(-err));
	else
		log_info("loaded %s", name);
}

static void load_modules(struct doctor *doctor)
{
	if (!host_is_local(&doctor->host) || !host_runs_kernel(&doctor->host) ||
	    findings_state(&doctor->findings, FINDING_STOCK_CACHEFILES) == FINDING_PROBLEM)
		return;
	/* depmod may have found them now. */
	modules_free(&doctor->modules);
	modules_init(&doctor->modules, &doctor->host);
	if (!modules_are_installed(&doctor->modules))
		return;
	load(doctor, MODULE_CACHEFILES_OD);
	load(doctor, MODULE_EROFS_OD);
}

/** doctor_fix - do what is safe, and log it; the caller has to run the checks again */
void doctor_fix(struct doctor *doctor)
{
	create_directory(doctor);
	index_modules(doctor);
	load_modules(doctor);
}
