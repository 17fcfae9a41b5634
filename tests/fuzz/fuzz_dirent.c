// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of directories. The input: the length of a name and that name, the length
 * of a block in units of 16 bytes, the blocks.
 */
#include "fuzz.h"
#include "erofs_od/core/dirent.h"

#define BLOCKS_MAX	8

struct dir {
	struct od_dirblock block[BLOCKS_MAX];
	u8 *bytes[BLOCKS_MAX];
	bool parsed[BLOCKS_MAX];
	unsigned int nr;
	bool good, sorted;	/* all entries are in order; and each above the one before */
};

static void check_entry(const struct od_dirblock *block, const struct od_dirent *entry)
{
	u32 names = block->count * sizeof(struct od_disk_dirent);

	must(entry->name_len >= 1 && entry->name_len <= OD_NAME_MAX);
	must(inside(entry->name, entry->name_len, block->p + names, block->len - names));
	must(!memchr(entry->name, 0, entry->name_len));
	must(!memchr(entry->name, '/', entry->name_len));
}

/* Independent of the core's comparison. */
static int order(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len; i++)
		if (a[i] != b[i])
			return (u8)a[i] < (u8)b[i] ? -1 : 1;
	return a_len < b_len ? -1 : a_len > b_len;
}

static int sign(int v)
{
	return v < 0 ? -1 : v > 0;
}

static void look_at(struct dir *dir, struct od_dirent *last, bool *first, unsigned int nr)
{
	const struct od_dirblock *block = &dir->block[nr];
	struct od_dirent entry;
	u32 i;

	must(block->count >= 1 && block->count * sizeof(struct od_disk_dirent) < block->len);
	for (i = 0; i < block->count; i++) {
		int err = od_dirblock_entry(block, i, &entry), cmp;

		must(!err || err == -EUCLEAN);
		if (err) {
			dir->good = false;
			return;
		}
		check_entry(block, &entry);
		if (!*first) {
			cmp = od_name_compare(last->name, last->name_len, entry.name,
					      entry.name_len);
			must(sign(cmp) == order(last->name, last->name_len, entry.name,
						entry.name_len));
			dir->sorted &= cmp < 0;
		}
		*last = entry;
		*first = false;
	}
}

static void read_dir(struct feed *feed, struct dir *dir, u32 block_len)
{
	struct od_dirent last = { 0 };
	bool first = true;

	dir->good = dir->sorted = true;
	while (feed->left && dir->nr < BLOCKS_MAX) {
		unsigned int nr = dir->nr++;
		size_t len;

		dir->bytes[nr] = feed_rest(feed, block_len, &len);
		dir->parsed[nr] = !od_dirblock_parse(dir->bytes[nr], (u32)len, &dir->block[nr]);
		if (dir->parsed[nr])
			look_at(dir, &last, &first, nr);
		else
			dir->good = false;
	}
}

/* Linear search for a name. */
static bool exists(const struct dir *dir, const char *name, u32 len)
{
	struct od_dirent entry;
	unsigned int nr;
	u32 i;

	for (nr = 0; nr < dir->nr; nr++)
		for (i = 0; dir->parsed[nr] && i < dir->block[nr].count; i++)
			if (!od_dirblock_entry(&dir->block[nr], i, &entry) &&
			    !order(entry.name, entry.name_len, name, len))
				return true;
	return false;
}

static int search(const struct dir *dir, const char *name, u32 len, u64 blocks,
		  struct od_dirent *entry)
{
	struct od_dirsearch s;
	unsigned int steps = 0;
	u64 at;
	int err;

	od_dirsearch_init(&s, blocks);
	while (od_dirsearch_next(&s, &at)) {
		must(at < blocks && ++steps <= 64);
		if (!dir->parsed[at % dir->nr])
			return -EUCLEAN;
		err = od_dirsearch_step(&s, at, &dir->block[at % dir->nr], name, len, entry);
		if (err != -EAGAIN)
			return err;
	}
	return -ENOENT;
}

static void check_search(const struct dir *dir, const char *name, u32 len)
{
	struct od_dirent entry = { 0 };
	bool there = exists(dir, name, len);
	int err = search(dir, name, len, dir->nr, &entry);

	must(!err || err == -ENOENT || err == -EUCLEAN || err == -EOPNOTSUPP);
	if (!err)
		must(there && !order(entry.name, entry.name_len, name, len));
	if (dir->good && dir->sorted)
		must(err == (there ? 0 : -ENOENT));
	/* A search of more blocks than possible terminates, too. */
	search(dir, name, len, 1ULL << 54, &entry);
}

static void check_names(const struct dir *dir)
{
	struct od_dirent entry, found;
	unsigned int nr;
	u32 i;

	for (nr = 0; nr < dir->nr; nr++) {
		const struct od_dirblock *block = &dir->block[nr];

		for (i = 0; i < block->count; i++) {
			must(!od_dirblock_entry(block, i, &entry));
			must(!od_dirblock_find(block, entry.name, entry.name_len, &found));
			must(found.name == entry.name && found.nid == entry.nid);
			must(!search(dir, entry.name, entry.name_len, dir->nr, &found));
			must(found.name == entry.name);
		}
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	u8 len = feed8(&feed);
	char *name = (char *)feed_bytes(&feed, len);
	struct dir dir = { .nr = 0 };
	unsigned int nr;

	read_dir(&feed, &dir, 16 * (feed8(&feed) + 1U));
	if (dir.nr) {
		check_search(&dir, name, len);
		if (dir.good && dir.sorted)
			check_names(&dir);
	}
	for (nr = 0; nr < dir.nr; nr++)
		free(dir.bytes[nr]);
	free(name);
	return 0;
}
