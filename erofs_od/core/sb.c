// SPDX-License-Identifier: GPL-2.0-only
#include "sb.h"

static const u32 od_sb_supported =
	OD_INCOMPAT_LZ4_0PADDING | OD_INCOMPAT_COMPR_CFGS | OD_INCOMPAT_CHUNKED_FILE |
	OD_INCOMPAT_DEVICE_TABLE | OD_INCOMPAT_ZTAILPACKING | OD_INCOMPAT_FRAGMENTS |
	OD_INCOMPAT_XATTR_PREFIXES;

static const struct {
	u32 bit;
	const char *name;
} od_sb_refused[] = {
	{ OD_INCOMPAT_48BIT, "48-bit block addresses (48BIT)" },
	{ OD_INCOMPAT_METABOX, "compressed metadata (METABOX)" },
};

static int od_sb_check_features(u32 incompat, const char **why)
{
	u32 extra = incompat & ~od_sb_supported;
	size_t i;

	if (!extra)
		return 0;
	for (i = 0; i < sizeof(od_sb_refused) / sizeof(od_sb_refused[0]); i++) {
		if (extra & od_sb_refused[i].bit) {
			*why = od_sb_refused[i].name;
			return -EOPNOTSUPP;
		}
	}
	*why = "an unknown incompatible feature";
	return -EOPNOTSUPP;
}

static int od_sb_corrupt(const char **why, const char *what)
{
	*why = what;
	return -EUCLEAN;
}

static void od_sb_read_prefixes(const u8 *p, struct od_sb *sb)
{
	if (sb->incompat & OD_INCOMPAT_FRAGMENTS)
		sb->packed_nid = od_le64(p + OD_SB_PACKED_NID_AT);
	if (!(sb->incompat & OD_INCOMPAT_XATTR_PREFIXES))
		return;
	sb->prefix_count = p[OD_SB_XATTR_PREFIX_COUNT_AT];
	sb->prefix_off = (u64)od_le32(p + OD_SB_XATTR_PREFIX_START_AT) * OD_XATTR_ALIGN;
	sb->prefix_in_packed = sb->packed_nid &&
			       !(sb->compat & OD_COMPAT_PLAIN_XATTR_PFX);
}

static void od_sb_read_devices(const u8 *p, struct od_sb *sb)
{
	if (!(sb->incompat & OD_INCOMPAT_DEVICE_TABLE))
		return;
	sb->extra_devices = od_le16(p + OD_SB_EXTRA_DEVICES_AT);
	sb->devt_off = (u64)od_le16(p + OD_SB_DEVT_SLOTOFF_AT) * OD_DEVICE_SLOT_SIZE;
}

/*
 * LZ4_0PADDING says how LZ4's data is laid out, and some versions of mkfs.erofs set it in
 * every image: without a list of algorithms nothing is known until an inode has some.
 */
static int od_sb_read_algs(const u8 *p, struct od_sb *sb, const char **why)
{
	u16 algs = od_le16(p + OD_SB_ALGS_AT);

	if (!(sb->incompat & OD_INCOMPAT_COMPR_CFGS)) {
		if (algs || (sb->incompat & OD_INCOMPAT_LZ4_0PADDING))
			sb->algs = 1U << OD_ALG_LZ4;
		return 0;
	}
	if (algs >> OD_ALGS) {
		*why = "an unknown algorithm";
		return -EOPNOTSUPP;
	}
	sb->algs = algs;
	sb->algs_listed = true;
	sb->config_off = OD_SB_OFFSET + OD_SB_SIZE +
			 (u64)p[OD_SB_EXTSLOTS_AT] * OD_SB_EXTSLOT_SIZE;
	return 0;
}

/* The checksum covers the rest of the block that the superblock lies in. */
static u32 od_sb_checksum_len(u8 blkbits)
{
	u32 blk = 1U << blkbits;

	return blk > OD_SB_OFFSET ? blk - OD_SB_OFFSET : blk;
}

int od_sb_parse(const u8 p[OD_SB_SIZE], u8 blkbits_max, struct od_sb *sb,
		const char **why)
{
	int err;

	if (od_le32(p + OD_SB_MAGIC_AT) != OD_SB_MAGIC) {
		*why = "no EROFS superblock";
		return -EINVAL;
	}
	memset(sb, 0, sizeof(*sb));
	sb->compat = od_le32(p + OD_SB_COMPAT_AT);
	sb->incompat = od_le32(p + OD_SB_INCOMPAT_AT);
	err = od_sb_check_features(sb->incompat, why);
	if (err)
		return err;

	sb->blkbits = p[OD_SB_BLKSZBITS_AT];
	if (sb->blkbits < OD_BLKBITS_MIN || sb->blkbits > OD_BLKBITS_MAX)
		return od_sb_corrupt(why, "impossible block size");
	if (sb->blkbits > blkbits_max) {
		*why = "blocks larger than a page";
		return -EOPNOTSUPP;
	}
	if (p[OD_SB_DIRBLKBITS_AT]) {
		*why = "directory blocks of another size";
		return -EOPNOTSUPP;
	}

	sb->checksum = od_le32(p + OD_SB_CHECKSUM_AT);
	sb->checksum_len = od_sb_checksum_len(sb->blkbits);
	sb->root_nid = od_le16(p + OD_SB_ROOTNID_AT);
	sb->inos = od_le64(p + OD_SB_INOS_AT);
	sb->blocks = od_le32(p + OD_SB_BLOCKS_AT);
	sb->epoch = od_le64(p + OD_SB_EPOCH_AT);
	sb->fixed_nsec = od_le32(p + OD_SB_NSEC_AT);
	if (sb->fixed_nsec >= 1000000000U)
		return od_sb_corrupt(why, "impossible time stamp");
	sb->meta_off = (u64)od_le32(p + OD_SB_META_BLKADDR_AT) << sb->blkbits;
	sb->xattr_off = (u64)od_le32(p + OD_SB_XATTR_BLKADDR_AT) << sb->blkbits;
	memcpy(sb->uuid, p + OD_SB_UUID_AT, OD_UUID_SIZE);
	memcpy(sb->volume_name, p + OD_SB_VOLUME_NAME_AT, OD_VOLUME_NAME_SIZE);
	od_sb_read_devices(p, sb);
	od_sb_read_prefixes(p, sb);
	sb->xattr_filter = (sb->compat & OD_COMPAT_XATTR_FILTER) &&
			   !p[OD_SB_XATTR_FILTER_RESERVED_AT];
	return od_sb_read_algs(p, sb, why);
}
