// SPDX-License-Identifier: GPL-2.0-only
/* Compressed files: configurations, map headers, maps of both layouts, valid and invalid. */
#include "zimage.h"

static struct od_sb sb_of(u8 blkbits)
{
	return (struct od_sb) {
		.incompat = OD_FEATURE_INCOMPAT_LZ4_0PADDING | OD_FEATURE_INCOMPAT_COMPR_CFGS |
			    OD_FEATURE_INCOMPAT_FRAGMENTS,
		.blkbits = blkbits,
		.packed_nid = PACKED,
		.compr_algs = 1U << OD_ALGORITHM_LZ4 | 1U << OD_ALGORITHM_ZSTD,
	};
}

static struct od_inode inode_of(u8 layout, u64 size)
{
	return (struct od_inode) {
		.nid = NID, .off = INODE, .inode_size = 64, .layout = layout, .size = size,
	};
}

/* A header with advice, algorithms LZ4 and ZSTD, lclusters of blocks */
static void put_header(u8 *p, u16 advise)
{
	memset(p, 0, sizeof(struct od_disk_zheader));
	put16(p + 4, advise);
	p[6] = OD_ALGORITHM_ZSTD << 4 | OD_ALGORITHM_LZ4;
}

static void put_head(struct image *image, u32 lcn, u16 type, u16 ofs, u32 blkaddr)
{
	u8 *p = image->map + 16 + 8 * lcn;

	put16(p, type);
	put16(p + 2, ofs);
	put32(p + 4, blkaddr);
}

static void put_nonhead(struct image *image, u32 lcn, u16 delta0)
{
	u8 *p = image->map + 16 + 8 * lcn;

	put16(p, 2);
	put16(p + 2, 0);
	put16(p + 4, delta0);
	put16(p + 6, 0);
}

static int map_with(struct kunit *test, const struct od_zmap *map, struct image *image,
		    struct od_inode *inode, u64 pos, struct od_zextent *x)
{
	struct od_sb sb = sb_of(map->tab->blkbits);

	return map_image(test, &sb, map, image, inode, pos, x);
}

static int map_at(struct kunit *test, struct image *image, struct od_inode *inode, u64 pos,
		  struct od_zextent *x)
{
	const struct od_zmap map = {
		.tab = &tab, .algorithms = 1U << OD_ALGORITHM_LZ4 | 1U << OD_ALGORITHM_ZSTD,
		.packed_size = 100000,
		.read = read_image, .data = image,
	};

	return map_with(test, &map, image, inode, pos, x);
}

/* The result of a lookup, for @len bytes from @start on */
struct extent_case {
	u64 start, len;
	u32 flags, blob;
	u64 off;
	u32 encoded_len, algorithm, rotated;
};

static void check(struct kunit *test, struct image *image, struct od_inode *inode,
		  const struct extent_case *c)
{
	u64 at[] = { c->start, c->start + c->len / 2, c->start + c->len - 1 };
	struct od_zextent x;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		int err = map_at(test, image, inode, at[i], &x);

		KUNIT_EXPECT_EQ_MSG(test, err, 0, "at %llu", (unsigned long long)at[i]);
		KUNIT_EXPECT_EQ_MSG(test, x.start, c->start, "at %llu", (unsigned long long)at[i]);
		KUNIT_EXPECT_EQ_MSG(test, x.len, c->len, "at %llu", (unsigned long long)at[i]);
		KUNIT_EXPECT_EQ_MSG(test, x.flags, c->flags, "at %llu", (unsigned long long)at[i]);
		if (c->flags & OD_ZEXTENT_HOLE)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, x.off, c->off, "at %llu", (unsigned long long)at[i]);
		if (c->flags & OD_ZEXTENT_FRAGMENT)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, x.blob, c->blob, "at %llu", (unsigned long long)at[i]);
		KUNIT_EXPECT_EQ_MSG(test, x.encoded_len, c->encoded_len, "at %llu", (unsigned long long)at[i]);
		KUNIT_EXPECT_EQ_MSG(test, x.rotated, c->rotated, "at %llu", (unsigned long long)at[i]);
		if (!(c->flags & OD_ZEXTENT_PLAIN))
			KUNIT_EXPECT_EQ_MSG(test, x.algorithm, c->algorithm, "at %llu", (unsigned long long)at[i]);
	}
}

static void check_all(struct kunit *test, struct image *image, struct od_inode *inode,
		      const struct extent_case *cases, size_t nr)
{
	u64 pos = 0;
	size_t i;

	for (i = 0; i < nr; pos += cases[i++].len) {
		KUNIT_EXPECT_EQ(test, cases[i].start, pos);
		check(test, image, inode, &cases[i]);
	}
	KUNIT_EXPECT_EQ(test, pos, inode->size);
}

