/* SPDX-License-Identifier: GPL-2.0-only */
/* The blobs of an image: the primary one and those of the device table. */
#ifndef OD_CORE_BLOBTAB_H
#define OD_CORE_BLOBTAB_H

#include "od/types.h"
#include "format.h"

/**
 * struct od_slot - one slot of the device table
 * @tag: name, NUL-terminated; may be empty
 * @blocks: blocks in the blob, according to the image; below 2^48
 * @uniaddr: first block of the blob in the flattened image, below 2^48; 0: not in it
 */
struct od_slot {
	char tag[OD_DEVICE_TAG_SIZE + 1];
	u64 blocks;
	u64 uniaddr;
};

/**
 * od_slot_parse - decode a slot of the device table
 * @disk: the slot
 * @wide: the image has the 48BIT feature
 * @slot: the result
 */
void od_slot_parse(const struct od_disk_slot *disk, bool wide, struct od_slot *slot);

/** OD_BLOB_MAX - largest size of a blob: rounded up to a page it still fits into an loff_t */
#define OD_BLOB_MAX	((u64)S64_MAX - 0xffff)

/**
 * struct od_blob - size of a blob, and its range in the flattened image
 * @size: bytes that can be read, whatever the image says; at most OD_BLOB_MAX
 * @uniaddr: first byte in the flattened image; 0: not in it
 * @unilen: bytes there
 */
struct od_blob {
	u64 size;
	u64 uniaddr;
	u64 unilen;
};

/**
 * struct od_blobtab - the blobs of an image
 * @blkbits: log2 of the block size
 * @count: entries in @blob, the primary one included, at least 1
 * @blob: blob 0 is the primary one, blob N is slot N - 1
 * @metabox_size: bytes in the metabox
 */
struct od_blobtab {
	u8 blkbits;
	u32 count;
	const struct od_blob *blob;
	u64 metabox_size;
};

/**
 * od_blobtab_meta_size - bytes in the blob that holds an inode: the primary blob, or the metabox
 * @tab: blobs of the image
 * @nid: the inode's nid
 */
static inline u64 od_blobtab_meta_size(const struct od_blobtab *tab, u64 nid)
{
	return nid & OD_NID_METABOX ? tab->metabox_size : tab->blob[0].size;
}

/**
 * od_blobtab_device - find the blob of a chunk's device ID
 * @tab: blobs of the image
 * @device_id: as stored; only the bits below the smallest power of two above the
 *	number of slots count
 * @index: the result
 *
 * Return: 0, or -EUCLEAN for an ID past the table.
 */
int od_blobtab_device(const struct od_blobtab *tab, u16 device_id, u32 *index);

/**
 * od_blobtab_flat - find the blob that holds an address of the flattened image
 * @tab: blobs of the image
 * @addr: byte of the flattened image; becomes the byte of the blob
 * @index: the blob; the primary one if no slot claims @addr
 * @len: bytes needed from there; truncated where the next blob starts
 */
void od_blobtab_flat(const struct od_blobtab *tab, u64 *addr, u32 *index,
		     u64 *len);

#endif /* OD_CORE_BLOBTAB_H */
