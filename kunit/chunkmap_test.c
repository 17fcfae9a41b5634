// SPDX-License-Identifier: GPL-2.0-only
/* The chunk map: every layout, holes, ends, and addresses outside the blobs. */
#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/chunkmap.h"

#define BLK	4096ULL

static const struct od_blob blobs[] = {
	{ .size = 100 * BLK },
	{ .size = 10 * BLK - 100, .uniaddr = 1000 * BLK, .unilen = 10 * BLK },
	{ .size = 5 * BLK },
};
static const struct od_blobtab tab = { .blkbits = 12, .count = 3, .blob = blobs };

struct map_case {
	const char *name;
	u64 pos;
	int err;
	u32 blob;
	u64 off, len;
	bool hole, inlined;
};

static void check(struct kunit *test, const struct map_case *c,
		  const struct od_inode *inode, const u8 *entry)
{
	u32 flags = (c->hole ? 0 : OD_EXTENT_MAPPED) | (c->inlined ? OD_EXTENT_INLINE : 0);
	struct od_extent x;
	int err = od_chunkmap(&tab, inode, c->pos, entry, &x);

	if (err != c->err)
		KUNIT_FAIL(test, "%s: %d", c->name, err);
	if (!err && (x.flags != flags || x.len != c->len ||
		     (!c->hole && (x.blob != c->blob || x.off != c->off ||
				   x.encoded_len != c->len))))
		KUNIT_FAIL(test, "%s: blob %u off %llu len %llu flags %x", c->name, x.blob,
			   (unsigned long long)x.off, (unsigned long long)x.len, x.flags);
}

static void chunkmap_flat_plain(struct kunit *test)
{
	static const struct od_inode inode = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 3 * BLK + 1, .start_off = 50 * BLK,
	};
	static const struct map_case cases[] = {
		{ .name = "start", .pos = 0, .off = 50 * BLK, .len = 4 * BLK },
		{ .name = "middle", .pos = BLK + 5, .off = 51 * BLK + 5, .len = 3 * BLK - 5 },
		{ .name = "last byte", .pos = 3 * BLK, .off = 53 * BLK, .len = BLK },
		{ .name = "past the end", .pos = 3 * BLK + 1, .err = -EUCLEAN },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check(test, &cases[i], &inode, NULL);
}

/* Data that exists is mapped, other data fails, and nothing wraps. */
static void chunkmap_flat_outside(struct kunit *test)
{
	static const struct od_inode beyond = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 30 * BLK, .start_off = 90 * BLK,
	};
	static const struct od_inode wraps = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = (1ULL << 63) - 1,
		.start_off = 0xFFFFFFFFULL << 12,
	};
	static const struct od_inode flattened = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 20 * BLK, .start_off = 1005 * BLK,
	};
	static const struct od_inode ends_with_blob = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 5 * BLK - 100, .start_off = 1005 * BLK,
	};
	static const struct od_inode ends_behind_blob = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 5 * BLK - 99, .start_off = 1005 * BLK,
	};

	check(test, &(struct map_case) { .name = "cut", .pos = 0, .off = 90 * BLK,
					 .len = 10 * BLK },
	      &beyond, NULL);
	check(test, &(struct map_case) { .name = "beyond", .pos = 10 * BLK, .err = -EUCLEAN },
	      &beyond, NULL);
	check(test, &(struct map_case) { .name = "far beyond", .pos = 0, .err = -EUCLEAN },
	      &wraps, NULL);
	check(test, &(struct map_case) { .name = "the end of all", .pos = (1ULL << 63) - 2,
					 .err = -EUCLEAN }, &wraps, NULL);
	/* The blob is 100 bytes short of a block: no byte of the file may be there. */
	check(test, &(struct map_case) { .name = "in a slot", .pos = 0, .blob = 1, .off = 5 * BLK,
					 .len = 5 * BLK - 100 }, &flattened, NULL);
	check(test, &(struct map_case) { .name = "missing bytes", .pos = 5 * BLK - 100,
					 .err = -EUCLEAN }, &flattened, NULL);
	/* Past the end of the file they read as zeroes, so that reads end aligned. */
	check(test, &(struct map_case) { .name = "ends with its blob", .pos = 0, .blob = 1,
					 .off = 5 * BLK, .len = 5 * BLK }, &ends_with_blob, NULL);
	check(test, &(struct map_case) { .name = "ends a byte past its blob", .pos = 0, .blob = 1,
					 .off = 5 * BLK, .len = 5 * BLK - 100 }, &ends_behind_blob,
	      NULL);
	check(test, &(struct map_case) { .name = "past the slot", .pos = 5 * BLK,
					 .err = -EUCLEAN },
	      &flattened, NULL);
}

