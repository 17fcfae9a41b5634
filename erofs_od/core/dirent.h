/* SPDX-License-Identifier: GPL-2.0-only */
/* Directory blocks. */
#ifndef OD_CORE_DIRENT_H
#define OD_CORE_DIRENT_H

#include "od/types.h"
#include "format.h"

/**
 * struct od_dirblock - a block of directory entries
 * @p: its bytes
 * @len: bytes in @p; less than a block at the end of the directory
 * @count: entries in it, at least 1
 */
struct od_dirblock {
	const u8 *p;
	u32 len;
	u32 count;
};

/**
 * struct od_dirent - one entry
 * @name: points into the block, not NUL-terminated
 * @name_len: 1 to 255
 * @nid: inode; with %OD_NID_METABOX it is in the metabox
 * @type: file type code, not checked
 */
struct od_dirent {
	const char *name;
	u32 name_len;
	u64 nid;
	u8 type;
};

/**
 * od_dirblock_parse - decode a block
 * @p: its bytes
 * @len: bytes in @p
 * @block: the result
 *
 * Return: 0, or -EUCLEAN if the number of entries is invalid.
 */
int od_dirblock_parse(const u8 *p, u32 len, struct od_dirblock *block);

/**
 * od_dirblock_entry - decode and check an entry
 * @block: block
 * @nr: index of the entry, below @block->count
 * @entry: the result
 *
 * Return: 0; -EUCLEAN for a name outside the block, of an invalid length or with a
 * '/' or NUL in it.
 */
int od_dirblock_entry(const struct od_dirblock *block, u32 nr,
		      struct od_dirent *entry);

/**
 * od_name_compare - compare two names
 * @a: first name
 * @a_len: its length
 * @b: second name
 * @b_len: its length
 *
 * Return: below 0, 0 or above 0, by bytes, as directories are sorted.
 */
int od_name_compare(const char *a, u32 a_len, const char *b, u32 b_len);

/**
 * od_dirblock_find - look a name up in a block
 * @block: block
 * @name: name
 * @len: its length
 * @entry: the result
 *
 * Names that the search visits have to be inside the block and of a valid length; the entry
 * found passes all checks of od_dirblock_entry().
 *
 * Return: 0; -ENOENT; or an error of od_dirblock_entry().
 */
int od_dirblock_find(const struct od_dirblock *block, const char *name, u32 len,
		     struct od_dirent *entry);

/**
 * struct od_dirsearch - binary search over the blocks of a directory
 * @low: first block that may hold the name
 * @high: first block that cannot
 */
struct od_dirsearch {
	u64 low;
	u64 high;
};

/**
 * od_dirsearch_init - start a search
 * @search: state
 * @blocks: blocks in the directory
 */
static inline void od_dirsearch_init(struct od_dirsearch *search, u64 blocks)
{
	search->low = 0;
	search->high = blocks;
}

/**
 * od_dirsearch_next - choose the block to look at
 * @search: state
 * @block: the result
 *
 * Return: false if the name is in no block.
 */
static inline bool od_dirsearch_next(const struct od_dirsearch *search, u64 *block)
{
	if (search->low >= search->high)
		return false;
	*block = search->low + (search->high - search->low) / 2;
	return true;
}

/**
 * od_dirsearch_step - search a block
 * @search: state
 * @nr: number of the block, from od_dirsearch_next()
 * @block: that block
 * @name: name
 * @len: its length
 * @entry: the result
 *
 * Return: 0 if found; -EAGAIN to continue with od_dirsearch_next(); -ENOENT; or an error of
 * od_dirblock_entry().
 */
int od_dirsearch_step(struct od_dirsearch *search, u64 nr,
		      const struct od_dirblock *block, const char *name, u32 len,
		      struct od_dirent *entry);

#endif /* OD_CORE_DIRENT_H */