static void zmap_full(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 8 * BLK + 100);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 2 * BLK + 50, .off = 20 * BLK, .encoded_len = BLK,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 2 * BLK + 50, .len = BLK, .flags = OD_ZEXTENT_PLAIN,
		  .off = 21 * BLK, .encoded_len = BLK },
		{ .start = 3 * BLK + 50, .len = 3 * BLK - 50, .flags = OD_ZEXTENT_PARTIAL,
		  .off = 22 * BLK, .encoded_len = BLK, .algorithm = OD_ALGORITHM_ZSTD },
		{ .start = 6 * BLK, .len = BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 7 * BLK, .len = BLK + 100, .blob = 1, .off = 3 * BLK,
		  .encoded_len = BLK, .algorithm = OD_ALGORITHM_LZ4 },
	};
	struct image *image = new_image(test);

	put_header(image->map, 0);
	put_head(image, 0, 1, 0, 20);
	put_nonhead(image, 1, 1);
	put_head(image, 2, 0, 50, 21);
	put_head(image, 3, 0x8003, 50, 22);
	put_nonhead(image, 4, 1);
	put_nonhead(image, 5, 2);
	put_head(image, 6, 0x4001, 0, 99);
	put_head(image, 7, 1, 0, 1003);
	put_nonhead(image, 8, 1);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
}

static void zmap_full_big(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 9 * BLK);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 4 * BLK + 8, .off = 20 * BLK, .encoded_len = 3 * BLK,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 4 * BLK + 8, .len = BLK, .flags = OD_ZEXTENT_PLAIN, .off = 23 * BLK,
		  .encoded_len = BLK },
		{ .start = 5 * BLK + 8, .len = 3 * BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 8 * BLK + 8, .len = BLK - 8, .off = 30 * BLK, .encoded_len = BLK,
		  .algorithm = OD_ALGORITHM_LZ4 },
	};
	struct image *image = new_image(test);

	put_header(image->map, OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2);
	put_head(image, 0, 1, 0, 20);
	put_nonhead(image, 1, 0x803);
	put_nonhead(image, 2, 2);
	put_nonhead(image, 3, 3);
	put_head(image, 4, 0, 8, 23);
	put_head(image, 5, 1, 8, 24);
	put_nonhead(image, 6, 0x800);
	put_nonhead(image, 7, 2);
	put_head(image, 8, 1, 8, 30);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
}

/* An extent that ends in an lcluster after its head's is ended by an entry. */
static void zmap_terminator(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, BLK + 200);
	struct image *image = new_image(test);

	put_header(image->map, 0);
	put_head(image, 0, 1, 0, 20);
	put_head(image, 1, 0, 200, 0);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = BLK + 200, .off = 20 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
}

static void zmap_interlaced(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 2 * BLK);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 100, .off = 20 * BLK, .encoded_len = BLK,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 100, .len = BLK, .flags = OD_ZEXTENT_PLAIN, .off = 21 * BLK,
		  .encoded_len = BLK, .rotated = BLK - 100 },
		{ .start = BLK + 100, .len = BLK - 100, .flags = OD_ZEXTENT_PLAIN,
		  .off = 22 * BLK, .encoded_len = BLK, .rotated = BLK - 100 },
	};
	struct image *image = new_image(test);
	struct od_zextent x;

	put_header(image->map, OD_ZADVISE_INTERLACED);
	put_head(image, 0, 0, 0, 21);
	put_head(image, 1, 0, 100, 22);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EUCLEAN);
	put_head(image, 1, 0, 0, 22);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = BLK, .flags = OD_ZEXTENT_PLAIN, .off = 21 * BLK,
		.encoded_len = BLK, .rotated = BLK });
	put_head(image, 0, 1, 0, 21);
	put_head(image, 1, 0, 100, 22);
	check(test, image, &inode, &cases[2]);
}

