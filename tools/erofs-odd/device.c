// SPDX-License-Identifier: GPL-2.0-only
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/cachefiles_od.h>

int device_open(const char *path, int fd)
{
	if (fd < 0)
		fd = open(path, O_RDWR | O_CLOEXEC);
	else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		fd = -1;
	return fd < 0 ? -errno : fd;
}

ssize_t device_receive(int dev, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(dev, buf, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

int device_command(int dev, const char *command)
{
	size_t len = strlen(command);
	ssize_t n;

	do {
		n = write(dev, command, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int device_fill(int dev, int blob_fd, const void *buf, size_t len, uint64_t off)
{
	const char *p = buf;
	ssize_t n;

	(void)dev;
	while (len) {
		n = pwrite(blob_fd, p, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		off += (size_t)n;
		len -= (size_t)n;
	}
	return 0;
}

int device_complete(int dev, int blob_fd, uint32_t msg_id)
{
	(void)dev;
	return ioctl(blob_fd, CACHEFILES_OD_IOC_READ_COMPLETE, (unsigned long)msg_id) < 0 ?
		-errno : 0;
}

void device_close_blob(int dev, int blob_fd)
{
	(void)dev;
	close(blob_fd);
}
