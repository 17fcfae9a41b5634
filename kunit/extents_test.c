// SPDX-License-Identifier: GPL-2.0-only
/* The presence map: named cases, and random ones against a plain bitmap. */
#include <kunit/test.h>

#include "support.h"
#include "cachefiles_od/core/extents.h"

#define SPACE	512U

static void add(struct kunit *test, struct od_extents *x, u64 start, u64 end)
{
	KUNIT_EXPECT_EQ(test, od_extents_add(x, start, end), 0);
}

static void extents_merges(struct kunit *test)
{
	struct od_range room[4];
	struct od_extents x = { .e = room, .cap = 4 };

	add(test, &x, 10, 20);
	add(test, &x, 30, 40);
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	add(test, &x, 20, 25);	/* touches the first */
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	add(test, &x, 25, 30);	/* closes the gap */
	KUNIT_EXPECT_EQ(test, x.nr, 1);
	KUNIT_EXPECT_EQ(test, room[0].start, 10);
	KUNIT_EXPECT_EQ(test, room[0].end, 40);
	add(test, &x, 0, 5);
	add(test, &x, 5, 5);		/* empty */
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	add(test, &x, 0, ~0ULL);	/* swallows all */
	KUNIT_EXPECT_EQ(test, x.nr, 1);
}

static void extents_touches(struct kunit *test)
{
	struct od_range room[2];
	struct od_extents x = { .e = room, .cap = 2 };

	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 0, ~0ULL));
	add(test, &x, 10, 20);
	add(test, &x, 30, 40);
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 0, 10));
	KUNIT_EXPECT_TRUE(test, od_extents_touches(&x, 0, 11));
	KUNIT_EXPECT_TRUE(test, od_extents_touches(&x, 19, 20));
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 20, 30));
	KUNIT_EXPECT_TRUE(test, od_extents_touches(&x, 20, 31));
	KUNIT_EXPECT_TRUE(test, od_extents_touches(&x, 0, ~0ULL));
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 15, 15));	/* empty */
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 15, 12));	/* reversed */
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&x, 40, ~0ULL));
}

static void extents_full(struct kunit *test)
{
	struct od_range room[2];
	struct od_extents x = { .e = room, .cap = 2 };

	add(test, &x, 10, 20);
	add(test, &x, 30, 40);
	KUNIT_EXPECT_EQ(test, od_extents_add(&x, 50, 60), -ENOSPC);
	KUNIT_EXPECT_EQ(test, od_extents_add(&x, 0, 5), -ENOSPC);
	KUNIT_EXPECT_FALSE(test, od_extents_covers(&x, 50, 51));
	add(test, &x, 20, 22);	/* merges, so needs no free run */
	KUNIT_EXPECT_EQ(test, x.nr, 2);
}

static void extents_removes(struct kunit *test)
{
	struct od_range room[4];
	struct od_extents x = { .e = room, .cap = 4 };

	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 0, ~0ULL), 0);
	add(test, &x, 10, 20);
	add(test, &x, 30, 40);
	add(test, &x, 50, 60);
	KUNIT_EXPECT_EQ(test, x.bytes, 30);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 20, 30), 0);	/* a gap */
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 35, 35), 0);	/* empty */
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 40, 35), 0);	/* reversed */
	KUNIT_EXPECT_EQ(test, x.bytes, 30);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 15, 55), 0);	/* end, all, start */
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	KUNIT_EXPECT_EQ(test, room[0].end, 15);
	KUNIT_EXPECT_EQ(test, room[1].start, 55);
	KUNIT_EXPECT_EQ(test, x.bytes, 10);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 11, 14), 0);	/* splits */
	KUNIT_EXPECT_EQ(test, x.nr, 3);
	KUNIT_EXPECT_EQ(test, x.bytes, 7);
	KUNIT_EXPECT_TRUE(test, od_extents_covers(&x, 10, 11));
	KUNIT_EXPECT_FALSE(test, od_extents_covers(&x, 11, 12));
	KUNIT_EXPECT_TRUE(test, od_extents_covers(&x, 14, 15));
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 10, 11), 0);	/* a whole run */
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 0, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, x.nr, 0);
	KUNIT_EXPECT_EQ(test, x.bytes, 0);
}

static void extents_split_full(struct kunit *test)
{
	struct od_range room[2];
	struct od_extents x = { .e = room, .cap = 2 };

	add(test, &x, 10, 20);
	add(test, &x, 30, 40);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 12, 18), -ENOSPC);
	KUNIT_EXPECT_TRUE(test, od_extents_covers(&x, 10, 20));
	KUNIT_EXPECT_EQ(test, x.nr, 2);
	KUNIT_EXPECT_EQ(test, x.bytes, 20);
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 10, 18), 0);	/* needs no free run */
	KUNIT_EXPECT_EQ(test, od_extents_remove(&x, 35, 40), 0);
	KUNIT_EXPECT_EQ(test, x.bytes, 7);
}

