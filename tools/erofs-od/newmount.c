// SPDX-License-Identifier: GPL-2.0-only
#include "newmount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

/* <sys/mount.h> and <linux/mount.h> cannot both be included with every libc. */
#ifndef MS_RDONLY
#define MS_RDONLY	1
#define MS_NOSUID	2
#define MS_NODEV	4
#define MS_NOEXEC	8
#define MS_NOATIME	1024
#define MS_NODIRATIME	2048
#define MS_SILENT	(1UL << 15)
#define MS_RELATIME	(1UL << 21)
#define MS_STRICTATIME	(1UL << 24)
#endif

static const struct {
	unsigned long flag;
	unsigned int attr;
} attrs[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID },
	{ MS_NODEV, MOUNT_ATTR_NODEV },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ MS_NOATIME, MOUNT_ATTR_NOATIME },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	{ MS_STRICTATIME, MOUNT_ATTR_STRICTATIME },
	{ MS_RELATIME, 0 },
	{ MS_SILENT, 0 },
};

/* False if there is a flag that fsmount(2) does not know. */
static bool to_attrs(unsigned long flags, unsigned int *attr)
{
	size_t i;

	*attr = 0;
	for (i = 0; i < sizeof(attrs) / sizeof(*attrs); i++) {
		if (flags & attrs[i].flag)
			*attr |= attrs[i].attr;
		flags &= ~attrs[i].flag;
	}
	return !flags;
}

static int configure(int fs, unsigned int command, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, command, key, value, 0) ? -errno : 0;
}

/* Sets "NAME=VALUE" or "NAME"; modifies @option. */
static int set_option(int fs, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return configure(fs, FSCONFIG_SET_FLAG, option, NULL);
	*value++ = '\0';
	return configure(fs, FSCONFIG_SET_STRING, option, value);
}

static int set_options(int fs, const char *data)
{
	char *copy = text_copy(data), *rest = copy, *option;
	int err = 0;

	while (!err && (option = strsep(&rest, ",")) != NULL)
		if (*option)
			err = set_option(fs, option);
	free(copy);
	return err;
}

/* The kernel reports messages here instead of its log: "e TEXT" for an error. */
static void show_messages(int fs)
{
	char line[1024];
	ssize_t n;

	while ((n = read(fs, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == 'e' && line[1] == ' ')
			log_err("%s", line + 2);
	}
}

static int create(int fs, const char *source, const struct mount_options *options)
{
	int err = configure(fs, FSCONFIG_SET_STRING, "source", source);

	if (!err)
		err = configure(fs, FSCONFIG_SET_FLAG, "ro", NULL);
	if (!err && options->data)
		err = set_options(fs, options->data);
	if (!err)
		err = configure(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (err)
		show_messages(fs);
	return err;
}

static int attach(int fs, const char *dir, unsigned int attr)
{
	int mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr), err;

	if (mnt < 0)
		return -errno;
	err = syscall(SYS_move_mount, mnt, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH) ? -errno : 0;
	close(mnt);
	return err;
}

/**
 * newmount - mount a read-only file system
 * @source: source as shown in /proc/mounts
 * @dir: mount point
 * @type: of the file system
 * @options: as for mount(2), without its limit of one page
 *
 * Return: 0; -ENOSYS if the kernel or a seccomp filter lacks these calls, or if they do not
 * support a flag; or a negative errno as from mount(2)
 */
int newmount(const char *source, const char *dir, const char *type,
	     const struct mount_options *options)
{
	unsigned int attr;
	int fs, err;

	if (!to_attrs(options->flags, &attr))
		return -ENOSYS;
	fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	/* A filter may allow only mount(2); without the right to mount, that fails, too. */
	if (fs < 0)
		return errno == EPERM ? -ENOSYS : -errno;
	err = create(fs, source, options);
	if (!err)
		err = attach(fs, dir, attr | MOUNT_ATTR_RDONLY);
	close(fs);
	return err;
}
