// SPDX-License-Identifier: GPL-2.0-only
#include "sb.h"
#include "verdict.h"

static const u32 od_sb_supported =
	OD_FEATURE_INCOMPAT_LZ4_0PADDING | OD_FEATURE_INCOMPAT_COMPR_CFGS |
	OD_FEATURE_INCOMPAT_CHUNKED_FILE | OD_FEATURE_INCOMPAT_DEVICE_TABLE |
	OD_FEATURE_INCOMPAT_ZTAILPACKING | OD_FEATURE_INCOMPAT_FRAGMENTS |
	OD_FEATURE_INCOMPAT_XATTR_PREFIXES | OD_FEATURE_INCOMPAT_48BIT |
	OD_FEATURE_INCOMPAT_METABOX;

/* If the root inode has 64 bits, the 16-bit field holds upper bits of the image size. */
static void od_sb_read_root(const struct od_disk_sb *disk, struct od_sb *sb)
{
	sb->blocks = le32_to_cpu(disk->blocks);
	sb->root_nid = le16_to_cpu(disk->root_nid);
	if (!(sb->incompat & OD_FEATURE_INCOMPAT_48BIT) || !disk->root_nid_8b)
		return;
	sb->root_nid = le64_to_cpu(disk->root_nid_8b);
	sb->blocks |= (u64)le16_to_cpu(disk->blocks_hi) << 32;
}

/* The metabox inode, and what other inodes in it need first, cannot be in the metabox. */
static int od_sb_read_metabox(const struct od_disk_sb *disk, struct od_sb *sb, const char **why)
{
	sb->metabox = sb->incompat & OD_FEATURE_INCOMPAT_METABOX;
	sb->xattr_in_metabox = sb->compat & OD_FEATURE_COMPAT_SHARED_EA_IN_METABOX;
	if (sb->metabox && !disk->extslots)
		return od_corrupt(why, "metabox without its extension of the superblock");
	if (sb->xattr_in_metabox && !sb->metabox)
		return od_corrupt(why, "shared xattrs in a metabox that does not exist");
	if (sb->packed_nid & OD_NID_METABOX)
		return od_corrupt(why, "packed inode in the metabox");
	return 0;
}

int od_sb_parse_metabox(const struct od_disk_sb_metabox *disk, struct od_sb *sb,
			const char **why)
{
	sb->metabox_nid = le64_to_cpu(disk->nid);
	if (sb->metabox_nid & OD_NID_METABOX)
		return od_corrupt(why, "metabox in itself");
	return 0;
}

static u8 od_sb_prefix_place(const struct od_sb *sb)
{
	if (sb->compat & OD_FEATURE_COMPAT_PLAIN_XATTR_PFX)
		return OD_PREFIX_IN_IMAGE;
	if (sb->metabox)
		return OD_PREFIX_IN_METABOX;
	return sb->packed_nid ? OD_PREFIX_IN_PACKED : OD_PREFIX_IN_IMAGE;
}

static int od_sb_read_prefixes(const struct od_disk_sb *disk, struct od_sb *sb, const char **why)
{
	if (sb->incompat & OD_FEATURE_INCOMPAT_XATTR_PREFIXES) {
		sb->prefix_count = disk->xattr_prefix_count;
		sb->prefix_off = (u64)le32_to_cpu(disk->xattr_prefix_start) * OD_XATTR_ALIGN;
		sb->prefix_place = od_sb_prefix_place(sb);
	}
	if ((sb->compat & OD_FEATURE_COMPAT_ISHARE_XATTRS) &&
	    disk->ishare_prefix >= sb->prefix_count)
		return od_corrupt(why, "digests of files under a name that does not exist");
	return 0;
}

static void od_sb_read_devices(const struct od_disk_sb *disk, struct od_sb *sb)
{
	if (!(sb->incompat & OD_FEATURE_INCOMPAT_DEVICE_TABLE))
		return;
	sb->extra_devices = le16_to_cpu(disk->extra_devices);
	sb->devt_off = (u64)le16_to_cpu(disk->devt_slotoff) * sizeof(struct od_disk_slot);
}

