// SPDX-License-Identifier: GPL-2.0-only
/* Raw DEFLATE. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/zlib.h>

#include "decompressor.h"

static size_t deflate_memory(const struct od_zconfig *config)
{
	return zlib_inflate_workspacesize();
}

static void deflate_free(void *context)
{
	struct z_stream_s *z = context;

	kvfree(z->workspace);
	kfree(z);
}

static void *deflate_alloc(const struct od_zconfig *config)
{
	struct z_stream_s *z = kzalloc(sizeof(*z), GFP_KERNEL);

	if (!z)
		return NULL;
	z->workspace = kvmalloc(zlib_inflate_workspacesize(), GFP_KERNEL);
	if (z->workspace)
		return z;
	kfree(z);
	return NULL;
}

static int deflate_decompress(void *context, const struct erofs_od_stream *stream)
{
	struct z_stream_s *z = context;
	int ret;

	if (zlib_inflateInit2(z, -MAX_WBITS) != Z_OK)
		return -EUCLEAN;
	z->next_in = stream->in;
	z->avail_in = stream->in_len;
	z->next_out = stream->out;
	z->avail_out = stream->out_len;
	/* Input and output are complete, so one call does all the work. */
	ret = zlib_inflate(z, Z_SYNC_FLUSH);
	zlib_inflateEnd(z);
	if (z->avail_out)
		return -EUCLEAN;
	return ret == Z_STREAM_END || (ret == Z_OK && stream->partial) ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_deflate = {
	.available = od_compat_has_zlib_inflate,
	.memory = deflate_memory,
	.alloc = deflate_alloc,
	.free = deflate_free,
	.decompress = deflate_decompress,
};
