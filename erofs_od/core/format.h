/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The EROFS on-disk format in numbers. Offsets are in bytes, fields are
 * little-endian.
 */
#ifndef OD_FORMAT_H
#define OD_FORMAT_H

/* Superblock: at this byte of the primary blob, this long without extensions. */
#define OD_SB_OFFSET		1024
#define OD_SB_SIZE		128
#define OD_SB_EXTSLOT_SIZE	16
#define OD_SB_MAGIC		0xE0F5E1E2U

enum od_sb_field {
	OD_SB_MAGIC_AT = 0,
	OD_SB_CHECKSUM_AT = 4,
	OD_SB_COMPAT_AT = 8,
	OD_SB_BLKSZBITS_AT = 12,
	OD_SB_EXTSLOTS_AT = 13,
	OD_SB_ROOTNID_AT = 14,
	OD_SB_INOS_AT = 16,
	OD_SB_EPOCH_AT = 24,
	OD_SB_NSEC_AT = 32,
	OD_SB_BLOCKS_AT = 36,
	OD_SB_META_BLKADDR_AT = 40,
	OD_SB_XATTR_BLKADDR_AT = 44,
	OD_SB_UUID_AT = 48,
	OD_SB_VOLUME_NAME_AT = 64,
	OD_SB_INCOMPAT_AT = 80,
	/* With COMPR_CFGS the algorithms, else the distance of LZ4. */
	OD_SB_ALGS_AT = 84,
	OD_SB_EXTRA_DEVICES_AT = 86,
	OD_SB_DEVT_SLOTOFF_AT = 88,
	OD_SB_DIRBLKBITS_AT = 90,
	OD_SB_XATTR_PREFIX_COUNT_AT = 91,
	OD_SB_XATTR_PREFIX_START_AT = 92,
	OD_SB_PACKED_NID_AT = 96,
	OD_SB_XATTR_FILTER_RESERVED_AT = 104,
};

#define OD_UUID_SIZE		16
#define OD_VOLUME_NAME_SIZE	16

#define OD_BLKBITS_MIN		9
/* The format's own limit; a mount may have a lower one. */
#define OD_BLKBITS_MAX		16

enum od_feature_compat {
	OD_COMPAT_SB_CHKSUM = 0x1,
	OD_COMPAT_XATTR_FILTER = 0x4,
	OD_COMPAT_PLAIN_XATTR_PFX = 0x10,
};

enum od_feature_incompat {
	OD_INCOMPAT_LZ4_0PADDING = 0x1,
	OD_INCOMPAT_COMPR_CFGS = 0x2,
	OD_INCOMPAT_CHUNKED_FILE = 0x4,
	OD_INCOMPAT_DEVICE_TABLE = 0x8,
	OD_INCOMPAT_ZTAILPACKING = 0x10,
	OD_INCOMPAT_FRAGMENTS = 0x20,
	OD_INCOMPAT_XATTR_PREFIXES = 0x40,
	OD_INCOMPAT_48BIT = 0x80,
	OD_INCOMPAT_METABOX = 0x100,
};

/* Device slot */
#define OD_DEVICE_SLOT_SIZE	128
#define OD_DEVICE_TAG_SIZE	64
#define OD_DEVICE_BLOCKS_AT	64
#define OD_DEVICE_UNIADDR_AT	68

/* Inode */
#define OD_NID_SHIFT		5
#define OD_INODE_COMPACT_SIZE	32
#define OD_INODE_EXTENDED_SIZE	64

enum od_inode_field {
	OD_I_FORMAT_AT = 0,
	OD_I_XATTR_ICOUNT_AT = 2,
	OD_I_MODE_AT = 4,
	OD_I_NB_AT = 6,
	OD_I_SIZE_AT = 8,
	OD_I_U_AT = 16,
	OD_I_INO_AT = 20,
	OD_IC_MTIME_AT = 12,
	OD_IC_UID_AT = 24,
	OD_IC_GID_AT = 26,
	OD_IX_UID_AT = 24,
	OD_IX_GID_AT = 28,
	OD_IX_MTIME_AT = 32,
	OD_IX_NSEC_AT = 40,
	OD_IX_NLINK_AT = 44,
};

#define OD_I_EXTENDED		0x0001
#define OD_I_LAYOUT_SHIFT	1
#define OD_I_LAYOUT_MASK	0x7
/* One link for what is not a directory; for one, "." and ".." are not stored. */
#define OD_I_NLINK_1		0x0010
#define OD_I_DOT_OMITTED	0x0010
#define OD_I_KNOWN		0x001f

