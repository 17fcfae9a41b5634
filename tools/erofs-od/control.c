// SPDX-License-Identifier: GPL-2.0-only
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_from(int dir, int control, const char *text)
{
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (back < 0 || fchdir(dir))
		err = -errno;
	else if (write(control, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno ? -errno : -EIO;
	if (back >= 0) {
		if (fchdir(back) && !err)
			err = -errno;
		close(back);
	}
	return err;
}

/**
 * control_send - send a command about a cache file to the module
 * @proc: path of /proc
 * @dir: fd of the directory of the file
 * @command: "cull", "inuse" or "commit"
 * @name: name of the file
 *
 * Return: 0; -ENOTCONN if no cache is bound; -EOPNOTSUPP if the module accepts no
 * commands; -EBUSY if the file is in use; or another negative errno
 */
int control_send(const char *proc, int dir, const char *command, const char *name)
{
	char path[4096], text[512];
	int control, err;

	snprintf(path, sizeof(path), "%s/fs/cachefiles_od/control", proc);
	snprintf(text, sizeof(text), "%s %s", command, name);
	control = open(path, O_WRONLY | O_CLOEXEC);
	if (control < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	errno = 0;
	err = write_from(dir, control, text);
	close(control);
	return err;
}
