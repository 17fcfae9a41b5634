// SPDX-License-Identifier: GPL-2.0-only
/* Encoded extents: records of each size, valid and invalid. */
#include "zimage.h"

#define PACKED_SIZE	(1ULL << 33)
/* Such a record has no other field set. */
#define LZ4	(1U << 28)
#define ZSTD	(4U << 28)

/* Only the last sum is kept. */
static bool known(struct od_zsums *sums, u64 *nr, u64 *start)
{
	const struct image *image = (const void *)sums;

	if (!image->sum_nr || image->sum_nr > *nr)
		return false;
	*nr = image->sum_nr;
	*start = image->sum;
	return true;
}

static void learn(struct od_zsums *sums, u64 nr, u64 start)
{
	struct image *image = (void *)sums;

	image->sum_nr = nr;
	image->sum = start;
}

/* @log: log2 of the size of records, less 2 */
static u8 *put_header(struct image *image, u16 advise, u32 log, u64 count, u8 lclusterbits)
{
	u8 *p = image->map;

	put64(p, 0);
	put16(p + 4, advise | OD_ZADVISE_EXTENTS | log << 1);
	p[7] = lclusterbits;
	if (log >= 2) {
		put32(p, (u32)count);
		put16(p + 6, (u16)(count >> 32));
	}
	/* The header is at a multiple of 32, and these are, too. */
	return p + (log == 3 ? 32 : log == 2 ? 16 : 8);
}

static void put_record(u8 *p, u32 plen, u64 pstart, u32 lstart)
{
	put32(p, plen);
	put64(p + 4, pstart);
	put32(p + 12, lstart);
}

static struct od_sb sb_of(void)
{
	return (struct od_sb) {
		.incompat = OD_FEATURE_INCOMPAT_LZ4_0PADDING, .blkbits = 12, .packed_nid = PACKED,
		.compr_algs = 1U << OD_ALGORITHM_LZ4 | 1U << OD_ALGORITHM_ZSTD,
	};
}

static struct od_inode inode_of(u64 size)
{
	return (struct od_inode) {
		.nid = NID, .off = INODE, .inode_size = 64, .size = size,
		.layout = OD_LAYOUT_COMPRESSED_FULL,
	};
}

static int map_with(struct kunit *test, const struct od_zmap *map, struct image *image,
		    struct od_inode *inode, u64 pos, struct od_zextent *x)
{
	struct od_sb sb = sb_of();

	return map_image(test, &sb, map, image, inode, pos, x);
}

static int map_at(struct kunit *test, struct image *image, struct od_inode *inode, u64 pos,
		  struct od_zextent *x)
{
	const struct od_zmap map = {
		.tab = &tab, .algorithms = 1U << OD_ALGORITHM_LZ4 | 1U << OD_ALGORITHM_ZSTD,
		.packed_size = PACKED_SIZE, .read = read_image, .data = image,
	};

	return map_with(test, &map, image, inode, pos, x);
}

/* Result of lookups of the first, a middle and the last byte of an extent */
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
		unsigned long long pos = at[i];

		KUNIT_EXPECT_EQ_MSG(test, map_at(test, image, inode, pos, &x), 0, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.start, c->start, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.len, c->len, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.flags, c->flags, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.off, c->off, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.blob, c->blob, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.encoded_len, c->encoded_len, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.rotated, c->rotated, "at %llu", pos);
		KUNIT_EXPECT_EQ_MSG(test, x.algorithm, c->algorithm, "at %llu", pos);
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

