// SPDX-License-Identifier: GPL-2.0-only
/* The device, who has it, and what the kernel's own modules do beside these. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "advice.h"
#include "table.h"
#include "text.h"

static void ask_stock_cachefiles(struct doctor *doctor)
{
	enum finding_id id = FINDING_STOCK_CACHEFILES;
	struct loaded stock;

	loaded_read(&stock, &doctor->machine, "cachefiles");
	if (module_is_builtin(&doctor->modules, "cachefiles"))
		findings_problem(&doctor->findings, id,
				 text_copy("cachefiles is a part of this kernel, and has "
					   "/dev/" DROPIN_DEVICE),
				 text_copy("modprobe cachefiles_od devname=cachefiles_od"));
	else if (!stock.is_loaded)
		findings_ok(&doctor->findings, id,
			    text_copy("the kernel's own cachefiles is not loaded"));
	else if (doctor->modules.loaded[MODULE_CACHEFILES_OD].is_loaded)
		findings_ok(&doctor->findings, id, text_copy("the kernel's own cachefiles is "
				"loaded, beside a device of another name"));
	else if (stock.users)
		findings_problem(&doctor->findings, id,
				 text_copy("the kernel's own cachefiles is loaded, in use, and has "
					   "/dev/" DROPIN_DEVICE),
				 text_copy("systemctl disable --now cachefilesd && "
					   "rmmod cachefiles"));
	else
		findings_problem(&doctor->findings, id,
				 text_copy("the kernel's own cachefiles is loaded, and has "
					   "/dev/" DROPIN_DEVICE), text_copy("rmmod cachefiles"));
	loaded_free(&stock);
}

static void ask_stock_erofs(struct doctor *doctor)
{
	bool builtin = module_is_builtin(&doctor->modules, "erofs");
	enum finding_id id = FINDING_STOCK_EROFS;
	struct loaded stock;
	char *mounts = NULL;

	loaded_read(&stock, &doctor->machine, "erofs");
	if (stock.is_loaded || builtin)
		mounts = machine_type_mounts(&doctor->machine, "erofs");
	if (!stock.is_loaded && !builtin)
		findings_ok(&doctor->findings, id,
			    text_copy("the kernel's own erofs is not loaded"));
	else if (doctor->dropin.setup == DROPIN_OFF)
		findings_ok(&doctor->findings, id, text_copy("the kernel's own erofs is there, "
				"which matters in drop-in mode only"));
	else if (builtin)
		findings_problem(&doctor->findings, id,
				 text_copy("erofs is a part of this kernel: drop-in mode cannot "
					   "work"), text_copy("erofs-od dropin disable"));
	else if (mounts)
		findings_problem(&doctor->findings, id, text_format("the kernel's own erofs is "
				"loaded in spite of drop-in mode, and mounted on %s", mounts),
				 text_copy("umount -a -t erofs && rmmod erofs"));
	else
		findings_problem(&doctor->findings, id, text_copy("the kernel's own erofs is "
				"loaded in spite of drop-in mode"), text_copy("rmmod erofs"));
	free(mounts);
	loaded_free(&stock);
}

static void ask_dropin(struct doctor *doctor)
{
	const struct dropin *dropin = &doctor->dropin;
	bool in_force = dropin_in_force(dropin);
	enum finding_id id = FINDING_DROPIN;

	if (dropin->setup == DROPIN_PARTLY)
		findings_problem(&doctor->findings, id,
				 text_format("drop-in mode is configured in part; what lacks: %s",
					     dropin->lacks), text_copy("erofs-od dropin enable"));
	else if (dropin->setup == DROPIN_ON && in_force)
		findings_ok(&doctor->findings, id,
			    text_copy("drop-in mode is configured and in force"));
	else if (dropin->setup == DROPIN_ON && !machine_runs_it(&doctor->machine))
		findings_ok(&doctor->findings, id, text_copy("drop-in mode is configured"));
	else if (dropin->setup == DROPIN_ON)
		findings_problem(&doctor->findings, id,
				 text_copy("drop-in mode is configured, and not in force"),
				 text_copy("erofs-od dropin enable --now"));
	else if (dropin->has_type)
		findings_note(&doctor->findings, id,
			      text_copy("drop-in mode is in force, and not configured: it ends "
					"when the module is loaded again"),
			      text_copy("erofs-od dropin enable"));
	else
		findings_ok(&doctor->findings, id, text_copy("drop-in mode is not configured"));
}

/** doctor_stock - the kernel's own modules, and drop-in mode, which is at odds with them */
void doctor_stock(struct doctor *doctor)
{
	ask_stock_cachefiles(doctor);
	ask_stock_erofs(doctor);
	ask_dropin(doctor);
}

