// SPDX-License-Identifier: GPL-2.0-only
/* The device table: slots, device IDs, the flattened image. */
#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/blobtab.h"

static void blobtab_slot(struct kunit *test)
{
	u8 p[sizeof(struct od_disk_slot)] = { 0 };
	struct od_slot s;

	memset(p, 'x', 64);		/* a tag without a NUL */
	put32(p + 64, 100);
	put32(p + 68, 0xFFFFFFFF);
	put16(p + 72, 0xFFFF);
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_EQ(test, strlen(s.tag), 64);
	KUNIT_EXPECT_EQ(test, s.blocks, 100);
	KUNIT_EXPECT_EQ(test, s.uniaddr, 0xFFFFFFFF);
	p[0] = 0;
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_STREQ(test, s.tag, "");
}

/* Higher bits count in a 48BIT image only. */
static void blobtab_slot_48bit(struct kunit *test)
{
	u8 p[sizeof(struct od_disk_slot)] = { 0 };
	struct od_slot s;

	put32(p + 64, 100);
	put32(p + 68, 200);
	put16(p + 72, 0xFFFF);
	put16(p + 74, 0x8001);
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_EQ(test, s.blocks, 100ULL);
	KUNIT_EXPECT_EQ(test, s.uniaddr, 200ULL);
	od_slot_parse((const void *)p, true, &s);
	KUNIT_EXPECT_EQ(test, s.blocks, 0xFFFFULL << 32 | 100);
	KUNIT_EXPECT_EQ(test, s.uniaddr, 0x8001ULL << 32 | 200);
}