static void zrecords_16(struct kunit *test)
{
	struct od_inode inode = inode_of(9 * BLK + 5);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 100, .flags = OD_ZEXTENT_HOLE },
		{ .start = 100, .len = 2 * BLK, .off = 20 * BLK + 7, .encoded_len = 1234,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 2 * BLK + 100, .len = 500, .flags = OD_ZEXTENT_PLAIN,
		  .off = 20 * BLK + 1241, .encoded_len = 500 },
		{ .start = 2 * BLK + 600, .len = 3 * BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 5 * BLK + 600, .len = BLK, .flags = OD_ZEXTENT_PARTIAL, .blob = 1,
		  .off = 3 * BLK + 1, .encoded_len = 2 * BLK, .algorithm = OD_ALGORITHM_ZSTD },
		{ .start = 6 * BLK + 600, .len = 10, .off = IMAGE - 9, .encoded_len = 9,
		  .algorithm = OD_ALGORITHM_ZSTD },
		{ .start = 6 * BLK + 610, .len = 3 * BLK - 605, .flags = OD_ZEXTENT_HOLE },
	};
	struct image *image = new_image(test);
	u8 *p = put_header(image, 0, 2, 6, 0);

	put_record(p, LZ4 | 1234, 20 * BLK + 7, 100);
	put_record(p + 16, 500, 20 * BLK + 1241, 2 * BLK + 100);
	put_record(p + 32, 0, 99 * BLK, 2 * BLK + 600);
	put_record(p + 48, ZSTD | OD_ZRECORD_PARTIAL | 8192, 1003 * BLK + 1, 5 * BLK + 600);
	put_record(p + 64, ZSTD | 9, IMAGE - 9, 6 * BLK + 600);
	put_record(p + 80, LZ4, 0, 6 * BLK + 610);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	KUNIT_EXPECT_EQ(test, inode.z.entries, 6ULL);
	KUNIT_EXPECT_EQ(test, inode.z.array, MAP + 16);
	KUNIT_EXPECT_EQ(test, inode.z.end, MAP + 16 + 96);
	/* No record at all */
	put_header(image, 0, 2, 0, 0);
	check(test, image, &inode, &(struct extent_case) {
		.start = 0, .len = 9 * BLK + 5, .flags = OD_ZEXTENT_HOLE });
}

/* Positions and addresses above 4 GiB */
static void zrecords_32(struct kunit *test)
{
	static const struct od_blob blob = { .size = 1ULL << 45 };
	const struct od_blobtab one = { .blkbits = 12, .count = 1, .blob = &blob };
	struct od_inode inode = inode_of((5ULL << 32) + 100);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &one, .algorithms = 1, .read = read_image, .data = image,
	};
	u8 *p = put_header(image, 0, 3, 3, 0);
	struct od_zextent x;

	put_record(p, LZ4 | 4096, 3ULL << 40 | 5, 0);
	put_record(p + 32, 0, 0, 8 * BLK);
	put_record(p + 64, LZ4 | 100, 8, 7);
	put32(p + 64 + 16, 5);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 8 * BLK - 1, &x), 0);
	KUNIT_EXPECT_EQ(test, inode.z.array, MAP + 32);
	KUNIT_EXPECT_EQ(test, x.off, 3ULL << 40 | 5);
	KUNIT_EXPECT_EQ(test, x.len, 8 * BLK);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, (5ULL << 32) + 6, &x), 0);
	KUNIT_EXPECT_EQ(test, x.flags, (u32)OD_ZEXTENT_HOLE);
	KUNIT_EXPECT_EQ(test, x.len, (5ULL << 32) + 7 - 8 * BLK);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, (5ULL << 32) + 99, &x), 0);
	KUNIT_EXPECT_EQ(test, x.start, (5ULL << 32) + 7);
	KUNIT_EXPECT_EQ(test, x.len, 93ULL);
}

static void zrecords_8(struct kunit *test)
{
	struct od_inode inode = inode_of(4 * BLK + 100);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 2 * BLK, .off = 20 * BLK + 1, .encoded_len = 77,
		  .algorithm = OD_ALGORITHM_LZ4 },
		{ .start = 2 * BLK, .len = 2 * BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 4 * BLK, .len = 100, .flags = OD_ZEXTENT_PLAIN, .off = 30 * BLK + 5,
		  .encoded_len = 100 },
	};
	struct image *image = new_image(test);
	u8 *p = put_header(image, 0, 1, 0, 1);

	put32(p, LZ4 | 77);
	put32(p + 4, 20 * BLK + 1);
	put32(p + 8, 0);
	put32(p + 12, 1);
	put32(p + 16, 100);
	put32(p + 20, 30 * BLK + 5);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	KUNIT_EXPECT_EQ(test, inode.z.end, MAP + 8 + 24);
}

