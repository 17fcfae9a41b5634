// SPDX-License-Identifier: GPL-2.0-only
/* Inodes: both forms, every layout, limits of their fields. */
#include <kunit/test.h>

#include "support.h"
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

static void inode_compact(struct kunit *test)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	put16(p, 2 << 1);		/* flat inline */
	put16(p + 2, 3);
	put16(p + 4, 0100644);
	put16(p + 6, 65535);
	put32(p + 8, 0xFFFFFFFF);
	put32(p + 12, 23);
	put32(p + 16, 0xFFFFFFFF);
	put16(p + 24, 65535);
	put16(p + 26, 65534);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), 0);
	KUNIT_EXPECT_EQ(test, i.nid, 7);
	KUNIT_EXPECT_EQ(test, i.off, 8416);
	KUNIT_EXPECT_EQ(test, i.inode_size, 32);
	KUNIT_EXPECT_EQ(test, i.xattr_size, 12 + 4 * 2);
	KUNIT_EXPECT_EQ(test, i.mode, 0100644);
	KUNIT_EXPECT_EQ(test, i.layout, OD_LAYOUT_FLAT_INLINE);
	KUNIT_EXPECT_EQ(test, i.nlink, 65535);
	KUNIT_EXPECT_EQ(test, i.uid, 65535);
	KUNIT_EXPECT_EQ(test, i.gid, 65534);
	KUNIT_EXPECT_EQ(test, i.mtime, 1023);
	KUNIT_EXPECT_EQ(test, i.mtime_nsec, 5);
	KUNIT_EXPECT_EQ(test, i.size, 0xFFFFFFFF);
	KUNIT_EXPECT_EQ(test, i.start_off, 0xFFFFFFFFULL << 12);
	KUNIT_EXPECT_FALSE(test, i.hole);
	KUNIT_EXPECT_EQ(test, od_inode_body_end(&i), 8416 + 32 + 20);
}

static void inode_extended(struct kunit *test)
{
	u8 p[64] = { 0 };
	struct od_inode i;

	put16(p, 1);
	put16(p + 2, 65535);
	put16(p + 4, 0040755);
	put64(p + 8, (1ULL << 63) - 1);
	put32(p + 24, 0xFFFFFFFF);
	put32(p + 28, 0x10000);
	put64(p + 32, (u64)-5);
	put32(p + 40, 999999999);
	put32(p + 44, 100000);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), 0);
	KUNIT_EXPECT_EQ(test, i.inode_size, 64);
	KUNIT_EXPECT_EQ(test, i.xattr_size, 12 + 4 * 65534);
	KUNIT_EXPECT_EQ(test, i.uid, 0xFFFFFFFF);
	KUNIT_EXPECT_EQ(test, i.gid, 0x10000);
	KUNIT_EXPECT_EQ(test, i.mtime, -5);
	KUNIT_EXPECT_EQ(test, i.mtime_nsec, 999999999);
	KUNIT_EXPECT_EQ(test, i.nlink, 100000);
	KUNIT_EXPECT_FALSE(test, i.dot_omitted);

	put64(p + 8, 1ULL << 63);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), -EUCLEAN);
	put64(p + 8, 0);
	put32(p + 40, 1000000000);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), -EUCLEAN);
	put32(p + 40, 0);
	KUNIT_EXPECT_EQ(test, parse(p, 63, &i), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse(p, 31, &i), -EUCLEAN);
}

static void inode_formats(struct kunit *test)
{
	static const struct {
		u16 format;
		int err;
		const char *name;
	} cases[] = {
		{ 0 << 1, 0, "" },
		{ 1 << 1, 0, "" },
		{ 2 << 1, 0, "" },
		{ 3 << 1, 0, "" },
		{ 4 << 1, 0, "" },
		{ 5 << 1, -EOPNOTSUPP, "layout" },
		{ 7 << 1, -EOPNOTSUPP, "layout" },
		{ 0x20, -EOPNOTSUPP, "format" },
		{ 0x8000, -EOPNOTSUPP, "format" },
	};
	size_t n;

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p, cases[n].format);
		put16(p + 4, 0100644);
		put16(p + 6, 1);
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err || !strstr(why, cases[n].name))
			KUNIT_FAIL(test, "format %x: %d %s", cases[n].format, err, why);
	}
}

