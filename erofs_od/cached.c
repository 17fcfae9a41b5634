// SPDX-License-Identifier: GPL-2.0-only
/* Blobs read through the cache: od/cache.h as a backend. */
#include "internal.h"

#include <linux/err.h>

static int cached_open(struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob)
{
	blob->cookie = cachefiles_od_acquire_cookie(blob->domain->volume, blob->name,
						    strlen(blob->name), blob->timeout_ms);
	return PTR_ERR_OR_ZERO(blob->cookie);
}

static int cached_wait(struct erofs_od_blob *blob)
{
	int err = cachefiles_od_wait_for_cookie(blob->cookie);

	if (!err)
		blob->size = cachefiles_od_cookie_size(blob->cookie);
	return err;
}

static void cached_close(struct erofs_od_blob *blob)
{
	cachefiles_od_relinquish_cookie(blob->cookie);
}

static bool cached_begin(struct erofs_od_blob *blob)
{
	return cachefiles_od_begin_operation(blob->cookie);
}

static void cached_end(struct erofs_od_blob *blob)
{
	cachefiles_od_end_operation(blob->cookie);
}

static void cached_read(struct erofs_od_blob *blob, struct cachefiles_od_read *read)
{
	cachefiles_od_read(read);
}

static void cached_cancel(struct erofs_od_blob *blob, const void *owner)
{
	cachefiles_od_cancel_reads(blob->cookie, owner);
}

static bool cached_is_filled(const struct erofs_od_blob *blob)
{
	return cachefiles_od_is_filled(blob->cookie);
}

static bool cached_is_present(const struct erofs_od_blob *blob, u64 start, u64 len)
{
	return cachefiles_od_is_present(blob->cookie, start, len);
}

static bool cached_is_wide(const struct erofs_od_blob *blob)
{
	return cachefiles_od_is_wide(blob->cookie);
}

const struct erofs_od_backend erofs_od_cached_backend = {
	.open = cached_open,
	.wait = cached_wait,
	.close = cached_close,
	.begin = cached_begin,
	.end = cached_end,
	.read = cached_read,
	.cancel = cached_cancel,
	.is_filled = cached_is_filled,
	.is_present = cached_is_present,
	.is_wide = cached_is_wide,
};