/* Each starts where the previous one ends; a hole ends where it starts. */
static void zrecords_4(struct kunit *test)
{
	struct od_inode inode = inode_of(3 * BLK + 100);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = BLK, .off = 20 * BLK + 3, .encoded_len = 1000,
		  .algorithm = OD_ALGORITHM_ZSTD },
		{ .start = BLK, .len = BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 2 * BLK, .len = BLK, .flags = OD_ZEXTENT_PLAIN,
		  .off = 20 * BLK + 1003, .encoded_len = BLK },
		{ .start = 3 * BLK, .len = 100, .off = 21 * BLK + 1003, .encoded_len = 9,
		  .algorithm = OD_ALGORITHM_LZ4 },
	};
	struct image *image = new_image(test);
	u8 *p = put_header(image, 0, 0, 0, 0);

	put64(p, 20 * BLK + 3);
	put32(p + 8, ZSTD | 1000);
	put32(p + 12, 0);
	put32(p + 16, BLK);
	put32(p + 20, LZ4 | 9);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	KUNIT_EXPECT_EQ(test, inode.z.array, MAP + 16);
	KUNIT_EXPECT_EQ(test, inode.z.end, MAP + 16 + 16);
}

/* Lengths are added up from the last known sum, not from the first record. */
static void zrecords_sums(struct kunit *test)
{
	struct od_inode inode = inode_of(1000 * BLK);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &tab, .algorithms = 1, .read = read_image, .known = known, .learn = learn,
		.data = image,
	};
	u8 *p = put_header(image, 0, 0, 0, 0);
	struct od_zextent x;
	u32 i;

	put64(p, 100);
	for (i = 0; i < 1000; i++)
		put32(p + 8 + 4 * i, LZ4 | (i % 7 + 1));
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 700 * BLK, &x), 0);
	/* A hundred times 1 + 2 + ... + 7 */
	KUNIT_EXPECT_EQ(test, x.off, 100 + 100 * 28ULL);
	KUNIT_EXPECT_EQ(test, x.encoded_len, 1U);
	KUNIT_EXPECT_EQ(test, image->sum_nr, 640ULL);
	KUNIT_EXPECT_EQ(test, image->sum, 100 + 91 * 28 + 1 + 2 + 3ULL);
	/* The record, the first address, and ten steps and a part of one */
	KUNIT_EXPECT_EQ(test, image->reads, 1 + 1 + 11ULL);
	image->reads = 0;
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 703 * BLK, &x), 0);
	KUNIT_EXPECT_EQ(test, x.off, 100 + 100 * 28 + 1 + 2 + 3ULL);
	KUNIT_EXPECT_EQ(test, image->reads, 1 + 1ULL);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 640 * BLK, &x), 0);
	KUNIT_EXPECT_EQ(test, image->reads, 1 + 1 + 1ULL);
	KUNIT_EXPECT_EQ(test, x.off, image->sum);
	/* A sum is not used for earlier records. */
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 7 * BLK, &x), 0);
	KUNIT_EXPECT_EQ(test, x.off, 100 + 28ULL);
}

