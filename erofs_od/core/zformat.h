/* SPDX-License-Identifier: GPL-2.0-only */
/* The EROFS on-disk format: compressed inodes. Included by format.h. */
#ifndef OD_CORE_ZFORMAT_H
#define OD_CORE_ZFORMAT_H

#include "od/types.h"

/* Compression algorithms, by number. */
enum od_algorithm {
	OD_ALGORITHM_LZ4 = 0,
	OD_ALGORITHM_LZMA = 1,
	OD_ALGORITHM_DEFLATE = 2,
	OD_ALGORITHM_ZSTD = 3,
	OD_ALGORITHMS,
};

/*
 * With COMPR_CFGS a record for each used algorithm follows the superblock and its extension
 * slots, in ascending order: aligned to 4 bytes, a u16 with its length (0: 65536), then the
 * fields below; a record may be longer.
 */
#define OD_SB_EXTSLOT_SIZE	16
#define OD_CONFIG_ALIGN		4

/**
 * struct od_disk_lz4 - configuration of LZ4
 * @max_distance: maximum distance of a match in bytes; 0: 65535
 * @max_pclusterblks: blocks of the largest pcluster; 0: 1
 * @reserved: of no meaning
 */
struct od_disk_lz4 {
	__le16 max_distance;
	__le16 max_pclusterblks;
	u8 reserved[10];
} __packed;

static_assert(sizeof(struct od_disk_lz4) == 14);

/**
 * struct od_disk_lzma - configuration of MicroLZMA
 * @dict_size: bytes of the dictionary
 * @format: 0
 * @reserved: of no meaning
 */
struct od_disk_lzma {
	__le32 dict_size;
	__le16 format;
	u8 reserved[8];
} __packed;

static_assert(sizeof(struct od_disk_lzma) == 14);

/**
 * struct od_disk_deflate - configuration of DEFLATE
 * @windowbits: log2 of the window size; some versions of mkfs.erofs leave it 0
 * @reserved: of no meaning
 */
struct od_disk_deflate {
	u8 windowbits;
	u8 reserved[5];
} __packed;

static_assert(sizeof(struct od_disk_deflate) == 6);

/**
 * struct od_disk_zstd - configuration of ZSTD
 * @format: 0
 * @windowlog: log2 of the window size, less 10
 * @reserved: of no meaning
 */
struct od_disk_zstd {
	u8 format;
	u8 windowlog;
	u8 reserved[4];
} __packed;

static_assert(sizeof(struct od_disk_zstd) == 6);

/**
 * struct od_disk_zheader - header of the map of a compressed inode
 * @fragment_off: with %OD_ZADVISE_FRAGMENT: byte of the packed inode, lower half
 * @records: with %OD_ZADVISE_EXTENTS, for records of 16 and 32 bytes: their number
 * @reserved: of no meaning
 * @inline_size: otherwise, with %OD_ZADVISE_INLINE: bytes of the inline pcluster
 * @advise: enum od_zadvise
 * @algorithms: lower half: that of type 1 heads; upper half: that of type 2 heads
 * @clusterbits: lower half: log2 of blocks per lcluster
 * @records_hi: instead of both, for records of 16 and 32 bytes: upper bits of @records
 *
 * With %OD_ZHEADER_WHOLE, in the record as a little-endian u64, the file as a whole is a
 * fragment, at the offset that the other bits are.
 */
struct od_disk_zheader {
	union {
		__le32 fragment_off;
		__le32 records;
		struct {
			__le16 reserved;
			__le16 inline_size;
		} __packed;
	} __packed;
	__le16 advise;
	union {
		struct {
			u8 algorithms;
			u8 clusterbits;
		} __packed;
		__le16 records_hi;
	} __packed;
} __packed;

static_assert(sizeof(struct od_disk_zheader) == 8);
static_assert(offsetof(struct od_disk_zheader, inline_size) == 2);
static_assert(offsetof(struct od_disk_zheader, advise) == 4);
static_assert(offsetof(struct od_disk_zheader, algorithms) == 6);
static_assert(offsetof(struct od_disk_zheader, records_hi) == 6);

#define OD_ZHEADER_WHOLE	0x8000000000000000ULL

