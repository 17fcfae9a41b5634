// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libmount.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "command.h"
#include "log.h"

/**
 * struct arguments - the command line
 * @flags: of umount2(2)
 * @dirs: the folders, with a NULL at the end
 */
struct arguments {
	int flags;
	char **dirs;
};

static const struct argp_option options[] = {
	{ "lazy", 'l', NULL, 0, "Detach now, clean up when nothing uses it any more", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;

	(void)text;
	switch (key) {
	case 'l':
		args->flags |= MNT_DETACH;
		break;
	case ARGP_KEY_ARGS:
		args->dirs = state->argv + state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no DIR is given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.args_doc = "DIR...",
	.doc = "Unmount the images that are mounted on the DIRs.",
};

static bool is_ours(struct libmnt_table *mounts, const char *dir)
{
	struct libmnt_fs *fs = mnt_table_find_target(mounts, dir, MNT_ITER_BACKWARD);
	const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;

	return type && (!strcmp(type, "erofs_od") || !strcmp(type, "erofs"));
}

static int unmount(const struct arguments *args, const char *dir)
{
	/* Read anew for each, since unmounting changes it. */
	struct libmnt_table *mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_cache *cache = mnt_new_cache();
	int err = 0;

	if (!mounts || !cache) {
		err = -ENOMEM;
		log_err("/proc/self/mountinfo cannot be read");
	} else if (mnt_table_set_cache(mounts, cache) || !is_ours(mounts, dir)) {
		err = -EINVAL;
		log_err("%s: no image is mounted here", dir);
	} else if (umount2(dir, args->flags)) {
		err = -errno;
		log_err("%s: %s", dir, err == -EBUSY ? "something still uses it" : strerror(-err));
	}
	mnt_unref_table(mounts);
	mnt_unref_cache(cache);
	return err;
}

int command_umount(int argc, char **argv)
{
	struct arguments args = { 0 };
	int status = OD_EXIT_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	for (; *args.dirs; args.dirs++)
		if (unmount(&args, *args.dirs))
			status = OD_EXIT_FAILED;
	return status;
}