static void extents_questions(struct kunit *test)
{
	struct od_range room[4];
	struct od_extents x = { .e = room, .cap = 4 };
	u64 end;

	KUNIT_EXPECT_FALSE(test, od_extents_run(&x, 0, &end));
	KUNIT_EXPECT_EQ(test, end, ~0ULL);
	add(test, &x, 4096, 8192);
	KUNIT_EXPECT_FALSE(test, od_extents_run(&x, 0, &end));
	KUNIT_EXPECT_EQ(test, end, 4096);
	KUNIT_EXPECT_TRUE(test, od_extents_run(&x, 4096, &end));
	KUNIT_EXPECT_EQ(test, end, 8192);
	KUNIT_EXPECT_FALSE(test, od_extents_run(&x, 8192, &end));
	KUNIT_EXPECT_TRUE(test, od_extents_covers(&x, 4096, 8192));
	KUNIT_EXPECT_FALSE(test, od_extents_covers(&x, 4095, 8192));
	KUNIT_EXPECT_FALSE(test, od_extents_covers(&x, 4096, 8193));
	KUNIT_EXPECT_TRUE(test, od_extents_covers(&x, 5, 5));
	KUNIT_EXPECT_EQ(test, od_extents_missing(&x, 0, 10000), 4096 + 10000 - 8192);
}

static void extents_tail_only(struct kunit *test)
{
	struct od_range room[1];
	struct od_extents x = { .e = room, .cap = 1 };

	add(test, &x, 10000, 12288);
	KUNIT_EXPECT_EQ(test, od_extents_missing(&x, 0, 10000), 10000);
}

static void check_against(struct kunit *test, const struct od_extents *x, const bool *map)
{
	u64 pos, end, missing = 0;
	size_t i;

	for (i = 1; i < x->nr; i++)
		KUNIT_EXPECT_TRUE(test, x->e[i - 1].end < x->e[i].start);
	for (pos = 0; pos < SPACE; pos++) {
		u64 expected = pos;

		while (expected < SPACE && map[expected] == map[pos])
			expected++;
		KUNIT_EXPECT_EQ(test, od_extents_run(x, pos, &end), map[pos]);
		if (end < SPACE || expected < SPACE)
			KUNIT_EXPECT_EQ(test, end, expected);
		missing += !map[pos];
	}
	KUNIT_EXPECT_EQ(test, od_extents_missing(x, 0, SPACE), missing);
	KUNIT_EXPECT_EQ(test, x->bytes, SPACE - missing);
}

static u32 clamp_end(u32 end)
{
	return end < SPACE ? end : SPACE;
}

static void extents_random_against_bitmap(struct kunit *test)
{
	struct od_range *room = kunit_kzalloc(test, SPACE * sizeof(*room), GFP_KERNEL);
	bool *map = kunit_kzalloc(test, SPACE * sizeof(*map), GFP_KERNEL);
	u32 round, step, seed = od_test_seed(test);

	KUNIT_ASSERT_NOT_NULL(test, room);
	KUNIT_ASSERT_NOT_NULL(test, map);
	for (round = 0; round < 200; round++) {
		struct od_extents x = { .e = room, .cap = SPACE };

		memset(map, 0, SPACE * sizeof(*map));
		for (step = 0; step < 40; step++) {
			u32 start = od_test_random(&seed) % SPACE;
			u32 len = od_test_random(&seed) % 24, i;
			u32 end = clamp_end(start + len);
			bool present = od_test_random(&seed) % 4;

			if (present)
				add(test, &x, start, end);
			else
				KUNIT_EXPECT_EQ(test, od_extents_remove(&x, start, end), 0);
			for (i = start; i < end; i++)
				map[i] = present;
		}
		check_against(test, &x, map);
	}
}

/* Queries at random positions of random maps with few free runs. */
static void extents_random_questions(struct kunit *test)
{
	bool *map = kunit_kzalloc(test, SPACE * sizeof(*map), GFP_KERNEL);
	struct od_range room[8];
	struct od_extents x = { .e = room, .cap = ARRAY_SIZE(room) };
	u32 step, seed = od_test_seed(test), full = 0, unsplit = 0;

	KUNIT_ASSERT_NOT_NULL(test, map);
	for (step = 0; step < 3000; step++) {
		u32 start = od_test_random(&seed) % SPACE, i;
		u32 end = start + od_test_random(&seed) % (SPACE - start + 1);
		u32 missing = 0;

		for (i = start; i < end; i++)
			missing += !map[i];
		KUNIT_ASSERT_EQ(test, od_extents_missing(&x, start, end), missing);
		KUNIT_ASSERT_EQ(test, od_extents_covers(&x, start, end), missing == 0);
		if (od_test_random(&seed) % 16 == 0) {
			x.nr = 0;
			x.bytes = 0;
			memset(map, 0, SPACE * sizeof(*map));
		}
		/* Short ones, as otherwise a single run would soon remain. */
		end = clamp_end(start + od_test_random(&seed) % 20);
		if (od_extents_add(&x, start, end) == 0)
			memset(map + start, true, (end - start) * sizeof(*map));
		else
			full++;
		start = od_test_random(&seed) % SPACE;
		end = clamp_end(start + od_test_random(&seed) % 8);
		if (od_extents_remove(&x, start, end) == 0)
			memset(map + start, false, (end - start) * sizeof(*map));
		else
			unsplit++;
		if (step % 8 == 0)
			check_against(test, &x, map);
	}
	KUNIT_EXPECT_GT(test, full, 0);
	KUNIT_EXPECT_GT(test, unsplit, 0);
}

static struct kunit_case extents_cases[] = {
	KUNIT_CASE(extents_merges),
	KUNIT_CASE(extents_touches),
	KUNIT_CASE(extents_full),
	KUNIT_CASE(extents_removes),
	KUNIT_CASE(extents_split_full),
	KUNIT_CASE(extents_questions),
	KUNIT_CASE(extents_tail_only),
	KUNIT_CASE(extents_random_against_bitmap),
	KUNIT_CASE(extents_random_questions),
	{}
};

static struct kunit_suite extents_suite = {
	.name = "od_extents",
	.test_cases = extents_cases,
};
kunit_test_suite(extents_suite);
