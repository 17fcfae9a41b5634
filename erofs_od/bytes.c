// SPDX-License-Identifier: GPL-2.0-only
/* The contents of directories, symbolic links and the packed inode, in memory. */
#include "internal.h"

#include <linux/highmem.h>
#include <linux/ratelimit.h>

/* Compressed bytes are not cached: they are decompressed for each caller. */
static int decompress_bytes(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
			    size_t len, struct erofs_od_meta *meta)
{
	struct erofs_od_source source = {
		.submit = erofs_od_zdata_submit,
		.sbi = sbi,
		.od = od,
		.group = sbi->sb,
		.timeout_ms = READ_ONCE(sbi->blobs[0]->timeout_ms),
		.size = od->size,
	};
	int err;

	if (pos > od->size || len > od->size - pos)
		return -EUCLEAN;
	err = erofs_od_direct_page(&source, pos, len, &meta->folio);
	if (err)
		return err;
	meta->p = kmap_local_folio(meta->folio, 0);
	return 0;
}

static int copy_compressed(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos,
			   void *to, size_t len)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE);
		struct erofs_od_meta meta;
		int err = decompress_bytes(sbi, od, pos, part, &meta);

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

/* The usual case, apart from erofs_od_map(), to which errors are left, too. */
static bool find_tail(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, size_t len,
		      u64 *off)
{
	u64 left;

	return od_inode_in_tail(od, sbi->tab.blkbits, pos) &&
	       !od_inode_tail(od, sbi->tab.blkbits, pos, off, &left) && len <= left &&
	       *off + len <= erofs_od_blob_end(erofs_od_home(sbi, od->nid));
}

/**
 * erofs_od_map_bytes - map a range of a directory into memory
 * @inode: inode
 * @pos: first byte
 * @len: bytes, all in one block
 * @meta: the result, for erofs_od_meta_unmap()
 *
 * Bytes that are not compressed are cached with the blob's metadata.
 *
 * Context: sleeps, killably.
 * Return: 0 or an errno.
 */
int erofs_od_map_bytes(struct inode *inode, u64 pos, size_t len,
		       struct erofs_od_meta *meta)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;
	struct erofs_od_extent extent = { };
	u64 off;
	int err;

	if (find_tail(sbi, od, pos, len, &off))
		return erofs_od_meta_map(sbi, erofs_od_home(sbi, od->nid), off, len, meta);
	if (od_inode_is_compressed(od))
		return decompress_bytes(sbi, od, pos, len, meta);
	err = erofs_od_map(inode, pos, true, &extent);
	if (err)
		return err;
	if (!extent.blob || extent.len < len) {
		erofs_od_err_ratelimited(sbi, "inode %llu: hole instead of data at byte %llu",
					 od->nid, pos);
		return -EUCLEAN;
	}
	return erofs_od_meta_map(sbi, extent.blob, extent.off, len, meta);
}

/**
 * erofs_od_copy_bytes - copy a range of a symbolic link or of the packed inode
 * @sbi: mount
 * @od: inode
 * @pos: first byte
 * @to: destination
 * @len: bytes, all below the inode's size
 *
 * Context: sleeps, killably.
 * Return: 0 or an errno.
 */
int erofs_od_copy_bytes(struct erofs_od_sb_info *sbi, const struct od_inode *od, u64 pos, void *to,
			size_t len)
{
	if (od_inode_is_compressed(od))
		return copy_compressed(sbi, od, pos, to, len);
	while (len) {
		struct erofs_od_extent extent = { };
		int err = erofs_od_map_od(sbi, od, pos, true, &extent);
		size_t part;

		if (err)
			return err;
		part = min_t(u64, extent.len, len);
		if (!extent.blob)
			memset(to, 0, part);
		else
			err = erofs_od_meta_copy(sbi, extent.blob, extent.off, to, part);
		if (err)
			return err;
		pos += part;
		to += part;
		len -= part;
	}
	return 0;
}
