// SPDX-License-Identifier: GPL-2.0-only
/* MicroLZMA: LZMA without its header. */
#include <linux/errno.h>
#include <linux/xz.h>

#include "decompressor.h"

static size_t lzma_memory(const struct od_zconfig *config)
{
	return config->lzma_dict;
}

static void *lzma_alloc(const struct od_zconfig *config)
{
	return xz_dec_microlzma_alloc(XZ_PREALLOC, config->lzma_dict);
}

static void lzma_free(void *context)
{
	struct xz_dec_microlzma *lzma = context;

	xz_dec_microlzma_end(lzma);
}

static int lzma_decompress(void *context, const struct erofs_od_stream *stream)
{
	struct xz_dec_microlzma *lzma = context;
	struct xz_buf buf = {
		.in = stream->in,
		.in_size = stream->in_len,
		.out = stream->out,
		.out_size = stream->out_len,
	};
	enum xz_ret ret;

	xz_dec_microlzma_reset(lzma, stream->in_len, stream->out_len, !stream->partial);
	ret = xz_dec_microlzma_run(lzma, &buf);
	if (buf.out_pos != buf.out_size)
		return -EUCLEAN;
	return ret == XZ_STREAM_END || (ret == XZ_OK && stream->partial) ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_lzma = {
	.available = od_compat_has_microlzma,
	.memory = lzma_memory,
	.alloc = lzma_alloc,
	.free = lzma_free,
	.decompress = lzma_decompress,
};
