// SPDX-License-Identifier: GPL-2.0-only
/* DEFLATE without a header. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/zlib.h>

#include "decompressor.h"

static size_t erofs_od_deflate_memory(const struct od_zconfig *config)
{
	return zlib_inflate_workspacesize();
}

static void erofs_od_deflate_free(void *context)
{
	struct z_stream_s *z = context;

	kvfree(z->workspace);
	kfree(z);
}

static void *erofs_od_deflate_alloc(const struct od_zconfig *config)
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

static int erofs_od_deflate_decompress(void *context, const struct erofs_od_stream *stream)
{
	struct z_stream_s *z = context;
	int ret;

	if (zlib_inflateInit2(z, -MAX_WBITS) != Z_OK)
		return -EUCLEAN;
	z->next_in = stream->in;
	z->avail_in = stream->in_len;
	z->next_out = stream->out;
	z->avail_out = stream->out_len;
	/* All of both is at hand: whatever one call does not do, no other one will. */
	ret = zlib_inflate(z, Z_SYNC_FLUSH);
	zlib_inflateEnd(z);
	if (z->avail_out)
		return -EUCLEAN;
	return ret == Z_STREAM_END || (ret == Z_OK && stream->partial) ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_deflate = {
	.available = od_compat_has_zlib_inflate,
	.memory = erofs_od_deflate_memory,
	.alloc = erofs_od_deflate_alloc,
	.free = erofs_od_deflate_free,
	.decompress = erofs_od_deflate_decompress,
};