static void zmap_inline(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 2 * BLK + 100);
	u64 at = MAP + 16 + 3 * 8;
	struct image *image = new_image(test);
	struct od_zextent x;

	put_header(image->map, OD_ZADVISE_INLINE | OD_ZADVISE_INTERLACED);
	put16(image->map + 2, 300);
	put_head(image, 0, 1, 0, 20);
	put_head(image, 1, 1, 50, 0);
	put_nonhead(image, 2, 1);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = BLK + 50, .off = 20 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = BLK + 50, .len = BLK + 50, .flags = OD_ZEXTENT_INLINE, .off = at,
		.encoded_len = 300, .algorithm = OD_ALGORITHM_LZ4 });
	put16(image->map + 2, BLK - at % BLK);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), 0);
	put16(image->map + 2, BLK - at % BLK + 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
	/* Plain, and never interlaced. */
	put16(image->map + 2, 50);
	put_nonhead(image, 1, 1);
	put_head(image, 2, 0, 50, 0);
	check(test, image, &inode, &(struct extent_case) {
		.start = 2 * BLK + 50, .len = 50,
		.flags = OD_ZEXTENT_INLINE | OD_ZEXTENT_PLAIN, .off = at, .encoded_len = 50 });
	put16(image->map + 2, 49);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK + 60, &x), -EUCLEAN);
}

static void zmap_fragment(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 5 * BLK);
	struct image *image = new_image(test);
	struct od_zextent x;

	put_header(image->map, OD_ZADVISE_FRAGMENT);
	put32(image->map, 70000);
	put_head(image, 0, 1, 0, 20);
	put_nonhead(image, 1, 1);
	put_head(image, 2, 1, 8, 0);
	put_nonhead(image, 3, 1);
	put_nonhead(image, 4, 2);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = 2 * BLK + 8, .off = 20 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 2 * BLK + 8, .len = 3 * BLK - 8, .flags = OD_ZEXTENT_FRAGMENT,
		.off = 70000 });
	/* Up to its last byte, and one more. */
	put32(image->map, 100000 - (3 * BLK - 8));
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 3 * BLK, &x), 0);
	put32(image->map, 100001 - (3 * BLK - 8));
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 3 * BLK, &x), -EUCLEAN);
	/* The upper half of the offset is in the head. */
	put32(image->map, 0);
	put_head(image, 2, 1, 8, 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 3 * BLK, &x), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, x.off, 1ULL << 32);
	/* The whole file */
	put64(image->map, OD_ZHEADER_WHOLE | 9000);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = 5 * BLK, .flags = OD_ZEXTENT_FRAGMENT, .off = 9000 });
	put64(image->map, OD_ZHEADER_WHOLE | (100001 - 5 * BLK));
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EUCLEAN);
}

/* The length of an extent is limited to 12 MiB, that of a fragment is not. */
static void zmap_limit(struct kunit *test)
{
	u8 bits = 16;
	u64 blk = 1ULL << bits, limit = (12ULL << 20) >> bits, i;
	static const struct od_blob blob = { .size = 1ULL << 40 };
	const struct od_blobtab one = { .blkbits = bits, .count = 1, .blob = &blob };
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, (limit + 2) * blk);
	struct image *image = new_image(test);
	struct od_zmap map = {
		.tab = &one, .algorithms = 1, .packed_size = 1ULL << 40, .read = read_image,
		.data = image,
	};
	struct od_zextent x;

	put_header(image->map, 0);
	put_head(image, 0, 1, 0, 20);
	for (i = 1; i < limit + 2; i++)
		put_nonhead(image, i, 1);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, (limit + 2) * blk - 1, &x),
		-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), -EOPNOTSUPP);
	put_head(image, limit, 1, 0, 21);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, (u64)OD_ZDECODED_MAX);
	put_head(image, limit, 1, 1, 21);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), -EOPNOTSUPP);
	put_nonhead(image, limit, 1);
	put_header(image->map, OD_ZADVISE_FRAGMENT);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, (limit + 2) * blk);
}

/* --- compact maps --- */

/* In a pack, a value of @bits bits and a type */
static void put_unit(u8 *pack, u32 slots, u32 slot, u8 type, u32 value)
{
	u32 width = slots == 2 ? 16 : 14, at = slot * width, i;
	u32 unit = value | (u32)type << 12;

	for (i = 0; i < width; i++, at++) {
		pack[at / 8] &= (u8)~(1U << at % 8);
		pack[at / 8] |= (u8)((unit >> i & 1) << at % 8);
	}
}

static void zmap_compact_4b(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_COMPACT, 5 * BLK);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 2 * BLK + 9, .off = 20 * BLK, .encoded_len = BLK,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 2 * BLK + 9, .len = BLK - 9, .flags = OD_ZEXTENT_PLAIN,
		  .off = 30 * BLK, .encoded_len = BLK },
		{ .start = 3 * BLK, .len = 2 * BLK, .off = 31 * BLK, .encoded_len = BLK,
		  .algorithm = OD_ALGORITHM_ZSTD },
	};
	struct image *image = new_image(test);
	u8 *p = image->map + 8;

	put_header(image->map, 0);
	put_unit(p, 2, 0, 1, 0);
	put_unit(p, 2, 1, 2, 1);	/* the last slot: delta1 */
	put32(p + 4, 19);
	put_unit(p + 8, 2, 0, 0, 9);
	put_unit(p + 8, 2, 1, 3, 0);
	put32(p + 12, 29);
	put_unit(p + 16, 2, 0, 2, 1);
	put32(p + 20, 31);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	KUNIT_EXPECT_EQ(test, inode.z.end, MAP + 8 + 24);
}

