// SPDX-License-Identifier: GPL-2.0-only
#include "zinode.h"

/* Records of settings: the least length of each, and what they may say. */
#define OD_LZ4_RECORD		14
#define OD_LZ4_PCLUSTERBLKS_AT	2
#define OD_LZMA_RECORD		14
#define OD_LZMA_DICT_AT		0
#define OD_LZMA_FORMAT_AT	4
#define OD_LZMA_DICT_MIN	4096U
#define OD_LZMA_DICT_MAX	(8U << 20)
#define OD_DEFLATE_RECORD	6
#define OD_DEFLATE_WINDOWBITS_AT	0
#define OD_DEFLATE_WINDOWBITS_MAX	15
#define OD_ZSTD_RECORD		6
#define OD_ZSTD_FORMAT_AT	0
#define OD_ZSTD_WINDOWLOG_AT	1
#define OD_ZSTD_WINDOWLOG_MAX	10

static int od_z_corrupt(const char **why, const char *what)
{
	*why = what;
	return -EUCLEAN;
}

static int od_z_refuse(const char **why, const char *what)
{
	*why = what;
	return -EOPNOTSUPP;
}

const char *od_alg_name(unsigned int alg)
{
	static const char *const names[] = { "LZ4", "LZMA", "DEFLATE", "ZSTD" };

	return alg < OD_ALGS ? names[alg] : "an unknown algorithm";
}

static int od_zconfig_lz4(const u8 *p, size_t len, u8 blkbits, const char **why)
{
	if (len < OD_LZ4_RECORD)
		return od_z_corrupt(why, "LZ4 settings cut off");
	if ((u32)od_le16(p + OD_LZ4_PCLUSTERBLKS_AT) << blkbits > OD_ZENCODED_MAX)
		return od_z_corrupt(why, "impossible LZ4 settings");
	return 0;
}

static int od_zconfig_lzma(const u8 *p, size_t len, struct od_zconfig *config, const char **why)
{
	u32 dict;

	if (len < OD_LZMA_RECORD)
		return od_z_corrupt(why, "LZMA settings cut off");
	if (od_le16(p + OD_LZMA_FORMAT_AT))
		return od_z_refuse(why, "another LZMA format");
	dict = od_le32(p + OD_LZMA_DICT_AT);
	if (dict < OD_LZMA_DICT_MIN || dict > OD_LZMA_DICT_MAX)
		return od_z_corrupt(why, "impossible LZMA dictionary size");
	config->lzma_dict = dict;
	return 0;
}

static int od_zconfig_deflate(const u8 *p, size_t len, const char **why)
{
	if (len < OD_DEFLATE_RECORD)
		return od_z_corrupt(why, "DEFLATE settings cut off");
	/* Some writers leave it 0: the window is always taken to be the largest one. */
	if (p[OD_DEFLATE_WINDOWBITS_AT] > OD_DEFLATE_WINDOWBITS_MAX)
		return od_z_corrupt(why, "impossible DEFLATE window");
	return 0;
}

static int od_zconfig_zstd(const u8 *p, size_t len, struct od_zconfig *config, const char **why)
{
	if (len < OD_ZSTD_RECORD)
		return od_z_corrupt(why, "ZSTD settings cut off");
	if (p[OD_ZSTD_FORMAT_AT])
		return od_z_refuse(why, "another ZSTD format");
	if (p[OD_ZSTD_WINDOWLOG_AT] > OD_ZSTD_WINDOWLOG_MAX)
		return od_z_corrupt(why, "impossible ZSTD window");
	config->zstd_window = 1024U << p[OD_ZSTD_WINDOWLOG_AT];
	return 0;
}

int od_zconfig_parse(unsigned int alg, const u8 *p, size_t len, u8 blkbits,
		     struct od_zconfig *config, const char **why)
{
	switch (alg) {
	case OD_ALG_LZ4:
		return od_zconfig_lz4(p, len, blkbits, why);
	case OD_ALG_LZMA:
		return od_zconfig_lzma(p, len, config, why);
	case OD_ALG_DEFLATE:
		return od_zconfig_deflate(p, len, why);
	case OD_ALG_ZSTD:
		return od_zconfig_zstd(p, len, config, why);
	default:
		return od_z_refuse(why, od_alg_name(alg));
	}
}

u64 od_zinode_header(const struct od_inode *inode)
{
	/* Offsets of inodes are checked to be far below 2^64. */
	return (od_inode_body_end(inode) + 7) & ~7ULL;
}

