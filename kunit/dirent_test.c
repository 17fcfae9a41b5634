// SPDX-License-Identifier: GPL-2.0-only
/* Directory blocks: lookups in valid ones, rejection of invalid ones. */
#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/dirent.h"

/* Writes a block of names, zeroed after the last name. */
static void make_block(struct kunit *test, u8 *p, u32 len, const char *const *names, u32 count)
{
	u32 off = count * 12, i;

	memset(p, 0, len);
	for (i = 0; i < count; i++) {
		size_t n = strlen(names[i]);

		KUNIT_ASSERT_LE(test, off + n, len);
		put64(p + i * 12, 100 + i);
		put16(p + i * 12 + 8, (u16)off);
		p[i * 12 + 10] = 1;
		memcpy(p + off, names[i], n);
		off += (u32)n;
	}
}

static const char *const names[] = { ".", "..", "Z", "a", "aa", "ab", "b", "\377" };

static void dirent_finds_all(struct kunit *test)
{
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[512];
	u32 i;

	make_block(test, p, sizeof(p), names, ARRAY_SIZE(names));
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
	KUNIT_EXPECT_EQ(test, block.count, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, i, &e), 0);
		KUNIT_EXPECT_EQ(test, e.name_len, strlen(names[i]));
		KUNIT_EXPECT_MEMEQ(test, e.name, names[i], e.name_len);
		KUNIT_EXPECT_EQ(test, od_dirblock_find(&block, names[i], strlen(names[i]), &e), 0);
		KUNIT_EXPECT_EQ(test, e.nid, 100 + i);
		KUNIT_EXPECT_EQ(test, e.type, 1);
	}
}

static void dirent_misses(struct kunit *test)
{
	static const char *const absent[] = { "!", "...", "A", "a\001", "aaa", "c", "\377\377" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[512];
	size_t i;

	make_block(test, p, sizeof(p), names, ARRAY_SIZE(names));
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		KUNIT_EXPECT_EQ(test, od_dirblock_find(&block, absent[i], strlen(absent[i]), &e),
				-ENOENT);
}

/* The last name may extend to the last byte of the block, without a NUL. */
static void dirent_full_block(struct kunit *test)
{
	static const char *const two[] = { "a", "bcdefgh" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 *p = kunit_kzalloc(test, 24 + 8, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	make_block(test, p, 24 + 8, two, 2);
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, 24 + 8, &block), 0);
	KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 1, &e), 0);
	KUNIT_EXPECT_EQ(test, e.name_len, 7);
}

static void dirent_name_lengths(struct kunit *test)
{
	char *name = kunit_kzalloc(test, 257, GFP_KERNEL);
	u8 *p = kunit_kzalloc(test, 512, GFP_KERNEL);
	const char *one = name;
	struct od_dirblock block;
	struct od_dirent e;

	KUNIT_ASSERT_NOT_NULL(test, name);
	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(name, 'n', 256);
	name[255] = 0;
	make_block(test, p, 512, &one, 1);
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, 512, &block), 0);
	KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), 0);
	KUNIT_EXPECT_EQ(test, e.name_len, 255);
	name[255] = 'n';
	name[256] = 0;
	make_block(test, p, 512, &one, 1);
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, 512, &block), 0);
	KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), -EUCLEAN);
}

static void dirent_bad_counts(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 len;
		u16 nameoff;
	} cases[] = {
		{ "no entry fits", 11, 12 },
		{ "empty", 0, 12 },
		{ "no names", 12, 12 },
		{ "zero", 64, 0 },
		{ "below one entry", 64, 11 },
		{ "not a multiple", 64, 13 },
		{ "at the end", 64, 60 + 4 },
		{ "beyond the end", 64, 72 },
		{ "far beyond", 64, 65532 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_dirblock block;
		u8 p[64] = { 0 };

		put16(p + 8, cases[i].nameoff);
		if (od_dirblock_parse(p, cases[i].len, &block) != -EUCLEAN)
			KUNIT_FAIL(test, "%s", cases[i].name);
	}
}

