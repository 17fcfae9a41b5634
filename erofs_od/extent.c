// SPDX-License-Identifier: GPL-2.0-only
/* Where a file has data and where it has holes, for lseek(2) and FIEMAP. */
#include "internal.h"

#include <linux/fiemap.h>
#include <linux/sched/signal.h>

/* The extent or hole at @pos, clamped to the end of the file. */
static int extent_at(struct inode *inode, u64 pos, struct erofs_od_extent *extent)
{
	int err;

	cond_resched();
	if (fatal_signal_pending(current))
		return -EINTR;
	/* Chunks that follow one another are looked up together. */
	extent->len = i_size_read(inode) - pos;
	if (od_inode_is_compressed(&EROFS_OD_I(inode)->od))
		err = erofs_od_zmap_extent(inode, pos, extent);
	else
		err = erofs_od_map(inode, pos, true, extent);
	if (!err)
		extent->len = min(extent->len, (u64)i_size_read(inode) - pos);
	return err;
}

/**
 * erofs_od_llseek - lseek(2) on a regular file
 * @file: file
 * @offset: as for lseek(2)
 * @whence: as for lseek(2)
 *
 * Context: sleeps, killably, for SEEK_DATA and SEEK_HOLE.
 * Return: the new position; -ENXIO past the last data or past the end; -EINVAL; -EINTR; or the
 * errno of a failed read of the file's map.
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
		struct erofs_od_extent extent = { };
		int err = extent_at(inode, pos, &extent);

		if (err)
			return err;
		if (!extent.blob == (whence == SEEK_HOLE))
			return vfs_setpos(file, pos, inode->i_sb->s_maxbytes);
		pos += extent.len;
	}
	/* The end of the file is a hole. */
	if (whence == SEEK_HOLE && (u64)offset < size)
		return vfs_setpos(file, size, inode->i_sb->s_maxbytes);
	return -ENXIO;
}

/**
 * struct fiemap_data - an extent to report
 * @blob: its blob, or NULL if there is no extent yet
 * @pos: first byte in the file
 * @off: first byte in the blob
 * @len: bytes
 * @flags: FIEMAP_EXTENT_*
 */
struct fiemap_data {
	struct erofs_od_blob *blob;
	u64 pos;
	u64 off;
	u64 len;
	u32 flags;
};

static bool extent_extend(struct fiemap_data *data, u64 pos,
			  const struct erofs_od_extent *extent, u32 flags)
{
	if (data->blob != extent->blob || data->flags != flags ||
	    extent->flags & OD_EXTENT_ENCODED ||
	    data->pos + data->len != pos || data->off + data->len != extent->off)
		return false;
	data->len += extent->len;
	return true;
}

/* Returns 1 if the caller's buffer is full. */
static int extent_emit(struct fiemap_extent_info *info,
		       const struct fiemap_data *data, u32 last)
{
	if (!data->blob)
		return 0;
	return fiemap_fill_next_extent(info, data->pos, data->off, data->len,
				       data->flags | last);
}

static u32 extent_flags(const struct erofs_od_extent *extent, unsigned int blksize)
{
	u32 flags = 0;

	if (extent->flags & OD_EXTENT_INLINE)
		flags |= FIEMAP_EXTENT_DATA_INLINE | FIEMAP_EXTENT_NOT_ALIGNED;
	if (extent->flags & OD_EXTENT_ENCODED)
		flags |= FIEMAP_EXTENT_ENCODED;
	/* The pcluster of an encoded extent may start at any byte. */
	if (extent->flags & OD_EXTENT_ENCODED && extent->off & (blksize - 1))
		flags |= FIEMAP_EXTENT_NOT_ALIGNED;
	/* Its offset is relative to the metabox, which has no fixed place in a blob. */
	if (extent->blob && !extent->blob->backend->read)
		flags |= FIEMAP_EXTENT_UNKNOWN;
	return flags;
}

/**
 * erofs_od_fiemap - report the extents of a file
 * @inode: regular file
 * @info: gets the extents
 * @start: first byte of the file
 * @len: bytes
 *
 * Physical offsets are those of the data, or of its pcluster, in its blob.
 *
 * Context: sleeps, killably.
 */
int erofs_od_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len)
{
	u64 size = i_size_read(inode), pos = start;
	struct fiemap_data data = { };
	int err;

	err = fiemap_prep(inode, info, start, &len, 0);
	if (err)
		return err;
	while (pos < size) {
		struct erofs_od_extent extent = { };
		u32 flags;

		err = extent_at(inode, pos, &extent);
		if (err)
			return err;
		flags = extent_flags(&extent, i_blocksize(inode));
		if (extent.blob && !extent_extend(&data, pos, &extent, flags)) {
			err = extent_emit(info, &data, 0);
			/* Continues past the range until it is known which extent is the last. */
			if (err || pos >= start + len)
				return err < 0 ? err : 0;
			data = (struct fiemap_data) {
				.blob = extent.blob,
				.pos = pos,
				.off = flags & FIEMAP_EXTENT_UNKNOWN ? 0 : extent.off,
				.len = extent.len,
				.flags = flags,
			};
		}
		pos += extent.len;
	}
	err = extent_emit(info, &data, FIEMAP_EXTENT_LAST);
	return err < 0 ? err : 0;
}
