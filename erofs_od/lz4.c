// SPDX-License-Identifier: GPL-2.0-only
/* LZ4 blocks without a frame. */
#include <linux/errno.h>
#include <linux/lz4.h>

#include "decompressor.h"

static int lz4_decompress(void *context, const struct erofs_od_stream *stream)
{
	int n;

	if (stream->partial)
		n = LZ4_decompress_safe_partial(stream->in, stream->out, stream->in_len,
						stream->out_len, stream->out_len);
	else
		n = LZ4_decompress_safe(stream->in, stream->out, stream->in_len, stream->out_len);
	return n == stream->out_len ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_lz4 = {
	.available = od_compat_has_lz4,
	.decompress = lz4_decompress,
};
