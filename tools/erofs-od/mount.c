// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "command.h"
#include "kernel.h"
#include "log.h"
#include "options.h"

enum option_key {
	KEY_TIMEOUT = 0x100,
};

/**
 * struct arguments - the command line
 * @fsid: name of the image, which is that of its bootstrap blob
 * @dir: where to mount it
 * @type: file system type
 * @domain: share blobs with all images of this domain, or NULL
 * @options: flags, and the other options
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
	{ "device", 'D', "BLOB", 0, "Data blob, in the order of the image's device table; to be "
	  "repeated for each. Without any, the table's own names are used", 0 },
	{ "timeout", KEY_TIMEOUT, "MS", 0, "Fail reads that wait longer for the daemon (default: "
	  "what the module says)", 0 },
	{ "type", 't', "TYPE", 0, "File system type: erofs_od (default) or erofs", 0 },
	{ NULL, 'o', "OPTIONS", 0, "Any other mount options", 0 },
	{ 0 },
};

static void add_option(struct argp_state *state, struct arguments *args, const char *name,
		       const char *value)
{
	int err = options_add(&args->options, name, value);

	if (err == -EINVAL)
		argp_error(state, "'%s' cannot be the value of the mount option %s: it is empty or "
			   "has a comma or a control character", value, name);
	else if (err)
		argp_failure(state, OD_EXIT_FAILED, -err, "mount options");
}

static void add_timeout(struct argp_state *state, struct arguments *args, const char *value)
{
	if (!*value || value[strspn(value, "0123456789")] || strlen(value) > 9)
		argp_error(state, "--timeout: '%s' is not a number of milliseconds", value);
	add_option(state, args, "timeout", value);
}

static void add_position(struct argp_state *state, struct arguments *args, char *text)
{
	switch (state->arg_num) {
	case 0:
		args->fsid = text;
		add_option(state, args, "fsid", text);
		break;
	case 1:
		args->dir = text;
		break;
	default:
		argp_error(state, "'%s' is too much", text);
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
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
			argp_error(state, "--type: '%s' is neither erofs_od nor erofs", text);
		args->type = text;
		break;
	case 'o':
		err = options_add_string(&args->options, text);
		if (err)
			argp_error(state, "-o '%s': %s", text, strerror(-err));
		break;
	case ARGP_KEY_ARG:
		add_position(state, args, text);
		break;
	case ARGP_KEY_END:
		if (!args->dir)
			argp_error(state, args->fsid ? "no DIR is given" : "no FSID is given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "FSID DIR",
	.doc = "Mount the image FSID on DIR. Its data comes when it is first read.",
};

/* One sentence that says what to do about it. */
static void explain(const struct arguments *args, int err)
{
	const char *fsid = args->fsid;

	switch (err) {
	case EPERM:
		log_err("mounting needs root (CAP_SYS_ADMIN)");
		break;
	case ENOENT:
		log_err("the daemon has no blob %s, or one that its image needs is missing", fsid);
		break;
	case EBUSY:
		log_err("%s: mounted already with other options", fsid);
		break;
	case EUCLEAN:
		log_err("%s is no image, or a damaged one; the kernel log has the details", fsid);
		break;
	case EOPNOTSUPP:
		log_err("%s needs a feature that is not supported; the kernel log names it", fsid);
		break;
	case ETIMEDOUT:
		log_err("the daemon did not answer in time for %s", fsid);
		break;
	case EINVAL:
		log_err("%s cannot be mounted so: a wrong option, or no image; the kernel log has "
			"the details", fsid);
		break;
	default:
		log_err("mounting %s on %s: %s", fsid, args->dir, strerror(err));
	}
}

/* Errors that are about the image or the mount itself, whoever serves the cache */
static bool blames_image(int err)
{
	return err == EUCLEAN || err == EOPNOTSUPP || err == EBUSY ||
	       err == EINVAL;
}

/* Tells what is missing, if that is why a mount failed. */
static int missing_part(const struct arguments *args, int err)
{
	if (!kernel_has_type(args->type)) {
		if (!strcmp(args->type, "erofs"))
			log_err("the file system type erofs is not registered; try 'erofs-od dropin "
				"enable --now', or use the type erofs_od");
		else
			log_err("the module erofs_od is not loaded; 'erofs-od doctor' tells why");
		return OD_EXIT_NO_MODULE;
	}
	if (blames_image(err))
		return 0;
	switch (kernel_daemon()) {
	case KERNEL_NO_MODULE:
		log_err("the module cachefiles_od is not loaded; 'erofs-od doctor' tells why");
		return OD_EXIT_NO_MODULE;
	case KERNEL_DAEMON_GONE:
		log_err("no daemon serves the cache; start erofs-odd");
		return OD_EXIT_NO_DAEMON;
	case KERNEL_DAEMON_BOUND:
		break;
	}
	return 0;
}

/* So that a later ENOENT can only be the daemon's. */
static int check_dir(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int mount_image(const struct arguments *args)
{
	unsigned long flags = args->options.flags | MS_RDONLY;
	int err, missing;

	err = check_dir(args->dir);
	if (err) {
		log_err("%s: %s", args->dir, strerror(-err));
		return OD_EXIT_FAILED;
	}
	if (!mount(args->fsid, args->dir, args->type, flags, args->options.data))
		return OD_EXIT_OK;
	err = errno;
	missing = err == EPERM ? 0 : missing_part(args, err);
	if (missing)
		return missing;
	explain(args, err);
	return OD_EXIT_FAILED;
}

int command_mount(int argc, char **argv)
{
	struct arguments args = { .type = "erofs_od" };
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	status = mount_image(&args);
	free(args.options.data);
	return status;
}
