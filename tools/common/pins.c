// SPDX-License-Identifier: GPL-2.0-only
#include "pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyname.h"

#define PINS	"pins"

/**
 * pins_open - open the directory of pins
 * @root: directory of the cache
 * @make: create it if it is missing
 *
 * Return: an fd or a negative errno, -ENOENT if there are no pins
 */
int pins_open(int root, bool make)
{
	int pins;

	if (make && mkdirat(root, PINS, 0700) && errno != EEXIST)
		return -errno;
	if (make && fsync(root))
		return -errno;
	pins = openat(root, PINS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return pins < 0 ? -errno : pins;
}

/** pins_has - whether the blob of a cache file is pinned; false if @pins is negative */
bool pins_has(int pins, const char *file)
{
	struct stat st;

	return pins >= 0 && !fstatat(pins, file, &st, AT_SYMLINK_NOFOLLOW);
}

static int file_name(const char *blob, char name[static NAME_MAX + 1])
{
	int len = od_key_file_name((const u8 *)blob, strlen(blob), name);

	return len < 0 ? len : 0;
}

/** pins_add - pin a blob, durably once this returns 0; or a negative errno */
int pins_add(int pins, const char *blob)
{
	char name[NAME_MAX + 1];
	int fd, err = file_name(blob, name);

	if (err)
		return err;
	fd = openat(pins, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = fsync(fd) || fsync(pins) ? -errno : 0;
	close(fd);
	return err;
}

/**
 * pins_remove - unpin a blob. Return: 0; -ENOENT if the blob was not pinned; or a negative errno
 */
int pins_remove(int pins, const char *blob)
{
	char name[NAME_MAX + 1];
	int err = file_name(blob, name);

	if (err)
		return err;
	return unlinkat(pins, name, 0) || fsync(pins) ? -errno : 0;
}

/**
 * pins_each - visit all pinned blobs, in no particular order
 * @pins: the directory of pins
 * @visit: called for each; anything but 0 stops
 * @arg: passed to @visit
 *
 * Return: the result of the last visit, or a negative errno
 */
int pins_each(int pins, int (*visit)(const char *blob, void *arg), void *arg)
{
	int again = openat(pins, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);
	char blob[OD_KEY_MAX + 1];
	struct dirent *entry;
	int err = 0;

	if (!list) {
		err = -errno;
		if (again >= 0)
			close(again);
		return err;
	}
	while (!err && (errno = 0, entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.' && !key_of_file_name(entry->d_name, blob))
			err = visit(blob, arg);
	if (!err)
		err = -errno;
	closedir(list);
	return err;
}