static void zrecords_fragment(struct kunit *test)
{
	struct od_inode inode = inode_of(3 * BLK);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = BLK + 8, .off = 20 * BLK, .encoded_len = 100 },
		{ .start = BLK + 8, .len = 2 * BLK - 8, .flags = OD_ZEXTENT_FRAGMENT,
		  .off = 0x1f7e00005 },
	};
	struct image *image = new_image(test);
	u8 *p = put_header(image, OD_ZADVISE_FRAGMENT, 2, 2, 0);
	struct od_zextent x;

	put_record(p, LZ4 | 100, 20 * BLK, 0);
	put_record(p + 16, 0xf7e00005, 0xaaaaaaaa00000001, BLK + 8);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	/* Up to the last byte of the packed inode, and one more */
	put_record(p + 16, (u32)-(2 * BLK - 8), 1, BLK + 8);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), 0);
	put_record(p + 16, (u32)-(2 * BLK - 9), 1, BLK + 8);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 2 * BLK, &x), -EUCLEAN);
}

static void zrecords_fragment_short(struct kunit *test)
{
	struct od_inode inode = inode_of(3 * BLK);
	static const struct extent_case cases[] = {
		{ .start = 0, .len = 2 * BLK, .flags = OD_ZEXTENT_HOLE },
		{ .start = 2 * BLK, .len = BLK, .flags = OD_ZEXTENT_FRAGMENT,
		  .off = 1ULL << 32 | 7 },
	};
	static const struct extent_case without_high = {
		.start = 2 * BLK, .len = BLK, .flags = OD_ZEXTENT_FRAGMENT, .off = 9,
	};
	struct image *image = new_image(test);
	u8 *p = put_header(image, OD_ZADVISE_FRAGMENT, 1, 0, 1);

	put32(p, 0);
	put32(p + 8, 7);
	put32(p + 12, 1);
	check_all(test, image, &inode, cases, ARRAY_SIZE(cases));
	/* A field that the record lacks is not an upper half. */
	p = put_header(image, OD_ZADVISE_FRAGMENT, 0, 0, 1);
	put64(p, ~0ULL);
	put32(p + 12, 9);
	check(test, image, &inode, &without_high);
}

static void zrecords_interlaced(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 plen;
		u64 pstart;
		u32 rotated;
	} cases[] = {
		{ "aligned", 2 * BLK, 20 * BLK, BLK - 100 },
		{ "start not aligned", 2 * BLK, 20 * BLK + 1, 0 },
		{ "length not aligned", 2 * BLK + 1, 20 * BLK, 0 },
		{ "compressed", LZ4 | BLK, 20 * BLK, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_inode inode = inode_of(2 * BLK + 100);
		struct image *image = new_image(test);
		u8 *p = put_header(image, OD_ZADVISE_INTERLACED, 2, 1, 0);
		struct od_zextent x;

		put_record(p, cases[i].plen, cases[i].pstart, 100);
		KUNIT_EXPECT_EQ_MSG(test, map_at(test, image, &inode, BLK, &x), 0, "%s",
				    cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, x.rotated, cases[i].rotated, "%s", cases[i].name);
	}
}

/* LZ4 without padding is decompressed as far as needed; other bytes may follow. */
static void zrecords_unpadded(struct kunit *test)
{
	struct od_inode inode = inode_of(BLK);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &tab, .algorithms = 0xf, .lz4_unpadded = true, .read = read_image,
		.data = image,
	};
	u8 *p = put_header(image, 0, 1, 0, 0);
	struct od_zextent x;

	put32(p, LZ4 | 99);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.flags, (u32)(OD_ZEXTENT_PARTIAL | OD_ZEXTENT_UNPADDED));
	put32(p, ZSTD | 99);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.flags, 0U);
}

/* --- invalid records --- */

