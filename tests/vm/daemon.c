// SPDX-License-Identifier: GPL-2.0-only
/* System calls of the on-demand protocol, see daemon.h. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int daemon_open(const char *path, int flags)
{
	int dev = open(path ? path : CACHEFILES_OD_DEVICE, O_RDWR | O_CLOEXEC | flags);

	return dev < 0 ? -errno : dev;
}

int daemon_command_bytes(int dev, const void *text, size_t len)
{
	ssize_t n = write(dev, text, len);

	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

int daemon_command(int dev, const char *format, ...)
{
	char text[8192];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || len >= (int)sizeof(text))
		return -EMSGSIZE;
	return daemon_command_bytes(dev, text, len);
}

int daemon_bind(int dev, const char *cache)
{
	return daemon_command(dev, "dir %s", cache) ?: daemon_command(dev, "bind ondemand");
}

bool daemon_readable(int dev, int ms)
{
	struct pollfd p = { .fd = dev, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && (p.revents & POLLIN);
}

void daemon_blob_name(const struct message *m, char *name, size_t size)
{
	snprintf(name, size, "%.*s", (int)m->open.cookie_key_size,
		 (const char *)m->open.data + m->open.volume_key_size);
}

ssize_t daemon_copy(int fd, int source, uint64_t off, uint64_t len)
{
	static __thread char buf[CACHEFILES_OD_READ_MAX];
	ssize_t n, filled;

	if (len > sizeof(buf))
		return -EINVAL;
	n = pread(source, buf, len, off);
	if (n < 0)
		return -errno;
	filled = pwrite(fd, buf, n, off);
	if (filled < 0)
		return -errno;
	return filled == n ? n : -EIO;
}

int daemon_complete(int fd, uint32_t msg_id)
{
	return ioctl(fd, CACHEFILES_OD_IOC_READ_COMPLETE, (unsigned long)msg_id) ? -errno : 0;
}