static void dirent_bad_entries(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 at;		/* byte to change, to a 16-bit value */
		u16 value;
		u32 nr;		/* the invalid entry */
		int err;
	} cases[] = {
		{ "falls", 12 + 8, 35, 1, -EUCLEAN },
		{ "falls for the one before", 12 + 8, 35, 0, -EUCLEAN },
		{ "no name", 12 + 8, 36, 0, -EUCLEAN },
		{ "outside", 24 + 8, 64, 2, -EUCLEAN },
		{ "outside for the one before", 24 + 8, 65, 1, -EUCLEAN },
		{ "an empty last name", 24 + 8, 63, 2, -EUCLEAN },
		{ "slash", 36, '/' | 'b' << 8, 0, -EUCLEAN },
		{ "NUL", 37, 0 | 'b' << 8, 0, -EUCLEAN },
		{ "metabox", 6, 0x8000, 0, 0 },
	};
	static const char *const three[] = { "aaa", "bbb", "ccc" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_dirblock block;
		struct od_dirent e;
		u8 p[64];
		int err;

		make_block(test, p, sizeof(p), three, 3);
		put16(p + cases[i].at, cases[i].value);
		KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
		err = od_dirblock_entry(&block, cases[i].nr, &e);
		if (err != cases[i].err)
			KUNIT_FAIL(test, "%s: %d", cases[i].name, err);
	}
}

/* Each byte of a name is checked, in names of any length. */
static void dirent_all_bytes(struct kunit *test)
{
	static const u8 valid[] = { 0x01, '.', '0', 0x7f, 0x80, 0xaf, 0xff };
	const char *one = "an entry with a name of 32 bytes";
	struct od_dirblock block;
	struct od_dirent e;
	u32 len, at, i;
	u8 p[12 + 32];

	for (len = 1; len <= 32; len++) {
		make_block(test, p, sizeof(p), &one, 1);
		KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, 12 + len, &block), 0);
		for (at = 0; at < len; at++) {
			u8 *byte = p + 12 + at, was = *byte;

			*byte = '/';
			KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), -EUCLEAN);
			for (i = 0; i < ARRAY_SIZE(valid); i++) {
				*byte = valid[i];
				KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), 0);
			}
			*byte = was;
		}
	}
}

/* A NUL may end only the last name of a block. */
static void dirent_all_nuls(struct kunit *test)
{
	const char *const two[] = { "a name of 20 bytes..", "b" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[24 + 21];
	u32 at;

	for (at = 0; at < 20; at++) {
		make_block(test, p, sizeof(p), two, 2);
		p[24 + at] = 0;
		KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
		KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), -EUCLEAN);
	}
}

/*
 * A search does not compare bytes that all names between two others have in common. In a
 * directory that is not sorted it must not take another name for the one it looks for.
 */
static void dirent_unsorted(struct kunit *test)
{
	static const char *const seven[] = { "aa", "aba", "xxx", "abz", "b", "c", "d" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[128];

	make_block(test, p, sizeof(p), seven, ARRAY_SIZE(seven));
	KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
	KUNIT_EXPECT_EQ(test, od_dirblock_find(&block, "abx", 3, &e), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_dirblock_find(&block, "abz", 3, &e), 0);
	KUNIT_EXPECT_EQ(test, e.nid, 103);
}

/* An entry with an invalid name or offset does not affect others. */
static void dirent_bad_neighbours(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 at;		/* byte to change, to a 16-bit value */
		u16 value;
		const char *look_up;
		int err;
	} cases[] = {
		{ "after a slash", 36, '/' | 'a' << 8, "ccc", 0 },
		{ "before a NUL", 36 + 4, 'b' | 0 << 8, "aaa", 0 },
		{ "metabox", 12 + 6, 0x8000, "bbb", 0 },
		{ "slash", 36 + 3, 'b' | '/' << 8, "b/b", -EUCLEAN },
		{ "absent", 36 + 3, 'b' | '/' << 8, "b", -ENOENT },
		{ "outside", 12 + 8, 64, "ccc", -EUCLEAN },
	};
	static const char *const three[] = { "aaa", "bbb", "ccc" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *look_up = cases[i].look_up;
		struct od_dirsearch s;
		struct od_dirblock block;
		struct od_dirent e;
		u8 p[64];
		int err;

		make_block(test, p, sizeof(p), three, 3);
		put16(p + cases[i].at, cases[i].value);
		KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
		err = od_dirblock_find(&block, look_up, strlen(look_up), &e);
		if (err != cases[i].err)
			KUNIT_FAIL(test, "%s: %d", cases[i].name, err);
		od_dirsearch_init(&s, 1);
		err = od_dirsearch_step(&s, 0, &block, look_up, strlen(look_up), &e);
		if (err != cases[i].err)
			KUNIT_FAIL(test, "%s, by steps: %d", cases[i].name, err);
	}
}

