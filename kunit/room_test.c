// SPDX-License-Identifier: GPL-2.0-only
/* Free space, counted and estimated; when culling starts and ends; regions of a blob. */
#include <kunit/test.h>

#include "cachefiles_od/core/room.h"

static const struct od_limit limit = OD_LIMIT_DEFAULT;

/* Of 1000 blocks of 4096 bytes and 1000 files. */
static bool count(struct od_room_meter *meter, u64 blocks_free, u64 files_free)
{
	const struct od_room_count count = {
		.block_shift = 12,
		.blocks = 1000,
		.blocks_free = blocks_free,
		.files = 1000,
		.files_free = files_free,
	};

	return od_room_count(meter, &count, &limit, &limit);
}

static void room_hysteresis(struct kunit *test)
{
	static const struct {
		u64 blocks, files;
		enum od_room room;
		bool culling, begin;
	} steps[] = {
		{ 1000, 1000, OD_ROOM_PLENTY, false, false },
		{ 60, 1000, OD_ROOM_SOME, false, false },
		{ 50, 1000, OD_ROOM_SOME, false, false },
		{ 49, 1000, OD_ROOM_SCARCE, true, true },
		{ 49, 1000, OD_ROOM_SCARCE, true, false },
		{ 9, 1000, OD_ROOM_NONE, true, false },
		{ 50, 1000, OD_ROOM_SOME, true, false },
		{ 69, 1000, OD_ROOM_SOME, true, false },
		{ 70, 1000, OD_ROOM_PLENTY, false, false },
		{ 69, 1000, OD_ROOM_SOME, false, false },
		{ 1000, 49, OD_ROOM_SCARCE, true, true },
		{ 1000, 69, OD_ROOM_SOME, true, false },
		{ 1000, 70, OD_ROOM_PLENTY, false, false },
		{ 1000, 9, OD_ROOM_NONE, true, true },
	};
	struct od_room_meter meter = { .room = OD_ROOM_PLENTY };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		bool begin = count(&meter, steps[i].blocks, steps[i].files);

		KUNIT_EXPECT_EQ_MSG(test, begin, steps[i].begin, "step %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, meter.room, steps[i].room, "step %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, meter.culling, steps[i].culling, "step %zu", i);
	}
}

/* Concurrent writers: none of them goes below the limit. */
static void room_claims(struct kunit *test)
{
	struct od_room_meter meter = { .room = OD_ROOM_PLENTY };
	bool begin;

	count(&meter, 60, 1000);
	KUNIT_EXPECT_TRUE(test, od_room_claim(&meter, 30 << 12, &limit, &limit, &begin));
	KUNIT_EXPECT_TRUE(test, begin);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_SCARCE);
	/* 20 left, 10 more than stop */
	KUNIT_EXPECT_TRUE(test, od_room_claim(&meter, 10 << 12, &limit, &limit, &begin));
	KUNIT_EXPECT_FALSE(test, begin);
	/* A count while claims are pending does not forget them. */
	count(&meter, 60, 1000);
	KUNIT_EXPECT_FALSE(test, od_room_claim(&meter, 11 << 12, &limit, &limit, &begin));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	KUNIT_EXPECT_EQ(test, meter.claimed, 40 << 12);
	/* Then nothing until the next count. */
	KUNIT_EXPECT_FALSE(test, od_room_settle(&meter, 30 << 12, 0, &limit, &limit));
	KUNIT_EXPECT_FALSE(test, od_room_claim(&meter, 1, &limit, &limit, &begin));
	KUNIT_EXPECT_FALSE(test, od_room_settle(&meter, 10 << 12, 10 << 12, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.claimed, 0);
	KUNIT_EXPECT_EQ(test, meter.stored, 10 << 12);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	/* Nor with a little more: space is available again halfway up to cull. */
	count(&meter, 29, 1000);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	count(&meter, 30, 1000);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_SCARCE);
	count(&meter, 10, 1000);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_SCARCE);
	count(&meter, 1000, 9);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	count(&meter, 1000, 29);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
}

