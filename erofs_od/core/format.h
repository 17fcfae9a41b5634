/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The EROFS on-disk format: records, features and limits. Fields are little-endian,
 * records may start at any byte.
 */
#ifndef OD_CORE_FORMAT_H
#define OD_CORE_FORMAT_H

#include "od/types.h"

/** OD_SB_OFFSET - byte of the primary blob where the superblock starts */
#define OD_SB_OFFSET		1024
#define OD_SB_MAGIC		0xE0F5E1E2U

/**
 * struct od_disk_sb - the superblock, without extension slots
 * @magic: %OD_SB_MAGIC
 * @checksum: crc32c, with this field as 0
 * @compat: OD_FEATURE_COMPAT_*
 * @blkszbits: log2 of the block size
 * @extslots: 16-byte extension slots after this record
 * @root_nid: inode of the root directory
 * @inos: inodes in the image
 * @epoch: seconds that times of compact inodes are relative to
 * @fixed_nsec: nanoseconds of their times
 * @blocks: blocks in the image
 * @meta_blkaddr: block where inode numbers start to count
 * @xattr_blkaddr: block where ids of shared xattrs start to count
 * @uuid: of the image
 * @volume_name: label, padded with NULs
 * @incompat: OD_FEATURE_INCOMPAT_*
 * @compr_algs: with COMPR_CFGS: bit N is set if algorithm N is used; without: the
 *	maximum distance of LZ4, 0 if no data is compressed, in images that are new enough
 * @extra_devices: slots in the device table
 * @devt_slotoff: slot number, from byte 0 of the blob, where the device table starts
 * @dirblkbits: log2 of directory blocks per block
 * @xattr_prefix_count: long xattr name prefixes
 * @xattr_prefix_start: where they are, in units of 4 bytes
 * @packed_nid: the packed inode, 0 for none
 * @xattr_filter_reserved: 0, or the name filters mean something else
 * @reserved: of no meaning to this code
 */
struct od_disk_sb {
	__le32 magic;
	__le32 checksum;
	__le32 compat;
	u8 blkszbits;
	u8 extslots;
	__le16 root_nid;
	__le64 inos;
	__le64 epoch;
	__le32 fixed_nsec;
	__le32 blocks;
	__le32 meta_blkaddr;
	__le32 xattr_blkaddr;
	u8 uuid[16];
	u8 volume_name[16];
	__le32 incompat;
	__le16 compr_algs;
	__le16 extra_devices;
	__le16 devt_slotoff;
	u8 dirblkbits;
	u8 xattr_prefix_count;
	__le32 xattr_prefix_start;
	__le64 packed_nid;
	u8 xattr_filter_reserved;
	u8 reserved[23];
} __packed;

static_assert(sizeof(struct od_disk_sb) == 128);
static_assert(offsetof(struct od_disk_sb, blkszbits) == 12);
static_assert(offsetof(struct od_disk_sb, inos) == 16);
static_assert(offsetof(struct od_disk_sb, blocks) == 36);
static_assert(offsetof(struct od_disk_sb, uuid) == 48);
static_assert(offsetof(struct od_disk_sb, incompat) == 80);
static_assert(offsetof(struct od_disk_sb, devt_slotoff) == 88);
static_assert(offsetof(struct od_disk_sb, xattr_prefix_start) == 92);
static_assert(offsetof(struct od_disk_sb, xattr_filter_reserved) == 104);

#define OD_UUID_SIZE		sizeof_field(struct od_disk_sb, uuid)
#define OD_VOLUME_NAME_SIZE	sizeof_field(struct od_disk_sb, volume_name)

#define OD_BLKBITS_MIN		9
/* The format's own limit; a mount may have a lower one. */
#define OD_BLKBITS_MAX		16

enum od_feature_compat {
	OD_FEATURE_COMPAT_SB_CHKSUM = 0x1,
	OD_FEATURE_COMPAT_XATTR_FILTER = 0x4,
	OD_FEATURE_COMPAT_PLAIN_XATTR_PFX = 0x10,
};

