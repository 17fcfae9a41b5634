/* SPDX-License-Identifier: GPL-2.0-only */
/* The superblock: properties of an image, and whether it is supported. */
#ifndef OD_CORE_SB_H
#define OD_CORE_SB_H

#include "od/types.h"
#include "format.h"

/**
 * enum od_prefix_place - location of long xattr name prefixes
 * @OD_PREFIX_IN_IMAGE: in the primary blob
 * @OD_PREFIX_IN_PACKED: in the data of the packed inode
 * @OD_PREFIX_IN_METABOX: in the metabox
 */
enum od_prefix_place {
	OD_PREFIX_IN_IMAGE,
	OD_PREFIX_IN_PACKED,
	OD_PREFIX_IN_METABOX,
};

/**
 * struct od_sb - a superblock, decoded and checked
 * @compat: enum od_feature_compat bits, unknown ones included
 * @incompat: enum od_feature_incompat bits, all of them known
 * @compr_algs: algorithms that compressed inodes may have, bit N for algorithm N
 * @config_off: byte where the records of these algorithms start; 0: there are none
 * @blkbits: log2 of the block size
 * @checksum: stored checksum; valid with %OD_FEATURE_COMPAT_SB_CHKSUM
 * @checksum_len: bytes from %OD_SB_OFFSET on that the checksum covers
 * @root_nid: inode of the root directory
 * @inos: inodes in the image
 * @blocks: blocks in the image
 * @epoch: seconds that times of compact inodes are relative to
 * @fixed_nsec: nanoseconds of their times
 * @meta_off: byte that inode numbers are relative to
 * @xattr_off: byte that shared xattr IDs are relative to
 * @xattr_in_metabox: @xattr_off is a byte of the metabox
 * @metabox: there is one
 * @metabox_nid: the inode whose data it is; od_sb_parse_metabox() sets it
 * @uuid: of the image
 * @volume_name: label, NUL-terminated
 * @extra_devices: slots in the device table
 * @devt_off: byte where the device table starts
 * @prefix_count: long xattr name prefixes
 * @prefix_off: byte where they start
 * @prefix_place: enum od_prefix_place: what @prefix_off is an offset in
 * @packed_nid: the packed inode; 0: none
 * @xattr_filter: the name filters of inodes are valid
 */
struct od_sb {
	u32 compat;
	u32 incompat;
	u16 compr_algs;
	u64 config_off;
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
	bool xattr_in_metabox;
	bool metabox;
	u64 metabox_nid;
	u8 uuid[OD_UUID_SIZE];
	char volume_name[OD_VOLUME_NAME_SIZE + 1];
	u16 extra_devices;
	u64 devt_off;
	u8 prefix_count;
	u64 prefix_off;
	u8 prefix_place;
	u64 packed_nid;
	bool xattr_filter;
};

/**
 * od_sb_parse - decode and check a superblock
 * @disk: record at byte %OD_SB_OFFSET of the primary blob
 * @blkbits_max: log2 of the largest block size that the caller supports
 * @sb: the result
 * @why: on failure, the reason, for a log line
 *
 * Return: 0; -EINVAL if it is not EROFS; -EOPNOTSUPP for an unsupported feature, named by @why;
 * -EUCLEAN for a corrupt superblock.
 */
int od_sb_parse(const struct od_disk_sb *disk, u8 blkbits_max, struct od_sb *sb,
		const char **why);

/**
 * od_sb_parse_metabox - decode and check the location of the metabox
 * @disk: record at byte %OD_SB_METABOX_OFFSET of the primary blob
 * @sb: superblock, of an image that has a metabox
 * @why: on failure, the reason, for a log line
 *
 * Return: 0, or -EUCLEAN.
 */
int od_sb_parse_metabox(const struct od_disk_sb_metabox *disk, struct od_sb *sb,
			const char **why);

#endif /* OD_CORE_SB_H */