static void zrecords_rejects(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 plen;
		u64 pstart;
		u64 pos;
		int err;
	} cases[] = {
		{ "nothing", LZ4 | 100, 20 * BLK, 0, 0 },
		{ "algorithm that the image does not list", 2U << 28 | 100, 20 * BLK, 0, -EUCLEAN },
		{ "algorithm 4", 5U << 28 | 100, 20 * BLK, 0, -EUCLEAN },
		{ "algorithm 14", 15U << 28 | 100, 20 * BLK, 0, -EUCLEAN },
		{ "lowest reserved bit", LZ4 | 1U << 21 | 100, 20 * BLK, 0, -EOPNOTSUPP },
		{ "highest reserved bit", LZ4 | 1U << 26 | 100, 20 * BLK, 0, -EOPNOTSUPP },
		{ "plain of less than its bytes", 2 * BLK - 1, 20 * BLK, 0, -EUCLEAN },
		{ "plain of more", 2 * BLK + 1, 20 * BLK, 0, 0 },
		{ "more than decoded", LZ4 | (2 * BLK + 1), 20 * BLK, 0, -EUCLEAN },
		{ "as much as decoded", LZ4 | 2 * BLK, 20 * BLK, 0, 0 },
		{ "more than decoded, partial", LZ4 | OD_ZRECORD_PARTIAL | (2 * BLK + 1), 20 * BLK, 0, 0 },
		{ "more than decoded, at the end", LZ4 | (2 * BLK + 1), 20 * BLK, 2 * BLK, 0 },
		{ "1 MiB", LZ4 | OD_ZRECORD_PARTIAL | 1U << 20, 0, 0, -EUCLEAN },
		{ "1 MiB and a byte", LZ4 | OD_ZRECORD_PARTIAL | ((1U << 20) + 1), 0, 0, -EOPNOTSUPP },
		{ "last byte", LZ4 | 100, IMAGE - 100, 0, 0 },
		{ "a byte beyond the blob", LZ4 | 100, IMAGE - 99, 0, -EUCLEAN },
		{ "beyond it", LZ4 | 100, IMAGE, 0, -EUCLEAN },
		{ "last byte of another blob", LZ4 | 100, 1016 * BLK - 100, 0, 0 },
		{ "a byte beyond another blob", LZ4 | 100, 1016 * BLK - 99, 0, -EUCLEAN },
		{ "into another blob", LZ4 | 100, 1000 * BLK - 50, 0, -EUCLEAN },
		{ "last block", LZ4 | 100, (1ULL << 60) - 100, 0, -EUCLEAN },
		{ "end of all numbers", LZ4 | 100, ~0ULL - 98, 0, -EUCLEAN },
		{ "all bits", LZ4 | 100, ~0ULL, 0, -EUCLEAN },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_inode inode = inode_of(4 * BLK);
		struct image *image = new_image(test);
		u8 *p = put_header(image, 0, 2, 2, 0);
		struct od_zextent x;
		int err;

		put_record(p, cases[i].plen, cases[i].pstart, 0);
		put_record(p + 16, cases[i].plen, cases[i].pstart, 2 * BLK);
		err = map_at(test, image, &inode, cases[i].pos, &x);
		KUNIT_EXPECT_EQ_MSG(test, err, cases[i].err, "%s", cases[i].name);
	}
}

/* Addresses end at 2^48 blocks, even in a blob that claims to extend further. */
static void zrecords_rejects_addresses(struct kunit *test)
{
	static const struct od_blob far[] = {
		{ .size = IMAGE },
		{ .size = 1ULL << 40, .uniaddr = (1ULL << 60) - BLK, .unilen = 1ULL << 40 },
		{ .size = 1ULL << 40, .uniaddr = ~0ULL - 49, .unilen = ~0ULL },
	};
	const struct od_blobtab last = { .blkbits = 12, .count = 3, .blob = far };
	struct od_inode inode = inode_of(BLK);
	struct image *image = new_image(test);
	const struct od_zmap map = {
		.tab = &last, .algorithms = 1, .read = read_image, .data = image,
	};
	u8 *p = put_header(image, 0, 2, 1, 0);
	struct od_zextent x;

	put_record(p, LZ4 | 100, (1ULL << 60) - 100, 0);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.blob, 1U);
	KUNIT_EXPECT_EQ(test, x.off, BLK - 100);
	put_record(p, LZ4 | 100, (1ULL << 60) - 99, 0);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), -EUCLEAN);
	put_record(p, LZ4 | 100, ~0ULL - 49, 0);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), -EUCLEAN);
	/* And so do sums. */
	inode.size = 2 * BLK;
	p = put_header(image, 0, 0, 0, 0);
	put64(p, ~0ULL - 49);
	put32(p + 8, LZ4 | 100);
	put32(p + 12, LZ4 | 100);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, 0, &x), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, map_with(test, &map, image, &inode, BLK, &x), -EUCLEAN);
}

