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

/**
 * struct entries - entries of the chunk array
 * @meta: where they are
 * @nr: how many; 0 if the layout has none
 */
struct entries {
	struct erofs_od_meta meta;
	unsigned int nr;
};

/* How many entries from @off on map the bytes from @pos to @end, as far as they are in one page. */
static unsigned int nr_entries(const struct od_inode *od, u64 pos, u64 end, u64 off, u64 blob_end)
{
	u64 chunks = ((min(end, od->size) - 1) >> od->chunkbits) - (pos >> od->chunkbits) + 1;
	u64 bytes = min(blob_end - off, (u64)PAGE_SIZE - offset_in_page(off));

	return min(chunks, (u64)((unsigned int)bytes / od->entry_size));
}

/* Maps the chunk array entries of the bytes from @pos to @end; always that of @pos. */
static int map_entries(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 end,
		       bool may_wait, struct entries *entries)
{
	struct erofs_od_blob *home = erofs_od_home(sbi, od->nid);
	u64 off, blob_end = erofs_od_blob_end(home);
	int err = od_chunkmap_entry(od, pos, &off);

	entries->meta.p = NULL;
	entries->nr = 0;
	if (err <= 0)
		return err;
	if (may_wait) {
		err = erofs_od_meta_map(sbi, home, off, od->entry_size, &entries->meta);
		if (err)
			return err;
	} else if (!erofs_od_blob_has(home, off, od->entry_size) ||
		   !erofs_od_meta_try_map(home, off, &entries->meta)) {
		return -EAGAIN;
	}
	entries->nr = 1;
	if (end > pos && pos < od->size)
		entries->nr = nr_entries(od, pos, end, off, blob_end);
	return 0;
}

/* Decodes the extent from the inode and its chunk array entries, if it has any, and unmaps them. */
static int map_extent(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		      struct entries *entries, struct od_extent *found,
		      struct erofs_od_extent *extent)
{
	int err = od_chunkmap_run(&sbi->tab, od, pos, entries->meta.p, entries->nr, found);

	if (entries->nr)
		erofs_od_meta_unmap(&entries->meta);
	extent->flags = found->flags;
	extent->encoded_len = found->encoded_len;
	extent->len = found->len;
	extent->unit = od_chunkmap_unit(od, pos, found->len);
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
 * @extent: the extent that starts with this byte; if its len is not 0, that many bytes are wanted,
 *	and it may be of several chunks
 *
 * Return: as erofs_od_map().
 */
int erofs_od_map_od(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
		    bool may_wait, struct erofs_od_extent *extent)
{
	struct entries entries;
	struct od_extent found;
	int err;

	err = map_entries(sbi, od, pos, pos + extent->len, may_wait, &entries);
	if (err) {
		if (err == -EUCLEAN)
			erofs_od_err_ratelimited(sbi, "inode %llu: no chunk array for byte %llu",
						 od->nid, pos);
		return err;
	}
	return map_extent(sbi, od, pos, &entries, &found, extent) ?
		       bad_extent(sbi, od, pos, &found) : 0;
}

/**
 * erofs_od_map - map a byte of an inode
 * @inode: inode that is not compressed
 * @pos: the byte, below the inode's size
 * @may_wait: wait for metadata, killably
 * @extent: the extent that starts with this byte; if its len is not 0, that many bytes are wanted,
 *	and it may be of several chunks
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
	struct entries entries;
	struct od_extent found;

	return !map_entries(sbi, od, pos, pos, false, &entries) &&
	       !map_extent(sbi, od, pos, &entries, &found, extent);
}

/* False if the entry of the byte @pos is not in memory. */
static bool map_peek(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, u64 end,
		     struct erofs_od_extent *extent)
{
	struct entries entries;
	struct od_extent found;

	if (map_entries(sbi, od, pos, end, false, &entries))
		return false;
	/* The read itself reports what is wrong with the entry. */
	if (map_extent(sbi, od, pos, &entries, &found, extent))
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
	    map_peek(sbi, od, pos, pos + len, extent))
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
