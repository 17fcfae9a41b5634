// SPDX-License-Identifier: GPL-2.0-only
#include "fill.h"

#include <errno.h>
#include <string.h>

#include "device.h"
#include "stats.h"

/** fill_wanted - bytes that are still to come */
uint64_t fill_wanted(const struct fill *fill)
{
	return fill->end - fill->off - fill->used;
}

static int write_piece(struct fill *fill)
{
	fill->err = device_fill(fill->dev, fill->fd, fill->buf, fill->used, fill->off);
	if (fill->err)
		return fill->err;
	stats.bytes_filled += fill->used;
	fill->off += fill->used;
	fill->used = 0;
	return 0;
}

/**
 * fill_add - take the next bytes of the range
 * @fill: the range
 * @data: bytes
 * @len: how many
 *
 * Return: 0; -EFBIG if they are more than wanted, and then none is written; or
 * the errno of the write
 */
int fill_add(struct fill *fill, const void *data, size_t len)
{
	const char *p = data;
	size_t n;
	int err;

	if (len > fill_wanted(fill))
		return -EFBIG;
	while (len) {
		n = FILL_PIECE - fill->used;
		if (n > len)
			n = len;
		memcpy(fill->buf + fill->used, p, n);
		fill->used += n;
		p += n;
		len -= n;
		if (fill->used < FILL_PIECE && fill_wanted(fill))
			continue;
		err = write_piece(fill);
		if (err)
			return err;
	}
	return 0;
}

/** fill_rewind - forget what was not written; go on at @off with another request */
void fill_rewind(struct fill *fill)
{
	fill->used = 0;
}
