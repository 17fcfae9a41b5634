// SPDX-License-Identifier: GPL-2.0-only
#include "zinode.h"
#include "verdict.h"

#define OD_LZMA_DICT_MIN	4096U
#define OD_LZMA_DICT_MAX	(8U << 20)
#define OD_DEFLATE_WINDOWBITS_MAX	15
#define OD_ZSTD_WINDOWLOG_MAX	10
#define OD_ZSTD_WINDOW_MIN	1024U

const char *od_algorithm_name(unsigned int algorithm)
{
	static const char *const names[] = { "LZ4", "LZMA", "DEFLATE", "ZSTD" };

	return algorithm < OD_ALGORITHMS ? names[algorithm] : "unknown";
}

static int od_zconfig_lz4(const u8 *p, size_t len, u8 blkbits, const char **why)
{
	const struct od_disk_lz4 *disk = (const void *)p;

	if (len < sizeof(*disk))
		return od_corrupt(why, "truncated");
	if ((u64)le16_to_cpu(disk->max_pclusterblks) << blkbits > OD_ZENCODED_MAX)
		return od_corrupt(why, "invalid pcluster size");
	return 0;
}

static int od_zconfig_lzma(const u8 *p, size_t len, struct od_zconfig *config, const char **why)
{
	const struct od_disk_lzma *disk = (const void *)p;
	u32 dict;

	if (len < sizeof(*disk))
		return od_corrupt(why, "truncated");
	if (disk->format)
		return od_refuse(why, "unknown format");
	dict = le32_to_cpu(disk->dict_size);
	if (dict < OD_LZMA_DICT_MIN || dict > OD_LZMA_DICT_MAX)
		return od_corrupt(why, "invalid dictionary size");
	config->lzma_dict = dict;
	return 0;
}

/* Some writers leave the window size 0: always assume the largest one. */
static int od_zconfig_deflate(const u8 *p, size_t len, const char **why)
{
	const struct od_disk_deflate *disk = (const void *)p;

	if (len < sizeof(*disk))
		return od_corrupt(why, "truncated");
	if (disk->windowbits > OD_DEFLATE_WINDOWBITS_MAX)
		return od_corrupt(why, "invalid window size");
	return 0;
}

static int od_zconfig_zstd(const u8 *p, size_t len, struct od_zconfig *config, const char **why)
{
	const struct od_disk_zstd *disk = (const void *)p;

	if (len < sizeof(*disk))
		return od_corrupt(why, "truncated");
	if (disk->format)
		return od_refuse(why, "unknown format");
	if (disk->windowlog > OD_ZSTD_WINDOWLOG_MAX)
		return od_corrupt(why, "invalid window size");
	config->zstd_window = OD_ZSTD_WINDOW_MIN << disk->windowlog;
	return 0;
}

int od_zconfig_parse(unsigned int algorithm, const u8 *p, size_t len, u8 blkbits,
		     struct od_zconfig *config, const char **why)
{
	switch (algorithm) {
	case OD_ALGORITHM_LZ4:
		return od_zconfig_lz4(p, len, blkbits, why);
	case OD_ALGORITHM_LZMA:
		return od_zconfig_lzma(p, len, config, why);
	case OD_ALGORITHM_DEFLATE:
		return od_zconfig_deflate(p, len, why);
	case OD_ALGORITHM_ZSTD:
		return od_zconfig_zstd(p, len, config, why);
	default:
		return od_refuse(why, "unknown algorithm");
	}
}

u64 od_zinode_header(const struct od_inode *inode)
{
	/* Offsets of inodes are checked to be far below 2^64. */
	return round_up(od_inode_body_end(inode), (u64)sizeof(struct od_disk_zheader));
}

static int od_zinode_check_fragment(const struct od_sb *sb, const struct od_inode *inode,
				    const char **why)
{
	if (!sb->packed_nid)
		return od_corrupt(why, "fragment without a packed inode");
	if (inode->nid == sb->packed_nid)
		return od_corrupt(why, "fragment in the packed inode");
	if (sb->metabox && inode->nid == sb->metabox_nid)
		return od_corrupt(why, "fragment in the metabox inode");
	return 0;
}

/* The tail is in the packed inode, after the map, or stored like the rest. */
static int od_zinode_tail(const struct od_sb *sb, const struct od_inode *inode,
			  const struct od_disk_zheader *disk, struct od_zinode *z,
			  const char **why)
{
	if (z->advise & OD_ZADVISE_FRAGMENT) {
		z->fragment = le32_to_cpu(disk->fragment_off);
		return od_zinode_check_fragment(sb, inode, why);
	}
	if (z->advise & OD_ZADVISE_INLINE)
		z->inline_size = le16_to_cpu(disk->inline_size);
	return 0;
}

static int od_zinode_check(const struct od_sb *sb, const struct od_inode *inode,
			   const struct od_zinode *z, const char **why)
{
	u16 big = z->advise & (OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2);

	if (z->algorithm[0] >= OD_ALGORITHMS || z->algorithm[1] >= OD_ALGORITHMS)
		return od_corrupt(why, "unknown compression algorithm");
	if (!sb->compr_algs)
		return od_corrupt(why, "compressed data in an image without");
	if (big && !(sb->incompat & OD_FEATURE_INCOMPAT_COMPR_CFGS))
		return od_corrupt(why, "big pclusters in an image without");
	if (z->lclusterbits != sb->blkbits)
		return od_refuse(why, "lcluster size other than the block size");
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL)
		return 0;
	if (big && big != (OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2))
		return od_corrupt(why, "compact map with big pclusters of one type");
	if (z->lclusterbits > (z->advise & OD_ZADVISE_COMPACT_2B ? 12 : 14))
		return od_refuse(why, "compact map of large blocks");
	return 0;
}

