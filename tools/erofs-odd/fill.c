// SPDX-License-Identifier: GPL-2.0-only
#include "fill.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "stats.h"

/**
 * fill_buffer - allocate %FILL_PIECE bytes
 *
 * Aligned: the kernel's former on-demand mode writes from this memory by direct I/O.
 *
 * Return: what to pass to free(), or NULL
 */
char *fill_buffer(void)
{
	return aligned_alloc(FILL_BLOCK, FILL_PIECE);
}

/** fill_wanted - bytes still to come */
uint64_t fill_wanted(const struct fill *fill)
{
	return fill->end - fill->off - fill->used;
}

static size_t piece_size(const struct fill *fill)
{
	if (fill->hold)
		return (size_t)(fill->end - fill->off);
	return fill->piece ? fill->piece : FILL_FIRST;
}

static int write_out(struct fill *fill, size_t len)
{
	fill->err = device_fill(fill->dev, fill->fd, fill->buf, len, fill->off);
	if (fill->err)
		return fill->err;
	stats.bytes_filled += len;
	fill->off += len;
	fill->used -= len;
	if (fill->progress)
		atomic_store(fill->progress, fill->off);
	return 0;
}

static int write_piece(struct fill *fill)
{
	bool first = !fill->piece;
	size_t next = piece_size(fill) * FILL_GROWTH;
	int err = write_out(fill, fill->used);

	if (err)
		return err;
	fill->piece = next < FILL_PIECE ? next : FILL_PIECE;
	/* The reader that waits for these bytes continues before the rest arrives. */
	if (first)
		sched_yield();
	return 0;
}

/**
 * fill_space - get the buffer for the next bytes of a range
 * @fill: the range
 * @len: set to the bytes that fit; 0 if the range is complete
 *
 * Return: a pointer into @fill->buf; call fill_took() with the bytes stored there
 */
char *fill_space(struct fill *fill, size_t *len)
{
	uint64_t wanted = fill_wanted(fill);
	size_t room = piece_size(fill) - fill->used;

	*len = wanted < room ? (size_t)wanted : room;
	return fill->buf + fill->used;
}

/**
 * fill_took - bytes were put into fill_space()
 * @fill: the range
 * @len: number of bytes
 *
 * Return: 0 or the errno of a write
 */
int fill_took(struct fill *fill, size_t len)
{
	fill->used += len;
	if (fill->hold)
		return 0;
	stats_first_byte();
	if (fill->used < piece_size(fill) && fill_wanted(fill))
		return 0;
	return write_piece(fill);
}

/**
 * fill_add - take the next bytes of the range
 * @fill: the range
 * @data: bytes
 * @len: number of bytes
 *
 * Return: 0; -EFBIG if they exceed the range, and none is written; or the errno of the write
 */
int fill_add(struct fill *fill, const void *data, size_t len)
{
	const char *p = data;
	char *space;
	size_t n;
	int err;

	if (len > fill_wanted(fill))
		return -EFBIG;
	for (; len; p += n, len -= n) {
		space = fill_space(fill, &n);
		if (n > len)
			n = len;
		memcpy(space, p, n);
		err = fill_took(fill, n);
		if (err)
			return err;
	}
	return 0;
}

/**
 * fill_flush - write what was gathered, as the rest may take long
 * @fill: the range
 *
 * Less than %FILL_BLOCK bytes stay in @fill->buf: the rest of the range is still missing from
 * @fill->off + @fill->used on.
 *
 * Return: 0 or the errno of the write
 */
int fill_flush(struct fill *fill)
{
	size_t len = fill->hold ? 0 : fill->used - fill->used % FILL_BLOCK;
	int err = len ? write_out(fill, len) : 0;

	if (!err && len)
		memmove(fill->buf, fill->buf + len, fill->used);
	return err;
}