enum od_zadvise {
	/* Full layout: */
	OD_ZADVISE_EXTENTS = 0x01,
	/* With OD_ZADVISE_EXTENTS, instead of OD_ZADVISE_BIG_*: log2 of the record size, less 2 */
	OD_ZADVISE_RECORD_SIZE = 0x06,
	/* Compact layout: */
	OD_ZADVISE_COMPACT_2B = 0x01,
	OD_ZADVISE_BIG_1 = 0x02,
	OD_ZADVISE_BIG_2 = 0x04,
	OD_ZADVISE_INLINE = 0x08,
	OD_ZADVISE_INTERLACED = 0x10,
	OD_ZADVISE_FRAGMENT = 0x20,
};

/**
 * struct od_disk_zindex - an entry of a full map
 * @advise: type of the lcluster, OD_LCLUSTER_*
 * @clusterofs: head: where in the lcluster the extent starts
 * @blkaddr: head: first block of the pcluster
 * @delta0: not a head: lclusters back to it, or %OD_LCLUSTER_COUNTED and its blocks
 * @delta1: not a head: lclusters to the next head; a hint that is not used
 */
struct od_disk_zindex {
	__le16 advise;
	__le16 clusterofs;
	union {
		__le32 blkaddr;
		struct {
			__le16 delta0;
			__le16 delta1;
		} __packed;
	} __packed;
} __packed;

static_assert(sizeof(struct od_disk_zindex) == 8);
static_assert(offsetof(struct od_disk_zindex, blkaddr) == 4);
static_assert(offsetof(struct od_disk_zindex, delta1) == 6);

/* Between the header and the entries of a full map */
#define OD_ZINDEX_GAP		8

enum od_lcluster_type {
	OD_LCLUSTER_PLAIN = 0,
	OD_LCLUSTER_HEAD1 = 1,
	OD_LCLUSTER_NONHEAD = 2,
	OD_LCLUSTER_HEAD2 = 3,
};

#define OD_LCLUSTER_TYPE	0x0003
#define OD_LCLUSTER_HOLE	0x4000
#define OD_LCLUSTER_PARTIAL	0x8000
#define OD_LCLUSTER_COUNTED	0x0800

#define OD_ZADVISE_RECORD_SHIFT	1

/**
 * struct od_disk_zrecord - an encoded extent, truncated to the record size
 * @plen: bytes of the pcluster, 0 for a hole, and OD_ZRECORD_*; with %OD_ZADVISE_FRAGMENT,
 *	of the last record: byte of the packed inode, lower half
 * @pstart_lo: first byte of the pcluster, lower half; or of that byte the upper half
 * @pstart_hi: first byte of the pcluster, upper half
 * @lstart_lo: first byte of the extent in the file, lower half
 * @lstart_hi: upper half
 * @reserved: of no meaning
 *
 * Records of 4 and 8 bytes have an extent for each lcluster. Before those of 4 bytes there is
 * a u64, the first byte of the first pcluster; each of the others starts where the one before
 * it ends.
 */
struct od_disk_zrecord {
	__le32 plen;
	__le32 pstart_lo;
	__le32 pstart_hi;
	__le32 lstart_lo;
	__le32 lstart_hi;
	__le32 reserved[3];
} __packed;

static_assert(sizeof(struct od_disk_zrecord) == 32);
static_assert(offsetof(struct od_disk_zrecord, lstart_lo) == 12);

/* Record sizes */
#define OD_ZRECORD_4		4
#define OD_ZRECORD_8		8
#define OD_ZRECORD_16		16
#define OD_ZRECORD_32		32

#define OD_ZRECORD_LENGTH	0x001fffffU
#define OD_ZRECORD_RESERVED	0x07e00000U
#define OD_ZRECORD_PARTIAL	0x08000000U
/* 0: plain; otherwise enum od_algorithm plus 1 */
#define OD_ZRECORD_FORMAT_SHIFT	28

/* Records of 4 and 8 bytes: log2 of the largest lcluster, hence of the longest extent */
#define OD_ZRECORD_LCLUSTERBITS_MAX	24

/* Limit of this implementation on 4-byte records in a map, see core/zrecords.c */
#define OD_ZRECORD_4_MAX	(1U << 24)

/* Limits: bytes of a pcluster, and bytes it decompresses to */
#define OD_ZENCODED_MAX		(1U << 20)
#define OD_ZDECODED_MAX		(12U << 20)

#endif /* OD_CORE_ZFORMAT_H */
