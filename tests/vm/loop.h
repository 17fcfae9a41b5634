/* SPDX-License-Identifier: GPL-2.0-only */
/* Loop devices with direct I/O, shared by several guest programs. */
#ifndef LOOP_H
#define LOOP_H

#include <err.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * Attaches a file, read-only, to a free loop device and opens that: it is detached when the
 * last user closes it. Exits if the kernel falls back to buffered I/O.
 */
static inline int loop_attach(int file, char path[32])
{
	struct loop_config config = {
		.fd = file,
		.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_DIRECT_IO | LO_FLAGS_AUTOCLEAR,
	};
	int control = open("/dev/loop-control", O_RDWR), nr, fd;
	struct loop_info64 info;

	nr = ioctl(control, LOOP_CTL_GET_FREE);
	if (control < 0 || nr < 0)
		err(1, "/dev/loop-control");
	close(control);
	snprintf(path, 32, "/dev/loop%d", nr);
	fd = open(path, O_RDONLY);
	if (fd < 0 || ioctl(fd, LOOP_CONFIGURE, &config) || ioctl(fd, LOOP_GET_STATUS64, &info))
		err(1, "%s", path);
	if (!(info.lo_flags & LO_FLAGS_DIRECT_IO))
		errx(1, "%s: no direct I/O", path);
	return fd;
}

#endif
