// SPDX-License-Identifier: GPL-2.0-only
/* From an offset in an inode to a place in a blob of the mount. */
#include "internal.h"
#include "core/chunkmap.h"

#include <linux/math64.h>
#include <linux/ratelimit.h>

static int erofs_od_map_bad_place(struct erofs_od_mount *m, const struct od_inode *od,
				  u64 pos, const struct od_extent *extent)
{
	const char *name = extent->blob < m->nr_blobs ? m->blobs[extent->blob]->name : "?";

	erofs_od_err_ratelimited(m, "inode %llu: byte %llu lies outside its blob: blob %u (%*pE), offset %llu",
				 od->nid, pos, extent->blob, (int)strlen(name), name,
				 extent->off);
	return -EUCLEAN;
}

/* The entry of the chunk array for a byte, in memory. */
static int erofs_od_map_entry(struct erofs_od_mount *m, const struct od_inode *od,
			      u64 pos, bool may_wait, u8 entry[OD_CHUNK_INDEX_SIZE])
{
	u64 off;
	int err = od_chunkmap_entry(od, pos, &off);

	if (err <= 0)
		return err;
	if (may_wait)
		return erofs_od_meta_copy(m->blobs[0], off, entry, od->entry_size);
	return erofs_od_meta_peek(m->blobs[0], off, entry, od->entry_size) ? 0 : -EAGAIN;
}

/**
 * erofs_od_map_od - find a byte of an inode that is not compressed
 * @m: mount
 * @od: inode
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata, killably
 * @place: where it is and how many go with it
 *
 * Return: as erofs_od_map().
 */
int erofs_od_map_od(struct erofs_od_mount *m, const struct od_inode *od, u64 pos, bool may_wait,
		    struct erofs_od_place *place)
{
	u8 entry[OD_CHUNK_INDEX_SIZE];
	struct od_extent extent;
	int err;

	err = erofs_od_map_entry(m, od, pos, may_wait, entry);
	if (err) {
		if (err == -EUCLEAN)
			erofs_od_err_ratelimited(m, "inode %llu: no chunk array for byte %llu",
						 od->nid, pos);
		return err;
	}
	err = od_chunkmap(&m->tab, od, pos, entry, &extent);
	place->len = extent.len;
	if (err)
		return erofs_od_map_bad_place(m, od, pos, &extent);
	place->blob = extent.hole ? NULL : m->blobs[extent.blob];
	place->inlined = extent.inlined;
	place->off = extent.off;
	return 0;
}

/**
 * erofs_od_map - find a byte of an inode
 * @inode: inode
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata, killably
 * @place: where it is and how many go with it
 *
 * Return: 0; -EAGAIN it would have to wait; -EUCLEAN; or why metadata could
 * not be read.
 */
int erofs_od_map(struct inode *inode, u64 pos, bool may_wait,
		 struct erofs_od_place *place)
{
	return erofs_od_map_od(erofs_od_mount(inode->i_sb), &erofs_od_inode(inode)->od,
			       pos, may_wait, place);
}

/**
 * erofs_od_map_ready - how far can be mapped without a wait?
 * @inode: inode
 * @pos: from this byte on
 * @len: this far
 *
 * Starts to read what is missing, and a bit more: as much again as is wanted
 * now, so that a sequential reader finds it there next time.
 *
 * Return: bytes from @pos on.
 */
u64 erofs_od_map_ready(struct inode *inode, u64 pos, u64 len)
{
	struct erofs_od_mount *m = erofs_od_mount(inode->i_sb);
	const struct od_inode *od = &erofs_od_inode(inode)->od;
	u64 size = i_size_read(inode);
	u64 from, to, next, ready, chunks;

	if (pos >= size || od_chunkmap_entry(od, pos, &from) <= 0)
		return len;
	if (od_chunkmap_entry(od, min(pos + len, size) - 1, &to) < 0 ||
	    od_chunkmap_entry(od, min(pos + 2 * len, size) - 1, &next) < 0)
		return len;
	to += od->entry_size;
	ready = erofs_od_meta_start(m->blobs[0], from, to - from);
	if (ready == to - from) {
		if (next >= to)
			erofs_od_meta_start(m->blobs[0], to, next + od->entry_size - to);
		return len;
	}
	if (ready < od->entry_size)
		return 0;
	/* The first chunk may have begun before pos. */
	chunks = (pos >> od->chunkbits) + div_u64(ready, od->entry_size);
	return (chunks << od->chunkbits) - pos;
}