/* Without data: a hole up to the end of the last block, whatever the block address. */
static void chunkmap_flat_hole(struct kunit *test)
{
	static const struct od_inode inode = {
		.layout = OD_LAYOUT_FLAT_PLAIN, .size = 3 * BLK + 1,
		.start_off = OD_BLOCK_HOLE_48 << 12, .hole = true,
	};

	check(test, &(struct map_case) { .name = "all of it", .pos = 0, .len = 4 * BLK,
					 .hole = true }, &inode, NULL);
	check(test, &(struct map_case) { .name = "the last byte", .pos = 3 * BLK, .len = BLK,
					 .hole = true }, &inode, NULL);
	check(test, &(struct map_case) { .name = "past the end", .pos = 3 * BLK + 1,
					 .err = -EUCLEAN }, &inode, NULL);
}

static void chunkmap_flat_inline(struct kunit *test)
{
	struct od_inode inode = {
		.layout = OD_LAYOUT_FLAT_INLINE, .off = 2 * BLK, .inode_size = 32,
		.xattr_size = 16, .size = 2 * BLK + 100, .start_off = 50 * BLK,
	};
	static const struct map_case cases[] = {
		{ .name = "blocks", .pos = 0, .off = 50 * BLK, .len = 2 * BLK },
		{ .name = "end of blocks", .pos = 2 * BLK - 1, .off = 52 * BLK - 1, .len = 1 },
		{ .name = "tail", .pos = 2 * BLK, .off = 2 * BLK + 48, .len = 100,
		  .inlined = true },
		{ .name = "in the tail", .pos = 2 * BLK + 99, .off = 2 * BLK + 147, .len = 1,
		  .inlined = true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		check(test, &cases[i], &inode, NULL);

	inode.size = BLK - 48;
	check(test, &(struct map_case) { .name = "fills the block", .pos = 0, .off = 2 * BLK + 48,
					 .len = BLK - 48, .inlined = true }, &inode, NULL);
	inode.size++;
	check(test, &(struct map_case) { .name = "crosses the block", .pos = 0, .err = -EUCLEAN },
	      &inode, NULL);
	inode.size = BLK;
	check(test, &(struct map_case) { .name = "a whole block", .pos = 0, .err = -EUCLEAN },
	      &inode, NULL);
	inode.size = 10;
	inode.off = 100 * BLK - 32;
	inode.xattr_size = 0;
	check(test, &(struct map_case) { .name = "past the blob", .pos = 0, .err = -EUCLEAN },
	      &inode, NULL);
}

static const struct od_inode chunked = {
	.layout = OD_LAYOUT_CHUNK_BASED, .off = 32, .inode_size = 64, .xattr_size = 12,
	.size = 20 * BLK - 7, .chunkbits = 14, .entry_size = 8,
};

static void chunkmap_entries(struct kunit *test)
{
	struct od_inode inode = chunked;
	u64 off = 0;

	/* After 32 + 64 + 12 = 108, aligned to the entries. */
	KUNIT_EXPECT_EQ(test, od_chunkmap_entry(&inode, 0, &off), 1);
	KUNIT_EXPECT_EQ(test, off, 112);
	KUNIT_EXPECT_EQ(test, od_chunkmap_entry(&inode, 4 * BLK, &off), 1);
	KUNIT_EXPECT_EQ(test, off, 120);
	inode.entry_size = 4;
	KUNIT_EXPECT_EQ(test, od_chunkmap_entry(&inode, 4 * BLK - 1, &off), 1);
	KUNIT_EXPECT_EQ(test, off, 108);
	inode.layout = OD_LAYOUT_FLAT_PLAIN;
	KUNIT_EXPECT_EQ(test, od_chunkmap_entry(&inode, 0, &off), 0);

	/* An array that would extend past the largest offset. */
	inode = chunked;
	inode.off = ~0ULL - 200;
	inode.chunkbits = 9;
	KUNIT_EXPECT_EQ(test, od_chunkmap_entry(&inode, (1ULL << 63) - 1, &off), -EUCLEAN);
}

static void chunkmap_indexed_chunks(struct kunit *test)
{
	static const struct {
		u16 device;
		u32 blkaddr;
		struct map_case map;
	} cases[] = {
		{ 0, 20, { .name = "primary", .pos = 5, .off = 20 * BLK + 5,
			   .len = 4 * BLK - 5 } },
		{ 2, 0, { .name = "slot", .pos = 0, .blob = 2, .off = 0, .len = 4 * BLK } },
		{ 2, 3, { .name = "slot, cut", .pos = 0, .blob = 2, .off = 3 * BLK,
			  .len = 2 * BLK } },
		{ 2, 3, { .name = "slot, beyond", .pos = 2 * BLK, .err = -EUCLEAN } },
		{ 3, 0, { .name = "no such slot", .pos = 0, .err = -EUCLEAN } },
		{ 4, 20, { .name = "bits above the ids", .pos = 0, .off = 20 * BLK,
			   .len = 4 * BLK } },
		{ 0, 1001, { .name = "flattened", .pos = 0, .blob = 1, .off = BLK,
			     .len = 4 * BLK } },
		{ 1, 6, { .name = "tail of a short blob", .pos = 0, .blob = 1, .off = 6 * BLK,
			  .len = 4 * BLK - 100 } },
		{ 1, 10, { .name = "past a short blob", .pos = 0, .err = -EUCLEAN } },
		{ 0, 0xFFFFFFFF, { .name = "hole", .pos = 1, .hole = true,
					 .len = 4 * BLK - 1 } },
		{ 9, 0xFFFFFFFF, { .name = "hole of no device", .pos = 0, .hole = true,
					 .len = 4 * BLK } },
		{ 0, 0xFFFFFFFE, { .name = "far beyond", .pos = 0, .err = -EUCLEAN } },
		{ 0, 20, { .name = "last chunk", .pos = 16 * BLK, .off = 20 * BLK,
			   .len = 4 * BLK } },
		{ 0, 20, { .name = "last byte", .pos = 20 * BLK - 8, .off = 24 * BLK - 8,
			   .len = 8 } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 entry[8] = { 0xAA, 0xAA };

		put16(entry + 2, cases[i].device);
		put32(entry + 4, cases[i].blkaddr);
		check(test, &cases[i].map, &chunked, entry);
	}
}

/* Upper bits of block numbers, which only 48-bit arrays have. */
static void chunkmap_48bit_chunks(struct kunit *test)
{
	static const struct od_blob large[] = {
		{ .size = 1ULL << 46 },
		{ .size = 8 * BLK, .uniaddr = 0x70000000000ULL << 12, .unilen = 8 * BLK },
	};
	const struct od_blobtab high = { .blkbits = 12, .count = 2, .blob = large };
	static const struct {
		const char *name;
		bool wide;
		u16 hi;
		u32 lo;
		int err;
		u32 blob;
		u64 off;
		bool hole;
	} cases[] = {
		{ "higher bits", true, 2, 5, 0, 0, (2ULL << 32 | 5) << 12, false },
		{ "no higher bits", false, 2, 5, 0, 0, 5ULL << 12, false },
		{ "beyond the blob", true, 4, 0, -EUCLEAN, 0, 0, false },
		{ "flattened", true, 0x700, 3, 0, 1, 3 * BLK, false },
		{ "hole", true, 0xffff, ~0U, 0, 0, 0, true },
		{ "hole, no higher bits", false, 0, ~0U, 0, 0, 0, true },
		{ "a block, not a hole", true, 0, ~0U, 0, 0, 0xffffffffULL << 12, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_inode inode = chunked;
		struct od_extent x;
		u8 entry[8] = { 0 };
		int err;

		inode.chunk_48bit = cases[i].wide;
		put16(entry, cases[i].hi);
		put32(entry + 4, cases[i].lo);
		err = od_chunkmap(&high, &inode, 0, entry, &x);
		KUNIT_EXPECT_EQ_MSG(test, err, cases[i].err, "%s", cases[i].name);
		if (err)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, x.flags, (u32)(cases[i].hole ? 0 : OD_EXTENT_MAPPED), "%s",
				    cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, x.blob, cases[i].blob, "%s", cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, x.off, cases[i].off, "%s", cases[i].name);
	}
}

static void chunkmap_plain_chunks(struct kunit *test)
{
	struct od_inode inode = chunked;
	u8 entry[4];

	inode.entry_size = 4;
	put32(entry, 30);
	check(test, &(struct map_case) { .name = "block", .pos = 4 * BLK, .off = 30 * BLK,
					 .len = 4 * BLK }, &inode, entry);
	put32(entry, 1002);
	check(test, &(struct map_case) { .name = "flattened", .pos = 0, .blob = 1, .off = 2 * BLK,
					 .len = 4 * BLK }, &inode, entry);
	put32(entry, 0xFFFFFFFF);
	check(test, &(struct map_case) { .name = "hole", .pos = 19 * BLK, .hole = true,
					 .len = BLK },
	      &inode, entry);
	/* One chunk far larger than the file. */
	inode.chunkbits = 43;
	put32(entry, 30);
	check(test, &(struct map_case) { .name = "huge chunk", .pos = 19 * BLK, .off = 49 * BLK,
					 .len = BLK }, &inode, entry);
	inode.size = (1ULL << 63) - 1;
	check(test, &(struct map_case) { .name = "huge file", .pos = 19 * BLK, .off = 49 * BLK,
					 .len = 51 * BLK }, &inode, entry);
}

/* No block, position or size may wrap an offset: every result is inside the blob. */
static void chunkmap_never_outside(struct kunit *test)
{
	static const u64 sizes[] = { 1, BLK, 3 * BLK + 1, 1ULL << 32, (1ULL << 63) - 1 };
	static const u32 blocks[] = { 0, 1, 99, 100, 999, 1000, 1009, 1010, 0xFFFFFFFE };
	size_t s, b;
	u8 bits, device;

	for (s = 0; s < ARRAY_SIZE(sizes); s++)
	for (b = 0; b < ARRAY_SIZE(blocks); b++)
	for (bits = 12; bits <= 43; bits++)
	for (device = 0; device < 4; device++) {
		struct od_inode inode = chunked;
		const u64 at[] = { 0, sizes[s] / 2, sizes[s] - 1 };
		u8 entry[8] = { 0 };
		size_t i;

		inode.size = sizes[s];
		inode.chunkbits = bits;
		put16(entry + 2, device);
		put32(entry + 4, blocks[b]);
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			struct od_extent x;

			if (od_chunkmap(&tab, &inode, at[i], entry, &x))
				continue;
			KUNIT_EXPECT_TRUE(test, x.len && x.blob < tab.count);
			KUNIT_EXPECT_TRUE(test, x.off + x.len > x.off);
			KUNIT_EXPECT_TRUE(test, x.off + x.len <= blobs[x.blob].size + 100);
		}
	}
}

/* The smallest and the largest block size. */
static void chunkmap_block_sizes(struct kunit *test)
{
	static const u8 sizes[] = { 9, 12, 16 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		const u64 blk = 1ULL << sizes[i];
		const struct od_blob primary = { .size = 4 * blk };
		const struct od_blobtab one = {
			.blkbits = sizes[i], .count = 1, .blob = &primary,
		};
		struct od_inode inode = {
			.layout = OD_LAYOUT_CHUNK_BASED, .size = 3 * blk - 1,
			.chunkbits = sizes[i], .entry_size = 4,
		};
		struct od_extent x;
		u8 entry[4];

		put32(entry, 3);
		KUNIT_EXPECT_EQ(test, od_chunkmap(&one, &inode, 3 * blk - 2, entry, &x), 0);
		KUNIT_EXPECT_EQ(test, x.off, 4 * blk - 2);
		KUNIT_EXPECT_EQ(test, x.len, 2);
		put32(entry, 4);
		KUNIT_EXPECT_EQ(test, od_chunkmap(&one, &inode, 0, entry, &x), -EUCLEAN);
		put32(entry, 0xFFFFFFFE);
		KUNIT_EXPECT_EQ(test, od_chunkmap(&one, &inode, 0, entry, &x), -EUCLEAN);
		put32(entry, 0xFFFFFFFF);
		KUNIT_EXPECT_EQ(test, od_chunkmap(&one, &inode, 0, entry, &x), 0);
		KUNIT_EXPECT_EQ(test, x.flags, 0);
		KUNIT_EXPECT_EQ(test, x.len, blk);
		KUNIT_EXPECT_EQ(test, od_chunkmap(&one, &inode, 3 * blk - 1, entry, &x),
				-EUCLEAN);
	}
}

/* Chunks that follow one another in a blob, or are holes, are mapped together; no others are. */
static void chunkmap_runs(struct kunit *test)
{
	static const u32 blocks[] = { 10, 12, 14, 20, ~0U, ~0U, 96, 98, 100 };
	static const struct {
		unsigned int first, nr;
		u64 at, off, len;
		u32 flags;
	} runs[] = {
		{ 0, 1, 100, 10 * BLK + 100, 2 * BLK - 100, OD_EXTENT_MAPPED },
		{ 0, 2, 100, 10 * BLK + 100, 4 * BLK - 100, OD_EXTENT_MAPPED },
		{ 0, 9, 100, 10 * BLK + 100, 6 * BLK - 100, OD_EXTENT_MAPPED },
		{ 2, 7, 0, 14 * BLK, 2 * BLK, OD_EXTENT_MAPPED },
		{ 3, 6, 0, 20 * BLK, 2 * BLK, OD_EXTENT_MAPPED },
		{ 4, 1, BLK, 0, BLK, 0 },
		{ 4, 5, BLK, 0, 3 * BLK, 0 },
		/* Clipped to the blob. */
		{ 6, 3, 0, 96 * BLK, 4 * BLK, OD_EXTENT_MAPPED },
	};
	static const struct od_inode inode = {
		.layout = OD_LAYOUT_CHUNK_BASED, .size = 17 * BLK + 1, .chunkbits = 13,
		.entry_size = 4,
	};
	u8 entries[ARRAY_SIZE(blocks) * 4];
	struct od_extent x;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(blocks); i++)
		put32(entries + i * 4, blocks[i]);
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		u64 pos = runs[i].first * 2 * BLK + runs[i].at;

		KUNIT_EXPECT_EQ(test, od_chunkmap_run(&tab, &inode, pos,
						      entries + runs[i].first * 4, runs[i].nr, &x),
				0);
		KUNIT_EXPECT_EQ(test, x.flags, runs[i].flags);
		KUNIT_EXPECT_EQ(test, x.len, runs[i].len);
		KUNIT_EXPECT_EQ(test, od_chunkmap_unit(&inode, pos, x.len),
				min(x.len, 2 * BLK - runs[i].at));
		if (runs[i].flags)
			KUNIT_EXPECT_EQ(test, x.off, runs[i].off);
	}
}

static struct kunit_case chunkmap_cases[] = {
	KUNIT_CASE(chunkmap_flat_plain),
	KUNIT_CASE(chunkmap_flat_outside),
	KUNIT_CASE(chunkmap_flat_hole),
	KUNIT_CASE(chunkmap_flat_inline),
	KUNIT_CASE(chunkmap_entries),
	KUNIT_CASE(chunkmap_indexed_chunks),
	KUNIT_CASE(chunkmap_48bit_chunks),
	KUNIT_CASE(chunkmap_plain_chunks),
	KUNIT_CASE(chunkmap_never_outside),
	KUNIT_CASE(chunkmap_block_sizes),
	KUNIT_CASE(chunkmap_runs),
	{}
};

static struct kunit_suite chunkmap_suite = {
	.name = "od_chunkmap",
	.test_cases = chunkmap_cases,
};
kunit_test_suite(chunkmap_suite);
