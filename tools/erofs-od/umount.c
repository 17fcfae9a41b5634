// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libmount.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cli.h"
#include "command.h"
#include "log.h"

static const struct argp_option options[] = {
	{ "lazy", 'l', NULL, 0, "Detach now, clean up once it is no longer in use", 0 },
	{ 0 },
};

static error_t parse_option(void *input, int key, char *text, struct argp_state *state)
{
	int *flags = input;

	(void)text;
	(void)state;
	if (key != 'l')
		return ARGP_ERR_UNKNOWN;
	*flags |= MNT_DETACH;
	return 0;
}

static const struct cli cli = {
	.doc = "Unmount the images that are mounted on the DIRs.",
	.options = options,
	.args_doc = "DIR...",
	.required = { "DIR" },
	.max_args = UINT_MAX,
	.parse = parse_option,
};

static bool is_ours(struct libmnt_table *mounts, const char *dir)
{
	struct libmnt_fs *fs = mnt_table_find_target(mounts, dir, MNT_ITER_BACKWARD);
	const char *type = fs ? mnt_fs_get_fstype(fs) : NULL;

	return type && (!strcmp(type, "erofs_od") || !strcmp(type, "erofs"));
}

static const char *why(const char *dir, int err)
{
	struct stat st;

	if (err == -EINVAL && !lstat(dir, &st) && S_ISLNK(st.st_mode))
		return "it is a symbolic link";
	return err == -EBUSY ? "in use" : strerror(-err);
}

static int unmount(const char *dir, int flags)
{
	/* Read again for each directory: unmounting changes it. */
	struct libmnt_table *mounts = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_cache *cache = mnt_new_cache();
	int err = 0;

	if (!mounts || !cache) {
		err = -ENOMEM;
		log_err("failed to read /proc/self/mountinfo");
	} else if (mnt_table_set_cache(mounts, cache) || !is_ours(mounts, dir)) {
		err = -EINVAL;
		log_err("%s: no image is mounted on it", dir);
	} else if (umount2(dir, flags | UMOUNT_NOFOLLOW)) {
		err = -errno;
		log_err("%s: cannot unmount: %s", dir, why(dir, err));
	}
	mnt_unref_table(mounts);
	mnt_unref_cache(cache);
	return err;
}

int command_umount(int argc, char **argv)
{
	int status = OD_EXIT_OK, flags = 0;
	struct cli_values values;
	char **dir;

	cli_parse(&cli, argc, argv, &values, &flags);
	for (dir = values.args; *dir; dir++)
		if (unmount(*dir, flags))
			status = OD_EXIT_FAILED;
	return status;
}
