// SPDX-License-Identifier: GPL-2.0-only
#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * scan_data - find the data in a part of a file
 * @fd: the file
 * @start: first byte
 * @end: byte after the last
 * @found: called for each range of data; anything but 0 stops
 * @arg: passed to @found
 *
 * Return: 0, the result of @found, or a negative errno
 */
int scan_data(int fd, uint64_t start, uint64_t end,
	      int (*found)(uint64_t from, uint64_t to, void *arg), void *arg)
{
	off_t data, hole;
	int err = 0;

	while (!err && start < end) {
		data = lseek(fd, (off_t)start, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		if ((uint64_t)data >= end)
			return 0;
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		/* The file may have been truncated in the meantime. */
		if (hole <= data)
			return -EIO;
		start = (uint64_t)hole < end ? (uint64_t)hole : end;
		err = found((uint64_t)data, start, arg);
	}
	return err;
}

/* @how adds at most one run. */
static int change(struct od_extents *runs, int (*how)(struct od_extents *x, u64 start, u64 end),
		  uint64_t from, uint64_t to)
{
	struct od_range *more;

	while (how(runs, from, to)) {
		more = reallocarray(runs->e, runs->cap * 2 + 16, sizeof(*more));
		if (!more)
			return -ENOMEM;
		runs->e = more;
		runs->cap = runs->cap * 2 + 16;
	}
	return 0;
}

/** scan_add - add a range to runs from malloc(). Return: 0 or -ENOMEM */
int scan_add(struct od_extents *runs, uint64_t from, uint64_t to)
{
	return change(runs, od_extents_add, from, to);
}

/** scan_remove - remove a range from runs from malloc(). Return: 0 or -ENOMEM */
int scan_remove(struct od_extents *runs, uint64_t from, uint64_t to)
{
	return change(runs, od_extents_remove, from, to);
}
