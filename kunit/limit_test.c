// SPDX-License-Identifier: GPL-2.0-only
/* Culling limits: their order, and the space they allow. */
#include <kunit/test.h>

#include "cachefiles_od/core/limit.h"

static void limit_order(struct kunit *test)
{
	static const struct {
		struct od_limit limit;
		int err;
	} cases[] = {
		{ OD_LIMIT_DEFAULT, 0 },
		{ { 2, 1, 0 }, 0 },
		{ { 99, 98, 97 }, 0 },
		{ { 5, 5, 1 }, -ERANGE },
		{ { 7, 1, 1 }, -ERANGE },
		{ { 5, 7, 1 }, -ERANGE },
		{ { 100, 5, 1 }, -ERANGE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, od_limit_check(&cases[i].limit), cases[i].err);
}

static void limit_room(struct kunit *test)
{
	static const struct od_limit limit = OD_LIMIT_DEFAULT;
	static const u64 totals[] = { 100, 10000, 100ULL << 33, ~0ULL / 100 * 100 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		/* The low bits of huge totals are ignored. */
		bool coarse = totals[i] > ~0ULL / 256;
		u64 percent = totals[i] / 100, slack = coarse ? 1024 : 1;
		u64 more = coarse ? 1024 : 0;

		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], totals[i]), OD_ROOM_PLENTY);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], 7 * percent + more),
				OD_ROOM_PLENTY);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], 7 * percent - slack),
				OD_ROOM_SOME);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], 5 * percent + more),
				OD_ROOM_SOME);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], 5 * percent - slack),
				OD_ROOM_SCARCE);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], percent + more),
				OD_ROOM_SCARCE);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], percent - slack),
				OD_ROOM_NONE);
		KUNIT_EXPECT_EQ(test, od_limit_room(&limit, totals[i], 0), OD_ROOM_NONE);
	}
	/* File systems that do not count files report 0 of 0. */
	KUNIT_EXPECT_EQ(test, od_limit_room(&limit, 0, 0), OD_ROOM_PLENTY);
}

/* Limits other than the defaults, at each boundary. */
static void limit_neighbours(struct kunit *test)
{
	static const struct {
		const char *name;
		struct od_limit limit;
		u64 total, free;
		enum od_room room;
	} cases[] = {
		{ "never stop", { 2, 1, 0 }, 100, 0, OD_ROOM_SCARCE },
		{ "never stop, at cull", { 2, 1, 0 }, 100, 1, OD_ROOM_SOME },
		{ "never stop, at run", { 2, 1, 0 }, 100, 2, OD_ROOM_PLENTY },
		{ "highest, nearly all free", { 99, 98, 97 }, 100, 99, OD_ROOM_PLENTY },
		{ "highest, below run", { 99, 98, 97 }, 100, 98, OD_ROOM_SOME },
		{ "highest, below cull", { 99, 98, 97 }, 100, 97, OD_ROOM_SCARCE },
		{ "highest, below stop", { 99, 98, 97 }, 100, 96, OD_ROOM_NONE },
		{ "more free than there is", { 99, 98, 97 }, 100, 101, OD_ROOM_PLENTY },
		{ "one block, used", OD_LIMIT_DEFAULT, 1, 0, OD_ROOM_NONE },
		{ "one block, free", OD_LIMIT_DEFAULT, 1, 1, OD_ROOM_PLENTY },
		{ "of three one", { 50, 40, 34 }, 3, 1, OD_ROOM_NONE },
		{ "of three two", { 50, 40, 34 }, 3, 2, OD_ROOM_PLENTY },
		{ "all bits", OD_LIMIT_DEFAULT, ~0ULL, ~0ULL, OD_ROOM_PLENTY },
		{ "all bits, nothing free", OD_LIMIT_DEFAULT, ~0ULL, 0, OD_ROOM_NONE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		enum od_room room = od_limit_room(&cases[i].limit, cases[i].total, cases[i].free);

		KUNIT_EXPECT_EQ_MSG(test, room, cases[i].room, "%s", cases[i].name);
	}
}

static struct kunit_case limit_cases[] = {
	KUNIT_CASE(limit_order),
	KUNIT_CASE(limit_room),
	KUNIT_CASE(limit_neighbours),
	{}
};

static struct kunit_suite limit_suite = {
	.name = "od_limit",
	.test_cases = limit_cases,
};
kunit_test_suite(limit_suite);
