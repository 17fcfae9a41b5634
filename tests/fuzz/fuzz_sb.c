// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblocks, and offsets of inodes. The input: the largest block size, an inode
 * number, the size of the blob, the superblock, its extension.
 */
#include "fuzz.h"
#include "erofs_od/core/inode.h"
#include "erofs_od/core/sb.h"

static const u32 supported = OD_FEATURE_INCOMPAT_LZ4_0PADDING | OD_FEATURE_INCOMPAT_CHUNKED_FILE |
			     OD_FEATURE_INCOMPAT_DEVICE_TABLE |
			     OD_FEATURE_INCOMPAT_XATTR_PREFIXES |
			     OD_FEATURE_INCOMPAT_COMPR_CFGS | OD_FEATURE_INCOMPAT_ZTAILPACKING |
			     OD_FEATURE_INCOMPAT_FRAGMENTS | OD_FEATURE_INCOMPAT_48BIT |
			     OD_FEATURE_INCOMPAT_METABOX;

static void check_sb(const struct od_sb *sb, const u8 *p, u8 blkbits_max)
{
	u64 blk;

	must(get_unaligned_le32(p) == OD_SB_MAGIC);
	must(sb->blkbits >= OD_BLKBITS_MIN && sb->blkbits <= OD_BLKBITS_MAX);
	must(sb->blkbits <= blkbits_max);
	blk = 1ULL << sb->blkbits;
	must(!(sb->incompat & ~supported));
	must(!(sb->compr_algs >> OD_ALGORITHMS));
	must(!sb->config_off == !(sb->incompat & OD_FEATURE_INCOMPAT_COMPR_CFGS));
	must(!sb->config_off || sb->config_off >= OD_SB_OFFSET + sizeof(struct od_disk_sb));
	must(!sb->packed_nid || sb->incompat & OD_FEATURE_INCOMPAT_FRAGMENTS);
	must(sb->incompat & OD_FEATURE_INCOMPAT_48BIT ||
	     (sb->root_nid <= U16_MAX && sb->blocks <= U32_MAX));
	must(sb->blocks >> OD_BLOCK_BITS == 0);
	must(sb->fixed_nsec < 1000000000U);
	must(sb->checksum_len > 0 && sb->checksum_len <= blk);
	must((OD_SB_OFFSET + sb->checksum_len) % blk == 0);
	must(sb->meta_off % blk == 0 && sb->xattr_off % blk == 0);
	must(sb->meta_off >> sb->blkbits <= U32_MAX && sb->xattr_off >> sb->blkbits <= U32_MAX);
	must(memchr(sb->volume_name, 0, sizeof(sb->volume_name)));
	must(!memcmp(sb->volume_name, p + 64, OD_VOLUME_NAME_SIZE));
	must(!memcmp(sb->uuid, p + 48, OD_UUID_SIZE));
	must(sb->incompat & OD_FEATURE_INCOMPAT_DEVICE_TABLE ||
	     (!sb->extra_devices && !sb->devt_off));
	must(sb->devt_off % sizeof(struct od_disk_slot) == 0 && sb->devt_off <= 0xffff * 128);
	must(sb->incompat & OD_FEATURE_INCOMPAT_XATTR_PREFIXES ||
	     (!sb->prefix_count && !sb->prefix_place));
	must(sb->prefix_place != OD_PREFIX_IN_PACKED || sb->packed_nid);
	must(sb->prefix_place != OD_PREFIX_IN_METABOX || sb->metabox);
	must(sb->metabox == !!(sb->incompat & OD_FEATURE_INCOMPAT_METABOX));
	must(!sb->metabox || p[13]);
	must(!sb->xattr_in_metabox || sb->metabox);
	must(!(sb->packed_nid & OD_NID_METABOX));
	must(sb->prefix_off % OD_XATTR_ALIGN == 0);
	must(!sb->xattr_filter || sb->compat & OD_FEATURE_COMPAT_XATTR_FILTER);
}

static void check_offset(const struct od_sb *sb, u64 nid, u64 blob_size)
{
	bool boxed = nid >> 63;
	unsigned __int128 at = (unsigned __int128)(nid << 1 >> 1) * 32 + (boxed ? 0 : sb->meta_off);
	bool fits = at + sizeof(struct od_disk_inode_compact) <= blob_size &&
		    (!boxed || sb->metabox);
	u64 off = 0;
	int err = od_inode_offset(sb, nid, blob_size, &off);

	must(err == (fits ? 0 : -EUCLEAN));
	must(err || off == at);
}

static void check_metabox(struct od_sb *sb, const u8 *p)
{
	const char *why = NULL;
	int err = od_sb_parse_metabox((const void *)p, sb, &why);

	must(err == (get_unaligned_le64(p) >> 63 ? -EUCLEAN : 0));
	must(!err == !why);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	u8 blkbits_max = feed8(&feed);
	u64 nid = feed64(&feed), blob_size = feed64(&feed);
	u8 *p = feed_bytes(&feed, sizeof(struct od_disk_sb));
	u8 *box = feed_bytes(&feed, sizeof(struct od_disk_sb_metabox));
	const char *why = NULL;
	struct od_sb sb;
	int err = od_sb_parse((const void *)p, blkbits_max, &sb, &why);

	must((err == -EINVAL) == (get_unaligned_le32(p) != OD_SB_MAGIC));
	if (err) {
		must(err == -EINVAL || err == -EOPNOTSUPP || err == -EUCLEAN);
		must(why && *why);
	} else {
		check_sb(&sb, p, blkbits_max);
		/* A valid size of a blob. */
		check_offset(&sb, nid, blob_size & (u64)S64_MAX);
		check_offset(&sb, sb.root_nid, blob_size & (u64)S64_MAX);
		check_metabox(&sb, box);
	}
	free(box);
	free(p);
	return 0;
}
