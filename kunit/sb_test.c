// SPDX-License-Identifier: GPL-2.0-only
/* Superblocks: each field, and each rejection with its reason. */
#include <kunit/test.h>

#include "sb_cases.h"

static void good(u8 p[sizeof(struct od_disk_sb)])
{
	memset(p, 0, sizeof(struct od_disk_sb));
	put32(p, 0xE0F5E1E2);
	p[12] = 12;
	put16(p + 14, 36);
}

static void sb_fields(struct kunit *test)
{
	u8 p[sizeof(struct od_disk_sb)];
	const char *why = NULL;
	struct od_sb sb;

	good(p);
	put32(p + 4, 0x11223344);
	put32(p + 8, 0x40000001);	/* unknown compatible bits are ignored */
	put64(p + 16, 0x123456789aULL);
	put64(p + 24, 0x60000000);
	put32(p + 32, 999999999);
	put32(p + 36, 77);
	put32(p + 40, 0xFFFFFFFF);
	put32(p + 44, 5);
	memset(p + 48, 0xAB, 16);
	memcpy(p + 64, "sixteen letters!", 16);
	put32(p + 80, 0xC);
	put16(p + 86, 0xFFFF);
	put16(p + 88, 9);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.checksum, 0x11223344);
	KUNIT_EXPECT_EQ(test, sb.checksum_len, 4096 - 1024);
	KUNIT_EXPECT_EQ(test, sb.root_nid, 36);
	KUNIT_EXPECT_EQ(test, sb.inos, 0x123456789aULL);
	KUNIT_EXPECT_EQ(test, sb.epoch, 0x60000000);
	KUNIT_EXPECT_EQ(test, sb.fixed_nsec, 999999999);
	KUNIT_EXPECT_EQ(test, sb.blocks, 77);
	KUNIT_EXPECT_EQ(test, sb.meta_off, 0xFFFFFFFFULL << 12);
	KUNIT_EXPECT_EQ(test, sb.xattr_off, 5 << 12);
	KUNIT_EXPECT_EQ(test, sb.uuid[15], 0xAB);
	KUNIT_EXPECT_STREQ(test, sb.volume_name, "sixteen letters!");
	KUNIT_EXPECT_EQ(test, sb.extra_devices, 0xFFFF);
	KUNIT_EXPECT_EQ(test, sb.devt_off, 9 * 128);
}

static void sb_block_sizes(struct kunit *test)
{
	static const struct {
		u8 bits, max;
		int err;
		u32 checksum_len;
	} cases[] = {
		{ 8, 12, -EUCLEAN, 0 },
		{ 9, 12, 0, 512 },
		{ 10, 12, 0, 1024 },
		{ 11, 12, 0, 1024 },
		{ 12, 12, 0, 3072 },
		{ 13, 12, -EOPNOTSUPP, 0 },
		{ 16, 16, 0, 65536 - 1024 },
		{ 17, 16, -EUCLEAN, 0 },
		{ 255, 16, -EUCLEAN, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;
		int err;

		good(p);
		p[12] = cases[i].bits;
		err = od_sb_parse((const void *)p, cases[i].max, &sb, &why);
		if (err != cases[i].err)
			KUNIT_FAIL(test, "%u bits: %d", cases[i].bits, err);
		if (!err)
			KUNIT_EXPECT_EQ(test, sb.checksum_len, cases[i].checksum_len);
		else
			KUNIT_EXPECT_NOT_NULL(test, why);
	}
}

static void sb_features(struct kunit *test)
{
	static const struct {
		u32 incompat;
		const char *name;	/* NULL: supported */
	} cases[] = {
		{ 0, NULL },
		{ 0x1, NULL },
		{ 0x2, NULL },
		{ 0x3, NULL },
		{ 0x4, NULL },
		{ 0x8, NULL },
		{ 0xC, NULL },
		{ 0x10, NULL },
		{ 0x20, NULL },
		{ 0x40, NULL },
		{ 0x80, NULL },
		{ 0xff, NULL },
		{ 0x100, NULL },
		{ 0x1ff, NULL },
		{ 0x200, "unknown" },
		{ 0x80000000, "unknown" },
		{ 0x80000020, "unknown" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = "";
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;
		int err;

		good(p);
		p[13] = 1;
		put32(p + 80, cases[i].incompat);
		err = od_sb_parse((const void *)p, 12, &sb, &why);
		if (err != (cases[i].name ? -EOPNOTSUPP : 0) ||
		    (cases[i].name && !strstr(why, cases[i].name)))
			KUNIT_FAIL(test, "feature %x: %d %s", cases[i].incompat, err, why);
	}
}

/* Algorithms are listed, or LZ4 is implied by its distance or its padding. */
static void sb_algorithms(struct kunit *test)
{
	static const struct {
		u32 incompat;
		u16 field;
		u8 extslots;
		int err;
		u16 algorithms;
		u64 config_off;
	} cases[] = {
		{ 0, 0, 0, 0, 0, 0 },
		{ 0, 65535, 0, 0, 1U << OD_ALGORITHM_LZ4, 0 },
		{ 0x1, 0, 0, 0, 1U << OD_ALGORITHM_LZ4, 0 },
		{ 0x2, 0, 0, 0, 0, 1024 + 128 },
		{ 0x3, 0xf, 0, 0, 0xf, 1024 + 128 },
		{ 0x2, 0x8, 3, 0, 0x8, 1024 + 128 + 48 },
		{ 0x2, 0x10, 0, -EOPNOTSUPP, 0, 0 },
		{ 0x2, 0x8001, 0, -EOPNOTSUPP, 0, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;
		int err;

		good(p);
		put32(p + 80, cases[i].incompat);
		put16(p + 84, cases[i].field);
		p[13] = cases[i].extslots;
		err = od_sb_parse((const void *)p, 12, &sb, &why);
		KUNIT_EXPECT_EQ(test, err, cases[i].err);
		if (err)
			continue;
		KUNIT_EXPECT_EQ(test, sb.compr_algs, cases[i].algorithms);
		KUNIT_EXPECT_EQ(test, sb.config_off, cases[i].config_off);
	}
}

static void sb_corrupt(struct kunit *test)
{
	const char *why = NULL;
	u8 p[sizeof(struct od_disk_sb)];
	struct od_sb sb;

	good(p);
	p[0] ^= 1;
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), -EINVAL);
	good(p);
	p[90] = 1;
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), -EOPNOTSUPP);
	good(p);
	put32(p + 32, 1000000000);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), -EUCLEAN);
}

