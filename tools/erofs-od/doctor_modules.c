// SPDX-License-Identifier: GPL-2.0-only
/* Both modules: built for this kernel, of this version, loaded, and not outdated. */
#include "doctor.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "text.h"

/**
 * doctor_vermagic - does a module's file fit a kernel?
 * @vermagic: of the module; its first word is the release it was built for
 * @release: of the kernel
 *
 * A kernel whose symbols have versions does not look at the release: vendors
 * keep modules across their updates that way.
 */
enum vermagic doctor_vermagic(const char *vermagic, const char *release)
{
	size_t len = strcspn(vermagic, " ");

	if (strlen(release) == len && !strncmp(vermagic, release, len))
		return VERMAGIC_SAME;
	return text_has_word(vermagic + len, "modversions") ? VERMAGIC_BY_SYMBOLS :
							      VERMAGIC_OTHER;
}

static bool is_reason(const char *line)
{
	return strstr(line, "erofs-od:") || strstr(line, "error:") || strstr(line, "ERROR:") ||
	       strstr(line, "Error ") || strstr(line, "fatal");
}

/* What make says after an error is that there was one. */
static bool is_better(const char *line, const char *than)
{
	if (!than)
		return true;
	if (strstr(than, "erofs-od:"))
		return strstr(line, "erofs-od:");
	return !strstr(line, "***") || strstr(than, "***");
}

/**
 * doctor_log_reason - why DKMS could not build
 * @log: its make.log
 * @release: the kernel that is meant; a log about another one says nothing
 *
 * Return: the line that says most, or NULL if there is none; free it
 */
char *doctor_log_reason(const char *log, const char *release)
{
	char *head = text_format("for kernel %s (", release);
	char *lines = text_copy(log), *rest = lines, *line, *best = NULL;

	line = strsep(&rest, "\n");
	if (!strstr(line, head))
		rest = NULL;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (is_reason(line) && is_better(line, best))
			best = line;
	best = text_copy(best);
	free(lines);
	free(head);
	return best;
}

/* Of the newest version that has one about this kernel; its path goes to @where. */
static char *dkms_reason(const struct machine *machine, char **where)
{
	char *pattern = machine_path(machine, "/var/lib/dkms/erofs-od/*/build/make.log");
	char *reason = NULL, *log;
	glob_t found;
	size_t i;

	if (!glob(pattern, 0, NULL, &found)) {
		for (i = found.gl_pathc; i-- && !reason;) {
			log = text_read(found.gl_pathv[i]);
			reason = log ? doctor_log_reason(log, machine->kernel) : NULL;
			if (reason)
				*where = text_copy(found.gl_pathv[i] + strlen(machine->sysroot));
			free(log);
		}
		globfree(&found);
	}
	free(pattern);
	return reason;
}

/* There is a file, and modprobe does not know it. */
static bool is_not_indexed(struct doctor *doctor, enum od_module module)
{
	char *path = module_stray(&doctor->machine, module_name(module));

	if (!path)
		return false;
	findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
			 text_format("%s is there, and modprobe does not know it",
				     path + strlen(doctor->machine.sysroot)),
			 text_format("depmod -a %s", doctor->machine.kernel));
	free(path);
	return true;
}

/** doctor_has_modules - they are there for this kernel, from wherever */
bool doctor_has_modules(const struct doctor *doctor)
{
	return modules_are_installed(&doctor->modules) ||
	       (machine_runs_it(&doctor->machine) && modules_are_loaded(&doctor->modules));
}

static void ask_missing(struct doctor *doctor, enum od_module module)
{
	const struct machine *machine = &doctor->machine;
	char *reason, *where;

	if (is_not_indexed(doctor, module))
		return;
	reason = dkms_reason(machine, &where);
	if (doctor_has_modules(doctor) && !reason) {
		findings_note(&doctor->findings, FINDING_MODULES_BUILT,
			      text_copy("both modules are loaded, and not installed: they are gone "
					"after the next boot"), advice_build(machine));
		return;
	}
	if (!reason) {
		findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
				 text_format("there is no module %s for kernel %s",
					     module_name(module), machine->kernel),
				 advice_build(&doctor->machine));
		return;
	}
	findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
			 text_format("DKMS could not build the modules for kernel %s: %s",
				     machine->kernel, reason),
			 text_format("less %s", where));
	free(where);
	free(reason);
}

/* The sum of the sources tells more than the version, where the kernel keeps it. */
static bool is_current(const struct installed *installed, const struct loaded *loaded)
{
	if (installed->srcversion && loaded->srcversion)
		return !strcmp(installed->srcversion, loaded->srcversion);
	return !installed->version || !loaded->version ||
	       !strcmp(installed->version, loaded->version);
}

