/* SPDX-License-Identifier: GPL-2.0-only */
/* The blobs of an image: the primary one and those of the device table. */
#ifndef OD_CORE_BLOBTAB_H
#define OD_CORE_BLOBTAB_H

#include "od/types.h"
#include "format.h"

/**
 * struct od_slot - one slot of the device table
 * @tag: name, NUL-terminated; may be empty
 * @blocks: blocks in the blob, as the image says
 * @uniaddr: first block of the blob in the flattened image; 0 when it has none
 */
struct od_slot {
	char tag[OD_DEVICE_TAG_SIZE + 1];
	u32 blocks;
	u32 uniaddr;
};

/**
 * od_slot_parse - read a slot of the device table
 * @disk: the slot
 * @slot: the result
 */
void od_slot_parse(const struct od_disk_slot *disk, struct od_slot *slot);

/**
 * struct od_blob - where a blob lies and how long it is
 * @size: bytes that can be read, whatever the image says
 * @uniaddr: byte of the flattened image where it starts; 0: not in it
 * @unilen: bytes that it takes there
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
 */
struct od_blobtab {
	u8 blkbits;
	u32 count;
	const struct od_blob *blob;
};

/**
 * od_blobtab_device - which blob does a chunk's device id mean?
 * @tab: blobs of the image
 * @device_id: as stored; bits above the smallest power of two above the number
 *	of slots are no part of it
 * @index: the result
 *
 * Return: 0, or -EUCLEAN for an id beyond the table.
 */
int od_blobtab_device(const struct od_blobtab *tab, u16 device_id, u32 *index);

/**
 * od_blobtab_flat - which blob holds an address of the flattened image?
 * @tab: blobs of the image
 * @addr: byte of the flattened image; becomes the byte of the blob
 * @index: the blob; the primary one when no slot claims @addr
 * @len: bytes wanted from there; cut where the next blob starts
 */
void od_blobtab_flat(const struct od_blobtab *tab, u64 *addr, u32 *index,
		     u64 *len);

#endif /* OD_CORE_BLOBTAB_H */