/* Two packs of 4-byte entries up to a multiple of 32, then one of 16 entries, then the rest. */
static void zmap_compact_2b(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_COMPACT, 23 * BLK);
	struct image *image = new_image(test);
	u8 *p = image->map + 8;
	u32 i;

	put_header(image->map, OD_ZADVISE_COMPACT_2B);
	/* (MAP + 8) mod 32 is 8: six entries of 4 bytes */
	for (i = 0; i < 6; i++)
		put_unit(p + i / 2 * 8, 2, i % 2, 1, 0);
	for (i = 0; i < 3; i++)
		put32(p + i * 8 + 4, 9 + 2 * i);
	p += 24;
	put_unit(p, 16, 0, 1, 0);
	for (i = 1; i < 14; i++)
		put_unit(p, 16, i, 2, i);
	put_unit(p, 16, 14, 1, 100);
	put_unit(p, 16, 15, 2, 1);
	put32(p + 28, 15);
	p += 32;
	put_unit(p, 2, 0, 1, 7);
	put32(p + 4, 17);
	check(test, image, &inode, &(struct extent_case) {
		.start = 5 * BLK, .len = BLK, .off = 15 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 6 * BLK, .len = 14 * BLK + 100, .off = 16 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 20 * BLK + 100, .len = 2 * BLK - 93, .off = 17 * BLK,
		.encoded_len = BLK, .algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 22 * BLK + 7, .len = BLK - 7, .off = 18 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	KUNIT_EXPECT_EQ(test, inode.z.first4, 6U);
	KUNIT_EXPECT_EQ(test, inode.z.packed2, 16ULL);
	KUNIT_EXPECT_EQ(test, inode.z.end, MAP + 8 + 24 + 32 + 8);
}

static void zmap_compact_big(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_COMPACT, 22 * BLK);
	struct image *image = new_image(test);
	u8 *p = image->map + 8;
	u32 i;

	put_header(image->map, OD_ZADVISE_COMPACT_2B | OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2);
	for (i = 0; i < 5; i++)
		put_unit(p + i / 2 * 8, 2, i % 2, 1, 0);
	put32(p + 4, 2);
	put32(p + 12, 4);
	put_unit(p + 16, 2, 1, 1, 0);	/* its count is in the next pack */
	put32(p + 20, 6);
	p += 24;
	put_unit(p, 16, 0, 2, 0x802);
	put_unit(p, 16, 1, 2, 2);
	put_unit(p, 16, 2, 1, 0);	/* one block: the next is a head */
	put_unit(p, 16, 3, 1, 0);
	put_unit(p, 16, 4, 2, 0x803);
	put_unit(p, 16, 5, 2, 2);
	put_unit(p, 16, 6, 1, 0);
	for (i = 7; i < 15; i++)
		put_unit(p, 16, i, 2, i == 7 ? 0x802 : i - 6);
	put_unit(p, 16, 15, 2, 1);
	put32(p + 28, 7);
	check(test, image, &inode, &(struct extent_case) {
		.start = 4 * BLK, .len = BLK, .off = 6 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 5 * BLK, .len = 3 * BLK, .off = 7 * BLK, .encoded_len = 2 * BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 8 * BLK, .len = BLK, .off = 9 * BLK, .encoded_len = BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 9 * BLK, .len = 3 * BLK, .off = 10 * BLK, .encoded_len = 3 * BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
	check(test, image, &inode, &(struct extent_case) {
		.start = 12 * BLK, .len = 10 * BLK, .off = 13 * BLK, .encoded_len = 2 * BLK,
		.algorithm = OD_ALGORITHM_LZ4 });
}

/* --- invalid maps --- */

/**
 * struct map_change - a change to a valid map of four lclusters
 * @name: name of the case
 * @advise: of the header
 * @lcn: entry to change
 * @type: its type
 * @ofs: its clusterofs
 * @blkaddr: its block, or its deltas
 * @pos: byte to look up
 * @err: expected error
 */
struct map_change {
	const char *name;
	u16 advise;
	u32 lcn;
	u16 type, ofs;
	u32 blkaddr;
	u64 pos;
	int err;
};

static void zmap_rejects_full(struct kunit *test)
{
	static const struct map_change cases[] = {
		{ "nothing", 0, 3, 2, 0, 1, 3 * BLK, 0 },
		{ "clusterofs of an lcluster", 0, 2, 1, BLK, 21, 2 * BLK, -EUCLEAN },
		{ "clusterofs in the first", 0, 0, 1, 1, 20, 0, -EUCLEAN },
		{ "no head in the first", 0, 0, 2, 0, 1, 0, -EUCLEAN },
		{ "delta 0", 0, 3, 2, 0, 0, 3 * BLK, -EUCLEAN },
		{ "delta beyond the first", 0, 3, 2, 0, 4, 3 * BLK, -EUCLEAN },
		{ "delta to the first", 0, 3, 2, 0, 3, 3 * BLK, 0 },
		{ "count without big pclusters", 0, 3, 2, 0, 0x801, 3 * BLK, -EUCLEAN },
		{ "count without big pclusters, from the head", 0, 3, 2, 0, 0x801, 2 * BLK, -EUCLEAN },
		{ "big plain, no count", OD_ZADVISE_BIG_2, 2, 0, 0, 21, 2 * BLK, -EUCLEAN },
		{ "count for another type", OD_ZADVISE_BIG_2, 3, 2, 0, 0x801, 2 * BLK, -EUCLEAN },
		{ "big, no count", OD_ZADVISE_BIG_1, 3, 2, 0, 1, 2 * BLK, -EUCLEAN },
		{ "big", OD_ZADVISE_BIG_1, 3, 2, 0, 0x802, 2 * BLK, 0 },
		{ "more than decoded", OD_ZADVISE_BIG_1, 1, 2, 0, 0x803, 0, -EUCLEAN },
		{ "more than decoded, at the end", OD_ZADVISE_BIG_1, 3, 2, 0, 0x803, 2 * BLK, 0 },
		{ "1 MiB and a block", OD_ZADVISE_BIG_1, 3, 2, 0, 0x901, 2 * BLK, -EOPNOTSUPP },
		{ "plain of less than its bytes", 0, 2, 0, 0, 21, 2 * BLK, -EUCLEAN },
		{ "algorithm that the image does not list", 0, 2, 3, 0, 21, 2 * BLK, -EUCLEAN },
		{ "last block", 0, 2, 1, 0, 63, 2 * BLK, 0 },
		{ "beyond the blob", 0, 2, 1, 0, 64, 2 * BLK, -EUCLEAN },
		{ "far beyond it", 0, 2, 1, 0, ~0U, 2 * BLK, -EUCLEAN },
		{ "last of another blob", 0, 2, 1, 0, 1015, 2 * BLK, 0 },
		{ "beyond another blob", 0, 2, 1, 0, 1016, 2 * BLK, -EUCLEAN },
		{ "across two blobs", OD_ZADVISE_BIG_1, 2, 1, 0, 999, 0, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct map_change *c = &cases[i];
		struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 4 * BLK);
		struct image *image = new_image(test);
		const struct od_zmap map = {
			.tab = &tab, .algorithms = 1U << OD_ALGORITHM_LZ4, .read = read_image,
			.data = image,
		};
		struct od_zextent x;
		int err;

		put_header(image->map, c->advise);
		put_head(image, 0, 1, 0, 20);
		put_nonhead(image, 1, c->advise & OD_ZADVISE_BIG_1 ? 0x801 : 1);
		put_head(image, 2, 1, 0, 21);
		put_nonhead(image, 3, c->advise & OD_ZADVISE_BIG_1 ? 0x801 : 1);
		put_head(image, c->lcn, c->type, c->ofs, c->blkaddr);
		err = map_with(test, &map, image, &inode, c->pos, &x);
		KUNIT_EXPECT_EQ_MSG(test, err, c->err, "%s", c->name);
	}
}

/* A count must directly follow its head, whichever entry a lookup starts from. */
static void zmap_rejects_counts(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 5 * BLK);
	struct image *image = new_image(test);
	struct od_zextent x;

	put_header(image->map, OD_ZADVISE_BIG_1);
	put_head(image, 0, 1, 0, 20);
	put_nonhead(image, 1, 0x802);
	put_nonhead(image, 2, 2);
	put_nonhead(image, 3, 0x801);
	put_nonhead(image, 4, 4);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 3 * BLK, &x), -EUCLEAN);
	put_nonhead(image, 3, 3);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 3 * BLK, &x), 0);
	/* Lookback is stepwise if the distance does not fit. */
	put_nonhead(image, 4, 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 4 * BLK, &x), 0);
	KUNIT_EXPECT_EQ(test, x.start, 0ULL);
	KUNIT_EXPECT_EQ(test, x.len, 5 * BLK);
}