static void room_estimate(struct kunit *test)
{
	struct od_room_meter meter = { .room = OD_ROOM_PLENTY };

	count(&meter, 100, 1000);
	KUNIT_EXPECT_FALSE(test, od_room_change(&meter, 30 << 12, 0, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_PLENTY);
	/* Bytes add up to blocks. */
	KUNIT_EXPECT_FALSE(test, od_room_change(&meter, 4095, 0, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_PLENTY);
	KUNIT_EXPECT_FALSE(test, od_room_change(&meter, 1, 0, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_SOME);
	KUNIT_EXPECT_TRUE(test, od_room_change(&meter, 20 << 12, 0, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_SCARCE);
	KUNIT_EXPECT_FALSE(test, od_room_change(&meter, 1000 << 12, 0, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	/* Freed bytes are available, but do not end culling. */
	KUNIT_EXPECT_FALSE(test, od_room_change(&meter, 0, 2000 << 12, &limit, &limit));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_PLENTY);
	KUNIT_EXPECT_TRUE(test, meter.culling);
	count(&meter, 100, 1000);
	KUNIT_EXPECT_FALSE(test, meter.culling);
	KUNIT_EXPECT_EQ(test, meter.stored, 0);
	KUNIT_EXPECT_EQ(test, meter.freed, 0);
}

static void room_estimate_limits(struct kunit *test)
{
	struct od_room_meter meter = { .room = OD_ROOM_PLENTY };

	count(&meter, 1000, 1000);
	od_room_change(&meter, ~0ULL - 5, 0, &limit, &limit);
	od_room_change(&meter, 100, 0, &limit, &limit);
	KUNIT_EXPECT_EQ(test, meter.stored, ~0ULL);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	od_room_change(&meter, 0, ~0ULL, &limit, &limit);
	od_room_change(&meter, 0, ~0ULL, &limit, &limit);
	KUNIT_EXPECT_EQ(test, meter.freed, ~0ULL);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_PLENTY);
}

static void room_full(struct kunit *test)
{
	struct od_room_meter meter = { .room = OD_ROOM_PLENTY };

	count(&meter, 1000, 1000);
	KUNIT_EXPECT_TRUE(test, od_room_full(&meter));
	KUNIT_EXPECT_FALSE(test, od_room_full(&meter));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	/* A count overrides an estimate. */
	od_room_change(&meter, 0, 100 << 12, &limit, &limit);
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_NONE);
	KUNIT_EXPECT_FALSE(test, count(&meter, 1000, 1000));
	KUNIT_EXPECT_EQ(test, meter.room, OD_ROOM_PLENTY);
	KUNIT_EXPECT_FALSE(test, meter.culling);
}

static void room_regions(struct kunit *test)
{
	static const struct {
		u64 size;
		unsigned int shift;
	} cases[] = {
		{ 0, 20 }, { 1, 20 }, { 64ULL << 20, 20 }, { (64ULL << 20) + 1, 21 },
		{ 128ULL << 20, 21 }, { (128ULL << 20) + 1, 22 }, { 1ULL << 40, 34 },
		{ (u64)S64_MAX - 0xffff, 57 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int shift = od_region_shift(cases[i].size);

		KUNIT_EXPECT_EQ_MSG(test, shift, cases[i].shift, "case %zu", i);
	}
}

static struct kunit_case room_cases[] = {
	KUNIT_CASE(room_hysteresis),
	KUNIT_CASE(room_claims),
	KUNIT_CASE(room_estimate),
	KUNIT_CASE(room_estimate_limits),
	KUNIT_CASE(room_full),
	KUNIT_CASE(room_regions),
	{}
};

static struct kunit_suite room_suite = {
	.name = "od_room",
	.test_cases = room_cases,
};
kunit_test_suite(room_suite);