/* The number that /proc/misc has for a name, or -1. */
static int misc_minor(const struct machine *machine, const char *name)
{
	char *text = machine_read(machine, "/proc/misc"), *rest = text, *line;
	int result = -1, minor, used;

	while (result < 0 && (line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%d %n", &minor, &used) == 1 && !strcmp(line + used, name))
			result = minor;
	free(text);
	return result;
}

/* In a copy of a machine there may be a plain file in its place. */
static bool is_stale(const struct machine *machine, const char *name, int minor)
{
	char *path = machine_path(machine, "/dev/%s", name);
	struct stat st;
	bool stale = !stat(path, &st) && S_ISCHR(st.st_mode) &&
		     st.st_rdev != makedev(10, (unsigned int)minor);

	free(path);
	return stale;
}

static void judge_device(struct doctor *doctor, const char *name)
{
	int minor = misc_minor(&doctor->machine, name);
	enum finding_id id = FINDING_DEVICE;

	if (minor < 0)
		findings_problem(&doctor->findings, id,
				 text_format("the kernel has no device %s", name),
				 advice_reload(&doctor->machine));
	else if (!machine_has(&doctor->machine, "/dev/%s", name))
		findings_problem(&doctor->findings, id,
				 text_format("there is no /dev/%s, though the module is loaded",
					     name),
				 text_format("mknod -m 600 /dev/%s c 10 %d", name, minor));
	else if (is_stale(&doctor->machine, name, minor))
		findings_problem(&doctor->findings, id,
				 text_format("/dev/%s is not the module's device", name),
				 text_format("rm /dev/%s && mknod -m 600 /dev/%s c 10 %d", name,
					     name, minor));
	else
		findings_ok(&doctor->findings, id,
			    text_format("/dev/%s is cachefiles_od's", name));
}

static void ask_device(struct doctor *doctor, const char *name)
{
	if (doctor->modules.loaded[MODULE_CACHEFILES_OD].is_loaded)
		judge_device(doctor, name);
	else if (findings_state(&doctor->findings, FINDING_STOCK_CACHEFILES) == FINDING_PROBLEM)
		findings_wait(&doctor->findings, FINDING_DEVICE, FINDING_STOCK_CACHEFILES);
	else
		findings_wait(&doctor->findings, FINDING_DEVICE, FINDING_MODULES_LOADED);
}

/* "bound", "gone", "none"; NULL without the module. Free it. */
static char *daemon_state(const struct doctor *doctor)
{
	char *path = machine_path(&doctor->machine, "/proc/fs/cachefiles_od/cache");
	char *state = NULL;
	struct table cache;

	if (!table_load(&cache, path))
		state = text_copy(table_find(&cache, "daemon"));
	table_free(&cache);
	free(path);
	return state;
}

/* Others' processes keep to themselves what they have open. */
static bool sees_all(const struct machine *machine)
{
	return !machine_is_here(machine) || !geteuid();
}

static void ask_device_user(struct doctor *doctor, const char *name, const char *state)
{
	bool bound = state && !strcmp(state, "bound");
	char *device = text_format("/dev/%s", name);
	int pid = 0;
	char *openers = machine_openers(&doctor->machine, device, &pid);
	enum finding_id id = FINDING_DEVICE_USER;

	if (findings_state(&doctor->findings, FINDING_DEVICE) != FINDING_OK && !openers)
		findings_wait(&doctor->findings, id, FINDING_DEVICE);
	else if (!openers && (bound || !sees_all(&doctor->machine)))
		findings_note(&doctor->findings, id,
			      text_format("who has %s open cannot be seen", device),
			      advice_root());
	else if (!openers)
		findings_ok(&doctor->findings, id, text_format("nobody has %s open", device));
	else if (bound)
		findings_ok(&doctor->findings, id,
			    text_format("%s has %s open", openers, device));
	else
		findings_problem(&doctor->findings, id,
				 text_format("%s has %s open, and serves no images: nobody else "
					     "can", openers, device),
				 text_format("kill %d", pid));
	free(openers);
	free(device);
}

/** doctor_device - the device of cachefiles_od */
void doctor_device(struct doctor *doctor)
{
	char *name = dropin_device_name(&doctor->machine, &doctor->modules);
	char *state = daemon_state(doctor);

	ask_device(doctor, name);
	ask_device_user(doctor, name, state);
	free(state);
	free(name);
}

/** doctor_daemon - is there one? */
void doctor_daemon(struct doctor *doctor)
{
	char *state = daemon_state(doctor);
	enum finding_id id = FINDING_DAEMON;

	if (!state)
		findings_wait(&doctor->findings, id, FINDING_MODULES_LOADED);
	else if (!strcmp(state, "bound"))
		findings_ok(&doctor->findings, id,
			    text_format("a daemon serves the cache in %s", doctor->cache));
	else if (!strcmp(state, "gone"))
		findings_problem(&doctor->findings, id,
				 text_copy("the daemon is gone: only what is in the cache can be "
					   "read"), advice_serve(&doctor->machine, doctor->cache));
	else
		findings_problem(&doctor->findings, id,
				 text_copy("no daemon serves the cache: no image can be mounted"),
				 advice_serve(&doctor->machine, doctor->cache));
	free(state);
}