enum od_feature_incompat {
	OD_FEATURE_INCOMPAT_LZ4_0PADDING = 0x1,
	OD_FEATURE_INCOMPAT_COMPR_CFGS = 0x2,
	OD_FEATURE_INCOMPAT_CHUNKED_FILE = 0x4,
	OD_FEATURE_INCOMPAT_DEVICE_TABLE = 0x8,
	OD_FEATURE_INCOMPAT_ZTAILPACKING = 0x10,
	OD_FEATURE_INCOMPAT_FRAGMENTS = 0x20,
	OD_FEATURE_INCOMPAT_XATTR_PREFIXES = 0x40,
	OD_FEATURE_INCOMPAT_48BIT = 0x80,
	OD_FEATURE_INCOMPAT_METABOX = 0x100,
};

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
 * @max_distance: bytes that a match reaches back; 0: 65535
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
 * struct od_disk_slot - one slot of the device table
 * @tag: name, not NUL-terminated if it is as long as this
 * @blocks: blocks in the blob
 * @uniaddr: first block of the blob in the flattened image, 0 for none
 * @blocks_hi: higher bits, of 48BIT images only
 * @uniaddr_hi: higher bits, of 48BIT images only
 * @reserved: of no meaning
 */
struct od_disk_slot {
	u8 tag[64];
	__le32 blocks;
	__le32 uniaddr;
	__le16 blocks_hi;
	__le16 uniaddr_hi;
	u8 reserved[52];
} __packed;

static_assert(sizeof(struct od_disk_slot) == 128);
static_assert(offsetof(struct od_disk_slot, blocks) == 64);
static_assert(offsetof(struct od_disk_slot, uniaddr) == 68);

#define OD_DEVICE_TAG_SIZE	sizeof_field(struct od_disk_slot, tag)

/* Inode numbers count units of 1 << OD_NID_SHIFT bytes. */
#define OD_NID_SHIFT		5

/**
 * struct od_disk_inode_compact - an inode of 32 bytes
 * @format: OD_I_*
 * @xattr_icount: size of the xattr body: 0, or 12 bytes and 4 for each beyond the first
 * @mode: type and permissions
 * @nlink: links
 * @size: bytes of data
 * @mtime: seconds since the epoch of the superblock
 * @u: by type and layout: first block, device number, chunk format
 * @ino: number for 32-bit stat(2)
 * @uid: owner
 * @gid: group
 * @reserved: of no meaning
 */
struct od_disk_inode_compact {
	__le16 format;
	__le16 xattr_icount;
	__le16 mode;
	__le16 nlink;
	__le32 size;
	__le32 mtime;
	__le32 u;
	__le32 ino;
	__le16 uid;
	__le16 gid;
	__le32 reserved;
} __packed;

static_assert(sizeof(struct od_disk_inode_compact) == 32);
static_assert(offsetof(struct od_disk_inode_compact, mtime) == 12);
static_assert(offsetof(struct od_disk_inode_compact, u) == 16);
static_assert(offsetof(struct od_disk_inode_compact, uid) == 24);

/**
 * struct od_disk_inode_extended - an inode of 64 bytes; begins as a compact one does
 * @format: OD_I_*, with %OD_I_EXTENDED
 * @xattr_icount: as in a compact inode
 * @mode: type and permissions
 * @nb: higher bits of a block number, of 48BIT images only
 * @size: bytes of data
 * @u: as in a compact inode
 * @ino: number for 32-bit stat(2)
 * @uid: owner
 * @gid: group
 * @mtime: seconds
 * @mtime_nsec: nanoseconds
 * @nlink: links
 * @reserved: of no meaning
 */
struct od_disk_inode_extended {
	__le16 format;
	__le16 xattr_icount;
	__le16 mode;
	__le16 nb;
	__le64 size;
	__le32 u;
	__le32 ino;
	__le32 uid;
	__le32 gid;
	__le64 mtime;
	__le32 mtime_nsec;
	__le32 nlink;
	u8 reserved[16];
} __packed;

static_assert(sizeof(struct od_disk_inode_extended) == 64);
static_assert(offsetof(struct od_disk_inode_extended, u) ==
	      offsetof(struct od_disk_inode_compact, u));
static_assert(offsetof(struct od_disk_inode_extended, uid) == 24);
static_assert(offsetof(struct od_disk_inode_extended, mtime) == 32);
static_assert(offsetof(struct od_disk_inode_extended, nlink) == 44);

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
#define OD_CHUNK_HOLE		0xFFFFFFFFU

