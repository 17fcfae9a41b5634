// SPDX-License-Identifier: GPL-2.0-only
/* The device and its daemon, and the kernel's own modules of the same names. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "advice.h"
#include "table.h"
#include "text.h"

static void check_stock_cachefiles(struct doctor *doctor)
{
	enum finding_id id = FINDING_STOCK_CACHEFILES;
	struct loaded stock;

	loaded_read(&stock, &doctor->host, "cachefiles");
	if (stock.is_loaded && doctor->modules.loaded[MODULE_CACHEFILES_OD].is_loaded)
		findings_ok(&doctor->findings, id,
			    text_copy("stock cachefiles is loaded, with another device name"));
	else if (doctor->modules.loaded[MODULE_CACHEFILES_OD].is_loaded)
		findings_ok(&doctor->findings, id,
			    text_copy("cachefiles_od has its device name"));
	else if (module_is_builtin(&doctor->modules, "cachefiles"))
		findings_problem(&doctor->findings, id,
				 text_copy("cachefiles is built into this kernel, and has "
					   "/dev/" DROPIN_DEVICE),
				 text_copy("modprobe cachefiles_od devname=cachefiles_od"));
	else if (!stock.is_loaded)
		findings_ok(&doctor->findings, id, text_copy("stock cachefiles is not loaded"));
	else
		findings_problem(&doctor->findings, id,
				 text_format("stock cachefiles is loaded%s, and has "
					     "/dev/" DROPIN_DEVICE, stock.users ? " and in use" : ""),
				 text_format("%srmmod cachefiles", stock.users ?
					     "systemctl disable --now cachefilesd && " : ""));
	loaded_free(&stock);
}

/* Why drop-in mode is configured but not active, if the kernel's own erofs is the reason. */
static bool find_stock_erofs(struct doctor *doctor)
{
	enum finding_id id = FINDING_DROPIN;
	struct loaded stock;
	char *mounts;

	if (module_is_builtin(&doctor->modules, "erofs")) {
		findings_problem(&doctor->findings, id,
				 text_copy("drop-in mode is configured, but erofs is built into this "
					   "kernel"), text_copy("erofs-od dropin disable"));
		return true;
	}
	loaded_read(&stock, &doctor->host, "erofs");
	if (stock.is_loaded) {
		mounts = host_type_mounts(&doctor->host, "erofs");
		findings_problem(&doctor->findings, id,
				 text_format("drop-in mode is configured, but stock erofs is "
					     "loaded%s%s", mounts ? " and mounted on " : "",
					     mounts ? mounts : ""),
				 text_format("%serofs-od dropin enable --now",
					     mounts ? "umount -a -t erofs && " : ""));
		free(mounts);
	}
	loaded_free(&stock);
	return findings_state(&doctor->findings, id) == FINDING_PROBLEM;
}

static void check_dropin(struct doctor *doctor)
{
	const struct dropin *dropin = &doctor->dropin;
	enum finding_id id = FINDING_DROPIN;

	if (dropin->setup == DROPIN_PARTLY)
		findings_problem(&doctor->findings, id,
				 text_format("drop-in mode is configured in part; missing: %s",
					     dropin->missing), text_copy("erofs-od dropin enable"));
	else if (dropin->setup == DROPIN_ON && dropin_active(dropin))
		findings_ok(&doctor->findings, id,
			    text_copy("drop-in mode is configured and active"));
	else if (dropin->setup == DROPIN_ON && !host_runs_kernel(&doctor->host))
		findings_ok(&doctor->findings, id, text_copy("drop-in mode is configured"));
	else if (dropin->setup == DROPIN_ON && !find_stock_erofs(doctor))
		findings_problem(&doctor->findings, id,
				 text_copy("drop-in mode is configured, but not active"),
				 text_copy("erofs-od dropin enable --now"));
	else if (dropin->setup == DROPIN_OFF && dropin->has_type)
		findings_note(&doctor->findings, id,
			      text_copy("drop-in mode is active, but not configured: it ends when "
					"the module is reloaded"),
			      text_copy("erofs-od dropin enable"));
	else if (dropin->setup == DROPIN_OFF)
		findings_ok(&doctor->findings, id, text_copy("drop-in mode is not configured"));
}

/** doctor_stock - the kernel's own modules, and drop-in mode, which replaces them */
void doctor_stock(struct doctor *doctor)
{
	check_stock_cachefiles(doctor);
	check_dropin(doctor);
}