static void blobtab_device_ids(struct kunit *test)
{
	static const struct {
		u32 slots;
		u16 id;
		int err;
		u32 index;
	} cases[] = {
		{ 0, 0, 0, 0 },
		{ 0, 1, 0, 0 },		/* masked away */
		{ 1, 1, 0, 1 },
		{ 1, 2, 0, 0 },
		{ 1, 3, 0, 1 },
		{ 2, 2, 0, 2 },
		{ 2, 3, -EUCLEAN, 0 },
		{ 2, 0x8002, 0, 2 },
		{ 3, 3, 0, 3 },
		{ 3, 4, 0, 0 },
		{ 4, 5, -EUCLEAN, 0 },
		{ 4, 8, 0, 0 },
		{ 65535, 65535, 0, 65535 },
		{ 65534, 65535, -EUCLEAN, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_blobtab tab = { .count = cases[i].slots + 1 };
		u32 index = 0;
		int err = od_blobtab_device(&tab, cases[i].id, &index);

		if (err != cases[i].err || (!err && index != cases[i].index))
			KUNIT_FAIL(test, "id %u of %u: %d %u", cases[i].id, cases[i].slots, err, index);
	}
}

static void blobtab_flat_addresses(struct kunit *test)
{
	static const struct od_blob blobs[] = {
		{ .size = 4096 * 100 },
		{ .size = 4096 * 10, .uniaddr = 4096 * 200, .unilen = 4096 * 10 },
		{ .size = 4096 * 10, .uniaddr = 0, .unilen = 4096 * 10 },
		{ .size = 4096 * 10, .uniaddr = 4096 * 210, .unilen = 4096 * 10 },
		{ .size = 4096, .uniaddr = ~0ULL - 4095, .unilen = ~0ULL },
	};
	static const struct od_blobtab tab = {
		.blkbits = 12, .count = ARRAY_SIZE(blobs), .blob = blobs,
	};
	static const struct {
		const char *name;
		u64 addr, want;
		u32 index;
		u64 at, len;
	} cases[] = {
		{ "in the primary", 4096, 4096, 0, 4096, 4096 },
		{ "slot without a flat address", 0, 4096, 0, 0, 4096 },
		{ "up to a slot", 4096 * 199, 8192, 0, 4096 * 199, 4096 },
		{ "start of a slot", 4096 * 200, 4096, 1, 0, 4096 },
		{ "over the end of a slot", 4096 * 209, 8192, 1, 4096 * 9, 4096 },
		{ "the next slot", 4096 * 210 + 5, 10, 3, 5, 10 },
		{ "after all but the last", 4096 * 220, 4096, 0, 4096 * 220, 4096 },
		{ "the last byte there is", ~0ULL, 1, 4, 4095, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 addr = cases[i].addr, len = cases[i].want;
		u32 index = 99;

		od_blobtab_flat(&tab, &addr, &index, &len);
		if (index != cases[i].index || addr != cases[i].at || len != cases[i].len)
			KUNIT_FAIL(test, "%s: blob %u", cases[i].name, index);
	}
}

/* The bytes at both ends of a slot, and of one that ends at the largest address. */
static void blobtab_flat_edges(struct kunit *test)
{
	static const struct od_blob blobs[] = {
		{ .size = 100 },
		{ .size = 512, .uniaddr = 4096, .unilen = 512 },
		{ .size = 1, .uniaddr = ~0ULL, .unilen = 1 },
		{ .size = 0, .uniaddr = 8192, .unilen = 0 },
	};
	static const struct od_blobtab tab = {
		.blkbits = 9, .count = ARRAY_SIZE(blobs), .blob = blobs,
	};
	static const struct {
		const char *name;
		u64 addr, want;
		u32 index;
		u64 at, len;
	} cases[] = {
		{ "the byte before", 4095, 512, 0, 4095, 1 },
		{ "the first byte", 4096, 512, 1, 0, 512 },
		{ "the last byte", 4607, 512, 1, 511, 1 },
		{ "the byte after", 4608, 512, 0, 4608, 512 },
		{ "a slot without a block", 8192, 512, 0, 8192, 512 },
		{ "the last but one of all", ~0ULL - 1, 512, 0, ~0ULL - 1, 1 },
		{ "the last one of all", ~0ULL, 512, 2, 0, 1 },
		{ "a run over everything", 0, ~0ULL, 0, 0, 4096 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 addr = cases[i].addr, len = cases[i].want;
		u32 index = 99;

		od_blobtab_flat(&tab, &addr, &index, &len);
		if (index != cases[i].index || addr != cases[i].at || len != cases[i].len)
			KUNIT_FAIL(test, "%s: blob %u at %llu, %llu", cases[i].name, index,
				   (unsigned long long)addr, (unsigned long long)len);
	}
}

/* Extreme slots: a tag that ends early, and numbers taken as they are. */
static void blobtab_slot_limits(struct kunit *test)
{
	u8 *p = kunit_kzalloc(test, sizeof(struct od_disk_slot), GFP_KERNEL);
	struct od_slot s;

	KUNIT_ASSERT_NOT_NULL(test, p);
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_STREQ(test, s.tag, "");
	KUNIT_EXPECT_EQ(test, s.blocks, 0);
	KUNIT_EXPECT_EQ(test, s.uniaddr, 0);
	memset(p, 0xFF, sizeof(struct od_disk_slot));
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_EQ(test, strlen(s.tag), 64);
	KUNIT_EXPECT_EQ(test, s.blocks, 0xFFFFFFFF);
	KUNIT_EXPECT_EQ(test, s.uniaddr, 0xFFFFFFFF);
	p[63] = 0;
	od_slot_parse((const void *)p, false, &s);
	KUNIT_EXPECT_EQ(test, strlen(s.tag), 63);
}

static struct kunit_case blobtab_cases[] = {
	KUNIT_CASE(blobtab_slot),
	KUNIT_CASE(blobtab_slot_48bit),
	KUNIT_CASE(blobtab_device_ids),
	KUNIT_CASE(blobtab_flat_addresses),
	KUNIT_CASE(blobtab_flat_edges),
	KUNIT_CASE(blobtab_slot_limits),
	{}
};

static struct kunit_suite blobtab_suite = {
	.name = "od_blobtab",
	.test_cases = blobtab_cases,
};
kunit_test_suite(blobtab_suite);
