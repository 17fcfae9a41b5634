// SPDX-License-Identifier: GPL-2.0-only
/* Mapping offsets in an inode to extents in the blobs of the mount. */
#include "internal.h"

#include <linux/math64.h>
#include <linux/ratelimit.h>

/**
 * erofs_od_extent_blob_name - name of an extent's blob for log lines
 * @sbi: mount
 * @od: inode
 * @is_inline: the extent is inline, in the inode's blob
 * @blob: otherwise the blob's index, which may be out of range
 */
const char *erofs_od_extent_blob_name(const struct erofs_od_sb_info *sbi,
				      const struct od_inode *od, bool is_inline, u32 blob)
{
	if (is_inline)
		return erofs_od_home(sbi, od->nid)->name;
	return blob < sbi->nr_blobs ? sbi->blobs[blob]->name : "?";
}

static int bad_extent(struct erofs_od_sb_info *sbi, const struct od_inode *od,
		      u64 pos, const struct od_extent *found)
{
	const char *name = erofs_od_extent_blob_name(sbi, od, found->flags & OD_EXTENT_INLINE,
						     found->blob);

	erofs_od_err_ratelimited(sbi, "inode %llu: byte %llu is outside its blob: blob %u (%*pE), offset %llu",
				 od->nid, pos, found->blob, (int)strlen(name), name,
				 found->off);
	return -EUCLEAN;
}

/* Copies the chunk array entry for a byte. */
static int map_entry(struct erofs_od_sb_info *sbi, const struct od_inode *od,
		     u64 pos, bool may_wait, u8 entry[sizeof(struct od_disk_chunk_index)])
{
	struct erofs_od_blob *home = erofs_od_home(sbi, od->nid);
	u64 off;
	int err = od_chunkmap_entry(od, pos, &off);

	if (err <= 0)
		return err;
	if (may_wait)
		return erofs_od_meta_copy(sbi, home, off, entry, od->entry_size);
	return erofs_od_meta_peek(home, off, entry, od->entry_size) ? 0 : -EAGAIN;
}

/* Decodes the extent from the inode and its chunk array entry, if it has one. */
static int map_extent(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		      const u8 *entry, struct od_extent *found, struct erofs_od_extent *extent)
{
	int err = od_chunkmap(&sbi->tab, od, pos, entry, found);

	extent->flags = found->flags;
	extent->encoded_len = found->encoded_len;
	extent->len = found->len;
	if (err)
		return err;
	extent->off = found->off;
	if (found->flags & OD_EXTENT_INLINE)
		extent->blob = erofs_od_home(sbi, od->nid);
	else
		extent->blob = found->flags & OD_EXTENT_MAPPED ? sbi->blobs[found->blob] : NULL;
	return 0;
}

/**
 * erofs_od_map_od - map a byte of an on-disk inode
 * @sbi: mount
 * @od: inode that is not compressed
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata, killably
 * @extent: the extent that starts with this byte
 *
 * Return: as erofs_od_map().
 */
int erofs_od_map_od(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		    bool may_wait, struct erofs_od_extent *extent)
{
	u8 entry[sizeof(struct od_disk_chunk_index)];
	struct od_extent found;
	int err;

	err = map_entry(sbi, od, pos, may_wait, entry);
	if (err) {
		if (err == -EUCLEAN)
			erofs_od_err_ratelimited(sbi, "inode %llu: no chunk array for byte %llu",
						 od->nid, pos);
		return err;
	}
	return map_extent(sbi, od, pos, entry, &found, extent) ?
		       bad_extent(sbi, od, pos, &found) : 0;
}

/**
 * erofs_od_map - map a byte of an inode
 * @inode: inode that is not compressed
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata, killably
 * @extent: the extent that starts with this byte
 *
 * Return: 0; -EAGAIN if it would have to wait; -EUCLEAN; or the errno of the failed
 * read of metadata.
 */
int erofs_od_map(struct inode *inode, u64 pos, bool may_wait,
		 struct erofs_od_extent *extent)
{
	return erofs_od_map_od(EROFS_OD_SB(inode->i_sb), &EROFS_OD_I(inode)->od,
			       pos, may_wait, extent);
}

/**
 * erofs_od_map_peek - map a byte of an inode if that needs no metadata that is not in memory
 * @inode: inode that is not compressed
 * @pos: the byte, below the inode's size
 * @extent: the extent that starts with this byte
 *
 * Context: does not sleep, and logs nothing.
 * Return: false if it is not in memory, or corrupt.
 */
bool erofs_od_map_peek(struct inode *inode, u64 pos, struct erofs_od_extent *extent)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	u8 entry[sizeof(struct od_disk_chunk_index)];
	struct od_extent found;

	return !map_entry(sbi, od, pos, false, entry) &&
	       !map_extent(sbi, od, pos, entry, &found, extent);
}

/* False if the entry at @off, which maps byte @pos, is not in memory. */
static bool map_peek(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 off,
		     struct erofs_od_extent *extent)
{
	u8 entry[sizeof(struct od_disk_chunk_index)];
	struct od_extent found;

	if (!erofs_od_meta_peek(erofs_od_home(sbi, od->nid), off, entry, od->entry_size))
		return false;
	/* The read itself reports what is wrong with the entry. */
	if (map_extent(sbi, od, pos, entry, &found, extent))
		extent->len = 0;
	return true;
}

/**
 * erofs_od_map_ready - how many bytes can be mapped without waiting
 * @inode: inode
 * @pos: first byte
 * @len: bytes to look at
 * @extent: gets the extent of @pos if that was found anyway; otherwise its len is 0
 *
 * Starts to read missing metadata, and that of the next @len bytes, so that a sequential reader
 * finds it in memory next time.
 *
 * Return: bytes from @pos on.
 */
u64 erofs_od_map_ready(struct inode *inode, u64 pos, u64 len, struct erofs_od_extent *extent)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	struct erofs_od_blob *home = erofs_od_home(sbi, od->nid);
	u64 size = i_size_read(inode);
	u64 from, to, next, ready, chunks;

	extent->len = 0;
	if (pos >= size || od_chunkmap_entry(od, pos, &from) <= 0)
		return len;
	if (od_chunkmap_entry(od, min(pos + 2 * len, size) - 1, &next) < 0)
		return len;
	/* Usually all of these entries are in one page, which is then looked up once. */
	if (from >> PAGE_SHIFT == (next + od->entry_size - 1) >> PAGE_SHIFT &&
	    map_peek(sbi, od, pos, from, extent))
		return len;
	if (od_chunkmap_entry(od, min(pos + len, size) - 1, &to) < 0)
		return len;
	to += od->entry_size;
	ready = erofs_od_meta_start(home, from, to - from);
	if (ready == to - from) {
		if (next >= to)
			erofs_od_meta_start(home, to, next + od->entry_size - to);
		return len;
	}
	if (ready < od->entry_size)
		return 0;
	/* The first chunk may start before pos. */
	chunks = (pos >> od->chunkbits) + div_u64(ready, od->entry_size);
	return (chunks << od->chunkbits) - pos;
}