static void dirent_order(struct kunit *test)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{ "a", "a", 0 }, { "a", "b", -1 }, { "a", "aa", -1 }, { "aa", "b", -1 },
		{ "\177", "\200", -1 }, { "\377", "a", 1 }, { "A", "a", -1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int got = od_name_compare(cases[i].a, strlen(cases[i].a), cases[i].b,
					  strlen(cases[i].b));

		KUNIT_EXPECT_EQ(test, (got > 0) - (got < 0), cases[i].order);
	}
}

/* Searches blocks of three names, "b0n0" to "b6n2". */
static int search(struct kunit *test, const char *name, u64 *nid, u32 *steps)
{
	struct od_dirsearch s;
	struct od_dirent e;
	u64 nr;

	*steps = 0;
	od_dirsearch_init(&s, 7);
	while (od_dirsearch_next(&s, &nr)) {
		char text[3][32];
		const char *const three[] = { text[0], text[1], text[2] };
		struct od_dirblock block;
		u8 p[64];
		int i, err;

		for (i = 0; i < 3; i++)
			snprintf(text[i], sizeof(text[i]), "b%dn%d", (int)nr, i);
		make_block(test, p, sizeof(p), three, 3);
		KUNIT_EXPECT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
		KUNIT_EXPECT_TRUE(test, ++*steps <= 3);
		err = od_dirsearch_step(&s, nr, &block, name, strlen(name), &e);
		if (err != -EAGAIN) {
			*nid = nr * 10 + e.nid - 100;
			return err;
		}
	}
	return -ENOENT;
}

static void dirent_block_search(struct kunit *test)
{
	char name[32];
	u32 steps, b, n;
	u64 nid;

	for (b = 0; b < 7; b++) {
		for (n = 0; n < 3; n++) {
			snprintf(name, sizeof(name), "b%un%u", b, n);
			KUNIT_EXPECT_EQ(test, search(test, name, &nid, &steps), 0);
			KUNIT_EXPECT_EQ(test, nid, b * 10 + n);
		}
		snprintf(name, sizeof(name), "b%un9", b);
		KUNIT_EXPECT_EQ(test, search(test, name, &nid, &steps), -ENOENT);
	}
	KUNIT_EXPECT_EQ(test, search(test, "a", &nid, &steps), -ENOENT);
	KUNIT_EXPECT_EQ(test, search(test, "c", &nid, &steps), -ENOENT);
}

