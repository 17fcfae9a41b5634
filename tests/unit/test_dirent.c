// SPDX-License-Identifier: GPL-2.0-only
/* Directory blocks: look-ups in good ones, refusals of bad ones. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "bytes.h"
#include "erofs_od/core/dirent.h"

/* Write a block of names; unused bytes behind the last name are zeroes. */
static void make_block(u8 *p, u32 len, const char *const *names, u32 count)
{
	u32 off = count * 12, i;

	memset(p, 0, len);
	for (i = 0; i < count; i++) {
		size_t n = strlen(names[i]);

		assert_true(off + n <= len);
		put64(p + i * 12, 100 + i);
		put16(p + i * 12 + 8, (u16)off);
		p[i * 12 + 10] = 1;
		memcpy(p + off, names[i], n);
		off += (u32)n;
	}
}

static const char *const names[] = { ".", "..", "Z", "a", "aa", "ab", "b", "\377" };

static void finds_all(void **state)
{
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[512];
	u32 i;

	(void)state;
	make_block(p, sizeof(p), names, ARRAY_SIZE(names));
	assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
	assert_int_equal(block.count, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(od_dirblock_entry(&block, i, &e), 0);
		assert_int_equal(e.name_len, strlen(names[i]));
		assert_memory_equal(e.name, names[i], e.name_len);
		assert_int_equal(od_dirblock_find(&block, names[i], strlen(names[i]), &e), 0);
		assert_int_equal(e.nid, 100 + i);
		assert_int_equal(e.type, 1);
	}
}

static void misses(void **state)
{
	static const char *const absent[] = { "!", "...", "A", "a\001", "aaa", "c", "\377\377" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[512];
	size_t i;

	(void)state;
	make_block(p, sizeof(p), names, ARRAY_SIZE(names));
	assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		assert_int_equal(od_dirblock_find(&block, absent[i], strlen(absent[i]), &e),
				 -ENOENT);
}

/* The last name may fill the block to its last byte, which then is no NUL. */
static void full_block(void **state)
{
	static const char *const two[] = { "a", "bcdefgh" };
	struct od_dirblock block;
	struct od_dirent e;
	u8 *p = malloc(24 + 8);

	(void)state;
	make_block(p, 24 + 8, two, 2);
	assert_int_equal(od_dirblock_parse(p, 24 + 8, &block), 0);
	assert_int_equal(od_dirblock_entry(&block, 1, &e), 0);
	assert_int_equal(e.name_len, 7);
	free(p);
}

static void name_lengths(void **state)
{
	char name[257];
	const char *one = name;
	struct od_dirblock block;
	struct od_dirent e;
	u8 p[512];

	(void)state;
	memset(name, 'n', 256);
	name[255] = 0;
	make_block(p, sizeof(p), &one, 1);
	assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
	assert_int_equal(od_dirblock_entry(&block, 0, &e), 0);
	assert_int_equal(e.name_len, 255);
	name[255] = 'n';
	name[256] = 0;
	make_block(p, sizeof(p), &one, 1);
	assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
	assert_int_equal(od_dirblock_entry(&block, 0, &e), -EUCLEAN);
}

static void bad_counts(void **state)
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

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_dirblock block;
		u8 p[64] = { 0 };

		put16(p + 8, cases[i].nameoff);
		if (od_dirblock_parse(p, cases[i].len, &block) != -EUCLEAN)
			fail_msg("%s", cases[i].name);
	}
}

static void bad_entries(void **state)
{
	static const struct {
		const char *name;
		u32 at;		/* byte to change, to a 16-bit value */
		u16 value;
		u32 nr;		/* the entry that is bad for it */
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
		{ "metabox", 6, 0x8000, 0, -EOPNOTSUPP },
	};
	static const char *const three[] = { "aaa", "bbb", "ccc" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_dirblock block;
		struct od_dirent e;
		u8 p[64];
		int err;

		make_block(p, sizeof(p), three, 3);
		put16(p + cases[i].at, cases[i].value);
		assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
		err = od_dirblock_entry(&block, cases[i].nr, &e);
		if (err != cases[i].err)
			fail_msg("%s: %d", cases[i].name, err);
	}
}

static void order(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{ "a", "a", 0 }, { "a", "b", -1 }, { "a", "aa", -1 }, { "aa", "b", -1 },
		{ "\177", "\200", -1 }, { "\377", "a", 1 }, { "A", "a", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int got = od_name_compare(cases[i].a, strlen(cases[i].a), cases[i].b,
					  strlen(cases[i].b));

		assert_int_equal((got > 0) - (got < 0), cases[i].order);
	}
}

/* Search blocks of three names, "b0n0" to "b6n2". */
static int search(const char *name, u64 *nid, u32 *steps)
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
		make_block(p, sizeof(p), three, 3);
		assert_int_equal(od_dirblock_parse(p, sizeof(p), &block), 0);
		assert_true(++*steps <= 3);
		err = od_dirsearch_step(&s, nr, &block, name, strlen(name), &e);
		if (err != -EAGAIN) {
			*nid = nr * 10 + e.nid - 100;
			return err;
		}
	}
	return -ENOENT;
}

static void block_search(void **state)
{
	char name[32];
	u32 steps, b, n;
	u64 nid;

	(void)state;
	for (b = 0; b < 7; b++) {
		for (n = 0; n < 3; n++) {
			snprintf(name, sizeof(name), "b%un%u", b, n);
			assert_int_equal(search(name, &nid, &steps), 0);
			assert_int_equal(nid, b * 10 + n);
		}
		snprintf(name, sizeof(name), "b%un9", b);
		assert_int_equal(search(name, &nid, &steps), -ENOENT);
	}
	assert_int_equal(search("a", &nid, &steps), -ENOENT);
	assert_int_equal(search("c", &nid, &steps), -ENOENT);
}

/* Any bytes at all: an answer, and no access outside the block. */
static void noise(void **state)
{
	u32 x = 12345, round, i, len;

	(void)state;
	for (round = 0; round < 20000; round++) {
		struct od_dirblock block;
		struct od_dirent e;
		u8 *p;

		len = 12 + round % 100;
		p = malloc(len);
		for (i = 0; i < len; i++) {
			x = x * 1664525 + 1013904223;
			p[i] = (u8)(x >> 24);
		}
		put16(p + 8, (u16)(12 * (1 + round % 5)));
		if (!od_dirblock_parse(p, len, &block)) {
			for (i = 0; i < block.count; i++) {
				if (od_dirblock_entry(&block, i, &e))
					continue;
				assert_true((const u8 *)e.name + e.name_len <= p + len);
			}
			od_dirblock_find(&block, "mm", 2, &e);
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_all),
		cmocka_unit_test(misses),
		cmocka_unit_test(full_block),
		cmocka_unit_test(name_lengths),
		cmocka_unit_test(bad_counts),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(order),
		cmocka_unit_test(block_search),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("dirent", tests, NULL, NULL);
}
