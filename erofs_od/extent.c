// SPDX-License-Identifier: GPL-2.0-only
/* Where a file has data and where holes: for lseek(2) and for FIEMAP. */
#include "internal.h"

#include <linux/fiemap.h>
#include <linux/sched/signal.h>

/* The run of data or of a hole that goes on at a byte, no further than the file. */
static int erofs_od_extent_at(struct inode *inode, u64 pos, struct erofs_od_place *place)
{
	int err;

	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	if (od_inode_is_compressed(&erofs_od_inode(inode)->od))
		err = erofs_od_zmap_place(inode, pos, place);
	else
		err = erofs_od_map(inode, pos, true, place);
	if (!err)
		place->len = min(place->len, (u64)i_size_read(inode) - pos);
	return err;
}

/**
 * erofs_od_llseek - lseek(2) on a regular file
 * @file: file
 * @offset: as for lseek(2)
 * @whence: as for lseek(2)
 *
 * Context: sleeps, killably, for SEEK_DATA and SEEK_HOLE.
 * Return: the new position; -ENXIO behind the last data, or the end; -EINVAL;
 * or why the map of the file could not be read.
 */
loff_t erofs_od_llseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	u64 size = i_size_read(inode), pos = offset;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, offset, whence);
	if (offset < 0)
		return -ENXIO;
	while (pos < size) {
		struct erofs_od_place place = { };
		int err = erofs_od_extent_at(inode, pos, &place);

		if (err)
			return err;
		if (!place.blob == (whence == SEEK_HOLE))
			return vfs_setpos(file, pos, inode->i_sb->s_maxbytes);
		pos += place.len;
	}
	/* There is a hole behind the end. */
	if (whence == SEEK_HOLE && (u64)offset < size)
		return vfs_setpos(file, size, inode->i_sb->s_maxbytes);
	return -ENXIO;
}

/**
 * struct erofs_od_extent - data, as FIEMAP tells of it
 * @blob: which blob; NULL: nothing yet
 * @pos: first byte in the file
 * @off: first byte in the blob
 * @len: bytes
 * @flags: FIEMAP_EXTENT_*
 */
struct erofs_od_extent {
	struct erofs_od_blob *blob;
	u64 pos;
	u64 off;
	u64 len;
	u32 flags;
};

static bool erofs_od_extent_extend(struct erofs_od_extent *extent, u64 pos,
				   const struct erofs_od_place *place, u32 flags)
{
	if (extent->blob != place->blob || extent->flags != flags || place->encoded ||
	    extent->pos + extent->len != pos || extent->off + extent->len != place->off)
		return false;
	extent->len += place->len;
	return true;
}

/* Return: 1 when the caller has no room for more. */
static int erofs_od_extent_emit(struct fiemap_extent_info *info,
				const struct erofs_od_extent *extent, u32 last)
{
	if (!extent->blob)
		return 0;
	return fiemap_fill_next_extent(info, extent->pos, extent->off, extent->len,
				       extent->flags | last);
}

/**
 * erofs_od_fiemap - tell where the data of a file is
 * @inode: regular file
 * @info: takes the extents
 * @start: first byte of the file
 * @len: bytes
 *
 * A physical offset is an offset in the blob that holds the data.
 *
 * Context: sleeps, killably.
 */
int erofs_od_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len)
{
	u64 size = i_size_read(inode), pos = start;
	struct erofs_od_extent extent = { };
	int err;

	err = fiemap_prep(inode, info, start, &len, 0);
	if (err)
		return err;
	while (pos < size) {
		struct erofs_od_place place = { };
		u32 flags;

		err = erofs_od_extent_at(inode, pos, &place);
		if (err)
			return err;
		flags = place.inlined ? FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_NOT_ALIGNED : 0;
		flags |= place.encoded ? FIEMAP_EXTENT_ENCODED : 0;
		if (place.blob && !erofs_od_extent_extend(&extent, pos, &place, flags)) {
			err = erofs_od_extent_emit(info, &extent, 0);
			/* The walk goes on behind the range until the last one is known. */
			if (err || pos >= start + len)
				return err < 0 ? err : 0;
			extent = (struct erofs_od_extent) {
				.blob = place.blob,
				.pos = pos,
				.off = place.off,
				.len = place.len,
				.flags = flags,
			};
		}
		pos += place.len;
	}
	err = erofs_od_extent_emit(info, &extent, FIEMAP_EXTENT_LAST);
	return err < 0 ? err : 0;
}