static void zmap_rejects_compact(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_COMPACT, 4 * BLK);
	u16 big = OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2;
	struct image *image = new_image(test);
	struct od_zextent x;
	u8 *p = image->map + 8;

	put_header(image->map, 0);
	put_unit(p, 2, 0, 1, 0);
	put_unit(p, 2, 1, 2, 1);
	put32(p + 4, 19);
	put_unit(p + 8, 2, 0, 2, 2);
	put_unit(p + 8, 2, 1, 2, 0);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), 0);
	put_unit(p + 8, 2, 0, 2, 0);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
	put_unit(p + 8, 2, 0, 2, 3);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
	put_unit(p + 8, 2, 0, 2, 0x801);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
	/* With big pclusters, one outside the last slot has a distance of two, or a count. */
	put_header(image->map, big);
	put_unit(p, 2, 1, 2, 0x801);
	put_unit(p + 8, 2, 0, 2, 2);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), 0);
	put_unit(p + 8, 2, 0, 2, 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
	put_unit(p, 2, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EUCLEAN);
	put_unit(p, 2, 0, 2, 0x801);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EUCLEAN);
}

/* A 12-bit field holds values that are too large for smaller blocks. */
static void zmap_rejects_small_blocks(struct kunit *test)
{
	static const struct od_blob blob = { .size = IMAGE };
	const struct od_blobtab one = { .blkbits = 9, .count = 1, .blob = &blob };
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_COMPACT, 2 * 512);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &one, .algorithms = 1, .read = read_image, .data = image,
	};
	struct od_zextent x;

	put_header(image->map, 0);
	put_unit(image->map + 8, 2, 0, 1, 0);
	put_unit(image->map + 8, 2, 1, 1, 511);
	put32(image->map + 12, 19);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 512, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, 512ULL + 511);
	put_unit(image->map + 8, 2, 1, 1, 512);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 512, &x), -EUCLEAN);
}

