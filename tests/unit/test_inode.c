// SPDX-License-Identifier: GPL-2.0-only
/* Inodes: both forms, every layout, the limits of their numbers. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "bytes.h"
#include "erofs_od/core/inode.h"

static const struct od_sb sb = {
	.blkbits = 12,
	.epoch = 1000,
	.fixed_nsec = 5,
	.meta_off = 8192,
};

static const char *why;

static int parse(const u8 *p, size_t len, struct od_inode *inode)
{
	why = "";
	return od_inode_parse(&sb, 7, 8416, p, len, inode, &why);
}

static void compact(void **state)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	(void)state;
	put16(p, 2 << 1);		/* flat inline */
	put16(p + 2, 3);
	put16(p + 4, 0100644);
	put16(p + 6, 65535);
	put32(p + 8, 0xFFFFFFFF);
	put32(p + 12, 23);
	put32(p + 16, 0xFFFFFFFF);
	put16(p + 24, 65535);
	put16(p + 26, 65534);
	assert_int_equal(parse(p, sizeof(p), &i), 0);
	assert_int_equal(i.nid, 7);
	assert_int_equal(i.off, 8416);
	assert_int_equal(i.inode_size, 32);
	assert_int_equal(i.xattr_size, 12 + 4 * 2);
	assert_int_equal(i.mode, 0100644);
	assert_int_equal(i.layout, OD_LAYOUT_FLAT_INLINE);
	assert_int_equal(i.nlink, 65535);
	assert_int_equal(i.uid, 65535);
	assert_int_equal(i.gid, 65534);
	assert_int_equal(i.mtime, 1023);
	assert_int_equal(i.mtime_nsec, 5);
	assert_true(i.size == 0xFFFFFFFF);
	assert_true(i.start_off == 0xFFFFFFFFULL << 12);
	assert_int_equal(od_inode_body_end(&i), 8416 + 32 + 20);
}

static void extended(void **state)
{
	u8 p[64] = { 0 };
	struct od_inode i;

	(void)state;
	put16(p, 1);
	put16(p + 2, 65535);
	put16(p + 4, 0040755);
	put64(p + 8, (1ULL << 63) - 1);
	put32(p + 24, 0xFFFFFFFF);
	put32(p + 28, 0x10000);
	put64(p + 32, (u64)-5);
	put32(p + 40, 999999999);
	put32(p + 44, 100000);
	assert_int_equal(parse(p, sizeof(p), &i), 0);
	assert_int_equal(i.inode_size, 64);
	assert_int_equal(i.xattr_size, 12 + 4 * 65534);
	assert_int_equal(i.uid, 0xFFFFFFFF);
	assert_int_equal(i.gid, 0x10000);
	assert_int_equal(i.mtime, -5);
	assert_int_equal(i.mtime_nsec, 999999999);
	assert_int_equal(i.nlink, 100000);
	assert_false(i.dot_omitted);

	put64(p + 8, 1ULL << 63);
	assert_int_equal(parse(p, sizeof(p), &i), -EUCLEAN);
	put64(p + 8, 0);
	put32(p + 40, 1000000000);
	assert_int_equal(parse(p, sizeof(p), &i), -EUCLEAN);
	put32(p + 40, 0);
	assert_int_equal(parse(p, 63, &i), -EUCLEAN);
	assert_int_equal(parse(p, 31, &i), -EUCLEAN);
}

static void formats(void **state)
{
	static const struct {
		u16 format;
		int err;
		const char *name;
	} cases[] = {
		{ 0 << 1, 0, "" },
		{ 1 << 1, -EOPNOTSUPP, "compressed" },
		{ 2 << 1, 0, "" },
		{ 3 << 1, -EOPNOTSUPP, "compressed" },
		{ 4 << 1, 0, "" },
		{ 5 << 1, -EOPNOTSUPP, "layout" },
		{ 7 << 1, -EOPNOTSUPP, "layout" },
		{ 0x20, -EOPNOTSUPP, "format" },
		{ 0x8000, -EOPNOTSUPP, "format" },
	};
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p, cases[n].format);
		put16(p + 4, 0100644);
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err || !strstr(why, cases[n].name))
			fail_msg("format %x: %d %s", cases[n].format, err, why);
	}
}

