/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the source into the cache: gathers what arrives into pieces and writes
 * each as soon as it is whole. The kernel wakes readers of a range once that
 * range is there, so a long answer must not be kept back until its end.
 */
#ifndef ODD_FILL_H
#define ODD_FILL_H

#include <stddef.h>
#include <stdint.h>

/** FILL_PIECE - bytes per write, but for the last one; a multiple of any page size */
#define FILL_PIECE	(256U << 10)

/**
 * struct fill - one range on its way into the cache
 * @dev: the device
 * @fd: the blob's fd
 * @off: next byte to be written: all before it is in the cache
 * @end: end of the range: nothing is ever written at or after it
 * @buf: %FILL_PIECE bytes
 * @used: bytes of @buf that wait to be written
 * @err: errno of a write that failed, negative, or 0
 */
struct fill {
	int dev;
	int fd;
	uint64_t off;
	uint64_t end;
	char *buf;
	size_t used;
	int err;
};

uint64_t fill_wanted(const struct fill *fill);
int fill_add(struct fill *fill, const void *data, size_t len);
void fill_rewind(struct fill *fill);

#endif