/** doctor_is_accepted - the running kernel has taken this very file */
bool doctor_is_accepted(const struct doctor *doctor, enum od_module module)
{
	return machine_runs_it(&doctor->machine) && doctor->modules.loaded[module].is_loaded &&
	       is_current(&doctor->modules.installed[module], &doctor->modules.loaded[module]);
}

static void ask_vermagic(struct doctor *doctor, enum od_module module)
{
	const struct installed *installed = &doctor->modules.installed[module];
	const char *release = doctor->machine.kernel;
	const char *vermagic = installed->vermagic ? installed->vermagic : "";
	char *text;

	if (doctor_vermagic(vermagic, release) == VERMAGIC_SAME ||
	    doctor_is_accepted(doctor, module))
		return;
	text = text_format("%s was built for kernel %.*s", installed->path +
			   strlen(doctor->machine.sysroot), (int)strcspn(vermagic, " "), vermagic);
	if (doctor_vermagic(vermagic, release) == VERMAGIC_OTHER)
		findings_problem(&doctor->findings, FINDING_MODULES_BUILT, text,
				 advice_build(&doctor->machine));
	else
		findings_note(&doctor->findings, FINDING_MODULES_BUILT, text,
			      advice_load());
}

static void ask_built(struct doctor *doctor)
{
	int module;

	for (module = MODULE_COUNT; module--;)
		if (!doctor->modules.installed[module].path) {
			ask_missing(doctor, module);
			return;
		}
	findings_ok(&doctor->findings, FINDING_MODULES_BUILT,
		    text_format("both modules are there for kernel %s", doctor->machine.kernel));
	for (module = 0; module < MODULE_COUNT; module++)
		ask_vermagic(doctor, module);
}

static const char *version_of(const struct modules *modules, enum od_module module)
{
	return modules->installed[module].path ? modules->installed[module].version :
						 modules->loaded[module].version;
}

static void ask_version(struct doctor *doctor)
{
	const char *version;
	int module;

	if (!doctor_has_modules(doctor)) {
		findings_wait(&doctor->findings, FINDING_MODULES_VERSION, FINDING_MODULES_BUILT);
		return;
	}
	findings_ok(&doctor->findings, FINDING_MODULES_VERSION,
		    text_copy("the modules and this program are of version " OD_VERSION));
	for (module = 0; module < MODULE_COUNT; module++) {
		version = version_of(&doctor->modules, module);
		if (version && !strcmp(version, OD_VERSION))
			continue;
		findings_problem(&doctor->findings, FINDING_MODULES_VERSION,
				 text_format("%s is of version %s, this program of " OD_VERSION,
					     module_name(module), version ? version : "unknown"),
				 advice_build(&doctor->machine));
	}
}

static void ask_loaded(struct doctor *doctor)
{
	int module;

	if (!machine_runs_it(&doctor->machine)) {
		findings_ok(&doctor->findings, FINDING_MODULES_LOADED,
			    text_format("kernel %s does not run now", doctor->machine.kernel));
		return;
	}
	findings_ok(&doctor->findings, FINDING_MODULES_LOADED,
		    text_copy("both modules are loaded"));
	for (module = MODULE_COUNT; module--;) {
		if (doctor->modules.loaded[module].is_loaded)
			continue;
		if (modules_are_installed(&doctor->modules))
			findings_problem(&doctor->findings, FINDING_MODULES_LOADED,
					 text_format("the module %s is not loaded",
						     module_name(module)), advice_load());
		else
			findings_wait(&doctor->findings, FINDING_MODULES_LOADED,
				      FINDING_MODULES_BUILT);
	}
}

static void ask_current(struct doctor *doctor)
{
	const struct modules *modules = &doctor->modules;
	int module;

	if (!machine_runs_it(&doctor->machine)) {
		findings_ok(&doctor->findings, FINDING_MODULES_CURRENT,
			    text_format("kernel %s does not run now", doctor->machine.kernel));
		return;
	}
	findings_ok(&doctor->findings, FINDING_MODULES_CURRENT,
		    text_copy("no module is loaded that differs from its file"));
	for (module = 0; module < MODULE_COUNT; module++) {
		if (!modules->loaded[module].is_loaded || !modules->installed[module].path ||
		    is_current(&modules->installed[module], &modules->loaded[module]))
			continue;
		findings_problem(&doctor->findings, FINDING_MODULES_CURRENT,
				 text_format("another build of %s is loaded than is installed",
					     module_name(module)), advice_reload(&doctor->machine));
	}
}

void doctor_modules(struct doctor *doctor)
{
	ask_built(doctor);
	ask_version(doctor);
	ask_loaded(doctor);
	ask_current(doctor);
}