/* The file is a fragment as a whole, and has no map. */
static int od_zinode_whole(const struct od_sb *sb, const struct od_inode *inode, const u8 *p,
			   struct od_zinode *z, const char **why)
{
	z->whole = true;
	z->fragment = od_le64(p) & ~OD_ZHEADER_WHOLE;
	if (!sb->packed_nid)
		return od_z_corrupt(why, "fragment without a packed inode");
	if (inode->nid == sb->packed_nid)
		return od_z_corrupt(why, "fragment in the packed inode");
	return 0;
}

/* The tail: in the packed inode, after the map, or like the rest. */
static int od_zinode_tail(const struct od_sb *sb, const struct od_inode *inode, const u8 *p,
			  struct od_zinode *z, const char **why)
{
	if (z->advise & OD_ZADVISE_FRAGMENT) {
		if (!sb->packed_nid)
			return od_z_corrupt(why, "fragment without a packed inode");
		if (inode->nid == sb->packed_nid)
			return od_z_corrupt(why, "fragment in the packed inode");
		z->fragment = od_le32(p + OD_ZHEADER_FRAGMENT_AT);
	} else if (z->advise & OD_ZADVISE_INLINE) {
		z->inline_size = od_le16(p + OD_ZHEADER_INLINE_AT);
	}
	return 0;
}

static int od_zinode_check(const struct od_sb *sb, const struct od_inode *inode,
			   const struct od_zinode *z, const char **why)
{
	u16 big = z->advise & (OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2);

	if (z->alg[0] >= OD_ALGS || z->alg[1] >= OD_ALGS)
		return od_z_corrupt(why, "an unknown algorithm");
	if (!sb->algs)
		return od_z_corrupt(why, "compressed data in an image without any");
	if (big && !(sb->incompat & OD_INCOMPAT_COMPR_CFGS))
		return od_z_corrupt(why, "big pclusters in an image without any");
	if (z->lclusterbits != sb->blkbits)
		return od_z_refuse(why, "lclusters of another size than blocks");
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL)
		return 0;
	if (big && big != (OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2))
		return od_z_corrupt(why, "compact indexes of which half have big pclusters");
	if (z->lclusterbits > (z->advise & OD_ZADVISE_COMPACT_2B ? 12 : 14))
		return od_z_refuse(why, "compact indexes of large blocks");
	return 0;
}

/* Where the units of 4 and 2 bytes are; where there is none of 2, all have 4. */
static u64 od_zinode_compact(struct od_zinode *z)
{
	u64 left;

	z->first4 = ((32 - z->array % 32) / 4) & 7;
	if (!(z->advise & OD_ZADVISE_COMPACT_2B) || z->first4 >= z->entries)
		z->first4 = 0;
	else
		z->packed2 = (z->entries - z->first4) & ~15ULL;
	left = z->entries - z->packed2;
	return z->packed2 * 2 + (left + (left & 1)) * 4;
}

int od_zinode_parse(const struct od_sb *sb, const struct od_inode *inode,
		    const u8 p[OD_ZHEADER_SIZE], u64 blob_size, struct od_zinode *z,
		    const char **why)
{
	u64 size;
	int err;

	memset(z, 0, sizeof(*z));
	if (od_le64(p) & OD_ZHEADER_WHOLE)
		return od_zinode_whole(sb, inode, p, z, why);
	z->advise = od_le16(p + OD_ZHEADER_ADVISE_AT);
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL && (z->advise & OD_ZADVISE_EXTENTS))
		return od_z_refuse(why, "encoded extents");
	z->alg[0] = p[OD_ZHEADER_ALGS_AT] & 15;
	z->alg[1] = p[OD_ZHEADER_ALGS_AT] >> 4;
	z->lclusterbits = sb->blkbits + (p[OD_ZHEADER_CLUSTERBITS_AT] & 15);
	err = od_zinode_check(sb, inode, z, why);
	if (!err)
		err = od_zinode_tail(sb, inode, p, z, why);
	if (err)
		return err;
	/* No size is beyond 2^63 and no lcluster below 2^9: nothing here overflows. */
	z->entries = (inode->size + (1ULL << z->lclusterbits) - 1) >> z->lclusterbits;
	z->array = od_zinode_header(inode) + OD_ZHEADER_SIZE;
	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL) {
		z->array += OD_ZHEADER_SIZE;
		size = z->entries * OD_ZINDEX_SIZE;
	} else {
		size = od_zinode_compact(z);
	}
	if (z->array > blob_size || size > blob_size - z->array)
		return od_z_corrupt(why, "map beyond the image");
	z->end = z->array + size;
	return 0;
}