static void zmap_errors(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 4 * BLK);
	struct image *image = new_image(test);
	struct od_zextent x;

	image->error = -EAGAIN;
	put_header(image->map, 0);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EAGAIN);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 4 * BLK, &x), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, image->reads, 1ULL);
}

/* LZ4 without padding is decompressed as far as needed; other bytes may follow. */
static void zmap_unpadded(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 4 * BLK);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &tab, .algorithms = 1, .lz4_unpadded = true, .read = read_image,
		.data = image,
	};
	struct od_zextent x;

	put_header(image->map, 0);
	put_head(image, 0, 1, 0, 20);
	put_head(image, 1, 0, 0, 21);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.flags, (u32)(OD_ZEXTENT_PARTIAL | OD_ZEXTENT_UNPADDED));
}

/* --- headers and configurations --- */

/**
 * struct header_case - a change to a valid header
 * @name: name of the case
 * @at: first byte of the header
 * @len: bytes
 * @value: its new value
 * @layout: of the inode
 * @nid: its nid
 * @err: expected error
 */
struct header_case {
	const char *name;
	u32 at, len;
	u64 value;
	u8 layout;
	u64 nid;
	int err;
};

static void zinode_header(struct kunit *test)
{
	enum { full = OD_LAYOUT_COMPRESSED_FULL, compact = OD_LAYOUT_COMPRESSED_COMPACT };
	static const struct header_case cases[] = {
		{ "nothing", 0, 0, 0, full, NID, 0 },
		{ "algorithm 4", 6, 1, 0x04, full, NID, -EUCLEAN },
		{ "algorithm 4 of heads that may not exist", 6, 1, 0x40, full, NID, -EUCLEAN },
		{ "algorithm 3", 6, 1, 0x33, full, NID, 0 },
		{ "larger lclusters", 7, 1, 1, full, NID, -EOPNOTSUPP },
		{ "half of big, full", 4, 2, OD_ZADVISE_BIG_1, full, NID, 0 },
		{ "half of big, compact", 4, 2, OD_ZADVISE_BIG_1, compact, NID, -EUCLEAN },
		{ "other half of big, compact", 4, 2, OD_ZADVISE_BIG_2, compact, NID, -EUCLEAN },
		{ "big, compact", 4, 2, OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2, compact, NID, 0 },
		{ "fragment", 4, 2, OD_ZADVISE_FRAGMENT, full, NID, 0 },
		{ "fragment in the packed inode", 4, 2, OD_ZADVISE_FRAGMENT, full, PACKED, -EUCLEAN },
		{ "whole fragment", 0, 8, OD_ZHEADER_WHOLE, compact, NID, 0 },
		{ "whole fragment in the packed inode", 0, 8, OD_ZHEADER_WHOLE, compact, PACKED, -EUCLEAN },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct header_case *c = &cases[i];
		struct od_inode inode = inode_of(c->layout, 4 * BLK);
		struct od_sb sb = sb_of(12);
		const char *why = NULL;
		u8 p[sizeof(struct od_disk_zheader)], value[8];
		int err;

		put_header(p, 0);
		put64(value, c->value);
		memcpy(p + c->at, value, c->len);
		inode.nid = c->nid;
		err = od_zinode_parse(&sb, &inode, (const void *)p, IMAGE, &inode.z, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, c->err, "%s", c->name);
		KUNIT_EXPECT_EQ_MSG(test, !err, !why, "%s", c->name);
	}
}