static void inode_types(struct kunit *test)
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

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p + 4, cases[n].mode);
		put16(p + 6, 1);
		put32(p + 8, 9);
		put32(p + 16, 0x12345);
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err)
			KUNIT_FAIL(test, "mode %o: %d", cases[n].mode, err);
		if (err)
			continue;
		KUNIT_EXPECT_EQ(test, i.rdev, cases[n].rdev);
		KUNIT_EXPECT_EQ(test, i.size, cases[n].size);
	}
}

/* A device node has no data, so its layout does not matter. */
static void inode_special_file_with_layout(struct kunit *test)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	put16(p, 3 << 1);
	put16(p + 4, 0020600);
	put16(p + 6, 1);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), 0);
}

static void inode_link_flag(struct kunit *test)
{
	u8 p[32] = { 0 };
	struct od_inode i;

	put16(p, 0x10);
	put16(p + 4, 0100644);
	put16(p + 6, 9);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), 0);
	KUNIT_EXPECT_EQ(test, i.nlink, 1);
	KUNIT_EXPECT_FALSE(test, i.dot_omitted);
	put16(p + 4, 0040755);
	KUNIT_EXPECT_EQ(test, parse(p, sizeof(p), &i), 0);
	KUNIT_EXPECT_EQ(test, i.nlink, 9);
	KUNIT_EXPECT_TRUE(test, i.dot_omitted);
}

/* An inode without links, of each type, depending on the flag. */
static void inode_no_links(struct kunit *test)
{
	static const u16 modes[] = { 0100644, 0040755, 0120777, 0020600, 0010600, 0140600 };
	u8 compact[32], extended[64];
	struct od_inode i;
	size_t n;

	for (n = 0; n < ARRAY_SIZE(modes); n++) {
		memset(compact, 0, sizeof(compact));
		memset(extended, 0, sizeof(extended));
		put16(compact + 4, modes[n]);
		put16(extended, 1);
		put16(extended + 4, modes[n]);
		/* Not at the offset of an extended inode. */
		put16(extended + 6, 1);
		KUNIT_EXPECT_EQ(test, parse(compact, sizeof(compact), &i), -EUCLEAN);
		KUNIT_EXPECT_STREQ(test, why, "no links");
		KUNIT_EXPECT_EQ(test, parse(extended, sizeof(extended), &i), -EUCLEAN);
		KUNIT_EXPECT_STREQ(test, why, "no links");
	}
	put16(compact, 0x10);
	put16(compact + 4, 0100644);
	KUNIT_EXPECT_EQ(test, parse(compact, sizeof(compact), &i), 0);
	KUNIT_EXPECT_EQ(test, i.nlink, 1);
	/* The flag has another meaning for directories. */
	put16(compact + 4, 0040755);
	KUNIT_EXPECT_EQ(test, parse(compact, sizeof(compact), &i), -EUCLEAN);
}

static void inode_chunk_formats(struct kunit *test)
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
		{ 0x40, 0, 12, 4 },
		{ 0x7f, 0, 43, 8 },
		{ 0x80, -EOPNOTSUPP, 0, 0 },
		{ 0x8000, -EOPNOTSUPP, 0, 0 },
	};
	size_t n;

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[32] = { 0 };
		struct od_inode i;
		int err;

		put16(p, 4 << 1);
		put16(p + 4, 0100644);
		put16(p + 6, 1);
		put16(p + 16, cases[n].format);
		put16(p + 18, 0xFFFF);	/* reserved */
		err = parse(p, sizeof(p), &i);
		if (err != cases[n].err)
			KUNIT_FAIL(test, "chunk format %x: %d", cases[n].format, err);
		if (err)
			continue;
		KUNIT_EXPECT_EQ(test, i.chunkbits, cases[n].chunkbits);
		KUNIT_EXPECT_EQ(test, i.entry_size, cases[n].entry_size);
		KUNIT_EXPECT_EQ(test, i.chunk_48bit, !!(cases[n].format & 0x40));
	}
}