/*
 * LZ4_0PADDING describes the layout of LZ4 data, and some versions of mkfs.erofs set it in
 * every image: without a list of algorithms, only an inode shows whether one is needed.
 */
static int od_sb_read_algorithms(const struct od_disk_sb *disk, struct od_sb *sb,
				 const char **why)
{
	u16 field = le16_to_cpu(disk->compr_algs);

	if (!(sb->incompat & OD_FEATURE_INCOMPAT_COMPR_CFGS)) {
		if (field || (sb->incompat & OD_FEATURE_INCOMPAT_LZ4_0PADDING))
			sb->compr_algs = 1U << OD_ALGORITHM_LZ4;
		return 0;
	}
	if (field >> OD_ALGORITHMS)
		return od_refuse(why, "unknown compression algorithm");
	sb->compr_algs = field;
	sb->config_off = OD_SB_OFFSET + sizeof(*disk) +
			 (u64)disk->extslots * OD_SB_EXTSLOT_SIZE;
	return 0;
}

/* The checksum covers the rest of the block that holds the superblock. */
static u32 od_sb_checksum_len(u8 blkbits)
{
	u32 blk = 1U << blkbits;

	return blk > OD_SB_OFFSET ? blk - OD_SB_OFFSET : blk;
}

int od_sb_parse(const struct od_disk_sb *disk, u8 blkbits_max, struct od_sb *sb,
		const char **why)
{
	int err;

	if (le32_to_cpu(disk->magic) != OD_SB_MAGIC) {
		*why = "no EROFS superblock";
		return -EINVAL;
	}
	memset(sb, 0, sizeof(*sb));
	sb->compat = le32_to_cpu(disk->compat);
	sb->incompat = le32_to_cpu(disk->incompat);
	if (sb->incompat & ~od_sb_supported)
		return od_refuse(why, "unknown incompatible feature");

	sb->blkbits = disk->blkszbits;
	if (sb->blkbits < OD_BLKBITS_MIN || sb->blkbits > OD_BLKBITS_MAX)
		return od_corrupt(why, "invalid block size");
	if (sb->blkbits > blkbits_max)
		return od_refuse(why, "blocks larger than pages");
	if (disk->dirblkbits)
		return od_refuse(why, "directory blocks of their own size");

	sb->checksum = le32_to_cpu(disk->checksum);
	sb->checksum_len = od_sb_checksum_len(sb->blkbits);
	od_sb_read_root(disk, sb);
	sb->inos = le64_to_cpu(disk->inos);
	sb->epoch = le64_to_cpu(disk->epoch);
	sb->fixed_nsec = le32_to_cpu(disk->fixed_nsec);
	if (sb->fixed_nsec >= 1000000000U)
		return od_corrupt(why, "invalid time stamp");
	sb->meta_off = (u64)le32_to_cpu(disk->meta_blkaddr) << sb->blkbits;
	sb->xattr_off = (u64)le32_to_cpu(disk->xattr_blkaddr) << sb->blkbits;
	memcpy(sb->uuid, disk->uuid, OD_UUID_SIZE);
	memcpy(sb->volume_name, disk->volume_name, OD_VOLUME_NAME_SIZE);
	od_sb_read_devices(disk, sb);
	/* mkfs.erofs sets FRAGMENTS for any packed inode, even if it holds only xattr prefixes. */
	if (sb->incompat & OD_FEATURE_INCOMPAT_FRAGMENTS)
		sb->packed_nid = le64_to_cpu(disk->packed_nid);
	err = od_sb_read_metabox(disk, sb, why);
	if (!err)
		err = od_sb_read_prefixes(disk, sb, why);
	if (err)
		return err;
	sb->xattr_filter = (sb->compat & OD_FEATURE_COMPAT_XATTR_FILTER) &&
			   !disk->xattr_filter_reserved;
	return od_sb_read_algorithms(disk, sb, why);
}