static int parse_header(struct od_sb *sb, u8 layout, u64 size, u16 advise, u64 image)
{
	struct od_inode inode = inode_of(layout, size);
	u8 p[sizeof(struct od_disk_zheader)];
	const char *why;

	put_header(p, advise);
	if (advise == 0xffff)
		put64(p, OD_ZHEADER_WHOLE);
	return od_zinode_parse(sb, &inode, (const void *)p, image, &inode.z, &why);
}

static void zinode_image(struct kunit *test)
{
	const u8 full = OD_LAYOUT_COMPRESSED_FULL, compact = OD_LAYOUT_COMPRESSED_COMPACT;
	u16 big = OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2;
	struct od_sb sb = sb_of(12);

	/* Up to the last byte of its entries, and one less: an odd last entry has a whole pack. */
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, 5 * BLK, 0, MAP + 16 + 40), 0);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, 5 * BLK, 0, MAP + 16 + 39), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, 5 * BLK, 0, MAP + 8 + 24), 0);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, 5 * BLK, 0, MAP + 8 + 23), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, S64_MAX, 0, IMAGE), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, S64_MAX, 1, IMAGE), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, 0, MAP), -EUCLEAN);

	sb.incompat &= ~(u32)OD_FEATURE_INCOMPAT_COMPR_CFGS;
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, 0, IMAGE), 0);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, OD_ZADVISE_BIG_1, IMAGE), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, BLK, big, IMAGE), -EUCLEAN);
	sb.compr_algs = 0;
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, 0, IMAGE), -EUCLEAN);
	sb = sb_of(12);
	sb.packed_nid = 0;
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, OD_ZADVISE_FRAGMENT, IMAGE), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, 0xffff, IMAGE), -EUCLEAN);

	sb = sb_of(14);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, BLK, 0, IMAGE), 0);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, BLK, OD_ZADVISE_COMPACT_2B, IMAGE),
		-EOPNOTSUPP);
	sb = sb_of(15);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, compact, BLK, 0, IMAGE), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, parse_header(&sb, full, BLK, 0, IMAGE), 0);
}

/**
 * struct config_case - a configuration
 * @name: name of the case
 * @algorithm: its algorithm
 * @len: bytes
 * @p: the first bytes; the others are 0
 * @err: expected error
 */
struct config_case {
	const char *name;
	u32 algorithm, len;
	u8 p[8];
	int err;
};

