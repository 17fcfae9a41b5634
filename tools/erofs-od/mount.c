// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "kernel.h"
#include "log.h"
#include "newmount.h"
#include "options.h"

enum option_key {
	KEY_TIMEOUT = 0x100,
};

/**
 * struct arguments - the command line
 * @fsid: name of the image, which is that of its bootstrap blob
 * @dir: where to mount it
 * @type: file system type
 * @domain: domain whose blobs it shares, or NULL
 * @options: flags, and all other options
 */
struct arguments {
	const char *fsid;
	const char *dir;
	const char *type;
	const char *domain;
	struct mount_options options;
};

static const struct argp_option options[] = {
	{ "domain", 'd', "NAME", 0, "Share blobs with the other images of this domain", 0 },
	{ "device", 'D', "BLOB", 0, "Data blob; repeat in the order of the image's device table "
	  "(default: the names in that table)", 0 },
	{ "timeout", KEY_TIMEOUT, "MS|none", 0, "Fail reads that wait longer for the daemon "
	  "(default: the module's parameters)", 0 },
	{ "type", 't', "TYPE", 0, "File system type: erofs_od (default) or erofs", 0 },
	{ NULL, 'o', "OPTIONS", 0, "Other mount options", 0 },
	{ 0 },
};

static void add_option(struct argp_state *state, struct arguments *args, const char *name,
		       const char *value)
{
	int err = options_add(&args->options, name, value);

	if (err == -EINVAL)
		argp_error(state, "invalid value '%s' of mount option %s: empty, or contains a comma "
			   "or control character", value, name);
	else if (err)
		argp_failure(state, OD_EXIT_FAILED, -err, "mount options");
}

static void add_timeout(struct argp_state *state, struct arguments *args, const char *value)
{
	if (strcmp(value, "none") &&
	    (!*value || value[strspn(value, "0123456789")] || strlen(value) > 9))
		argp_error(state, "invalid --timeout '%s': neither milliseconds nor 'none'", value);
	add_option(state, args, "timeout", value);
}

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	struct arguments *args = input;
	int err;

	switch (key) {
	case 'd':
		args->domain = text;
		add_option(state, args, "domain_id", text);
		break;
	case 'D':
		add_option(state, args, "device", text);
		break;
	case KEY_TIMEOUT:
		add_timeout(state, args, text);
		break;
	case 't':
		if (strcmp(text, "erofs_od") && strcmp(text, "erofs"))
			argp_error(state, "invalid --type '%s': neither erofs_od nor erofs", text);
		args->type = text;
		break;
	case 'o':
		err = options_add_string(&args->options, text);
		if (err)
			argp_error(state, "invalid -o '%s': %s", text, strerror(-err));
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void check(void *input, const struct cli_values *values, struct argp_state *state)
{
	struct arguments *args = input;

	args->fsid = values->args[0];
	args->dir = values->args[1];
	add_option(state, args, "fsid", args->fsid);
}

static const struct cli cli = {
	.doc = "Mount the image FSID on DIR. Data is fetched when it is first read.",
	.options = options,
	.args_doc = "FSID DIR",
	.required = { "FSID", "DIR" },
	.parse = parse_option,
	.check = check,
};

/* Suggests a remedy as far as the errno allows. */
static void explain(const struct arguments *args, int err)
{
	const char *fsid = args->fsid;

	switch (err) {
	case EPERM:
		log_err("%s: cannot mount: root (CAP_SYS_ADMIN) is required", fsid);
		break;
	case ENOENT:
		log_err("%s: cannot mount: the daemon does not have this blob, or one that the image "
			"refers to", fsid);
		break;
	case EBUSY:
		log_err("%s: already mounted with other options", fsid);
		break;
	case EUCLEAN:
		log_err("%s: cannot mount: not an EROFS image, or corrupt; see the kernel log", fsid);
		break;
	case EOPNOTSUPP:
		log_err("%s: cannot mount: unsupported feature; see the kernel log", fsid);
		break;
	case ETIMEDOUT:
		log_err("%s: cannot mount: no reply from the daemon in time", fsid);
		break;
	case EINVAL:
		log_err("%s: cannot mount: invalid option or image; see the kernel log", fsid);
		break;
	default:
		log_err("%s: cannot mount on %s: %s", fsid, args->dir, strerror(err));
	}
}

/* True for errors about the image or the mount itself, regardless of the daemon. */
static bool blames_image(int err)
{
	return err == EUCLEAN || err == EOPNOTSUPP || err == EBUSY ||
	       err == EINVAL;
}

/* Reports a missing module or daemon if that is why a mount failed. Return: exit status or 0 */
static int missing_part(const struct arguments *args, int err)
{
	if (!kernel_has_type(args->type)) {
		if (!strcmp(args->type, "erofs"))
			log_err("file system type erofs is not registered: run 'erofs-od dropin "
				"enable --now', or use type erofs_od");
		else
			log_err("module erofs_od is not loaded: run 'erofs-od doctor'");
		return OD_EXIT_NO_MODULE;
	}
	if (blames_image(err))
		return 0;
	switch (kernel_daemon()) {
	case KERNEL_NO_MODULE:
		log_err("module cachefiles_od is not loaded: run 'erofs-od doctor'");
		return OD_EXIT_NO_MODULE;
	case KERNEL_DAEMON_GONE:
		log_err("no daemon serves the cache: start erofs-odd");
		return OD_EXIT_NO_DAEMON;
	case KERNEL_DAEMON_BOUND:
		break;
	}
	return 0;
}

/* Checked first, so that ENOENT from mount(2) can only come from the daemon. */
static int check_dir(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* Returns a positive errno, or 0. */
static int do_mount(const struct arguments *args)
{
	const char *data = args->options.data;
	int err = newmount(args->fsid, args->dir, args->type, &args->options);

	if (err != -ENOSYS)
		return -err;
	/* mount(2) copies at most one page, including the NUL. */
	if (data && strlen(data) >= (size_t)sysconf(_SC_PAGESIZE))
		return E2BIG;
	return mount(args->fsid, args->dir, args->type, args->options.flags | MS_RDONLY, data) ?
		errno : 0;
}

static int mount_image(const struct arguments *args)
{
	int err, missing;

	err = check_dir(args->dir);
	if (err) {
		log_err("%s: %s", args->dir, strerror(-err));
		return OD_EXIT_FAILED;
	}
	err = do_mount(args);
	if (!err)
		return OD_EXIT_OK;
	missing = err == EPERM ? 0 : missing_part(args, err);
	if (missing)
		return missing;
	explain(args, err);
	return OD_EXIT_FAILED;
}

int command_mount(int argc, char **argv)
{
	struct arguments args = { .type = "erofs_od" };
	struct cli_values values;
	int status;

	cli_parse(&cli, argc, argv, &values, &args);
	status = mount_image(&args);
	free(args.options.data);
	return status;
}
