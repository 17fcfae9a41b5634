// SPDX-License-Identifier: GPL-2.0-only
/* Both modules: built for this kernel and of this version, loaded, not outdated. */
#include "doctor.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "text.h"

/**
 * doctor_vermagic - does the file of a module fit a kernel?
 * @vermagic: of the module; its first word is the release it was built for
 * @release: of the kernel
 *
 * A kernel with symbol versions ignores the release: vendors keep modules across
 * kernel updates that way.
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

/* Lines with "***" only repeat that there was an error. */
static bool is_better(const char *line, const char *than)
{
	if (!than)
		return true;
	if (strstr(than, "erofs-od:"))
		return strstr(line, "erofs-od:");
	return !strstr(line, "***") || strstr(than, "***");
}

/**
 * doctor_log_reason - find out why DKMS failed to build
 * @log: its make.log
 * @release: of the kernel; a log about another one is ignored
 *
 * Return: the most informative line, or NULL if there is none; free it
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

/* From the log of the newest version that has one about this kernel; @where gets its path. */
static char *dkms_reason(const struct host *host, char **where)
{
	char *pattern = host_path(host, "/var/lib/dkms/erofs-od/*/build/make.log");
	char *reason = NULL, *log;
	glob_t found;
	size_t i;

	if (!glob(pattern, 0, NULL, &found)) {
		for (i = found.gl_pathc; i-- && !reason;) {
			log = text_read(found.gl_pathv[i]);
			reason = log ? doctor_log_reason(log, host->kernel) : NULL;
			if (reason)
				*where = text_copy(found.gl_pathv[i] + strlen(host->sysroot));
			free(log);
		}
		globfree(&found);
	}
	free(pattern);
	return reason;
}

/* The file exists, but depmod has not seen it. */
static bool is_not_indexed(struct doctor *doctor, enum od_module module)
{
	char *path = module_stray(&doctor->host, module_name(module));

	if (!path)
		return false;
	findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
			 text_format("%s is not in the index of modprobe",
				     path + strlen(doctor->host.sysroot)),
			 text_format("depmod -a %s", doctor->host.kernel));
	free(path);
	return true;
}

/** doctor_has_modules - both are installed or loaded for this kernel */
bool doctor_has_modules(const struct doctor *doctor)
{
	return modules_are_installed(&doctor->modules) ||
	       (host_runs_kernel(&doctor->host) && modules_are_loaded(&doctor->modules));
}

static void check_missing(struct doctor *doctor, enum od_module module)
{
	const struct host *host = &doctor->host;
	char *reason, *where;

	if (is_not_indexed(doctor, module))
		return;
	reason = dkms_reason(host, &where);
	if (doctor_has_modules(doctor) && !reason) {
		findings_note(&doctor->findings, FINDING_MODULES_BUILT,
			      text_copy("both modules are loaded, but not installed: the next boot "
					"will not find them"), advice_build(host));
		return;
	}
	if (!reason) {
		findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
				 text_format("module %s is not installed for kernel %s",
					     module_name(module), host->kernel),
				 advice_build(&doctor->host));
		return;
	}
	findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
			 text_format("DKMS failed to build the modules for kernel %s: %s",
				     host->kernel, reason),
			 text_format("less %s", where));
	free(where);
	free(reason);
}

/* srcversion, where the kernel keeps it, identifies a build better than the version. */
static bool is_current(const struct installed *installed, const struct loaded *loaded)
{
	if (installed->srcversion && loaded->srcversion)
		return !strcmp(installed->srcversion, loaded->srcversion);
	return !installed->version || !loaded->version ||
	       !strcmp(installed->version, loaded->version);
}

/** doctor_is_accepted - the running kernel has loaded this file */
bool doctor_is_accepted(const struct doctor *doctor, enum od_module module)
{
	return host_runs_kernel(&doctor->host) && doctor->modules.loaded[module].is_loaded &&
	       is_current(&doctor->modules.installed[module], &doctor->modules.loaded[module]);
}