static void zconfig(struct kunit *test)
{
	static const struct config_case cases[] = {
		{ "LZ4", OD_ALGORITHM_LZ4, 14, { 0xff, 0xff, 0 }, 0 },
		{ "LZ4, pclusters of 1 MiB", OD_ALGORITHM_LZ4, 14, { 0, 0, 0, 1 }, 0 },
		{ "LZ4, larger ones", OD_ALGORITHM_LZ4, 14, { 0, 0, 1, 1 }, -EUCLEAN },
		{ "LZ4, cut off", OD_ALGORITHM_LZ4, 13, { }, -EUCLEAN },
		{ "LZMA, 4 KiB", OD_ALGORITHM_LZMA, 14, { 0, 0x10, 0, 0 }, 0 },
		{ "LZMA, less", OD_ALGORITHM_LZMA, 14, { 0xff, 0x0f, 0, 0 }, -EUCLEAN },
		{ "LZMA, 8 MiB", OD_ALGORITHM_LZMA, 14, { 0, 0, 0x80, 0 }, 0 },
		{ "LZMA, more", OD_ALGORITHM_LZMA, 14, { 1, 0, 0x80, 0 }, -EUCLEAN },
		{ "LZMA, another format", OD_ALGORITHM_LZMA, 14, { 0, 0x10, 0, 0, 1 }, -EOPNOTSUPP },
		{ "LZMA, cut off", OD_ALGORITHM_LZMA, 13, { 0, 0x10 }, -EUCLEAN },
		{ "DEFLATE, no window", OD_ALGORITHM_DEFLATE, 6, { 0 }, 0 },
		{ "DEFLATE, the largest", OD_ALGORITHM_DEFLATE, 6, { 15 }, 0 },
		{ "DEFLATE, a larger one", OD_ALGORITHM_DEFLATE, 6, { 16 }, -EUCLEAN },
		{ "DEFLATE, cut off", OD_ALGORITHM_DEFLATE, 5, { 15 }, -EUCLEAN },
		{ "ZSTD, 1 MiB", OD_ALGORITHM_ZSTD, 6, { 0, 10 }, 0 },
		{ "ZSTD, more", OD_ALGORITHM_ZSTD, 6, { 0, 11 }, -EUCLEAN },
		{ "ZSTD, another format", OD_ALGORITHM_ZSTD, 6, { 1, 10 }, -EOPNOTSUPP },
		{ "ZSTD, cut off", OD_ALGORITHM_ZSTD, 5, { 0, 10 }, -EUCLEAN },
		{ "another algorithm", OD_ALGORITHMS, 64, { }, -EOPNOTSUPP },
	};
	struct od_zconfig config = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct config_case *c = &cases[i];
		const char *why = NULL;
		u8 p[64] = { };
		int err;

		memcpy(p, c->p, sizeof(c->p));
		err = od_zconfig_parse(c->algorithm, p, c->len, 12, &config, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, c->err, "%s", c->name);
		KUNIT_EXPECT_EQ_MSG(test, !err, !why, "%s", c->name);
	}
	KUNIT_EXPECT_EQ(test, config.lzma_dict, 8U << 20);
	KUNIT_EXPECT_EQ(test, config.zstd_window, 1U << 20);
}

/* The part of a map needed for a range, with the entry that ends the last extent. */
static void zmap_entries(struct kunit *test)
{
	struct od_inode inode = inode_of(OD_LAYOUT_COMPRESSED_FULL, 100 * BLK);
	struct od_sb sb = sb_of(12);
	const char *why;
	u8 p[sizeof(struct od_disk_zheader)];
	u64 off;

	put_header(p, 0);
	KUNIT_ASSERT_EQ(test, od_zinode_parse(&sb, &inode, (const void *)p, IMAGE, &inode.z,
		&why), 0);
	KUNIT_EXPECT_EQ(test, od_zmap_entries(&inode, &inode.z, 10 * BLK + 1, BLK, &off), 24ULL);
	KUNIT_EXPECT_EQ(test, off, MAP + 16 + 80);
	KUNIT_EXPECT_EQ(test, od_zmap_entries(&inode, &inode.z, 10 * BLK, BLK, &off), 16ULL);
	KUNIT_EXPECT_EQ(test, od_zmap_entries(&inode, &inode.z, 99 * BLK, 1, &off), 8ULL);
	KUNIT_EXPECT_EQ(test, od_zmap_entries(&inode, &inode.z, 99 * BLK, 1ULL << 40, &off), 8ULL);
	put64(p, OD_ZHEADER_WHOLE);
	KUNIT_ASSERT_EQ(test, od_zinode_parse(&sb, &inode, (const void *)p, IMAGE, &inode.z,
		&why), 0);
	KUNIT_EXPECT_EQ(test, od_zmap_entries(&inode, &inode.z, 0, BLK, &off), 0ULL);
}

static struct kunit_case zmap_cases[] = {
	KUNIT_CASE(zmap_full),
	KUNIT_CASE(zmap_full_big),
	KUNIT_CASE(zmap_terminator),
	KUNIT_CASE(zmap_interlaced),
	KUNIT_CASE(zmap_inline),
	KUNIT_CASE(zmap_fragment),
	KUNIT_CASE(zmap_limit),
	KUNIT_CASE(zmap_compact_4b),
	KUNIT_CASE(zmap_compact_2b),
	KUNIT_CASE(zmap_compact_big),
	KUNIT_CASE(zmap_rejects_full),
	KUNIT_CASE(zmap_rejects_counts),
	KUNIT_CASE(zmap_rejects_compact),
	KUNIT_CASE(zmap_rejects_small_blocks),
	KUNIT_CASE(zmap_errors),
	KUNIT_CASE(zmap_unpadded),
	KUNIT_CASE(zinode_header),
	KUNIT_CASE(zinode_image),
	KUNIT_CASE(zconfig),
	KUNIT_CASE(zmap_entries),
	{ }
};

static struct kunit_suite zmap_suite = {
	.name = "zmap",
	.test_cases = zmap_cases,
};

kunit_test_suite(zmap_suite);
