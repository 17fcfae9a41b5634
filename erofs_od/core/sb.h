/* SPDX-License-Identifier: GPL-2.0-only */
/* The superblock: what an image is, and whether this code can read it. */
#ifndef OD_SB_H
#define OD_SB_H

#include "od/types.h"
#include "format.h"

/**
 * struct od_sb - the facts of a superblock, checked
 * @compat: enum od_feature_compat bits, unknown ones included
 * @incompat: enum od_feature_incompat bits, all of them known
 * @blkbits: log2 of the block size
 * @checksum: stored checksum; means something with %OD_COMPAT_SB_CHKSUM
 * @checksum_len: bytes from %OD_SB_OFFSET on that the checksum covers
 * @root_nid: inode of the root directory
 * @inos: inodes in the image
 * @blocks: blocks in the image
 * @epoch: seconds that the times of compact inodes count from
 * @fixed_nsec: nanoseconds of their times
 * @meta_off: byte where the numbering of inodes starts
 * @xattr_off: byte where the numbering of shared xattrs starts
 * @uuid: of the image
 * @volume_name: label, NUL-terminated
 * @extra_devices: slots in the device table
 * @devt_off: byte where the device table starts
 * @prefix_count: long xattr name prefixes
 * @prefix_off: byte where they start, in the packed inode or in the image
 * @prefix_in_packed: it is in the packed inode
 * @packed_nid: the packed inode; 0 when there is none
 * @xattr_filter: the name filters of inodes may be believed
 * @algs: algorithms of compressed inodes, bit N for enum od_alg N
 * @algs_listed: they are used, with settings at @config_off; otherwise LZ4 may be used
 * @config_off: byte where the settings of the algorithms start
 */
struct od_sb {
	u32 compat;
	u32 incompat;
	u8 blkbits;
	u32 checksum;
	u32 checksum_len;
	u64 root_nid;
	u64 inos;
	u64 blocks;
	u64 epoch;
	u32 fixed_nsec;
	u64 meta_off;
	u64 xattr_off;
	u8 uuid[OD_UUID_SIZE];
	char volume_name[OD_VOLUME_NAME_SIZE + 1];
	u16 extra_devices;
	u64 devt_off;
	u8 prefix_count;
	u64 prefix_off;
	bool prefix_in_packed;
	u64 packed_nid;
	bool xattr_filter;
	u16 algs;
	bool algs_listed;
	u64 config_off;
};

/**
 * od_sb_parse - check a superblock
 * @p: %OD_SB_SIZE bytes, from byte %OD_SB_OFFSET of the primary blob
 * @blkbits_max: log2 of the largest block size that the caller can do
 * @sb: the result
 * @why: on failure, what is wrong, in a few words for a log line
 *
 * Return: 0; -EINVAL no EROFS image at all; -EOPNOTSUPP a feature that is not
 * supported, named by @why; -EUCLEAN a corrupt superblock.
 */
int od_sb_parse(const u8 p[OD_SB_SIZE], u8 blkbits_max, struct od_sb *sb,
		const char **why);

#endif /* OD_SB_H */
