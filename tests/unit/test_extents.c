// SPDX-License-Identifier: GPL-2.0-only
/* The presence map: named cases, and random ones against a plain bitmap. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cachefiles_od/core/extents.h"

#define SPACE	512

static void add(struct od_extents *x, u64 start, u64 end)
{
	assert_int_equal(od_extents_add(x, start, end), 0);
}

static void merges(void **state)
{
	struct od_extent room[4];
	struct od_extents x = { .e = room, .cap = 4 };

	(void)state;
	add(&x, 10, 20);
	add(&x, 30, 40);
	assert_int_equal(x.nr, 2);
	add(&x, 20, 25);	/* touches the first */
	assert_int_equal(x.nr, 2);
	add(&x, 25, 30);	/* closes the gap */
	assert_int_equal(x.nr, 1);
	assert_int_equal(room[0].start, 10);
	assert_int_equal(room[0].end, 40);
	add(&x, 0, 5);
	add(&x, 5, 5);		/* empty */
	assert_int_equal(x.nr, 2);
	add(&x, 0, ~0ULL);	/* swallows all */
	assert_int_equal(x.nr, 1);
}

static void full(void **state)
{
	struct od_extent room[2];
	struct od_extents x = { .e = room, .cap = 2 };

	(void)state;
	add(&x, 10, 20);
	add(&x, 30, 40);
	assert_int_equal(od_extents_add(&x, 50, 60), -ENOSPC);
	assert_int_equal(od_extents_add(&x, 0, 5), -ENOSPC);
	assert_false(od_extents_covers(&x, 50, 51));
	add(&x, 20, 22);	/* needs no more room */
	assert_int_equal(x.nr, 2);
}

static void questions(void **state)
{
	struct od_extent room[4];
	struct od_extents x = { .e = room, .cap = 4 };
	u64 start, end;

	(void)state;
	assert_false(od_extents_run(&x, 0, &end));
	assert_true(end == ~0ULL);
	add(&x, 4096, 8192);
	assert_false(od_extents_run(&x, 0, &end));
	assert_int_equal(end, 4096);
	assert_true(od_extents_run(&x, 4096, &end));
	assert_int_equal(end, 8192);
	assert_false(od_extents_run(&x, 8192, &end));
	od_extents_gap(&x, 0, &start, &end);
	assert_int_equal(start, 0);
	assert_int_equal(end, 4096);
	od_extents_gap(&x, 9000, &start, &end);
	assert_int_equal(start, 8192);
	assert_true(end == ~0ULL);
	assert_true(od_extents_covers(&x, 4096, 8192));
	assert_false(od_extents_covers(&x, 4095, 8192));
	assert_false(od_extents_covers(&x, 4096, 8193));
	assert_true(od_extents_covers(&x, 5, 5));
	assert_int_equal(od_extents_missing(&x, 0, 10000), 4096 + 10000 - 8192);
}

static void edges(void **state)
{
	struct od_extent room[4];
	struct od_extents x = { .e = room, .cap = 4 };

	(void)state;
	add(&x, 4096, 8192);
	assert_true(od_extents_aligned(&x, 4096, 10000));
	add(&x, 8192, 10000);	/* ends with the blob */
	assert_true(od_extents_aligned(&x, 4096, 10000));
	add(&x, 10000, 12288);	/* the tail behind the blob */
	assert_true(od_extents_aligned(&x, 4096, 10000));
	add(&x, 100, 200);
	assert_false(od_extents_aligned(&x, 4096, 10000));
}

static void tail_only(void **state)
{
	struct od_extent room[1];
	struct od_extents x = { .e = room, .cap = 1 };

	(void)state;
	add(&x, 10000, 12288);
	assert_true(od_extents_aligned(&x, 4096, 10000));
	assert_int_equal(od_extents_missing(&x, 0, 10000), 10000);
}

static void check_against(const struct od_extents *x, const bool *map)
{
	u64 pos, end, missing = 0;
	size_t i;

	for (i = 1; i < x->nr; i++)
		assert_true(x->e[i - 1].end < x->e[i].start);
	for (pos = 0; pos < SPACE; pos++) {
		u64 expected = pos;

		while (expected < SPACE && map[expected] == map[pos])
			expected++;
		assert_int_equal(od_extents_run(x, pos, &end), map[pos]);
		if (end < SPACE || expected < SPACE)
			assert_int_equal(end, expected);
		missing += !map[pos];
	}
	assert_int_equal(od_extents_missing(x, 0, SPACE), missing);
}

static void random_against_bitmap(void **state)
{
	struct od_extent room[SPACE];
	unsigned int round, step;

	(void)state;
	srand(1);
	for (round = 0; round < 200; round++) {
		struct od_extents x = { .e = room, .cap = SPACE };
		bool map[SPACE] = { false };

		for (step = 0; step < 40; step++) {
			u64 start = (u64)rand() % SPACE, len = (u64)rand() % 24, i;
			u64 end = start + len > SPACE ? SPACE : start + len;

			add(&x, start, end);
			for (i = start; i < end; i++)
				map[i] = true;
		}
		check_against(&x, map);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges),
		cmocka_unit_test(full),
		cmocka_unit_test(questions),
		cmocka_unit_test(edges),
		cmocka_unit_test(tail_only),
		cmocka_unit_test(random_against_bitmap),
	};

	return cmocka_run_group_tests_name("extents", tests, NULL, NULL);
}