static void zrecords_rejects_order(struct kunit *test)
{
	struct od_inode inode = inode_of(4 * BLK);
	struct image *image = new_image(test);
	u8 *p = put_header(image, 0, 2, 3, 0);
	struct od_zextent x;

	put_record(p, 0, 0, 100);
	put_record(p + 16, 0, 0, 200);
	put_record(p + 32, 0, 0, 199);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 300, &x), -EUCLEAN);
	put_record(p + 32, 0, 0, 300);
	put_record(p, 0, 0, 201);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 50, &x), -EUCLEAN);
	/* If two have the same start, the first has no bytes. */
	put_record(p, LZ4 | 1, 0, 200);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 200, &x), 0);
	KUNIT_EXPECT_EQ(test, x.flags, (u32)OD_ZEXTENT_HOLE);
	KUNIT_EXPECT_EQ(test, x.start, 200ULL);
	KUNIT_EXPECT_EQ(test, x.len, 100ULL);
	/* Records that start past the end of the file are ignored. */
	put_record(p + 32, LZ4 | 1, 0, 4 * BLK + 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 4 * BLK - 1, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, 4 * BLK - 200);
}

/* At most 12 MiB, except for holes and fragments */
static void zrecords_limit(struct kunit *test)
{
	struct od_inode inode = inode_of(64ULL << 20);
	struct image *image = new_image(test);
	u8 *p = put_header(image, 0, 2, 2, 0);
	struct od_zextent x;

	put_record(p, LZ4 | 100, 0, 0);
	put_record(p + 16, 0, 0, OD_ZDECODED_MAX);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, OD_ZDECODED_MAX, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, (64ULL << 20) - OD_ZDECODED_MAX);
	put_record(p + 16, 0, 0, OD_ZDECODED_MAX + 1);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EOPNOTSUPP);
	put_header(image, OD_ZADVISE_FRAGMENT, 2, 1, 0);
	KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), 0);
	KUNIT_EXPECT_EQ(test, x.len, 64ULL << 20);
}

static void zrecords_errors(struct kunit *test)
{
	struct od_inode inode = inode_of(4 * BLK);
	struct image *image = new_image(test);
	struct od_zextent x;
	u32 log;

	for (log = 0; log < 4; log++) {
		image->error = 0;
		put_header(image, 0, log, 4, 0);
		KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 4 * BLK, &x), -EUCLEAN);
		KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), 0);
		image->error = -EAGAIN;
		KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, 0, &x), -EAGAIN);
		image->reads = 0;
		KUNIT_EXPECT_EQ(test, map_at(test, image, &inode, BLK, &x), -EAGAIN);
		KUNIT_EXPECT_EQ(test, image->reads, 1ULL);
	}
}

/* --- headers --- */

static int parse(struct image *image, struct od_sb *sb, u64 nid, u64 size, u64 end,
		 struct od_inode *inode)
{
	const char *why = NULL;

	*inode = inode_of(size);
	inode->nid = nid;
	return od_zinode_parse(sb, inode, (const void *)image->map, end, &inode->z, &why);
}