/* Random bytes: any result, but no access outside the block. */
static void dirent_noise(struct kunit *test)
{
	u32 seed = od_test_seed(test), round, i, len;
	u8 *room = kunit_kzalloc(test, 112, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, room);
	for (round = 0; round < 20000; round++) {
		struct od_dirblock block;
		struct od_dirent e;
		u8 *p;

		/* At the end of its buffer, so that a sanitizer detects overruns. */
		len = 12 + round % 100;
		p = room + 112 - len;
		for (i = 0; i < len; i++)
			p[i] = (u8)od_test_random(&seed);
		put16(p + 8, (u16)(12 * (1 + round % 5)));
		if (!od_dirblock_parse(p, len, &block)) {
			for (i = 0; i < block.count; i++) {
				if (od_dirblock_entry(&block, i, &e))
					continue;
				KUNIT_EXPECT_TRUE(test, (const u8 *)e.name >= p &&
						  (const u8 *)e.name + e.name_len <= p + len);
			}
			od_dirblock_find(&block, "mm", 2, &e);
		}
	}
}

static void dirent_numbers(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 nid;
		u8 type;
		int err;
	} cases[] = {
		{ "first inode", 0, 2, 0 },
		{ "last inode", ~0ULL >> 1, 1, 0 },
		{ "first in the metabox", 1ULL << 63, 1, 0 },
		{ "last in the metabox", ~0ULL, 1, 0 },
		{ "no type", 1, 0, 0 },
		{ "last type", 1, 7, 0 },
		{ "a type that there is not", 1, 255, 0 },
	};
	static const char *const one = "a";
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int err;

		make_block(test, p, sizeof(p), &one, 1);
		put64(p, cases[i].nid);
		p[10] = cases[i].type;
		p[11] = 0xFF;		/* reserved */
		KUNIT_ASSERT_EQ(test, od_dirblock_parse(p, sizeof(p), &block), 0);
		err = od_dirblock_entry(&block, 0, &e);
		if (err != cases[i].err ||
		    (!err && (e.nid != cases[i].nid || e.type != cases[i].type)))
			KUNIT_FAIL(test, "%s: %d", cases[i].name, err);
	}
}

/* As many entries as the largest block can hold, with one-byte names. */
static void dirent_largest_block(struct kunit *test)
{
	u32 len = 65536, count = len / 13, i;
	u8 *p = kunit_kzalloc(test, len, GFP_KERNEL);
	struct od_dirblock block;
	struct od_dirent e;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < count; i++) {
		put64(p + i * 12, i);
		put16(p + i * 12 + 8, (u16)(count * 12 + i));
		p[count * 12 + i] = 'x';
	}
	KUNIT_ASSERT_EQ(test, od_dirblock_parse(p, len, &block), 0);
	KUNIT_EXPECT_EQ(test, block.count, count);
	for (i = 0; i < count; i++) {
		KUNIT_ASSERT_EQ(test, od_dirblock_entry(&block, i, &e), 0);
		KUNIT_ASSERT_EQ(test, e.name_len, 1);
		KUNIT_ASSERT_EQ(test, e.nid, i);
	}
	/* One entry more than there is space for names. */
	put16(p + 8, 65532);
	KUNIT_ASSERT_EQ(test, od_dirblock_parse(p, len, &block), 0);
	KUNIT_EXPECT_EQ(test, od_dirblock_entry(&block, 0, &e), -EUCLEAN);
}

static struct kunit_case dirent_cases[] = {
	KUNIT_CASE(dirent_finds_all),
	KUNIT_CASE(dirent_misses),
	KUNIT_CASE(dirent_full_block),
	KUNIT_CASE(dirent_name_lengths),
	KUNIT_CASE(dirent_bad_counts),
	KUNIT_CASE(dirent_bad_entries),
	KUNIT_CASE(dirent_all_bytes),
	KUNIT_CASE(dirent_all_nuls),
	KUNIT_CASE(dirent_unsorted),
	KUNIT_CASE(dirent_bad_neighbours),
	KUNIT_CASE(dirent_order),
	KUNIT_CASE(dirent_block_search),
	KUNIT_CASE(dirent_noise),
	KUNIT_CASE(dirent_numbers),
	KUNIT_CASE(dirent_largest_block),
	{}
};

static struct kunit_suite dirent_suite = {
	.name = "od_dirent",
	.test_cases = dirent_cases,
};
kunit_test_suite(dirent_suite);
