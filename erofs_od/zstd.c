// SPDX-License-Identifier: GPL-2.0-only
/* ZSTD: a single frame. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/zstd.h>

#include "decompressor.h"

/**
 * struct zstd_context - decompressor context
 * @window: largest window
 * @size: bytes in @space
 * @space: workspace
 */
struct zstd_context {
	size_t window;
	size_t size;
	void *space;
};

static size_t zstd_memory(const struct od_zconfig *config)
{
	return zstd_dstream_workspace_bound(config->zstd_window);
}

static void zstd_free(void *context)
{
	struct zstd_context *zstd = context;

	kvfree(zstd->space);
	kfree(zstd);
}

static void *zstd_alloc(const struct od_zconfig *config)
{
	struct zstd_context *zstd = kzalloc(sizeof(*zstd), GFP_KERNEL);

	if (!zstd)
		return NULL;
	zstd->window = config->zstd_window;
	zstd->size = zstd_dstream_workspace_bound(zstd->window);
	zstd->space = kvmalloc(zstd->size, GFP_KERNEL);
	if (zstd->space)
		return zstd;
	kfree(zstd);
	return NULL;
}

static int zstd_decompress(void *context, const struct erofs_od_stream *stream)
{
	struct zstd_context *zstd = context;
	zstd_dstream *z = zstd_init_dstream(zstd->window, zstd->space, zstd->size);
	zstd_out_buffer out = { .dst = stream->out, .size = stream->out_len };
	zstd_in_buffer in = { .src = stream->in, .size = stream->in_len };
	size_t before, ret = 1;

	if (!z)
		return -EUCLEAN;
	do {
		before = out.pos + in.pos;
		ret = zstd_decompress_stream(z, &out, &in);
		if (zstd_is_error(ret))
			return -EUCLEAN;
		/* 0 marks the end of the frame, which may take one more call than the output. */
	} while (ret && out.pos + in.pos != before && !(stream->partial && out.pos == out.size));
	if (out.pos != out.size)
		return -EUCLEAN;
	return !ret || stream->partial ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_zstd = {
	.available = od_compat_has_zstd,
	.memory = zstd_memory,
	.alloc = zstd_alloc,
	.free = zstd_free,
	.decompress = zstd_decompress,
};
