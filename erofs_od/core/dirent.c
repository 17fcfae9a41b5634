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

static bool od_name_valid(const char *name, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (!name[i] || name[i] == '/')
			return false;
	return true;
}

/*
 * Locates a name and checks that it is inside the block and of a valid length. A search
 * compares by that alone; most names it looks at are not the one it returns.
 */
static int od_dirblock_name(const struct od_dirblock *block, u32 nr, struct od_dirent *entry)
{
	u32 from = od_dirblock_nameoff(block, nr);
	u32 to;

	if (from < block->count * sizeof(struct od_disk_dirent) || from >= block->len)
		return -EUCLEAN;
	if (nr + 1 < block->count)
		to = od_dirblock_nameoff(block, nr + 1);
	else
		to = od_dirblock_last_end(block, from);
	if (to <= from || to > block->len)
		return -EUCLEAN;
	entry->name = (const char *)block->p + from;
	entry->name_len = to - from;
	return entry->name_len > OD_NAME_MAX ? -EUCLEAN : 0;
}

int od_dirblock_entry(const struct od_dirblock *block, u32 nr,
		      struct od_dirent *entry)
{
	int err = od_dirblock_name(block, nr, entry);

	if (err)
		return err;
	if (!od_name_valid(entry->name, entry->name_len))
		return -EUCLEAN;
	entry->nid = le64_to_cpu(od_dirblock_at(block, nr)->nid);
	entry->type = od_dirblock_at(block, nr)->file_type;
	return 0;
}

int od_name_compare(const char *a, u32 a_len, const char *b, u32 b_len)
{
	int order = memcmp(a, b, min(a_len, b_len));

	if (order)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

int od_dirblock_find(const struct od_dirblock *block, const char *name, u32 len,
		     struct od_dirent *entry)
{
	u32 low = 0, high = block->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		int err = od_dirblock_name(block, mid, entry);
		int order;

		if (err)
			return err;
		order = od_name_compare(name, len, entry->name, entry->name_len);
		if (!order)
			return od_dirblock_entry(block, mid, entry);
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
	int err = od_dirblock_name(block, 0, entry);

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
