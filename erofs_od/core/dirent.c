// SPDX-License-Identifier: GPL-2.0-only
#include "dirent.h"

int od_dirblock_parse(const u8 *p, u32 len, struct od_dirblock *block)
{
	const struct od_disk_dirent *disk = (const void *)p;
	u32 first;

	if (len < sizeof(*disk))
		return -EUCLEAN;
	/* Names start where the entries end. */
	first = le16_to_cpu(disk->nameoff);
	if (first < sizeof(*disk) || first % sizeof(*disk) || first >= len)
		return -EUCLEAN;
	block->p = p;
	block->len = len;
	block->count = first / sizeof(*disk);
	return 0;
}

static const struct od_disk_dirent *od_dirblock_at(const struct od_dirblock *block, u32 nr)
{
	return (const struct od_disk_dirent *)block->p + nr;
}

static u32 od_dirblock_nameoff(const struct od_dirblock *block, u32 nr)
{
	return le16_to_cpu(od_dirblock_at(block, nr)->nameoff);
}

/* Only the last name of a block may end early, with a NUL. */
static u32 od_dirblock_last_end(const struct od_dirblock *block, u32 from)
{
	u32 end = from;

	while (end < block->len && block->p[end])
		end++;
	return end;
}

/* Nonzero if a byte is 0. */
static u64 od_zero_byte(u64 bytes)
{
	return (bytes - 0x0101010101010101ULL) & ~bytes & 0x8080808080808080ULL;
}

static bool od_bytes_valid(u64 bytes)
{
	return !(od_zero_byte(bytes) | od_zero_byte(bytes ^ 0x2f2f2f2f2f2f2f2fULL));
}

/* A name of less than eight bytes, of which eight may be read. */
static bool od_short_name_valid(const u8 *name, u32 len)
{
	/* Bytes after the name are made valid. */
	return od_bytes_valid(get_unaligned_le64(name) | ~0ULL << (len * 8));
}

/* Eight bytes at a time; the last eight may overlap those before. */
static bool od_long_name_valid(const u8 *name, u32 len)
{
	u32 i;

	for (i = 0; i < len - sizeof(u64); i += sizeof(u64))
		if (!od_bytes_valid(get_unaligned_le64(name + i)))
			return false;
	return od_bytes_valid(get_unaligned_le64(name + len - sizeof(u64)));
}

static bool od_bytewise_valid(const u8 *name, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (!name[i] || name[i] == '/')
			return false;
	return true;
}

static bool od_name_valid(const struct od_dirblock *block, const struct od_dirent *entry)
{
	const u8 *name = (const u8 *)entry->name;

	if (entry->name_len >= sizeof(u64))
		return od_long_name_valid(name, entry->name_len);
	if ((size_t)(block->p + block->len - name) >= sizeof(u64))
		return od_short_name_valid(name, entry->name_len);
	return od_bytewise_valid(name, entry->name_len);
}

/*
 * Locates a name and checks that it is inside the block and of a valid length. A search
 * compares by that alone; most names it looks at are not the one it returns.
 */
static inline int od_dirblock_name(const struct od_dirblock *block, u32 nr,
				   struct od_dirent *entry)
{
	u32 from = od_dirblock_nameoff(block, nr);
	u32 to;

	if (nr + 1 < block->count)
		to = od_dirblock_nameoff(block, nr + 1);
	else
		to = od_dirblock_last_end(block, from);
	/* Below the end of the block, then, is its first byte, too. */
	if (from < block->count * sizeof(struct od_disk_dirent) || to <= from ||
	    to > block->len || to - from > OD_NAME_MAX)
		return -EUCLEAN;
	entry->name = (const char *)block->p + from;
	entry->name_len = to - from;
	return 0;
}

/* Completes an entry whose name has been located. */
static inline int od_dirblock_complete(const struct od_dirblock *block, u32 nr,
				       struct od_dirent *entry)
{
	if (!od_name_valid(block, entry))
		return -EUCLEAN;
	entry->nid = le64_to_cpu(od_dirblock_at(block, nr)->nid);
	entry->type = od_dirblock_at(block, nr)->file_type;
	return 0;
}

int od_dirblock_entry(const struct od_dirblock *block, u32 nr,
		      struct od_dirent *entry)
{
	return od_dirblock_name(block, nr, entry) ?: od_dirblock_complete(block, nr, entry);
}

int od_name_compare(const char *a, u32 a_len, const char *b, u32 b_len)
{
	int order = memcmp(a, b, min(a_len, b_len));

	if (order)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

/**
 * struct od_dirname - a name that is searched for, in sorted names
 * @name: name
 * @len: its length
 * @below: bytes that it has in common with the greatest name found to be less
 * @above: bytes that it has in common with the least name found to be greater
 * @skipped: bytes not compared with the last name
 *
 * Names between those two have the fewer of these bytes in common with it as well.
 */
struct od_dirname {
	const char *name;
	u32 len;
	u32 below;
	u32 above;
	u32 skipped;
};

/* As od_name_compare(), provided that the names are sorted. */
static int od_dirname_compare(struct od_dirname *x, const struct od_dirent *entry)
{
	u32 len = min(x->len, entry->name_len), i = min(x->below, x->above);
	bool less;

	x->skipped = i;
	while (i < len && x->name[i] == entry->name[i])
		i++;
	if (i < len)
		less = (u8)x->name[i] < (u8)entry->name[i];
	else if (x->len != entry->name_len)
		less = x->len < entry->name_len;
	else
		return 0;
	if (less)
		x->above = i;
	else
		x->below = i;
	return less ? -1 : 1;
}

int od_dirblock_find(const struct od_dirblock *block, const char *name, u32 len,
		     struct od_dirent *entry)
{
	struct od_dirname x = { .name = name, .len = len };
	u32 low = 0, high = block->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		int err = od_dirblock_name(block, mid, entry);
		int order;

		if (err)
			return err;
		order = od_dirname_compare(&x, entry);
		if (!order) {
			/* These differ only if the names are not sorted. */
			if (x.skipped && memcmp(name, entry->name, x.skipped))
				return -EUCLEAN;
			return od_dirblock_complete(block, mid, entry);
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -ENOENT;
}

int od_dirsearch_step(struct od_dirsearch *search, u64 nr,
		      const struct od_dirblock *block, const char *name, u32 len,
		      struct od_dirent *entry)
{
	int err;

	/* No other block may hold it. */
	if (search->high - search->low == 1)
		return od_dirblock_find(block, name, len, entry);
	err = od_dirblock_name(block, 0, entry);
	if (err)
		return err;
	if (od_name_compare(name, len, entry->name, entry->name_len) < 0) {
		search->high = nr;
		return -EAGAIN;
	}
	err = od_dirblock_name(block, block->count - 1, entry);
	if (err)
		return err;
	if (od_name_compare(name, len, entry->name, entry->name_len) > 0) {
		search->low = nr + 1;
		return -EAGAIN;
	}
	return od_dirblock_find(block, name, len, entry);
}