enum od_layout {
	OD_LAYOUT_FLAT_PLAIN = 0,
	OD_LAYOUT_COMPRESSED_FULL = 1,
	OD_LAYOUT_FLAT_INLINE = 2,
	OD_LAYOUT_COMPRESSED_COMPACT = 3,
	OD_LAYOUT_CHUNK_BASED = 4,
};

/* i_mode in the usual encoding, spelled out because it is on-disk format here. */
#define OD_S_IFMT		0170000
#define OD_S_IFSOCK		0140000
#define OD_S_IFLNK		0120000
#define OD_S_IFREG		0100000
#define OD_S_IFBLK		0060000
#define OD_S_IFDIR		0040000
#define OD_S_IFCHR		0020000
#define OD_S_IFIFO		0010000

/* Chunk format of an inode, and the two forms of a chunk's entry */
#define OD_CHUNK_BITS_MASK	0x001f
#define OD_CHUNK_INDEXES	0x0020
#define OD_CHUNK_48BIT		0x0040
#define OD_CHUNK_KNOWN		0x007f
#define OD_CHUNK_BLOCK_SIZE	4
#define OD_CHUNK_INDEX_SIZE	8
#define OD_CHUNK_INDEX_DEVICE_AT	2
#define OD_CHUNK_INDEX_BLKADDR_AT	4
#define OD_CHUNK_HOLE		0xFFFFFFFFU

/* Algorithms, by number: bits of the superblock, nibbles of inodes */
enum od_alg {
	OD_ALG_LZ4 = 0,
	OD_ALG_LZMA = 1,
	OD_ALG_DEFLATE = 2,
	OD_ALG_ZSTD = 3,
	OD_ALGS,
};

/* Header of a compressed inode's map */
#define OD_ZHEADER_SIZE		8
#define OD_ZHEADER_FRAGMENT_AT	0
#define OD_ZHEADER_INLINE_AT	2
#define OD_ZHEADER_ADVISE_AT	4
#define OD_ZHEADER_ALGS_AT	6
#define OD_ZHEADER_CLUSTERBITS_AT	7
/* The file as a whole is a fragment, at the offset that the other bits are. */
#define OD_ZHEADER_WHOLE	0x8000000000000000ULL

enum od_zadvise {
	/* Full layout: */
	OD_ZADVISE_EXTENTS = 0x01,
	/* Compact layout: */
	OD_ZADVISE_COMPACT_2B = 0x01,
	OD_ZADVISE_BIG_1 = 0x02,
	OD_ZADVISE_BIG_2 = 0x04,
	OD_ZADVISE_INLINE = 0x08,
	OD_ZADVISE_INTERLACED = 0x10,
	OD_ZADVISE_FRAGMENT = 0x20,
};

/* Entry of a full map */
#define OD_ZINDEX_SIZE		8
#define OD_ZINDEX_ADVISE_AT	0
#define OD_ZINDEX_CLUSTEROFS_AT	2
#define OD_ZINDEX_BLKADDR_AT	4

/* Bytes of a pcluster, and of what comes out of it */
#define OD_ZENCODED_MAX		(1U << 20)
#define OD_ZDECODED_MAX		(12U << 20)

/* Directory entry */
#define OD_DIRENT_SIZE		12
#define OD_DIRENT_NID_AT	0
#define OD_DIRENT_NAMEOFF_AT	8
#define OD_DIRENT_TYPE_AT	10
#define OD_DIRENT_NID_METABOX	0x8000000000000000ULL
#define OD_NAME_MAX		255

/* Extended attributes */
#define OD_XATTR_HEADER_SIZE	12
#define OD_XATTR_SHARED_COUNT_AT	4
#define OD_XATTR_ENTRY_SIZE	4
#define OD_XATTR_ALIGN		4
#define OD_XATTR_LONG_PREFIX	0x80
#define OD_XATTR_LONG_PREFIX_MASK	0x7f
#define OD_XATTR_FILTER_SEED	0x25BBE08FU
#define OD_XATTR_FILTER_BITS	32

enum od_xattr_index {
	OD_XATTR_USER = 1,
	OD_XATTR_ACL_ACCESS = 2,
	OD_XATTR_ACL_DEFAULT = 3,
	OD_XATTR_TRUSTED = 4,
	OD_XATTR_LUSTRE = 5,
	OD_XATTR_SECURITY = 6,
};

#endif /* OD_FORMAT_H */