/* Upper bits of a block number replace the link count, and a hole has all bits set. */
static void inode_48bit(struct kunit *test)
{
	enum { plain = OD_LAYOUT_FLAT_PLAIN << 1, tail = OD_LAYOUT_FLAT_INLINE << 1,
	       full = OD_LAYOUT_COMPRESSED_FULL << 1, extended = 0x1, bit4 = 0x10 };
	static const struct {
		const char *name;
		u16 format, mode, nb;
		u32 u;
		u64 block;
		u32 nlink;
		bool hole;
	} cases[] = {
		{ "compact", plain, 0100644, 9, 5, 5, 9, false },
		{ "compact, one link", plain | bit4, 0100644, 9, 5, 9ULL << 32 | 5, 1, false },
		{ "compact directory", plain, 0040755, 9, 5, 5, 9, false },
		{ "compact directory, no dot", plain | bit4, 0040755, 9, 5, 5, 9, false },
		{ "extended", plain | extended, 0100644, 9, 5, 9ULL << 32 | 5, 7, false },
		{ "extended directory", plain | extended, 0040755, 9, 5, 9ULL << 32 | 5, 7, false },
		{ "extended, bit 4", plain | extended | bit4, 0100644, 9, 5, 9ULL << 32 | 5, 1, false },
		{ "compact hole", plain, 0100644, 9, ~0U, ~0U, 9, true },
		{ "compact, one link, 32 bits", plain | bit4, 0100644, 0, ~0U, ~0U, 1, false },
		{ "compact hole, one link", plain | bit4, 0100644, 0xffff, ~0U, (1ULL << 48) - 1, 1, true },
		{ "extended, 32 bits", plain | extended, 0100644, 0, ~0U, ~0U, 7, false },
		{ "extended hole", plain | extended, 0100644, 0xffff, ~0U, (1ULL << 48) - 1, 7, true },
		{ "extended, a bit less", plain | extended, 0100644, 0xfffe, ~0U, (1ULL << 48) - (1ULL << 32) - 1, 7, false },
		{ "a tail alone", tail | extended, 0100644, 0xffff, ~0U, (1ULL << 48) - 1, 7, false },
		{ "a tail alone, compact", tail, 0100644, 1, ~0U, ~0U, 1, false },
		{ "blocks of compressed data", full | extended, 0100644, 1, 2, 1ULL << 32 | 2, 7, false },
		{ "of a compact inode", full, 0100644, 1, 2, 2, 1, false },
	};
	size_t n;

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u8 p[64] = { 0 };
		struct od_inode i;

		put16(p, cases[n].format);
		put16(p + 4, cases[n].mode);
		put16(p + 6, cases[n].nb);
		put32(p + 8, 1);
		put32(p + 16, cases[n].u);
		if (cases[n].format & extended)
			put32(p + 44, 7);
		KUNIT_EXPECT_EQ_MSG(test, parse(p, sizeof(p), &i), 0, "%s", cases[n].name);
		KUNIT_EXPECT_EQ_MSG(test, i.start_off + i.encoded_size, cases[n].block << 12, "%s",
				    cases[n].name);
		KUNIT_EXPECT_EQ_MSG(test, i.nlink, cases[n].nlink, "%s", cases[n].name);
		KUNIT_EXPECT_EQ_MSG(test, i.hole, cases[n].hole, "%s", cases[n].name);
	}
}

static void inode_offsets(struct kunit *test)
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

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		u64 off = 0;
		int err = od_inode_offset(&sb, cases[n].nid, cases[n].size, &off);

		if (err != cases[n].err || off != cases[n].off)
			KUNIT_FAIL(test, "case %zu: %d", n, err);
	}
}

static const struct neighbour {
	const char *name;
	u32 at, bytes;
	u64 value;
	int err;
} compact_neighbours[] = {
	{ "format, all that is known", 0, 2, 0x18, 0 },
	{ "format, first unknown bit", 0, 2, 0x20, -EOPNOTSUPP },
	{ "format, last unknown bit", 0, 2, 0x8000, -EOPNOTSUPP },
	{ "layout, last one known", 0, 2, 4 << 1, 0 },
	{ "layout, first one unknown", 0, 2, 5 << 1, -EOPNOTSUPP },
	{ "layout, last one there could be", 0, 2, 7 << 1, -EOPNOTSUPP },
	{ "extended, and cut off", 0, 2, 1, -EUCLEAN },
	{ "attributes, most", 2, 2, 65535, 0 },
	{ "type, none", 4, 2, 0000644, -EUCLEAN },
	{ "type, between fifo and character device", 4, 2, 0030644, -EUCLEAN },
	{ "type, between character device and directory", 4, 2, 0050644, -EUCLEAN },
	{ "type, between block device and file", 4, 2, 0070644, -EUCLEAN },
	{ "type, between file and link", 4, 2, 0110644, -EUCLEAN },
	{ "type, between link and socket", 4, 2, 0130644, -EUCLEAN },
	{ "type, above all", 4, 2, 0170644, -EUCLEAN },
	{ "permissions, all", 4, 2, 0107777, 0 },
	{ "links, none", 6, 2, 0, -EUCLEAN },
	{ "links, most", 6, 2, 65535, 0 },
	{ "size, largest", 8, 4, 0xFFFFFFFF, 0 },
	{ "time, latest", 12, 4, 0xFFFFFFFF, 0 },
	{ "first block, last there is", 16, 4, 0xFFFFFFFF, 0 },
};