/* The minor number in /proc/misc, or -1. */
static int misc_minor(const struct host *host, const char *name)
{
	char *text = host_read(host, "/proc/misc"), *rest = text, *line;
	int result = -1, minor, used;

	while (result < 0 && (line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%d %n", &minor, &used) == 1 && !strcmp(line + used, name))
			result = minor;
	free(text);
	return result;
}

/* A copy of a host may have a regular file in its place. */
static bool is_other_device(const struct host *host, const char *name, int minor)
{
	char *path = host_path(host, "/dev/%s", name);
	struct stat st;
	bool other = !stat(path, &st) && S_ISCHR(st.st_mode) &&
		     st.st_rdev != makedev(10, (unsigned int)minor);

	free(path);
	return other;
}

static void check_node(struct doctor *doctor, const char *name)
{
	int minor = misc_minor(&doctor->host, name);
	enum finding_id id = FINDING_DEVICE;

	if (minor < 0)
		findings_problem(&doctor->findings, id,
				 text_format("the kernel has no device %s", name),
				 advice_reload(&doctor->host));
	else if (!host_has(&doctor->host, "/dev/%s", name))
		findings_problem(&doctor->findings, id,
				 text_format("/dev/%s does not exist, though the module is loaded",
					     name),
				 text_format("mknod -m 600 /dev/%s c 10 %d", name, minor));
	else if (is_other_device(&doctor->host, name, minor))
		findings_problem(&doctor->findings, id,
				 text_format("/dev/%s is not the device of cachefiles_od", name),
				 text_format("rm /dev/%s && mknod -m 600 /dev/%s c 10 %d", name,
					     name, minor));
	else
		findings_ok(&doctor->findings, id,
			    text_format("/dev/%s is the device of cachefiles_od", name));
}

/* "bound", "gone", "none"; NULL without the module. Free it. */
static char *daemon_state(const struct doctor *doctor)
{
	char *path = host_path(&doctor->host, "/proc/fs/cachefiles_od/cache");
	char *state = NULL;
	struct table cache;

	if (!table_load(&cache, path))
		state = text_copy(table_find(&cache, "daemon"));
	table_free(&cache);
	free(path);
	return state;
}

/* Only one process can have the device open. Only root sees what others have open. */
static void check_opener(struct doctor *doctor, const char *name)
{
	char *device = text_format("/dev/%s", name), *state = daemon_state(doctor);
	enum finding_id id = FINDING_DEVICE;
	int pid = 0;
	char *openers = host_openers(&doctor->host, device, &pid);

	if (openers && state && !strcmp(state, "bound"))
		findings_ok(&doctor->findings, id,
			    text_format("%s is open in %s", device, openers));
	else if (openers)
		findings_problem(&doctor->findings, id,
				 text_format("%s is open in %s, which serves no images", device,
					     openers), text_format("kill %d", pid));
	free(openers);
	free(state);
	free(device);
}

/** doctor_device - the device of cachefiles_od */
void doctor_device(struct doctor *doctor)
{
	char *name = dropin_device_name(&doctor->host, &doctor->modules);

	if (findings_state(&doctor->findings, FINDING_STOCK_CACHEFILES) == FINDING_PROBLEM)
		findings_skip(&doctor->findings, FINDING_DEVICE, FINDING_STOCK_CACHEFILES);
	else if (!doctor->modules.loaded[MODULE_CACHEFILES_OD].is_loaded)
		findings_skip(&doctor->findings, FINDING_DEVICE, FINDING_MODULES_LOADED);
	else
		check_node(doctor, name);
	if (findings_state(&doctor->findings, FINDING_DEVICE) == FINDING_OK)
		check_opener(doctor, name);
	free(name);
}

/** doctor_daemon - does a daemon serve the cache? */
void doctor_daemon(struct doctor *doctor)
{
	char *state = daemon_state(doctor);
	enum finding_id id = FINDING_DAEMON;

	if (!state)
		findings_skip(&doctor->findings, id, FINDING_MODULES_LOADED);
	else if (!strcmp(state, "bound"))
		findings_ok(&doctor->findings, id,
			    text_format("a daemon serves the cache in %s", doctor->cache));
	else if (!strcmp(state, "gone"))
		findings_problem(&doctor->findings, id,
				 text_copy("the daemon has exited: only cached data can be read"),
				 advice_serve(&doctor->host, doctor->cache));
	else
		findings_problem(&doctor->findings, id,
				 text_copy("no daemon serves the cache: no image can be mounted"),
				 advice_serve(&doctor->host, doctor->cache));
	free(state);
}
