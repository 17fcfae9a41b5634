// SPDX-License-Identifier: GPL-2.0-only
/* The command: turn drop-in mode on or off, or tell how it stands. */
#include "dropin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "command.h"
#include "log.h"
#include "text.h"

enum option_key {
	KEY_NOW = 0x100,
	KEY_SYSROOT,
};

/**
 * struct job - what to do, and where
 * @verb: enable, disable or status
 * @now: load and unload what it takes
 * @sysroot: folder that stands for /, or NULL
 * @machine: where
 * @modules: of that machine
 * @dropin: how it stands
 */
struct job {
	const char *verb;
	bool now;
	const char *sysroot;
	struct machine machine;
	struct modules modules;
	struct dropin dropin;
};

static const struct argp_option options[] = {
	{ "now", KEY_NOW, NULL, 0, "Unload and load modules so that it is in force at once", 0 },
	{ "sysroot", KEY_SYSROOT, "DIR", 0, "Work on a copy of a machine's files in DIR", 0 },
	{ 0 },
};

static void parse_verb(struct job *job, const char *text, struct argp_state *state)
{
	if (job->verb)
		argp_error(state, "'%s' is too much", text);
	if (strcmp(text, "enable") && strcmp(text, "disable") && strcmp(text, "status"))
		argp_error(state, "'%s' is neither enable nor disable nor status", text);
	job->verb = text;
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct job *job = state->input;

	switch (key) {
	case KEY_NOW:
		job->now = true;
		break;
	case KEY_SYSROOT:
		job->sysroot = text;
		break;
	case ARGP_KEY_ARG:
		parse_verb(job, text, state);
		break;
	case ARGP_KEY_END:
		if (!job->verb)
			argp_error(state, "neither enable nor disable nor status is given");
		if (job->now && !strcmp(job->verb, "status"))
			argp_error(state, "--now makes no sense with status");
		if (job->now && job->sysroot)
			argp_error(state, "--now is for this machine, not for a copy of one");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "enable|disable|status",
	.doc = "Drop-in mode: clients that mount the type erofs and open /dev/cachefiles get "
	       "erofs_od and cachefiles_od, and the kernel's own modules of these names are not "
	       "loaded.",
};

static void look(struct job *job)
{
	modules_init(&job->modules, &job->machine);
	dropin_read(&job->dropin, &job->machine, &job->modules);
}

static void look_again(struct job *job)
{
	dropin_free(&job->dropin);
	modules_free(&job->modules);
	look(job);
}

/* --- what stands in the way --- */

static int refuse_builtin(struct job *job, const char *name)
{
	if (!module_is_builtin(&job->modules, name))
		return 0;
	log_err("%s is a part of this kernel, and cannot be kept out: drop-in mode needs a kernel "
		"that has it as a module", name);
	return -EBUSY;
}

static int refuse_erofs(struct job *job)
{
	struct loaded stock;
	char *mounts;
	int err = 0;

	loaded_read(&stock, &job->machine, "erofs");
	if (stock.is_loaded) {
		mounts = machine_type_mounts(&job->machine, "erofs");
		if (mounts)
			log_err("the kernel's own erofs is mounted on %s; unmount that, then "
				"'rmmod erofs'", mounts);
		else if (stock.users)
			log_err("the kernel's own erofs is in use, in a mount that cannot be seen "
				"from here; 'lsns -t mnt' lists where to look");
		err = mounts || stock.users ? -EBUSY : 0;
		free(mounts);
	}
	loaded_free(&stock);
	return err;
}

static int refuse_cachefiles(struct job *job)
{
	struct loaded stock;
	char *openers;
	int err = 0, pid;

	loaded_read(&stock, &job->machine, "cachefiles");
	if (stock.is_loaded && stock.users) {
		openers = machine_openers(&job->machine, "/dev/" DROPIN_DEVICE, &pid);
		log_err("the kernel's own cachefiles is in use%s%s; end that ('systemctl stop "
			"cachefilesd'), then 'rmmod cachefiles'", openers ? " by " : "",
			openers ? openers : "");
		free(openers);
		err = -EBUSY;
	}
	loaded_free(&stock);
	return err;
}

static int refuse(struct job *job)
{
	static const char *const names[] = { "erofs", "cachefiles" };
	size_t i;
	int err;

	if (job->dropin.file == DROPIN_FILE_FOREIGN) {
		log_err(DROPIN_FILE " was not written by this program; move it away");
		return -EEXIST;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		err = refuse_builtin(job, names[i]);
		if (err)
			return err;
	}
	err = refuse_erofs(job);
	return err ? err : refuse_cachefiles(job);
}

/* --- what is loaded now --- */

static int unload(struct job *job, const char *name)
{
	struct loaded loaded;
	char *mounts;
	int err = 0;

	loaded_read(&loaded, &job->machine, name);
	if (loaded.is_loaded) {
		err = module_remove(&job->modules, name);
		mounts = err ? machine_type_mounts(&job->machine, name) : NULL;
		if (err)
			log_err("%s cannot be unloaded: %s%s%s", name, strerror(-err),
				mounts ? ", it is mounted on " : "", mounts ? mounts : "");
		else
			log_info("unloaded %s", name);
		free(mounts);
	}
	loaded_free(&loaded);
	return err;
}

static int insert(struct job *job, const char *name)
{
	struct loaded loaded;
	int err = 0;

	loaded_read(&loaded, &job->machine, name);
	if (!loaded.is_loaded) {
		err = module_insert(&job->modules, name);
		if (err)
			log_err("%s cannot be loaded: %s; the kernel log may say more", name,
				strerror(-err));
		else
			log_info("loaded %s", name);
	}
	loaded_free(&loaded);
	return err;
}

/* A daemon may hold the device: its module stays, unless that has the wrong name. */
static int bring_into_force(struct job *job)
{
	int err = unload(job, "erofs");

	if (!err)
		err = unload(job, "cachefiles");
	if (!err && !job->dropin.has_type)
		err = unload(job, "erofs_od");
	if (!err && !job->dropin.has_device)
		err = unload(job, "cachefiles_od");
	if (err)
		return err;
	/* Whatever was read of modprobe's configuration is older than the file. */
	look_again(job);
	err = insert(job, "cachefiles_od");
	if (!err)
		err = insert(job, "erofs_od");
	look_again(job);
	if (!err && !dropin_in_force(&job->dropin)) {
		log_err("drop-in mode is not in force all the same; 'erofs-od doctor' may tell why");
		err = -EIO;
	}
	return err;
}

static void hint_initramfs(const struct job *job)
{
	const char *command = NULL;

	if (machine_has(&job->machine, "/usr/sbin/update-initramfs"))
		command = "update-initramfs -u";
	else if (machine_has(&job->machine, "/usr/bin/dracut"))
		command = "dracut -f";
	if (command)
		log_info("the initramfs has a copy of modprobe's configuration; if modules are "
			 "loaded from there: '%s'", command);
}

/* --- the three verbs --- */

static void tell_pending(const struct job *job)
{
	char *command;

	if (dropin_in_force(&job->dropin)) {
		log_info("drop-in mode is in force");
		return;
	}
	if (!job->modules.loaded[MODULE_EROFS_OD].is_loaded)
		command = text_copy("erofs-od dropin enable --now");
	else
		command = advice_reload(&job->machine);
	log_info("drop-in mode is not in force yet; what it takes: '%s'", command);
	free(command);
}

/* One that is loaded and idle keeps the name until it is unloaded. */
static void tell_idle(const struct job *job, const char *name)
{
	struct loaded stock;

	loaded_read(&stock, &job->machine, name);
	if (stock.is_loaded)
		log_info("the kernel's own %s is still loaded, though nothing uses it: 'rmmod %s'",
			 name, name);
	loaded_free(&stock);
}

static int write_file(struct job *job)
{
	int err;

	if (job->dropin.file == DROPIN_FILE_OURS) {
		log_info(DROPIN_FILE " is there already");
		return 0;
	}
	err = dropin_write(&job->machine);
	if (err) {
		log_err(DROPIN_FILE " cannot be written: %s", strerror(-err));
		return err;
	}
	log_info("wrote " DROPIN_FILE);
	log_info("as long as it is there, mounts of NFS and others with the option fsc go without "
		 "a cache on disk: the kernel's own cachefiles is not loaded");
	hint_initramfs(job);
	return 0;
}

static int enable(struct job *job)
{
	int err = refuse(job);

	if (!err)
		err = write_file(job);
	if (err)
		return OD_EXIT_FAILED;
	look_again(job);
	if (job->dropin.setup != DROPIN_ON) {
		log_err("another file of modprobe.d stands against it; what lacks: %s",
			job->dropin.lacks);
		return OD_EXIT_FAILED;
	}
	if (job->now)
		return bring_into_force(job) ? OD_EXIT_FAILED : OD_EXIT_OK;
	tell_idle(job, "erofs");
	tell_idle(job, "cachefiles");
	tell_pending(job);
	return OD_EXIT_OK;
}

static int remove_file(struct job *job)
{
	int err;

	switch (job->dropin.file) {
	case DROPIN_FILE_NONE:
		log_info("there is no " DROPIN_FILE);
		return 0;
	case DROPIN_FILE_FOREIGN:
		log_err(DROPIN_FILE " was not written by this program, and is left alone");
		return -EEXIST;
	case DROPIN_FILE_OURS:
	case DROPIN_FILE_OLD:
		break;
	}
	err = dropin_remove(&job->machine);
	if (err) {
		log_err(DROPIN_FILE " cannot be removed: %s", strerror(-err));
		return err;
	}
	log_info("removed " DROPIN_FILE);
	hint_initramfs(job);
	return 0;
}

static int end_force(struct job *job)
{
	int err = unload(job, "erofs_od");

	if (err)
		return err;
	look_again(job);
	return insert(job, "erofs_od");
}

static int disable(struct job *job)
{
	if (remove_file(job))
		return OD_EXIT_FAILED;
	look_again(job);
	if (job->dropin.setup != DROPIN_OFF) {
		log_err("another file of modprobe.d still has options or aliases of drop-in mode");
		return OD_EXIT_FAILED;
	}
	if (job->dropin.has_type && job->now)
		return end_force(job) ? OD_EXIT_FAILED : OD_EXIT_OK;
	if (job->dropin.has_type) {
		char *command = advice_reload(&job->machine);

		log_info("erofs_od is loaded, and is the type erofs until it is loaded again: '%s'",
			 command);
		free(command);
	}
	if (job->dropin.has_device)
		log_info("cachefiles_od is loaded, and has /dev/" DROPIN_DEVICE " as it always "
			 "does: the kernel's own cachefiles needs 'modprobe -r erofs_od "
			 "cachefiles_od' first");
	return OD_EXIT_OK;
}

static void print_force(const struct job *job)
{
	const struct dropin *dropin = &job->dropin;

	if (dropin_in_force(dropin))
		puts("in force: yes");
	else if (!job->modules.loaded[MODULE_EROFS_OD].is_loaded)
		puts("in force: no (erofs_od is not loaded)");
	else if (!dropin->has_type)
		puts("in force: no (erofs_od is loaded without it)");
	else
		puts("in force: no (cachefiles_od is not loaded, or its device has another name)");
}

static int status(struct job *job)
{
	static const char *const where[] = {
		[DROPIN_FILE_NONE]	= "elsewhere than in " DROPIN_FILE,
		[DROPIN_FILE_OURS]	= DROPIN_FILE,
		[DROPIN_FILE_OLD]	= DROPIN_FILE ", in another version",
		[DROPIN_FILE_FOREIGN]	= DROPIN_FILE ", by hand",
	};
	const struct dropin *dropin = &job->dropin;
	bool in_force = dropin_in_force(dropin) || (dropin->setup == DROPIN_OFF &&
						    dropin->has_type);

	switch (dropin->setup) {
	case DROPIN_ON:
		printf("configured: yes (%s)\n", where[dropin->file]);
		break;
	case DROPIN_PARTLY:
		printf("configured: in part (what lacks: %s)\n", dropin->lacks);
		break;
	case DROPIN_OFF:
		puts("configured: no");
		break;
	}
	print_force(job);
	if (dropin->setup == DROPIN_PARTLY || (dropin->setup == DROPIN_ON) != in_force)
		return OD_EXIT_FAILED;
	return OD_EXIT_OK;
}

int command_dropin(int argc, char **argv)
{
	struct job job = { 0 };
	int result;

	argp_parse(&argp, argc, argv, 0, NULL, &job);
	machine_init(&job.machine, job.sysroot, NULL);
	look(&job);
	if (!strcmp(job.verb, "enable"))
		result = enable(&job);
	else if (!strcmp(job.verb, "disable"))
		result = disable(&job);
	else
		result = status(&job);
	dropin_free(&job.dropin);
	modules_free(&job.modules);
	machine_free(&job.machine);
	return result;
}
