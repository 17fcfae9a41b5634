/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources of data: of a run of bytes, and of the pages of an inode. */
#ifndef EROFS_OD_SOURCE_H
#define EROFS_OD_SOURCE_H

#include <linux/types.h>

struct erofs_od_blob;
struct erofs_od_sb_info;
struct erofs_od_share;
struct inode;
struct od_inode;
struct super_block;
struct wait_queue_head;
struct erofs_od_batch;

/**
 * struct erofs_od_extent - location of a run of bytes
 * @blob: which blob, or NULL for a hole
 * @flags: enum od_extent_flag
 * @off: first byte in the blob
 * @encoded_len: bytes in the blob; @len unless %OD_EXTENT_ENCODED
 * @unit: bytes of it in its first chunk
 * @len: bytes of the run; on failure, bytes that the failure applies to, 0 if unknown
 */
struct erofs_od_extent {
	struct erofs_od_blob *blob;
	u32 flags;
	u64 off;
	u64 encoded_len;
	u64 unit;
	u64 len;
};

/**
 * struct erofs_od_source - source of the data of an inode's pages
 * @inode: owner of the pages. Of shared pages: the inode on whose behalf they are read, which
 *	may be freed before the reads end
 * @ino: of shared pages: its number
 * @submit: of compressed data: reads a batch (zdata.c), instead of @map and @peek; otherwise
 *	NULL
 * @sbi: mount
 * @od: inode; it stays until all bytes are accounted for
 * @map: finds the extent of the byte @pos; waits for metadata only if allowed; as erofs_od_map()
 * @first: where the first bytes to read are, if that is known; NULL once it was used
 * @peek: copies bytes of a blob's metadata if they are in memory; NULL: no data is inline
 * @fetch: with @peek: waits until they are in memory
 * @owner: owner of the reads, as in struct cachefiles_od_read
 * @group: the superblock whose forced unmount ends the read; NULL for metadata
 * @share: of shared pages: any forced unmount in the domain ends the read; otherwise NULL
 * @timeout_ms: deadline, as in od/cache.h
 * @error: set to the errno of a failed read; may be NULL
 * @wait: woken up when folios have been read; they are marked "checked" while being read.
 *	May be NULL
 * @size: bytes past this are zeroes
 * @end: end of the bytes that are read; 0: the end of the block that contains @size
 */
struct erofs_od_source {
	struct inode *inode;
	unsigned long ino;
	int (*submit)(struct erofs_od_batch *batch);
	struct erofs_od_sb_info *sbi;
	const struct od_inode *od;
	int (*map)(struct inode *inode, u64 pos, bool may_wait,
		   struct erofs_od_extent *extent);
	const struct erofs_od_extent *first;
	bool (*peek)(struct erofs_od_blob *blob, u64 off, void *to, size_t len);
	int (*fetch)(struct erofs_od_blob *blob, u64 off, size_t len);
	const void *owner;
	const struct super_block *group;
	const struct erofs_od_share *share;
	unsigned int timeout_ms;
	int *error;
	struct wait_queue_head *wait;
	u64 size;
	u64 end;
};

#endif /* EROFS_OD_SOURCE_H */
