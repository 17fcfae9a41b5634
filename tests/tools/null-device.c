// SPDX-License-Identifier: GPL-2.0-only
/* A device for unit tests of the daemon that only accepts writes to real fds. */
#include <errno.h>
#include <unistd.h>

#include "device.h"

int device_open(const char *path, int fd)
{
	(void)path;
	return fd;
}

ssize_t device_receive(int dev, void *buf, size_t size)
{
	(void)dev, (void)buf, (void)size;
	return 0;
}

int device_command(int dev, const char *command)
{
	(void)dev, (void)command;
	return 0;
}

int device_fill(int dev, int blob_fd, const void *buf, size_t len, uint64_t off)
{
	(void)dev;
	return pwrite(blob_fd, buf, len, (off_t)off) == (ssize_t)len ? 0 : -errno;
}

int device_complete(int dev, int blob_fd, uint32_t msg_id)
{
	(void)dev, (void)blob_fd, (void)msg_id;
	return 0;
}

void device_close_blob(int dev, int blob_fd)
{
	(void)dev;
	close(blob_fd);
}