static void types(void **state)
{
	static const struct {
		u16 mode;
		int err;
		u32 rdev;
		u64 size;
	} cases[] = {
		{ 0010600, 0, 0, 0 },
		{ 0020600, 0, 0x12345, 0 },
		{ 0060600, 0, 0x12345, 0 },
		{ 0140600, 0, 0, 0 },
		{ 0120777, 0, 0, 9 },
		{ 0000600, -EUCLEAN, 0, 0 },
		{ 0030600, -EUCLEAN, 0, 0 },
		{ 0170600, -EUCLEAN, 0, 0 },
	};
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p + 4, cases[n].mode);
		put32(p + 8, 9);
		put32(p + 16, 0x12345);
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err)
			fail_msg("mode %o: %d", cases[n].mode, err);
		if (err)
			continue;
		assert_int_equal(i.rdev, cases[n].rdev);
		assert_int_equal(i.size, cases[n].size);
	}
}

/* A device node has no data, so its layout does not matter. */
static void special_file_with_layout(void **state)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	(void)state;
	put16(p, 3 << 1);
	put16(p + 4, 0020600);
	assert_int_equal(parse(p, sizeof(p), &i), 0);
}

static void link_flag(void **state)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	(void)state;
	put16(p, 0x10);
	put16(p + 4, 0100644);
	put16(p + 6, 9);
	assert_int_equal(parse(p, sizeof(p), &i), 0);
	assert_int_equal(i.nlink, 1);
	assert_false(i.dot_omitted);
	put16(p + 4, 0040755);
	assert_int_equal(parse(p, sizeof(p), &i), 0);
	assert_int_equal(i.nlink, 9);
	assert_true(i.dot_omitted);
}

static void chunk_formats(void **state)
{
	static const struct {
		u16 format;
		int err;
		u8 chunkbits, entry_size;
	} cases[] = {
		{ 0x00, 0, 12, 4 },
		{ 0x1f, 0, 43, 4 },
		{ 0x20, 0, 12, 8 },
		{ 0x3f, 0, 43, 8 },
		{ 0x40, -EOPNOTSUPP, 0, 0 },
		{ 0x80, -EOPNOTSUPP, 0, 0 },
		{ 0x8000, -EOPNOTSUPP, 0, 0 },
	};
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p, 4 << 1);
		put16(p + 4, 0100644);
		put16(p + 16, cases[n].format);
		put16(p + 18, 0xFFFF);	/* reserved */
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err)
			fail_msg("chunk format %x: %d", cases[n].format, err);
		if (err)
			continue;
		assert_int_equal(i.chunkbits, cases[n].chunkbits);
		assert_int_equal(i.entry_size, cases[n].entry_size);
	}
}

static void offsets(void **state)
{
	static const struct {
		u64 nid, size;
		int err;
		u64 off;
	} cases[] = {
		{ 0, 8192 + 32, 0, 8192 },
		{ 0, 8192 + 31, -EUCLEAN, 0 },
		{ 0, 100, -EUCLEAN, 0 },
		{ 0, 0, -EUCLEAN, 0 },
		{ 10, 8192 + 352, 0, 8192 + 320 },
		{ 11, 8192 + 352, -EUCLEAN, 0 },
		{ 1ULL << 58, ~0ULL, -EUCLEAN, 0 },
		{ 1ULL << 59, ~0ULL, -EUCLEAN, 0 },	/* times 32: wraps to 0 */
		{ ~0ULL, ~0ULL, -EUCLEAN, 0 },
	};
	size_t n;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u64 off = 0;
		int err = od_inode_offset(&sb, cases[n].nid, cases[n].size, &off);

		if (err != cases[n].err || off != cases[n].off)
			fail_msg("case %zu: %d", n, err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact),
		cmocka_unit_test(extended),
		cmocka_unit_test(formats),
		cmocka_unit_test(types),
		cmocka_unit_test(special_file_with_layout),
		cmocka_unit_test(link_flag),
		cmocka_unit_test(chunk_formats),
		cmocka_unit_test(offsets),
	};

	return cmocka_run_group_tests_name("inode", tests, NULL, NULL);
}
