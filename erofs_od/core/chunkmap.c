// SPDX-License-Identifier: GPL-2.0-only
#include "chunkmap.h"

/* Past its end a blob reads as zeroes up to a multiple of this. */
#define OD_BLOB_GRAIN	4096U

int od_chunkmap_entry(const struct od_inode *inode, u64 pos, u64 *off)
{
	u64 array;

	if (inode->layout != OD_LAYOUT_CHUNK_BASED)
		return 0;
	array = round_up(od_inode_body_end(inode), (u64)inode->entry_size);
	/* pos < 2^63 and chunks of at least 2^9 bytes: the product fits. */
	*off = array + (pos >> inode->chunkbits) * inode->entry_size;
	return *off < array ? -EUCLEAN : 1;
}

/*
 * Clips an extent to its blob. The rest fails when it is mapped by itself, so that a reader of
 * a short blob loses only what is missing. Zeroes past the end of the blob may be read only for
 * bytes past the end of the file.
 */
static int od_chunkmap_clip(const struct od_blobtab *tab, const struct od_inode *inode,
			    u64 file_bytes, struct od_extent *x)
{
	u64 size = x->flags & OD_EXTENT_INLINE ? od_blobtab_meta_size(tab, inode->nid)
					       : tab->blob[x->blob].size;

	if (x->off >= size)
		return -EUCLEAN;
	if (min(x->len, file_bytes) <= size - x->off)
		size = round_up(size, (u64)OD_BLOB_GRAIN);
	x->len = min(x->len, size - x->off);
	x->encoded_len = x->len;
	return 0;
}

static void od_chunkmap_place(const struct od_blobtab *tab, u64 addr, u64 len,
			      struct od_extent *x)
{
	x->off = addr;
	x->len = len;
	od_blobtab_flat(tab, &x->off, &x->blob, &x->len);
}

static int od_chunkmap_inline_tail(const struct od_blobtab *tab, const struct od_inode *inode,
				   u64 pos, struct od_extent *x)
{
	x->flags |= OD_EXTENT_INLINE;
	return od_inode_tail(inode, tab->blkbits, pos, &x->off, &x->len);
}

static int od_chunkmap_flat(const struct od_blobtab *tab,
			    const struct od_inode *inode, u64 pos,
			    struct od_extent *x)
{
	u64 blk = (u64)1 << tab->blkbits;
	u64 end = round_up(inode->size, blk);
	u64 addr;

	if (od_inode_in_tail(inode, tab->blkbits, pos))
		return od_chunkmap_inline_tail(tab, inode, pos, x);
	if (inode->layout == OD_LAYOUT_FLAT_INLINE)
		end = od_inode_tail_start(inode, tab->blkbits);
	if (inode->hole) {
		x->flags = 0;
		x->len = end - pos;
		return 0;
	}
	x->off = inode->start_off;
	x->len = end - pos;
	if (check_add_overflow(inode->start_off, pos, &addr))
		return -EUCLEAN;
	od_chunkmap_place(tab, addr, end - pos, x);
	return 0;
}

/* Returns false for a hole. */
static bool od_chunkmap_address(const struct od_inode *inode, const u8 *entry, u64 *block,
				u16 *device_id)
{
	const struct od_disk_chunk_index *index = (const void *)entry;

	if (inode->entry_size == sizeof(struct od_disk_chunk)) {
		*block = le32_to_cpu(((const struct od_disk_chunk *)entry)->blkaddr);
		*device_id = 0;
		return *block != OD_BLOCK_HOLE;
	}
	*block = le32_to_cpu(index->blkaddr);
	*device_id = le16_to_cpu(index->device_id);
	if (!inode->chunk_48bit)
		return *block != OD_BLOCK_HOLE;
	*block |= (u64)le16_to_cpu(index->blkaddr_hi) << 32;
	return *block != OD_BLOCK_HOLE_48;
}

/* How many of @nr entries continue the first one: holes, or blocks that follow those before. */
static unsigned int od_chunkmap_follow(const struct od_blobtab *tab, const struct od_inode *inode,
				       const u8 *entry, unsigned int nr)
{
	u64 blocks = (u64)1 << (inode->chunkbits - tab->blkbits), block, next;
	u16 device_id, id;
	bool data = od_chunkmap_address(inode, entry, &block, &device_id);
	unsigned int i;

	for (i = 1; i < nr; i++) {
		if (od_chunkmap_address(inode, entry + i * inode->entry_size, &next, &id) != data ||
		    (data && (next != block + i * blocks || id != device_id)))
			break;
	}
	return i;
}

static int od_chunkmap_chunk(const struct od_blobtab *tab,
			     const struct od_inode *inode, u64 pos,
			     const u8 *entry, unsigned int nr, struct od_extent *x)
{
	u64 left = round_up(inode->size, (u64)1 << tab->blkbits) - pos;
	u64 chunk = (u64)1 << inode->chunkbits;
	u64 in_chunk = pos & (chunk - 1);
	u16 device_id;
	u64 block, addr;
	int err;

	nr = od_chunkmap_follow(tab, inode, entry, nr);
	x->len = min(left, nr * chunk - in_chunk);
	if (!od_chunkmap_address(inode, entry, &block, &device_id)) {
		x->flags = 0;
		return 0;
	}
	x->off = block << tab->blkbits;
	err = od_blobtab_device(tab, device_id, &x->blob);
	if (err || check_add_overflow(x->off, in_chunk, &addr))
		return -EUCLEAN;
	x->off = addr;
	if (!x->blob)
		od_chunkmap_place(tab, x->off, x->len, x);
	return 0;
}

u64 od_chunkmap_unit(const struct od_inode *inode, u64 pos, u64 len)
{
	u64 chunk = (u64)1 << inode->chunkbits;

	if (inode->layout != OD_LAYOUT_CHUNK_BASED)
		return len;
	return min(len, chunk - (pos & (chunk - 1)));
}

int od_chunkmap(const struct od_blobtab *tab, const struct od_inode *inode,
		u64 pos, const u8 *entry, struct od_extent *extent)
{
	return od_chunkmap_run(tab, inode, pos, entry, 1, extent);
}

int od_chunkmap_run(const struct od_blobtab *tab, const struct od_inode *inode, u64 pos,
		    const u8 *entry, unsigned int nr, struct od_extent *extent)
{
	int err;

	memset(extent, 0, sizeof(*extent));
	extent->flags = OD_EXTENT_MAPPED;
	if (pos >= inode->size || od_inode_is_compressed(inode))
		return -EUCLEAN;
	if (inode->layout == OD_LAYOUT_CHUNK_BASED)
		err = od_chunkmap_chunk(tab, inode, pos, entry, nr, extent);
	else
		err = od_chunkmap_flat(tab, inode, pos, extent);
	if (err || !(extent->flags & OD_EXTENT_MAPPED))
		return err;
	return od_chunkmap_clip(tab, inode, inode->size - pos, extent);
}