/* Fields that mean something only with a feature bit. */
static void sb_conditional_fields(struct kunit *test)
{
	const char *why = NULL;
	u8 p[sizeof(struct od_disk_sb)];
	struct od_sb sb;

	good(p);
	put16(p + 86, 3);
	p[91] = 4;
	put32(p + 92, 0xFFFFFFFF);
	put64(p + 96, 99);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.extra_devices, 0);
	KUNIT_EXPECT_EQ(test, sb.prefix_count, 0);

	put32(p + 80, 0x40);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.prefix_count, 4);
	KUNIT_EXPECT_EQ(test, sb.prefix_off, 0xFFFFFFFFULL * 4);
	KUNIT_EXPECT_EQ(test, sb.prefix_place, OD_PREFIX_IN_IMAGE);

	put32(p + 80, 0x60);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.prefix_place, OD_PREFIX_IN_PACKED);
	put32(p + 8, 0x10);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.prefix_place, OD_PREFIX_IN_IMAGE);

	KUNIT_EXPECT_FALSE(test, sb.xattr_filter);
	put32(p + 8, 0x4);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_TRUE(test, sb.xattr_filter);
	p[104] = 1;
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_FALSE(test, sb.xattr_filter);
}

/* A 64-bit root inode, and with it the size of a large image, or the old fields unchanged. */
static void sb_root_48bit(struct kunit *test)
{
	static const struct {
		u32 incompat;
		u64 root_8b, root, blocks;
	} cases[] = {
		{ 0x80, 0, 36, 77 },
		{ 0x80, 1, 1, 36ULL << 32 | 77 },
		{ 0x80, 0x123456789abcULL, 0x123456789abcULL, 36ULL << 32 | 77 },
		{ 0, 0x123456789abcULL, 36, 77 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;

		good(p);
		put32(p + 36, 77);
		put32(p + 80, cases[i].incompat);
		put64(p + 112, cases[i].root_8b);
		KUNIT_ASSERT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
		KUNIT_EXPECT_EQ(test, sb.root_nid, cases[i].root);
		KUNIT_EXPECT_EQ(test, sb.blocks, cases[i].blocks);
	}
}

/* Each field at its limits, and one step beyond where possible. */
static void sb_neighbours(struct kunit *test)
{
	static const struct sb_case cases[] = {
		{ "magic, lowest bit", 0, 4, 0xE0F5E1E3, -EINVAL, "superblock" },
		{ "magic, highest bit", 0, 4, 0x60F5E1E2, -EINVAL, "superblock" },
		{ "magic, bytes swapped", 0, 4, 0xE2E1F5E0, -EINVAL, "superblock" },
		{ "checksum, any", 4, 4, 0xFFFFFFFF, 0, NULL },
		{ "compatible features, all but two", 8, 4, 0xFFFFFFD7, 0, NULL },
		{ "shared attributes in a metabox", 8, 4, 0x8, -EUCLEAN, "does not exist" },
		{ "digests, without prefixes", 8, 4, 0x20, -EUCLEAN, "name" },
		{ "block size, smallest", 12, 1, 9, 0, NULL },
		{ "block size, below it", 12, 1, 8, -EUCLEAN, "block size" },
		{ "block size, none", 12, 1, 0, -EUCLEAN, "block size" },
		{ "block size, largest", 12, 1, 16, 0, NULL },
		{ "block size, above it", 12, 1, 17, -EUCLEAN, "block size" },
		{ "block size, a shift beyond words", 12, 1, 64, -EUCLEAN, "block size" },
		{ "extension slots, all", 13, 1, 255, 0, NULL },
		{ "root, first inode", 14, 2, 0, 0, NULL },
		{ "root, last inode", 14, 2, 65535, 0, NULL },
		{ "inodes, all", 16, 8, ~0ULL, 0, NULL },
		{ "epoch, end of time", 24, 8, ~0ULL, 0, NULL },
		{ "nanoseconds, last", 32, 4, 999999999, 0, NULL },
		{ "nanoseconds, a second", 32, 4, 1000000000, -EUCLEAN, "time" },
		{ "nanoseconds, all bits", 32, 4, 0xFFFFFFFF, -EUCLEAN, "time" },
		{ "blocks, none", 36, 4, 0, 0, NULL },
		{ "metadata, last block", 40, 4, 0xFFFFFFFF, 0, NULL },
		{ "shared attributes, last block", 44, 4, 0xFFFFFFFF, 0, NULL },
		{ "feature, last one known", 80, 4, 0x100, -EUCLEAN, "extension" },
		{ "feature, first one unknown", 80, 4, 0x200, -EOPNOTSUPP, "unknown" },
		{ "feature, last bit", 80, 4, 0x80000000, -EOPNOTSUPP, "unknown" },
		{ "compression algorithms, without their feature", 84, 2, 0xFFFF, 0, NULL },
		{ "devices, without a table", 86, 2, 0xFFFF, 0, NULL },
		{ "directory blocks, twice as large", 90, 1, 1, -EOPNOTSUPP, "directory" },
		{ "directory blocks, all bits", 90, 1, 255, -EOPNOTSUPP, "directory" },
		{ "prefixes, without their feature", 91, 1, 255, 0, NULL },
		{ "name filter, reserved", 104, 1, 255, 0, NULL },
		{ "build time, any", 108, 4, 0xFFFFFFFF, 0, NULL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;

		good(p);
		sb_case_parse(test, &cases[i], p, 16, &sb);
	}
}

/* The largest possible device and prefix tables: no sum wraps. */
static void sb_largest_tables(struct kunit *test)
{
	const char *why = NULL;
	u8 p[sizeof(struct od_disk_sb)];
	struct od_sb sb;

	good(p);
	p[12] = 16;
	put32(p + 40, 0xFFFFFFFF);
	put32(p + 80, 0x48);
	put16(p + 86, 0xFFFF);
	put16(p + 88, 0xFFFF);
	p[91] = 255;
	put32(p + 92, 0xFFFFFFFF);
	KUNIT_ASSERT_EQ(test, od_sb_parse((const void *)p, 16, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.meta_off, 0xFFFFFFFF0000ULL);
	KUNIT_EXPECT_EQ(test, sb.extra_devices, 65535);
	KUNIT_EXPECT_EQ(test, sb.devt_off, 65535ULL * 128);
	KUNIT_EXPECT_EQ(test, sb.prefix_count, 255);
	KUNIT_EXPECT_EQ(test, sb.prefix_off, 0x3FFFFFFFCULL);
}

static struct kunit_case sb_cases[] = {
	KUNIT_CASE(sb_fields),
	KUNIT_CASE(sb_block_sizes),
	KUNIT_CASE(sb_features),
	KUNIT_CASE(sb_algorithms),
	KUNIT_CASE(sb_corrupt),
	KUNIT_CASE(sb_conditional_fields),
	KUNIT_CASE(sb_root_48bit),
	KUNIT_CASE(sb_neighbours),
	KUNIT_CASE(sb_largest_tables),
	{}
};

static struct kunit_suite sb_suite = {
	.name = "od_sb",
	.test_cases = sb_cases,
};
kunit_test_suite(sb_suite);