/**
 * struct od_disk_chunk - an entry of a chunk array without %OD_CHUNK_INDEXES
 * @blkaddr: first block, or %OD_CHUNK_HOLE
 */
struct od_disk_chunk {
	__le32 blkaddr;
} __packed;

static_assert(sizeof(struct od_disk_chunk) == 4);

/**
 * struct od_disk_chunk_index - an entry of a chunk array with %OD_CHUNK_INDEXES
 * @blkaddr_hi: higher bits, with %OD_CHUNK_48BIT only
 * @device_id: which blob
 * @blkaddr: first block, or %OD_CHUNK_HOLE
 */
struct od_disk_chunk_index {
	__le16 blkaddr_hi;
	__le16 device_id;
	__le32 blkaddr;
} __packed;

static_assert(sizeof(struct od_disk_chunk_index) == 8);
static_assert(offsetof(struct od_disk_chunk_index, device_id) == 2);
static_assert(offsetof(struct od_disk_chunk_index, blkaddr) == 4);

/**
 * struct od_disk_zheader - what the map of a compressed inode begins with
 * @fragment_off: with %OD_ZADVISE_FRAGMENT: byte of the packed inode, lower half
 * @reserved: of no meaning
 * @inline_size: otherwise, with %OD_ZADVISE_INLINE: bytes of the inline pcluster
 * @advise: enum od_zadvise
 * @algorithms: of the heads of type 1, and in the higher half of those of type 2
 * @clusterbits: lower half: log2 of lclusters per block
 *
 * With %OD_ZHEADER_WHOLE, in the record as a little-endian u64, the file as a whole is a
 * fragment, at the offset that the other bits are.
 */
struct od_disk_zheader {
	union {
		__le32 fragment_off;
		struct {
			__le16 reserved;
			__le16 inline_size;
		} __packed;
	} __packed;
	__le16 advise;
	u8 algorithms;
	u8 clusterbits;
} __packed;

static_assert(sizeof(struct od_disk_zheader) == 8);
static_assert(offsetof(struct od_disk_zheader, inline_size) == 2);
static_assert(offsetof(struct od_disk_zheader, advise) == 4);
static_assert(offsetof(struct od_disk_zheader, algorithms) == 6);

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

/* Limits: bytes of a pcluster, and bytes that it decompresses to */
#define OD_ZENCODED_MAX		(1U << 20)
#define OD_ZDECODED_MAX		(12U << 20)

/**
 * struct od_disk_dirent - a directory entry
 * @nid: inode
 * @nameoff: where in the block its name starts
 * @file_type: type code
 * @reserved: of no meaning
 */
struct od_disk_dirent {
	__le64 nid;
	__le16 nameoff;
	u8 file_type;
	u8 reserved;
} __packed;

static_assert(sizeof(struct od_disk_dirent) == 12);
static_assert(offsetof(struct od_disk_dirent, nameoff) == 8);
static_assert(offsetof(struct od_disk_dirent, file_type) == 10);

#define OD_DIRENT_NID_METABOX	0x8000000000000000ULL
#define OD_NAME_MAX		255

/**
 * struct od_disk_xattr_header - what the xattr body of an inode begins with
 * @name_filter: a set bit: no name that hashes to it is in the body
 * @shared_count: ids of shared entries, 4 bytes each, after this header
 * @reserved: of no meaning
 */
struct od_disk_xattr_header {
	__le32 name_filter;
	u8 shared_count;
	u8 reserved[7];
} __packed;

static_assert(sizeof(struct od_disk_xattr_header) == 12);
static_assert(offsetof(struct od_disk_xattr_header, shared_count) == 4);

/**
 * struct od_disk_xattr_entry - an attribute; its name and then its value follow
 * @name_len: bytes of the name, without the prefix
 * @name_index: prefix
 * @value_size: bytes of the value
 */
struct od_disk_xattr_entry {
	u8 name_len;
	u8 name_index;
	__le16 value_size;
} __packed;

static_assert(sizeof(struct od_disk_xattr_entry) == 4);
static_assert(offsetof(struct od_disk_xattr_entry, value_size) == 2);

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

#endif /* OD_CORE_FORMAT_H */
