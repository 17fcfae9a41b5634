// SPDX-License-Identifier: GPL-2.0-only
/* The command: turns drop-in mode on or off, or shows its state. */
#include "dropin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "cli.h"
#include "command.h"
#include "log.h"
#include "text.h"

enum option_key {
	KEY_NOW = 0x100,
};

/**
 * struct job - state of the command
 * @verb: enable, disable or status
 * @now: load and unload modules as needed
 * @host: the host
 * @modules: modules of that host
 * @dropin: state of drop-in mode
 */
struct job {
	const char *verb;
	bool now;
	struct host host;
	struct modules modules;
	struct dropin dropin;
};

static const struct argp_option options[] = {
	{ "now", KEY_NOW, NULL, 0, "Unload and load modules so that it takes effect at once", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct job *job = input;

	(void)text;
	(void)state;
	if (key != KEY_NOW)
		return ARGP_ERR_UNKNOWN;
	job->now = true;
	return 0;
}

static void check(void *input, const struct cli_values *values, struct argp_state *state)
{
	struct job *job = input;

	job->verb = values->args[0];
	if (strcmp(job->verb, "enable") && strcmp(job->verb, "disable") &&
	    strcmp(job->verb, "status"))
		argp_error(state, "invalid argument '%s': neither enable nor disable nor status",
			   job->verb);
	if (job->now && !strcmp(job->verb, "status"))
		argp_error(state, "--now and status exclude each other");
	if (job->now && values->sysroot)
		argp_error(state, "--now and --sysroot exclude each other");
}

static const struct cli cli = {
	.doc = "Drop-in mode: clients that mount type erofs and open /dev/cachefiles get erofs_od "
	       "and cachefiles_od, and the kernel's own modules of these names are not loaded.",
	.shared = CLI_SYSROOT,
	.options = options,
	.args_doc = "enable|disable|status",
	.required = { "enable|disable|status" },
	.parse = parse_option,
	.check = check,
};

static void look(struct job *job)
{
	modules_init(&job->modules, &job->host);
	dropin_read(&job->dropin, &job->host, &job->modules);
}

static void look_again(struct job *job)
{
	dropin_free(&job->dropin);
	modules_free(&job->modules);
	look(job);
}

/* --- obstacles --- */

static int refuse_builtin(struct job *job, const char *name)
{
	if (!module_is_builtin(&job->modules, name))
		return 0;
	log_err("%s is built into this kernel: drop-in mode needs a kernel that has it as a module",
		name);
	return -EBUSY;
}

static int refuse_erofs(struct job *job)
{
	struct loaded stock;
	char *mounts;
	int err = 0;

	loaded_read(&stock, &job->host, "erofs");
	if (stock.is_loaded) {
		mounts = host_type_mounts(&job->host, "erofs");
		if (mounts)
			log_err("stock erofs is mounted on %s: unmount that, then run 'rmmod erofs'",
				mounts);
		else if (stock.users)
			log_err("stock erofs is in use in another mount namespace: see "
				"'lsns -t mnt'");
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

	loaded_read(&stock, &job->host, "cachefiles");
	if (stock.is_loaded && stock.users) {
		openers = host_openers(&job->host, "/dev/" DROPIN_DEVICE, &pid);
		log_err("stock cachefiles is in use%s%s: stop that ('systemctl stop "
			"cachefilesd'), then run 'rmmod cachefiles'", openers ? " by " : "",
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
		log_err(DROPIN_FILE ": not written by erofs-od: move it away");
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

/* --- loaded modules --- */

static int unload(struct job *job, const char *name)
{
	struct loaded loaded;
	char *mounts;
	int err = 0;

	loaded_read(&loaded, &job->host, name);
	if (loaded.is_loaded) {
		err = module_remove(&job->modules, name);
		mounts = err ? host_type_mounts(&job->host, name) : NULL;
		if (err)
			log_err("failed to unload %s: %s%s%s", name, strerror(-err),
				mounts ? ", mounted on " : "", mounts ? mounts : "");
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

	loaded_read(&loaded, &job->host, name);
	if (!loaded.is_loaded) {
		err = module_insert(&job->modules, name);
		if (err)
			log_err("failed to load %s: %s; see the kernel log", name, strerror(-err));
		else
			log_info("loaded %s", name);
	}
	loaded_free(&loaded);
	return err;
}

/* A daemon may have the device open: its module stays unless it has the wrong device name. */
static int activate(struct job *job)
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
	/* The configuration was read before the file was written. */
	look_again(job);
	err = insert(job, "cachefiles_od");
	if (!err)
		err = insert(job, "erofs_od");
	look_again(job);
	if (!err && !dropin_active(&job->dropin)) {
		log_err("drop-in mode is still not active: run 'erofs-od doctor'");
		err = -EIO;
	}
	return err;
}

static void hint_initramfs(const struct job *job)
{
	const char *command = NULL;

	if (host_has(&job->host, "/usr/sbin/update-initramfs"))
		command = "update-initramfs -u";
	else if (host_has(&job->host, "/usr/bin/dracut"))
		command = "dracut -f";
	if (command)
		log_info("the initramfs has a copy of modprobe's configuration: if it loads these "
			 "modules, run '%s'", command);
}

/* --- verbs --- */

static void tell_pending(const struct job *job)
{
	char *command;

	if (dropin_active(&job->dropin)) {
		log_info("drop-in mode is active");
		return;
	}
	if (!job->modules.loaded[MODULE_EROFS_OD].is_loaded)
		command = text_copy("erofs-od dropin enable --now");
	else
		command = advice_reload(&job->host);
	log_info("drop-in mode is not active yet: run '%s'", command);
	free(command);
}

/* Even idle, a loaded module keeps the name. */
static void tell_idle(const struct job *job, const char *name)
{
	struct loaded stock;

	loaded_read(&stock, &job->host, name);
	if (stock.is_loaded)
		log_info("stock %s is still loaded, but not in use: run 'rmmod %s'", name, name);
	loaded_free(&stock);
}

static int write_file(struct job *job)
{
	int err;

	if (job->dropin.file == DROPIN_FILE_OURS) {
		log_info(DROPIN_FILE ": already exists");
		return 0;
	}
	err = dropin_write(&job->host);
	if (err) {
		log_err("failed to write " DROPIN_FILE ": %s", strerror(-err));
		return err;
	}
	log_info("wrote " DROPIN_FILE);
	log_info("while it exists, stock cachefiles is not loaded: NFS and other mounts with the "
		 "option fsc have no cache on disk");
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
		log_err("another file in modprobe.d overrides it; missing: %s", job->dropin.missing);
		return OD_EXIT_FAILED;
	}
	if (job->now)
		return activate(job) ? OD_EXIT_FAILED : OD_EXIT_OK;
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
		log_info(DROPIN_FILE ": does not exist");
		return 0;
	case DROPIN_FILE_FOREIGN:
		log_err(DROPIN_FILE ": not written by erofs-od: not removed");
		return -EEXIST;
	case DROPIN_FILE_OURS:
	case DROPIN_FILE_OLD:
		break;
	}
	err = dropin_remove(&job->host);
	if (err) {
		log_err("failed to remove " DROPIN_FILE ": %s", strerror(-err));
		return err;
	}
	log_info("removed " DROPIN_FILE);
	hint_initramfs(job);
	return 0;
}

static int deactivate(struct job *job)
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
		log_err("another file in modprobe.d has options or aliases of drop-in mode");
		return OD_EXIT_FAILED;
	}
	if (job->dropin.has_type && job->now)
		return deactivate(job) ? OD_EXIT_FAILED : OD_EXIT_OK;
	if (job->dropin.has_type) {
		char *command = advice_reload(&job->host);

		log_info("erofs_od provides type erofs until it is reloaded: run '%s'", command);
		free(command);
	}
	if (job->dropin.has_device)
		log_info("cachefiles_od still has /dev/" DROPIN_DEVICE ": to use stock cachefiles, run "
			 "'modprobe -r erofs_od cachefiles_od'");
	return OD_EXIT_OK;
}

static void print_active(const struct job *job)
{
	const struct dropin *dropin = &job->dropin;

	if (dropin_active(dropin))
		puts("active: yes");
	else if (!job->modules.loaded[MODULE_EROFS_OD].is_loaded)
		puts("active: no (erofs_od is not loaded)");
	else if (!dropin->has_type)
		puts("active: no (erofs_od is loaded without dropin=1)");
	else
		puts("active: no (cachefiles_od is not loaded, or its device has another name)");
}

static int status(struct job *job)
{
	static const char *const where[] = {
		[DROPIN_FILE_NONE]	= "not in " DROPIN_FILE,
		[DROPIN_FILE_OURS]	= DROPIN_FILE,
		[DROPIN_FILE_OLD]	= DROPIN_FILE ", of another version",
		[DROPIN_FILE_FOREIGN]	= DROPIN_FILE ", not written by erofs-od",
	};
	const struct dropin *dropin = &job->dropin;
	bool active = dropin_active(dropin) || (dropin->setup == DROPIN_OFF &&
						    dropin->has_type);

	switch (dropin->setup) {
	case DROPIN_ON:
		printf("configured: yes (%s)\n", where[dropin->file]);
		break;
	case DROPIN_PARTLY:
		printf("configured: in part (missing: %s)\n", dropin->missing);
		break;
	case DROPIN_OFF:
		puts("configured: no");
		break;
	}
	print_active(job);
	if (dropin->setup == DROPIN_PARTLY || (dropin->setup == DROPIN_ON) != active)
		return OD_EXIT_FAILED;
	return OD_EXIT_OK;
}

int command_dropin(int argc, char **argv)
{
	struct cli_values values;
	struct job job = { 0 };
	int result;

	cli_parse(&cli, argc, argv, &values, &job);
	host_init(&job.host, values.sysroot, NULL);
	look(&job);
	if (!strcmp(job.verb, "enable"))
		result = enable(&job);
	else if (!strcmp(job.verb, "disable"))
		result = disable(&job);
	else
		result = status(&job);
	dropin_free(&job.dropin);
	modules_free(&job.modules);
	host_free(&job.host);
	return result;
}
