// SPDX-License-Identifier: GPL-2.0-only
/* ZSTD: one frame. */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/zstd.h>

#include "decompressor.h"

/**
 * struct erofs_od_zstd - a context
 * @window: largest window
 * @size: bytes of @space
 * @space: what ZSTD works in
 */
struct erofs_od_zstd {
	size_t window;
	size_t size;
	void *space;
};

static size_t erofs_od_zstd_memory(const struct od_zconfig *config)
{
	return zstd_dstream_workspace_bound(config->zstd_window);
}

static void erofs_od_zstd_free(void *context)
{
	struct erofs_od_zstd *zstd = context;

	kvfree(zstd->space);
	kfree(zstd);
}

static void *erofs_od_zstd_alloc(const struct od_zconfig *config)
{
	struct erofs_od_zstd *zstd = kzalloc(sizeof(*zstd), GFP_KERNEL);

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

static int erofs_od_zstd_decompress(void *context, const struct erofs_od_stream *stream)
{
	struct erofs_od_zstd *zstd = context;
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
		/* 0: the frame has ended. It may take a call more than the output does. */
	} while (ret && out.pos + in.pos != before && !(stream->partial && out.pos == out.size));
	if (out.pos != out.size)
		return -EUCLEAN;
	return !ret || stream->partial ? 0 : -EUCLEAN;
}

const struct erofs_od_decompressor erofs_od_zstd = {
	.available = od_compat_has_zstd,
	.memory = erofs_od_zstd_memory,
	.alloc = erofs_od_zstd_alloc,
	.free = erofs_od_zstd_free,
	.decompress = erofs_od_zstd_decompress,
};
