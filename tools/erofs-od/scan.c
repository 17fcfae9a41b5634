// SPDX-License-Identifier: GPL-2.0-only
#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * scan_data - find the data of a part of a file
 * @fd: the file
 * @start: first byte
 * @end: first byte past the part
 * @found: called for each stretch of data; anything but 0 ends it
 * @arg: for it
 *
 * Return: 0, what @found has returned, or a negative errno
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
		/* Behind its data a file may have become shorter. */
		if (hole <= data)
			return -EIO;
		start = (uint64_t)hole < end ? (uint64_t)hole : end;
		err = found((uint64_t)data, start, arg);
	}
	return err;
}

/* @how needs one run more at most. */
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

/** scan_add - add to runs in memory of malloc(); 0 or -ENOMEM */
int scan_add(struct od_extents *runs, uint64_t from, uint64_t to)
{
	return change(runs, od_extents_add, from, to);
}

/** scan_remove - take from runs in memory of malloc(); 0 or -ENOMEM */
int scan_remove(struct od_extents *runs, uint64_t from, uint64_t to)
{
	return change(runs, od_extents_remove, from, to);
}
