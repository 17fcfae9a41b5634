/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The EROFS on-disk format: records, features and limits. Fields are little-endian; records may
 * start at any byte.
 */
#ifndef OD_CORE_FORMAT_H
#define OD_CORE_FORMAT_H

#include "od/types.h"
#include "zformat.h"

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
 * @root_nid: inode of the root directory, unless @root_nid_8b has it
 * @blocks_hi: blocks in the image, upper bits, if @root_nid_8b is the root directory
 * @inos: inodes in the image
 * @epoch: seconds that times of compact inodes are relative to
 * @fixed_nsec: nanoseconds of their times
 * @blocks: blocks in the image, lower bits
 * @meta_blkaddr: block that inode numbers are relative to
 * @xattr_blkaddr: block that shared xattr IDs are relative to
 * @uuid: of the image
 * @volume_name: label, padded with NULs
 * @incompat: OD_FEATURE_INCOMPAT_*
 * @compr_algs: with COMPR_CFGS: bit N is set if algorithm N is used; without: the
 *	maximum distance of LZ4, 0 if no data is compressed, in images that are new enough
 * @extra_devices: slots in the device table
 * @devt_slotoff: slot number, from byte 0 of the blob, where the device table starts
 * @dirblkbits: log2 of directory blocks per block
 * @xattr_prefix_count: long xattr name prefixes
 * @xattr_prefix_start: their offset in units of 4 bytes
 * @packed_nid: the packed inode, 0 for none
 * @xattr_filter_reserved: 0, or name filters have another meaning
 * @ishare_prefix: in ISHARE images: index of the prefix that names the files' digests
 * @reserved: of no meaning to this code
 * @root_nid_8b: inode of the root directory in 48BIT images, if not 0
 * @reserved2: of no meaning to this code
 */
struct od_disk_sb {
	__le32 magic;
	__le32 checksum;
	__le32 compat;
	u8 blkszbits;
	u8 extslots;
	union {
		__le16 root_nid;
		__le16 blocks_hi;
	} __packed;
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
	u8 ishare_prefix;
	u8 reserved[6];
	__le64 root_nid_8b;
	u8 reserved2[8];
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
static_assert(offsetof(struct od_disk_sb, ishare_prefix) == 105);
static_assert(offsetof(struct od_disk_sb, root_nid_8b) == 112);

/**
 * struct od_disk_sb_metabox - the first extension slot, of METABOX images
 * @nid: the inode whose data is the metabox
 * @reserved: of no meaning to this code
 */
struct od_disk_sb_metabox {
	__le64 nid;
	u8 reserved[8];
} __packed;

static_assert(sizeof(struct od_disk_sb_metabox) == 16);

/** OD_SB_METABOX_OFFSET - byte of the primary blob where it is */
#define OD_SB_METABOX_OFFSET	(OD_SB_OFFSET + sizeof(struct od_disk_sb))

#define OD_UUID_SIZE		sizeof_field(struct od_disk_sb, uuid)
#define OD_VOLUME_NAME_SIZE	sizeof_field(struct od_disk_sb, volume_name)

#define OD_BLKBITS_MIN		9
/* The format's limit; a mount may have a lower one. */
#define OD_BLKBITS_MAX		16

enum od_feature_compat {
	OD_FEATURE_COMPAT_SB_CHKSUM = 0x1,
	OD_FEATURE_COMPAT_XATTR_FILTER = 0x4,
	OD_FEATURE_COMPAT_SHARED_EA_IN_METABOX = 0x8,
	OD_FEATURE_COMPAT_PLAIN_XATTR_PFX = 0x10,
	OD_FEATURE_COMPAT_ISHARE_XATTRS = 0x20,
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
static_assert(offsetof(struct od_disk_slot, uniaddr_hi) == 74);

#define OD_DEVICE_TAG_SIZE	sizeof_field(struct od_disk_slot, tag)

/* Inode numbers are in units of 1 << OD_NID_SHIFT bytes. */
#define OD_NID_SHIFT		5
/* Set if they are relative to the start of the metabox. */
#define OD_NID_METABOX		0x8000000000000000ULL

/**
 * struct od_disk_inode_compact - an inode of 32 bytes
 * @format: OD_I_*
 * @xattr_icount: size of the xattr body: 0, or 12 bytes and 4 for each beyond the first
 * @mode: type and permissions
 * @nlink: links; with %OD_I_NLINK_1 of no directory: higher bits of @u's block number
 * @size: bytes of data
 * @mtime: seconds since the epoch of the superblock
 * @u: by type and layout: first block, blocks, device number, chunk format
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
 * @nb: higher bits of @u's block number
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
/* One link if not a directory; for a directory, "." is not stored. */
#define OD_I_NLINK_1		0x0010
#define OD_I_DOT_OMITTED	0x0010
#define OD_I_KNOWN		0x001f

/* First block of a flat file without data: all bits of a block number of that width. */
#define OD_BLOCK_BITS		48
#define OD_BLOCK_HOLE		0xFFFFFFFFULL
#define OD_BLOCK_HOLE_48	0xFFFFFFFFFFFFULL

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

/**
 * struct od_disk_chunk - an entry of a chunk array without %OD_CHUNK_INDEXES
 * @blkaddr: first block, or %OD_BLOCK_HOLE
 */
struct od_disk_chunk {
	__le32 blkaddr;
} __packed;

static_assert(sizeof(struct od_disk_chunk) == 4);

/**
 * struct od_disk_chunk_index - an entry of a chunk array with %OD_CHUNK_INDEXES
 * @blkaddr_hi: higher bits, with %OD_CHUNK_48BIT only
 * @device_id: device ID of the blob
 * @blkaddr: first block, or %OD_BLOCK_HOLE; with %OD_CHUNK_48BIT: %OD_BLOCK_HOLE_48
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
 * struct od_disk_dirent - a directory entry
 * @nid: inode
 * @nameoff: offset of its name in the block
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

#define OD_NAME_MAX		255

/**
 * struct od_disk_xattr_header - header of an inode's xattr body
 * @name_filter: a set bit: no name that hashes to it is in the body
 * @shared_count: IDs of shared entries, 4 bytes each, after this header
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
