// SPDX-License-Identifier: GPL-2.0-only
/* Maps of file data: runs are merged, and every difference counts. */
#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/datamap.h"

#define RUNS	4U
#define TAIL	8U

/* Space for a map; 0xaa marks bytes that were not written. */
union room {
	struct od_datamap map;
	u8 bytes[sizeof(struct od_datamap) + RUNS * sizeof(struct od_datarun) + TAIL];
};

static struct od_datamap *start(union room *room)
{
	memset(room, 0xaa, sizeof(*room));
	room->map = (struct od_datamap) { .domain = 1, .size = 20000, .timeout_ms = 30000 };
	return &room->map;
}

static void add(struct kunit *test, struct od_datamap *map, u64 blob, u64 off, u64 len)
{
	KUNIT_EXPECT_EQ(test, od_datamap_add(map, RUNS, blob, off, len), 0);
}

static void expect_run(struct kunit *test, const struct od_datamap *map, u32 nr, u64 blob,
		       u64 off, u64 len)
{
	KUNIT_ASSERT_LT(test, nr, map->nr);
	KUNIT_EXPECT_EQ(test, map->run[nr].blob, blob);
	KUNIT_EXPECT_EQ(test, map->run[nr].off, off);
	KUNIT_EXPECT_EQ(test, map->run[nr].len, len);
}

/* Merged however the image splits them, in chunks of any size. */
static void datamap_joins(struct kunit *test)
{
	union room room;
	struct od_datamap *map = start(&room);

	add(test, map, 5, 4096, 4096);
	add(test, map, 5, 8192, 100);
	add(test, map, OD_DATARUN_HOLE, 77, 10);
	add(test, map, OD_DATARUN_HOLE, 0, 10);
	add(test, map, 5, 8292, 8);
	KUNIT_ASSERT_EQ(test, map->nr, 3U);
	expect_run(test, map, 0, 5, 4096, 4196);
	expect_run(test, map, 1, OD_DATARUN_HOLE, 0, 20);
	expect_run(test, map, 2, 5, 8292, 8);
}

static void datamap_keeps_apart(struct kunit *test)
{
	union room room;
	struct od_datamap *map = start(&room);

	add(test, map, 5, 4096, 4096);
	add(test, map, 6, 8192, 4096);
	add(test, map, 6, 8192, 4096);
	add(test, map, 6, 12289, 4096);
	KUNIT_EXPECT_EQ(test, map->nr, 4U);
}

static void datamap_room(struct kunit *test)
{
	union room room;
	struct od_datamap *map = start(&room);
	u32 i;

	for (i = 0; i < RUNS; i++)
		add(test, map, 1 + i, 0, 1);
	KUNIT_EXPECT_EQ(test, od_datamap_add(map, RUNS, 99, 0, 1), -E2BIG);
	KUNIT_EXPECT_TRUE(test, !od_datamap_add_tail(map, RUNS, 1));
	add(test, map, RUNS, 1, 1);
	KUNIT_EXPECT_EQ(test, map->nr, RUNS);
	KUNIT_EXPECT_EQ(test, room.bytes[sizeof(room) - TAIL], 0xaa);
}

static void datamap_inline(struct kunit *test)
{
	union room room;
	struct od_datamap *map = start(&room);
	u8 *tail;

	add(test, map, 5, 0, 4096);
	tail = od_datamap_add_tail(map, RUNS, 3);
	KUNIT_ASSERT_TRUE(test, tail == (u8 *)&map->run[2]);
	expect_run(test, map, 1, OD_DATARUN_INLINE, 0, 3);
	KUNIT_EXPECT_EQ(test, map->tail, 3U);
	/* It ends the file, and its bytes are stored in place of a run. */
	KUNIT_EXPECT_EQ(test, od_datamap_add(map, RUNS, 5, 4096, 1), -E2BIG);
	KUNIT_EXPECT_EQ(test, od_datamap_add(map, RUNS, OD_DATARUN_INLINE, 3, 1), -E2BIG);
	KUNIT_EXPECT_TRUE(test, !od_datamap_add_tail(map, RUNS, 1));
}

static struct od_datamap *sample(struct kunit *test, union room *room)
{
	struct od_datamap *map = start(room);
	u8 *tail;

	add(test, map, 5, 4096, 4096);
	add(test, map, OD_DATARUN_HOLE, 0, 4096);
	tail = od_datamap_add_tail(map, RUNS, 3);
	KUNIT_ASSERT_TRUE(test, tail != NULL);
	memcpy(tail, "end", 3);
	return map;
}

/* Each byte counts, and none past the end. */
static void datamap_compares(struct kunit *test)
{
	union room a, b;
	size_t bytes, i;

	sample(test, &a);
	sample(test, &b);
	bytes = od_datamap_bytes(a.map.nr, a.map.tail);
	KUNIT_ASSERT_EQ(test, bytes, 32 + 3 * 24 + 3);
	KUNIT_EXPECT_TRUE(test, od_datamap_equal(&a.map, &b.map));
	for (i = 0; i < sizeof(b); i++) {
		/* Bytes past the end of either map are not compared. */
		b.bytes[i] ^= 1;
		KUNIT_EXPECT_EQ(test, od_datamap_equal(&a.map, &b.map), i >= bytes);
		b.bytes[i] ^= 1;
	}
}

/* A file that is a prefix of another one. */
static void datamap_shorter(struct kunit *test)
{
	union room a, b;

	add(test, start(&a), 5, 0, 4096);
	add(test, start(&b), 5, 0, 4096);
	add(test, &b.map, 6, 0, 4096);
	KUNIT_EXPECT_FALSE(test, od_datamap_equal(&a.map, &b.map));
	KUNIT_EXPECT_FALSE(test, od_datamap_equal(&b.map, &a.map));
}

static struct kunit_case datamap_cases[] = {
	KUNIT_CASE(datamap_joins),
	KUNIT_CASE(datamap_keeps_apart),
	KUNIT_CASE(datamap_room),
	KUNIT_CASE(datamap_inline),
	KUNIT_CASE(datamap_compares),
	KUNIT_CASE(datamap_shorter),
	{}
};

static struct kunit_suite datamap_suite = {
	.name = "od_datamap",
	.test_cases = datamap_cases,
};
kunit_test_suite(datamap_suite);
