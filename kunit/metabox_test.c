// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metabox: its location, contents and limits. Its size differs from that of the primary
 * blob, so that a check against the wrong one is detected.
 */
#include <kunit/test.h>

#include "sb_cases.h"
#include "erofs_od/core/chunkmap.h"
#include "erofs_od/core/zmap.h"

#define BLK	4096ULL
#define BOXED	(1ULL << 63)
#define NID	36
#define BOX_NID	7
#define SMALL	(2 * BLK)
#define LARGE	(64 * BLK)

static void good(u8 p[sizeof(struct od_disk_sb)])
{
	memset(p, 0, sizeof(struct od_disk_sb));
	put32(p, 0xE0F5E1E2);
	p[12] = 12;
	p[13] = 1;
	put32(p + 80, 0x180);
	put64(p + 112, BOXED);
}

static void metabox_super(struct kunit *test)
{
	static const struct sb_case cases[] = {
		{ "nothing", 0, 0, 0, 0, NULL },
		{ "no extension", 13, 1, 0, -EUCLEAN, "extension" },
		{ "many extensions", 13, 1, 255, 0, NULL },
		{ "without 48BIT", 80, 4, 0x100, 0, NULL },
		{ "packed inode", 96, 8, BOXED - 1, 0, NULL },
		{ "packed inode in it, not used", 96, 8, BOXED, 0, NULL },
		{ "shared xattrs", 8, 4, 0x8, 0, NULL },
		{ "digests, without prefixes", 8, 4, 0x20, -EUCLEAN, "name" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 p[sizeof(struct od_disk_sb)];
		struct od_sb sb;

		good(p);
		if (!sb_case_parse(test, &cases[i], p, 12, &sb))
			KUNIT_EXPECT_TRUE(test, sb.metabox);
	}
}

/* The metabox cannot contain what is needed to read it, or its inodes. */
static void metabox_not_in_itself(struct kunit *test)
{
	u8 p[sizeof(struct od_disk_sb)], box[sizeof(struct od_disk_sb_metabox)];
	const char *why = NULL;
	struct od_sb sb;

	good(p);
	put32(p + 80, 0x1a0);
	put64(p + 96, BOXED | 1);
	KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), -EUCLEAN);
	KUNIT_ASSERT_NOT_NULL(test, why);
	KUNIT_EXPECT_NOT_NULL(test, strstr(why, "packed"));
	good(p);
	KUNIT_ASSERT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.root_nid, BOXED);
	memset(box, 0xff, sizeof(box));
	put64(box, BOX_NID);
	KUNIT_EXPECT_EQ(test, od_sb_parse_metabox((const void *)box, &sb, &why), 0);
	KUNIT_EXPECT_EQ(test, sb.metabox_nid, BOX_NID);
	put64(box, BOXED | BOX_NID);
	KUNIT_EXPECT_EQ(test, od_sb_parse_metabox((const void *)box, &sb, &why), -EUCLEAN);
}

static void metabox_places(struct kunit *test)
{
	static const struct {
		u32 incompat, compat;
		u8 place;
		bool shared;
	} cases[] = {
		{ 0x40, 0, OD_PREFIX_IN_IMAGE, false },
		{ 0x60, 0, OD_PREFIX_IN_PACKED, false },
		{ 0x60, 0x10, OD_PREFIX_IN_IMAGE, false },
		{ 0x140, 0, OD_PREFIX_IN_METABOX, false },
		{ 0x160, 0, OD_PREFIX_IN_METABOX, false },
		{ 0x160, 0x10, OD_PREFIX_IN_IMAGE, false },
		{ 0x140, 0x8, OD_PREFIX_IN_METABOX, true },
		{ 0x160, 0x18, OD_PREFIX_IN_IMAGE, true },
		{ 0x140, 0x20, OD_PREFIX_IN_METABOX, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 p[sizeof(struct od_disk_sb)];
		const char *why = NULL;
		struct od_sb sb;

		good(p);
		put32(p + 8, cases[i].compat);
		put32(p + 80, cases[i].incompat);
		p[91] = 3;
		put64(p + 96, 5);
		p[105] = 2;
		KUNIT_ASSERT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why), 0);
		KUNIT_EXPECT_EQ_MSG(test, sb.prefix_place, cases[i].place, "case %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, sb.xattr_in_metabox, cases[i].shared, "case %zu", i);
		p[105] = 3;
		KUNIT_EXPECT_EQ(test, od_sb_parse((const void *)p, 12, &sb, &why),
				cases[i].compat & 0x20 ? -EUCLEAN : 0);
	}
}

static void metabox_inode_offsets(struct kunit *test)
{
	static const struct {
		u64 nid, size;
		bool none;
		int err;
		u64 off;
	} cases[] = {
		{ BOXED, 32, false, 0, 0 },
		{ BOXED, 31, false, -EUCLEAN, 0 },
		{ BOXED, 0, false, -EUCLEAN, 0 },
		{ BOXED | 10, 352, false, 0, 320 },
		{ BOXED | 11, 352, false, -EUCLEAN, 0 },
		{ BOXED | 1ULL << 58, ~0ULL, false, -EUCLEAN, 0 },
		{ BOXED | 1ULL << 59, ~0ULL, false, -EUCLEAN, 0 },
		{ BOXED, 32, true, -EUCLEAN, 0 },
		{ 0, 8192 + 32, false, 0, 8192 },
	};
	size_t n;

	for (n = 0; n < ARRAY_SIZE(cases); n++) {
		const struct od_sb sb = { .meta_off = 8192, .metabox = !cases[n].none };
		u64 off = 0;
		int err = od_inode_offset(&sb, cases[n].nid, cases[n].size, &off);

		if (err != cases[n].err || off != cases[n].off)
			KUNIT_FAIL(test, "case %zu: %d", n, err);
	}
}