static void check_vermagic(struct doctor *doctor, enum od_module module)
{
	const struct installed *installed = &doctor->modules.installed[module];
	const char *release = doctor->host.kernel;
	const char *vermagic = installed->vermagic ? installed->vermagic : "";
	char *text;

	if (doctor_vermagic(vermagic, release) == VERMAGIC_SAME ||
	    doctor_is_accepted(doctor, module))
		return;
	text = text_format("%s was built for kernel %.*s", installed->path +
			   strlen(doctor->host.sysroot), (int)strcspn(vermagic, " "), vermagic);
	if (doctor_vermagic(vermagic, release) == VERMAGIC_OTHER)
		findings_problem(&doctor->findings, FINDING_MODULES_BUILT, text,
				 advice_build(&doctor->host));
	else
		findings_note(&doctor->findings, FINDING_MODULES_BUILT, text,
			      advice_load());
}

static const char *version_of(const struct modules *modules, enum od_module module)
{
	return modules->installed[module].path ? modules->installed[module].version :
						 modules->loaded[module].version;
}

/* Other combinations of versions may work, but are not tested. */
static void check_version(struct doctor *doctor, enum od_module module)
{
	const char *version = version_of(&doctor->modules, module);

	if (version && !strcmp(version, OD_VERSION))
		return;
	findings_problem(&doctor->findings, FINDING_MODULES_BUILT,
			 text_format("%s is version %s, the tools are version " OD_VERSION,
				     module_name(module), version ? version : "unknown"),
			 advice_build(&doctor->host));
}

/* Return: the module whose file is missing, or MODULE_COUNT */
static enum od_module missing_module(const struct modules *modules)
{
	if (!modules->installed[MODULE_EROFS_OD].path)
		return MODULE_EROFS_OD;
	return modules->installed[MODULE_CACHEFILES_OD].path ? MODULE_COUNT : MODULE_CACHEFILES_OD;
}

static void check_built(struct doctor *doctor)
{
	enum od_module missing = missing_module(&doctor->modules);
	int module;

	if (missing != MODULE_COUNT) {
		check_missing(doctor, missing);
	} else {
		findings_ok(&doctor->findings, FINDING_MODULES_BUILT,
			    text_format("both modules are installed for kernel %s, version "
					OD_VERSION, doctor->host.kernel));
		for (module = 0; module < MODULE_COUNT; module++)
			check_vermagic(doctor, module);
	}
	if (findings_state(&doctor->findings, FINDING_MODULES_BUILT) == FINDING_PROBLEM ||
	    !doctor_has_modules(doctor))
		return;
	for (module = 0; module < MODULE_COUNT; module++)
		check_version(doctor, module);
}

static void check_loaded(struct doctor *doctor)
{
	int module;

	if (!host_runs_kernel(&doctor->host)) {
		findings_ok(&doctor->findings, FINDING_MODULES_LOADED,
			    text_format("kernel %s is not running", doctor->host.kernel));
		return;
	}
	findings_ok(&doctor->findings, FINDING_MODULES_LOADED,
		    text_copy("both modules are loaded"));
	for (module = MODULE_COUNT; module--;) {
		if (doctor->modules.loaded[module].is_loaded)
			continue;
		if (modules_are_installed(&doctor->modules))
			findings_problem(&doctor->findings, FINDING_MODULES_LOADED,
					 text_format("module %s is not loaded",
						     module_name(module)), advice_load());
		else
			findings_skip(&doctor->findings, FINDING_MODULES_LOADED,
				      FINDING_MODULES_BUILT);
	}
}

static void check_current(struct doctor *doctor)
{
	const struct modules *modules = &doctor->modules;
	int module;

	if (!host_runs_kernel(&doctor->host)) {
		findings_ok(&doctor->findings, FINDING_MODULES_CURRENT,
			    text_format("kernel %s is not running", doctor->host.kernel));
		return;
	}
	findings_ok(&doctor->findings, FINDING_MODULES_CURRENT,
		    text_copy("the loaded modules are the installed ones"));
	for (module = 0; module < MODULE_COUNT; module++) {
		if (!modules->loaded[module].is_loaded || !modules->installed[module].path ||
		    is_current(&modules->installed[module], &modules->loaded[module]))
			continue;
		findings_problem(&doctor->findings, FINDING_MODULES_CURRENT,
				 text_format("the loaded %s is not the installed build",
					     module_name(module)), advice_reload(&doctor->host));
	}
}

void doctor_modules(struct doctor *doctor)
{
	check_built(doctor);
	check_loaded(doctor);
	check_current(doctor);
}