static void zrecords_header(struct kunit *test)
{
	static const struct {
		const char *name;
		u16 advise;
		u32 log;
		u64 count;
		u8 lclusterbits;
		u64 nid, size;
		int err;
	} cases[] = {
		{ "16", 0, 2, 10, 0, NID, BLK, 0 },
		{ "inline data", OD_ZADVISE_INLINE, 2, 10, 0, NID, BLK, -EUCLEAN },
		{ "fragment", OD_ZADVISE_FRAGMENT, 2, 10, 0, NID, BLK, 0 },
		{ "fragment without a record", OD_ZADVISE_FRAGMENT, 2, 0, 0, NID, BLK, -EUCLEAN },
		{ "fragment in the packed inode", OD_ZADVISE_FRAGMENT, 2, 10, 0, PACKED, BLK, -EUCLEAN },
		{ "most records", 0, 3, (1ULL << 47) - 1, 0, NID, BLK, -EUCLEAN },
		{ "all the space", 0, 2, (IMAGE - MAP - 16) / 16, 0, NID, BLK, 0 },
		{ "one more", 0, 2, (IMAGE - MAP - 16) / 16 + 1, 0, NID, BLK, -EUCLEAN },
		{ "algorithms are not looked at", 0, 2, 0xffULL << 32, 0, NID, BLK, -EUCLEAN },
		{ "lclusters of 16 MiB", 0, 1, 0, 12, NID, BLK, 0 },
		{ "larger ones", 0, 1, 0, 13, NID, BLK, -EOPNOTSUPP },
		{ "the largest", 0, 0, 0, 15, NID, BLK, -EOPNOTSUPP },
		{ "largest file", 0, 1, 0, 0, NID, S64_MAX, -EUCLEAN },
		{ "most without an address", 0, 0, 0, 0, NID, BLK << 24, -EUCLEAN },
		{ "one more, without an address", 0, 0, 0, 0, NID, (BLK << 24) + 1, -EOPNOTSUPP },
	};
	struct image *image = new_image(test);
	struct od_sb sb = sb_of();
	struct od_inode inode;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put_header(image, cases[i].advise, cases[i].log, cases[i].count,
			   cases[i].lclusterbits);
		KUNIT_EXPECT_EQ_MSG(test, parse(image, &sb, cases[i].nid, cases[i].size, IMAGE,
						&inode), cases[i].err, "%s", cases[i].name);
	}
	/* Requires neither the feature for big pclusters nor 48BIT. */
	put_header(image, 0, 3, 2, 0);
	sb.compr_algs = 0;
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, BLK, IMAGE, &inode), -EUCLEAN);
	put_header(image, OD_ZADVISE_FRAGMENT, 3, 2, 0);
	sb = sb_of();
	sb.packed_nid = 0;
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, BLK, IMAGE, &inode), -EUCLEAN);
	/* Including the address before them, 4-byte records end as late as those of 8 bytes. */
	sb = sb_of();
	put_header(image, 0, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, 2 * BLK, MAP + 24, &inode), 0);
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, 2 * BLK, MAP + 23, &inode), -EUCLEAN);
	put_header(image, 0, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, 2 * BLK, MAP + 24, &inode), 0);
	KUNIT_EXPECT_EQ(test, parse(image, &sb, NID, 2 * BLK, MAP + 23, &inode), -EUCLEAN);
}

static struct kunit_case zrecords_cases[] = {
	KUNIT_CASE(zrecords_16),
	KUNIT_CASE(zrecords_32),
	KUNIT_CASE(zrecords_8),
	KUNIT_CASE(zrecords_4),
	KUNIT_CASE(zrecords_sums),
	KUNIT_CASE(zrecords_fragment),
	KUNIT_CASE(zrecords_fragment_short),
	KUNIT_CASE(zrecords_interlaced),
	KUNIT_CASE(zrecords_unpadded),
	KUNIT_CASE(zrecords_rejects),
	KUNIT_CASE(zrecords_rejects_addresses),
	KUNIT_CASE(zrecords_rejects_order),
	KUNIT_CASE(zrecords_limit),
	KUNIT_CASE(zrecords_errors),
	KUNIT_CASE(zrecords_header),
	{ }
};

static struct kunit_suite zrecords_suite = {
	.name = "zrecords",
	.test_cases = zrecords_cases,
};

kunit_test_suite(zrecords_suite);