/* Where an inode is, the sizes of its image and metabox, and what comes of its inline data. */
static const struct {
	u64 nid, blob_size, box_size;
	int err;
} inline_cases[] = {
	{ NID, LARGE, SMALL, 0 },
	{ NID, SMALL, LARGE, -EUCLEAN },
	{ BOXED | NID, SMALL, LARGE, 0 },
	{ BOXED | NID, LARGE, SMALL, -EUCLEAN },
	{ BOXED | NID, LARGE, 0, -EUCLEAN },
};

/* Inline data is stored with the inode, everything else in the blobs. */
static void metabox_inline_data(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inline_cases); i++) {
		const struct od_blob blob = { .size = inline_cases[i].blob_size };
		const struct od_blobtab tab = {
			.blkbits = 12, .count = 1, .blob = &blob,
			.metabox_size = inline_cases[i].box_size,
		};
		const struct od_inode inode = {
			.nid = inline_cases[i].nid, .layout = OD_LAYOUT_FLAT_INLINE, .off = 3 * BLK,
			.inode_size = 64, .size = BLK + 100, .start_off = BLK,
		};
		struct od_extent x;

		KUNIT_EXPECT_EQ(test, od_chunkmap(&tab, &inode, 0, NULL, &x), 0);
		KUNIT_EXPECT_EQ(test, x.flags, OD_EXTENT_MAPPED);
		KUNIT_EXPECT_EQ(test, x.off, BLK);
		KUNIT_EXPECT_EQ_MSG(test, od_chunkmap(&tab, &inode, BLK, NULL, &x),
				    inline_cases[i].err, "case %zu", i);
		KUNIT_EXPECT_EQ(test, x.flags, OD_EXTENT_MAPPED | OD_EXTENT_INLINE);
		KUNIT_EXPECT_EQ(test, x.off, 3 * BLK + 64);
	}
}

/* Reads one map entry. */
static int read_entry(void *data, u64 off, void *to, u32 len)
{
	const u64 *array = data;

	if (off != *array || len != sizeof(struct od_disk_zindex))
		return -EIO;
	memset(to, 0, len);
	put16(to, OD_LCLUSTER_HEAD1);
	return 0;
}

static void metabox_inline_pcluster(struct kunit *test)
{
	u64 array = 3 * BLK;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inline_cases); i++) {
		const struct od_blob blob = { .size = inline_cases[i].blob_size };
		const struct od_blobtab tab = {
			.blkbits = 12, .count = 1, .blob = &blob,
			.metabox_size = inline_cases[i].box_size,
		};
		const struct od_zmap map = {
			.tab = &tab, .algorithms = 1 << OD_ALGORITHM_LZ4, .read = read_entry,
			.data = &array,
		};
		const struct od_inode inode = {
			.nid = inline_cases[i].nid, .size = 100,
			.layout = OD_LAYOUT_COMPRESSED_FULL,
			.z = {
				.array = 3 * BLK, .end = 3 * BLK + 8, .entries = 1,
				.inline_size = 50, .lclusterbits = 12,
			},
		};
		struct od_zextent x;

		KUNIT_EXPECT_EQ_MSG(test, od_zmap(&map, &inode, &inode.z, 0, &x),
				    inline_cases[i].err, "case %zu", i);
		KUNIT_EXPECT_EQ(test, x.flags, OD_ZEXTENT_INLINE);
		KUNIT_EXPECT_EQ(test, x.off, 3 * BLK + 8);
	}
}

/* Neither the metabox nor its tail can be a fragment; other inodes can have fragments. */
static void metabox_fragments(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 nid;
		u64 header;
		bool metabox;
		int err;
	} cases[] = {
		{ "the metabox inode", BOX_NID, OD_ZHEADER_WHOLE, true, -EUCLEAN },
		{ "its tail", BOX_NID, (u64)OD_ZADVISE_FRAGMENT << 32, true, -EUCLEAN },
		{ "that of an image without", BOX_NID, OD_ZHEADER_WHOLE, false, 0 },
		{ "an inode of the same number in it", BOXED | BOX_NID, OD_ZHEADER_WHOLE, true, 0 },
		{ "another inode", NID, OD_ZHEADER_WHOLE, true, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct od_sb sb = {
			.blkbits = 12, .compr_algs = 1, .packed_nid = 5,
			.metabox = cases[i].metabox, .metabox_nid = BOX_NID,
		};
		struct od_inode inode = {
			.nid = cases[i].nid, .layout = OD_LAYOUT_COMPRESSED_FULL, .off = BLK,
			.inode_size = 64, .size = BLK,
		};
		const char *why = NULL;
		u8 p[sizeof(struct od_disk_zheader)];
		int err;

		put64(p, cases[i].header);
		err = od_zinode_parse(&sb, &inode, (const void *)p, LARGE, &inode.z, &why);
		if (err != cases[i].err || !!why != !!err)
			KUNIT_FAIL(test, "%s: %d %s", cases[i].name, err, why ?: "");
	}
}

static struct kunit_case metabox_cases[] = {
	KUNIT_CASE(metabox_super),
	KUNIT_CASE(metabox_not_in_itself),
	KUNIT_CASE(metabox_places),
	KUNIT_CASE(metabox_inode_offsets),
	KUNIT_CASE(metabox_inline_data),
	KUNIT_CASE(metabox_inline_pcluster),
	KUNIT_CASE(metabox_fragments),
	{}
};

static struct kunit_suite metabox_suite = {
	.name = "od_metabox",
	.test_cases = metabox_cases,
};
kunit_test_suite(metabox_suite);
