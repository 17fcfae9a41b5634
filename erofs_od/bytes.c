// SPDX-License-Identifier: GPL-2.0-only
/* Bytes of directories, links and the packed inode, in memory. */
#include "internal.h"

#include <linux/highmem.h>
#include <linux/ratelimit.h>

/* Compressed ones are in no page cache: they are decompressed for each that asks. */
static int erofs_od_bytes_decompress(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
				     size_t len, struct erofs_od_meta *meta)
{
	struct erofs_od_source source = {
		.submit = erofs_od_zdata_submit,
		.m = m,
		.od = od,
		.timeout_ms = m->blobs[0]->timeout_ms,
		.size = od->size,
	};
	int err = -EUCLEAN;

	if (pos <= od->size && len <= od->size - pos)
		err = erofs_od_direct_page(&source, pos, len, &meta->folio);
	if (err)
		return err;
	meta->p = kmap_local_folio(meta->folio, 0);
	return 0;
}

static int erofs_od_bytes_copy(struct erofs_od_mount *m, const struct od_inode *od, u64 pos,
			       void *to, size_t len)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE);
		struct erofs_od_meta meta;
		int err = erofs_od_bytes_decompress(m, od, pos, part, &meta);

		if (err)
			return err;
		memcpy(to, meta.p, part);
		erofs_od_meta_unmap(&meta);
		pos += part;
		to += part;
		len -= part;
	}
	return 0;
}

/**
 * erofs_od_map_bytes - have bytes of a directory or link in memory
 * @inode: inode
 * @pos: first byte
 * @len: how many; all in one block
 * @meta: the result, for erofs_od_meta_unmap()
 *
 * Waits killably. Such bytes are cached with the blob's metadata.
 *
 * Return: 0 or an errno.
 */
int erofs_od_map_bytes(struct inode *inode, u64 pos, size_t len,
		       struct erofs_od_meta *meta)
{
	struct erofs_od_mount *m = erofs_od_mount(inode->i_sb);
	struct erofs_od_place place = { };
	int err;

	if (od_inode_is_compressed(&erofs_od_inode(inode)->od))
		return erofs_od_bytes_decompress(m, &erofs_od_inode(inode)->od, pos, len, meta);
	err = erofs_od_map(inode, pos, true, &place);
	if (err)
		return err;
	if (!place.blob || place.len < len) {
		erofs_od_err_ratelimited(m, "inode %llu: a hole where there must be data, at byte %llu",
					 erofs_od_inode(inode)->od.nid, pos);
		return -EUCLEAN;
	}
	return erofs_od_meta_map(place.blob, place.off, len, meta);
}

/**
 * erofs_od_copy_bytes - copy bytes of a link or of the packed inode
 * @m: mount
 * @od: inode
 * @pos: first byte
 * @to: where to
 * @len: how many; all below the inode's size
 *
 * Waits killably.
 *
 * Return: 0 or an errno.
 */
int erofs_od_copy_bytes(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, void *to,
			size_t len)
{
	if (od_inode_is_compressed(od))
		return erofs_od_bytes_copy(m, od, pos, to, len);
	while (len) {
		struct erofs_od_place place = { };
		int err = erofs_od_map_od(m, od, pos, true, &place);
		size_t part;

		if (err)
			return err;
		part = min_t(u64, place.len, len);
		if (!place.blob)
			memset(to, 0, part);
		else
			err = erofs_od_meta_copy(place.blob, place.off, to, part);
		if (err)
			return err;
		pos += part;
		to += part;
		len -= part;
	}
	return 0;
}
