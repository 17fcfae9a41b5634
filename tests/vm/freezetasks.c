// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezetasks: freeze all tasks as suspend does, and thaw them. Prints "frozen", or the
 * error. Exit status 77: not supported by the kernel.
 *
 * Stock kernels have the interface for user-space hibernation, which can freeze without
 * suspending; debug kernels have pm_test, which ends a suspend after the freezer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/suspend_ioctls.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int by_snapshot(int fd)
{
	int err = ioctl(fd, SNAPSHOT_FREEZE, 0) ? errno : 0;

	if (!err)
		ioctl(fd, SNAPSHOT_UNFREEZE, 0);
	close(fd);
	return err;
}

static int by_suspend(void)
{
	int err = put("/sys/power/state", "freeze");

	put("/sys/power/pm_test", "none");
	return err;
}

int main(void)
{
	int fd = open("/dev/snapshot", O_RDONLY), err;

	if (fd >= 0) {
		err = by_snapshot(fd);
	} else if (!put("/sys/power/pm_test", "freezer")) {
		err = by_suspend();
	} else {
		printf("neither /dev/snapshot nor pm_test\n");
		return 77;
	}
	printf("%s\n", err ? strerror(err) : "frozen");
	return err != 0;
}
