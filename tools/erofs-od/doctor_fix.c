// SPDX-License-Identifier: GPL-2.0-only
/* What is safe, and can be undone: nothing is built, unloaded or configured here. */
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

static void make_folder(struct doctor *doctor)
{
	char *path = machine_path(&doctor->machine, "%s", doctor->cache);
	char *slash;

	if (findings_state(&doctor->findings, FINDING_CACHE_FOLDER) == FINDING_PROBLEM) {
		for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(path, 0755);
			*slash = '/';
		}
		if (mkdir(path, 0700))
			log_err("%s cannot be made: %s", doctor->cache, strerror(errno));
		else
			log_info("made the folder %s", doctor->cache);
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

/* Only this finding's remedy begins with the name of what has to be run. */
static void index_modules(struct doctor *doctor)
{
	const char *remedy = doctor->findings.list[FINDING_MODULES_BUILT].remedy;
	char *root = machine_path(&doctor->machine, "/");
	char *const argv[] = { "depmod", "-a", "-b", root, doctor->machine.kernel, NULL };
	int err;

	if (remedy && !strncmp(remedy, "depmod ", 7)) {
		err = run(argv);
		if (err)
			log_err("depmod -a %s: %s", doctor->machine.kernel, strerror(-err));
		else
			log_info("ran depmod -a %s", doctor->machine.kernel);
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
		log_err("the module %s cannot be loaded: %s; the kernel log may say more", name,
			strerror(-err));
	else
		log_info("loaded the module %s", name);
}

static void load_modules(struct doctor *doctor)
{
	if (!machine_is_here(&doctor->machine) || !machine_runs_it(&doctor->machine) ||
	    findings_state(&doctor->findings, FINDING_STOCK_CACHEFILES) == FINDING_PROBLEM)
		return;
	/* What depmod has found by now. */
	modules_free(&doctor->modules);
	modules_init(&doctor->modules, &doctor->machine);
	if (!modules_are_installed(&doctor->modules))
		return;
	load(doctor, MODULE_CACHEFILES_OD);
	load(doctor, MODULE_EROFS_OD);
}

/** doctor_fix - do what is safe, and say so; then it is to be asked again */
void doctor_fix(struct doctor *doctor)
{
	make_folder(doctor);
	index_modules(doctor);
	load_modules(doctor);
}
