/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the source into the cache: gathers data into pieces and writes each once it is complete.
 * The kernel wakes up readers of a range once it is written, so a long response must not be
 * held back until its end. A READ begins with the byte that a reader waits for, so its first
 * piece is small.
 */
#ifndef ODD_FILL_H
#define ODD_FILL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** FILL_PIECE - maximum bytes per write; like those below a multiple of any page size */
#define FILL_PIECE	(256U << 10)
/** FILL_FIRST - bytes of the first write of a range */
#define FILL_FIRST	(16U << 10)
/** FILL_BLOCK - offsets and lengths of all writes are multiples of it, except at the blob's end */
#define FILL_BLOCK	4096U
/** FILL_GROWTH - each write is this many times as long as the previous one */
#define FILL_GROWTH	4U

/**
 * struct fill - one range on its way into the cache
 * @dev: the device
 * @fd: the blob's fd
 * @off: next byte to be written: all before it is in the cache
 * @end: end of the range: nothing is ever written at or after it
 * @buf: %FILL_PIECE bytes
 * @used: bytes of @buf that wait to be written
 * @piece: bytes of the piece being gathered, 0 for the first one
 * @hold: write nothing: @buf is large enough for the whole range, and gets it
 * @progress: gets @off after each write, or NULL
 * @err: errno of a write that failed, negative, or 0
 */
struct fill {
	int dev;
	int fd;
	uint64_t off;
	uint64_t end;
	char *buf;
	size_t used;
	size_t piece;
	bool hold;
	atomic_ullong *progress;
	int err;
};

char *fill_buffer(void);
uint64_t fill_wanted(const struct fill *fill);
char *fill_space(struct fill *fill, size_t *len);
int fill_took(struct fill *fill, size_t len);
int fill_add(struct fill *fill, const void *data, size_t len);
int fill_flush(struct fill *fill);

#endif