static const struct neighbour extended_neighbours[] = {
	{ "size, none", 8, 8, 0, 0 },
	{ "size, largest", 8, 8, (1ULL << 63) - 1, 0 },
	{ "size, a byte too much", 8, 8, 1ULL << 63, -EUCLEAN },
	{ "size, all bits", 8, 8, ~0ULL, -EUCLEAN },
	{ "owner, all bits", 24, 4, 0xFFFFFFFF, 0 },
	{ "group, all bits", 28, 4, 0xFFFFFFFF, 0 },
	{ "time, earliest", 32, 8, 1ULL << 63, 0 },
	{ "time, latest", 32, 8, (1ULL << 63) - 1, 0 },
	{ "nanoseconds, last", 40, 4, 999999999, 0 },
	{ "nanoseconds, a second", 40, 4, 1000000000, -EUCLEAN },
	{ "links, none", 44, 4, 0, -EUCLEAN },
	{ "links, most", 44, 4, 0xFFFFFFFF, 0 },
};

static void check_neighbour(struct kunit *test, const struct neighbour *c, bool extended)
{
	size_t len = extended ? sizeof(struct od_disk_inode_extended) :
				sizeof(struct od_disk_inode_compact);
	u8 p[sizeof(struct od_disk_inode_extended)] = { 0 }, value[8];
	struct od_inode i;
	int err;

	put16(p, extended);
	put16(p + 4, 0100644);
	put16(p + 6, 1);
	if (extended)
		put32(p + 44, 1);
	put64(value, c->value);
	memcpy(p + c->at, value, c->bytes);
	err = parse(p, len, &i);
	if (err != c->err || !err != !*why)
		KUNIT_FAIL(test, "%s: %d %s", c->name, err, why);
}

static void inode_neighbours(struct kunit *test)
{
	size_t n;

	for (n = 0; n < ARRAY_SIZE(compact_neighbours); n++)
		check_neighbour(test, &compact_neighbours[n], false);
	for (n = 0; n < ARRAY_SIZE(extended_neighbours); n++)
		check_neighbour(test, &extended_neighbours[n], true);
}

/* Truncated by every number of bytes. */
static void inode_cut_off(struct kunit *test)
{
	struct od_inode i;
	size_t len;

	for (len = 0; len <= sizeof(struct od_disk_inode_extended); len++) {
		u8 *p = kunit_kzalloc(test, len + 1, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, p);
		if (len >= 8) {
			put16(p + 4, 0100644);
			put16(p + 6, 1);
		}
		KUNIT_EXPECT_EQ(test, parse(p, len, &i), len < 32 ? -EUCLEAN : 0);
		if (len >= 2)
			put16(p, 1);
		if (len >= 48)
			put32(p + 44, 1);
		KUNIT_EXPECT_EQ(test, parse(p, len, &i), len < 64 ? -EUCLEAN : 0);
	}
}

static struct kunit_case inode_cases[] = {
	KUNIT_CASE(inode_compact),
	KUNIT_CASE(inode_extended),
	KUNIT_CASE(inode_formats),
	KUNIT_CASE(inode_types),
	KUNIT_CASE(inode_special_file_with_layout),
	KUNIT_CASE(inode_link_flag),
	KUNIT_CASE(inode_no_links),
	KUNIT_CASE(inode_chunk_formats),
	KUNIT_CASE(inode_48bit),
	KUNIT_CASE(inode_offsets),
	KUNIT_CASE(inode_neighbours),
	KUNIT_CASE(inode_cut_off),
	{}
};

static struct kunit_suite inode_suite = {
	.name = "od_inode",
	.test_cases = inode_cases,
};
kunit_test_suite(inode_suite);