/* Returns the size of the map: units of 4 bytes, then of 2 bytes, then of 4 bytes again. */
static u64 od_zinode_compact(struct od_zinode *z)
{
	u64 left;

	z->first4 = ((32 - z->array % 32) / 4) & 7;
	if (!(z->advise & OD_ZADVISE_COMPACT_2B) || z->first4 >= z->entries)
		z->first4 = 0;
	else
		z->packed2 = round_down(z->entries - z->first4, 16ULL);
	left = z->entries - z->packed2;
	return z->packed2 * 2 + round_up(left, 2ULL) * 4;
}

/* Sizes are below 2^63 and lclusters have 2^9 bytes at least: no overflow. */
static u64 od_zinode_lclusters(const struct od_inode *inode, const struct od_zinode *z)
{
	return (inode->size + (1ULL << z->lclusterbits) - 1) >> z->lclusterbits;
}

static int od_zinode_set_end(struct od_zinode *z, u64 size, u64 limit, const char **why)
{
	if (z->array > limit || size > limit - z->array)
		return od_corrupt(why, "map beyond the end of the image");
	z->end = z->array + size;
	return 0;
}

static int od_zinode_map(const struct od_inode *inode, u64 limit, struct od_zinode *z,
			 const char **why)
{
	u64 size;

	z->entries = od_zinode_lclusters(inode, z);
	z->array = od_zinode_header(inode) + sizeof(struct od_disk_zheader);
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL) {
		z->array += OD_ZINDEX_GAP;
		size = z->entries * sizeof(struct od_disk_zindex);
	} else {
		size = od_zinode_compact(z);
	}
	return od_zinode_set_end(z, size, limit, why);
}

static int od_zinode_check_records(const struct od_sb *sb, const struct od_inode *inode,
				   const struct od_zinode *z, const char **why)
{
	if (!sb->compr_algs)
		return od_corrupt(why, "compressed data in an image without");
	if (z->lclusterbits > OD_ZRECORD_LCLUSTERBITS_MAX)
		return od_refuse(why, "lclusters larger than any extent");
	if (z->record_size == OD_ZRECORD_4 && z->entries > OD_ZRECORD_4_MAX)
		return od_refuse(why, "more than 2^24 encoded extents without addresses");
	if (z->advise & OD_ZADVISE_INLINE)
		return od_corrupt(why, "inline data of encoded extents");
	if (!(z->advise & OD_ZADVISE_FRAGMENT))
		return 0;
	if (!z->entries)
		return od_corrupt(why, "fragment without an extent");
	return od_zinode_check_fragment(sb, inode, why);
}

/* The records have the algorithms, and the location of a fragment. */
static int od_zinode_records(const struct od_sb *sb, const struct od_inode *inode,
			     const struct od_disk_zheader *disk, u64 limit,
			     struct od_zinode *z, const char **why)
{
	int err;

	z->record_size = OD_ZRECORD_4 << ((z->advise & OD_ZADVISE_RECORD_SIZE) >>
					  OD_ZADVISE_RECORD_SHIFT);
	z->array = round_up(od_zinode_header(inode) + sizeof(*disk), (u64)z->record_size);
	if (z->record_size >= OD_ZRECORD_16) {
		/* 47 bits: OD_ZHEADER_WHOLE is 0. The product fits. */
		z->entries = le32_to_cpu(disk->records) |
			     (u64)le16_to_cpu(disk->records_hi) << 32;
	} else {
		z->lclusterbits = sb->blkbits + (disk->clusterbits & 15);
		z->entries = od_zinode_lclusters(inode, z);
	}
	if (z->record_size == OD_ZRECORD_4)
		z->array += sizeof(__le64);
	err = od_zinode_check_records(sb, inode, z, why);
	return err ?: od_zinode_set_end(z, z->entries * z->record_size, limit, why);
}

int od_zinode_parse(const struct od_sb *sb, const struct od_inode *inode,
		    const struct od_disk_zheader *disk, u64 limit, struct od_zinode *z,
		    const char **why)
{
	u64 whole = get_unaligned_le64(disk);
	int err;

	memset(z, 0, sizeof(*z));
	if (whole & OD_ZHEADER_WHOLE) {
		z->whole = true;
		z->fragment = whole & ~OD_ZHEADER_WHOLE;
		return od_zinode_check_fragment(sb, inode, why);
	}
	z->advise = le16_to_cpu(disk->advise);
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL && (z->advise & OD_ZADVISE_EXTENTS))
		return od_zinode_records(sb, inode, disk, limit, z, why);
	z->algorithm[0] = disk->algorithms & 15;
	z->algorithm[1] = disk->algorithms >> 4;
	z->lclusterbits = sb->blkbits + (disk->clusterbits & 15);
	err = od_zinode_check(sb, inode, z, why);
	if (!err)
		err = od_zinode_tail(sb, inode, disk, z, why);
	return err ?: od_zinode_map(inode, limit, z, why);
}
