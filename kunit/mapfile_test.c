// SPDX-License-Identifier: GPL-2.0-only
/* Map files: each field at its limits, torn commits, random round trips. */
#include <kunit/test.h>

#include "support.h"
#include "cachefiles_od/core/mapfile.h"

/* On-disk offsets of the fields. */
enum {
	MAGIC = 0, VERSION = 8, CRC = 12, SEQ = 16, SIZE = 24, INO = 32, GENERATION = 40,
	FLAGS = 44, MTIME_SEC = 48, MTIME_NSEC = 56, NR_RUNS = 60, RUNS_OFF = 64, RUNS_CRC = 72,
	VOLUME = 80, NAME = 336, VALIDATOR = 592, USED = 848,
};

static struct od_mapfile *example(struct kunit *test)
{
	static const struct od_mapfile said = {
		.seq = 7,
		.size = 8392704,
		.ino = 0x123456789abcULL,
		.generation = 0xfeedf00d,
		.flags = OD_MAPFILE_CLOSED,
		.mtime_sec = -2,
		.mtime_nsec = 999999999,
		.nr_runs = 3,
		.runs_off = OD_MAPFILE_RUNS_AT + OD_MAPFILE_SLOT,
		.runs_crc = 0x01020304,
		.volume = "Ierofs,test",
		.name = "Dtest",
		.validator = "\"etag, with a comma\"",
		.used = 0x1122334455667788ULL,
	};
	struct od_mapfile *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	*m = said;
	return m;
}

static u8 *new_slot(struct kunit *test)
{
	u8 *slot = kunit_kzalloc(test, OD_MAPFILE_SLOT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, slot);
	return slot;
}

/* Corrects the checksum, so that the field itself is rejected. */
static void seal(u8 *slot)
{
	put32(slot + CRC, 0);
	put32(slot + CRC, od_crc32c(~0U, slot, OD_MAPFILE_SLOT));
}

static void mapfile_crc(struct kunit *test)
{
	static const u8 zeroes[32];
	const u8 *digits = (const u8 *)"123456789";

	KUNIT_EXPECT_EQ(test, ~od_crc32c(~0U, digits, 9), 0xe3069283U);
	/* RFC 3720, B.4 */
	KUNIT_EXPECT_EQ(test, ~od_crc32c(~0U, zeroes, 32), 0x8a9136aaU);
	KUNIT_EXPECT_EQ(test, od_crc32c(od_crc32c(~0U, digits, 4), digits + 4, 5),
			od_crc32c(~0U, digits, 9));
	KUNIT_EXPECT_EQ(test, od_crc32c(5, digits, 0), 5U);
}

/* On-disk offsets of the fields, which other programs and later versions rely on. */
static void mapfile_layout(struct kunit *test)
{
	struct od_mapfile *m = example(test);
	u8 *slot = new_slot(test);

	memset(slot, 0xff, OD_MAPFILE_SLOT);
	od_mapfile_encode(m, slot);
	KUNIT_EXPECT_EQ(test, memcmp(slot + MAGIC, "ODPRESMP", 8), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + VERSION), 1U);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + SEQ), m->seq);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + SIZE), m->size);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + INO), m->ino);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + GENERATION), m->generation);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + FLAGS), m->flags);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + MTIME_SEC), ~0ULL - 1);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + MTIME_NSEC), m->mtime_nsec);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + NR_RUNS), m->nr_runs);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + RUNS_OFF), m->runs_off);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(slot + RUNS_CRC), m->runs_crc);
	KUNIT_EXPECT_STREQ(test, (char *)slot + VOLUME, m->volume);
	KUNIT_EXPECT_STREQ(test, (char *)slot + NAME, m->name);
	KUNIT_EXPECT_STREQ(test, (char *)slot + VALIDATOR, m->validator);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(slot + USED), m->used);
	KUNIT_EXPECT_EQ(test, slot[OD_MAPFILE_SLOT - 1], 0);
}

static void expect_same(struct kunit *test, const struct od_mapfile *a,
			const struct od_mapfile *b)
{
	KUNIT_EXPECT_EQ(test, a->seq, b->seq);
	KUNIT_EXPECT_EQ(test, a->size, b->size);
	KUNIT_EXPECT_EQ(test, a->ino, b->ino);
	KUNIT_EXPECT_EQ(test, a->generation, b->generation);
	KUNIT_EXPECT_EQ(test, a->flags, b->flags);
	KUNIT_EXPECT_EQ(test, a->mtime_sec, b->mtime_sec);
	KUNIT_EXPECT_EQ(test, a->mtime_nsec, b->mtime_nsec);
	KUNIT_EXPECT_EQ(test, a->nr_runs, b->nr_runs);
	KUNIT_EXPECT_EQ(test, a->runs_off, b->runs_off);
	KUNIT_EXPECT_EQ(test, a->runs_crc, b->runs_crc);
	KUNIT_EXPECT_STREQ(test, a->volume, b->volume);
	KUNIT_EXPECT_STREQ(test, a->name, b->name);
	KUNIT_EXPECT_STREQ(test, a->validator, b->validator);
	KUNIT_EXPECT_EQ(test, a->used, b->used);
}

static void mapfile_round_trip(struct kunit *test)
{
	struct od_mapfile *m = example(test), *back = example(test);
	u8 *slot = new_slot(test);

	memset(back, 0xa5, sizeof(*back));
	od_mapfile_encode(m, slot);
	KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), 0);
	expect_same(test, back, m);

	/* All variable-length fields at their maximum, and at their minimum. */
	memset(m->volume, 'I', OD_MAPFILE_STRING_MAX);
	memset(m->name, 'D', OD_MAPFILE_STRING_MAX);
	memset(m->validator, 'v', OD_MAPFILE_STRING_MAX);
	m->nr_runs = OD_MAPFILE_RUNS_MAX;
	m->size = S64_MAX - 0xffff;
	od_mapfile_encode(m, slot);
	KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), 0);
	expect_same(test, back, m);
	memset(m, 0, sizeof(*m));
	m->volume[0] = 'I';
	m->name[0] = 'D';
	m->runs_off = OD_MAPFILE_RUNS_AT;
	od_mapfile_encode(m, slot);
	KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), 0);
	expect_same(test, back, m);
}

struct field_case {
	const char *what;
	unsigned int at, bytes;	/* bytes: 1, 4 or 8 */
	u64 value;
	int ret;
};

static const struct field_case field_cases[] = {
	{ "magic", MAGIC + 7, 1, 'Q', -EUCLEAN },
	{ "version 0", VERSION, 4, 0, -EUCLEAN },
	{ "version 2", VERSION, 4, 2, -EUCLEAN },
	{ "the largest size", SIZE, 8, S64_MAX - 0xffff, 0 },
	{ "a size too large", SIZE, 8, S64_MAX - 0xfffe, -EUCLEAN },
	{ "a negative size", SIZE, 8, ~0ULL, -EUCLEAN },
	{ "no flag", FLAGS, 4, 0, 0 },
	{ "flag 1", FLAGS, 4, 3, -EUCLEAN },
	{ "flag 31", FLAGS, 4, 1U << 31, -EUCLEAN },
	{ "mtime_nsec", MTIME_NSEC, 4, 1000000000, -EUCLEAN },
	{ "no runs", NR_RUNS, 4, 0, 0 },
	{ "most runs", NR_RUNS, 4, OD_MAPFILE_RUNS_MAX, 0 },
	{ "too many runs", NR_RUNS, 4, OD_MAPFILE_RUNS_MAX + 1, -EUCLEAN },
	{ "runs in a slot", RUNS_OFF, 8, OD_MAPFILE_SLOT, -EUCLEAN },
	{ "runs at 0", RUNS_OFF, 8, 0, -EUCLEAN },
	{ "runs after the slots", RUNS_OFF, 8, OD_MAPFILE_RUNS_AT, 0 },
	{ "runs not aligned", RUNS_OFF, 8, OD_MAPFILE_RUNS_AT + 16, -EUCLEAN },
	{ "runs beyond any file", RUNS_OFF, 8, 1ULL << 63, -EUCLEAN },
	{ "runs that would wrap", RUNS_OFF, 8, ~0ULL - 4095, -EUCLEAN },
	{ "runs to the largest offset", RUNS_OFF, 8, (1ULL << 63) - 4096, -EUCLEAN },
	{ "no volume", VOLUME, 1, 0, -EUCLEAN },
	{ "a volume with a dot", VOLUME + 1, 1, '.', 0 },
	{ "a hidden volume", VOLUME, 1, '.', -EUCLEAN },
	{ "a volume with '/'", VOLUME + 1, 1, '/', -EUCLEAN },
	{ "no name", NAME, 1, 0, -EUCLEAN },
	{ "a hidden name", NAME, 1, '.', -EUCLEAN },
	{ "a name with '/'", NAME + 2, 1, '/', -EUCLEAN },
	{ "'/' past the name", NAME + 6, 1, '/', 0 },
	{ "no validator", VALIDATOR, 1, 0, 0 },
	{ "a validator with '/'", VALIDATOR, 1, '/', 0 },
	{ "a validator of two lines", VALIDATOR + 3, 1, '\n', -EUCLEAN },
	{ "bytes past the fields", OD_MAPFILE_SLOT - 1, 1, 1, 0 },
};

static void mapfile_fields(struct kunit *test)
{
	struct od_mapfile *m = example(test), *back = example(test);
	u8 *slot = new_slot(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(field_cases); i++) {
		const struct field_case *c = &field_cases[i];
		int ret;

		od_mapfile_encode(m, slot);
		if (c->bytes == 8)
			put64(slot + c->at, c->value);
		else if (c->bytes == 4)
			put32(slot + c->at, (u32)c->value);
		else
			slot[c->at] = (u8)c->value;
		seal(slot);
		ret = od_mapfile_decode(slot, back);
		if (ret != c->ret)
			KUNIT_FAIL(test, "%s: %d", c->what, ret);
	}
}

static void mapfile_unterminated(struct kunit *test)
{
	static const unsigned int strings[] = { VOLUME, NAME, VALIDATOR };
	struct od_mapfile *m = example(test), *back = example(test);
	u8 *slot = new_slot(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(strings); i++) {
		od_mapfile_encode(m, slot);
		memset(slot + strings[i], 'x', OD_MAPFILE_STRING_MAX);
		seal(slot);
		KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), 0);
		slot[strings[i] + OD_MAPFILE_STRING_MAX] = 'x';
		seal(slot);
		KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), -EUCLEAN);
	}
}

/* A slot of which any part was not written, or any bit was flipped. */
static void mapfile_torn(struct kunit *test)
{
	struct od_mapfile *m = example(test), *back = example(test);
	u8 *old = new_slot(test), *new = new_slot(test), *slot = new_slot(test);
	size_t cut, at;

	od_mapfile_encode(m, old);
	m->seq++;
	m->nr_runs++;
	m->validator[0] = 'x';
	od_mapfile_encode(m, new);
	for (cut = 64; cut < OD_MAPFILE_SLOT; cut += 64) {
		memcpy(slot, new, cut);
		memcpy(slot + cut, old + cut, OD_MAPFILE_SLOT - cut);
		if (memcmp(slot, new, OD_MAPFILE_SLOT))
			KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), -EUCLEAN);
		memcpy(slot, old, cut);
		memcpy(slot + cut, new + cut, OD_MAPFILE_SLOT - cut);
		if (memcmp(slot, old, OD_MAPFILE_SLOT))
			KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), -EUCLEAN);
	}
	for (at = 0; at < OD_MAPFILE_SLOT; at++) {
		memcpy(slot, new, OD_MAPFILE_SLOT);
		slot[at] ^= 1 << at % 8;
		KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), -EUCLEAN);
	}
	memset(slot, 0, OD_MAPFILE_SLOT);
	KUNIT_EXPECT_EQ(test, od_mapfile_decode(slot, back), -EUCLEAN);
}

static void mapfile_runs(struct kunit *test)
{
	static const struct {
		struct od_range runs[2];
		size_t nr;
		u64 limit, prev_end;
		int ret;
	} cases[] = {
		{ { { 0, 4096 }, { 8192, 12288 } }, 2, 12288, 0, 0 },
		{ { { 0, 0 } }, 0, 0, 0, 0 },
		{ { { 0, 0 } }, 1, 4096, 0, -EUCLEAN },
		{ { { 4096, 4096 } }, 1, 8192, 0, -EUCLEAN },
		{ { { 8192, 4096 } }, 1, 8192, 0, -EUCLEAN },
		{ { { 0, 4096 }, { 4096, 8192 } }, 2, 8192, 0, -EUCLEAN },	/* not separate */
		{ { { 0, 8192 }, { 4096, 12288 } }, 2, 12288, 0, -EUCLEAN },
		{ { { 8192, 12288 }, { 0, 4096 } }, 2, 12288, 0, -EUCLEAN },
		{ { { 0, 4096 }, { 0, 4096 } }, 2, 12288, 0, -EUCLEAN },
		{ { { 0, 4097 } }, 1, 4096, 0, -EUCLEAN },
		{ { { 0, 4096 }, { 8192, ~0ULL } }, 2, 12288, 0, -EUCLEAN },
		{ { { 8192, 12288 } }, 1, 12288, 4096, 0 },
		{ { { 4097, 12288 } }, 1, 12288, 4096, 0 },
		{ { { 4096, 12288 } }, 1, 12288, 4096, -EUCLEAN },
		{ { { 0, 12288 } }, 1, 12288, 4096, -EUCLEAN },
		{ { { ~0ULL - 1, ~0ULL } }, 1, ~0ULL, 4096, 0 },
	};
	u8 buf[2 * OD_MAPFILE_RUN];
	struct od_range back[2];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret;

		od_mapfile_encode_runs(cases[i].runs, cases[i].nr, buf);
		ret = od_mapfile_decode_runs(buf, cases[i].nr, cases[i].limit, cases[i].prev_end,
					     back);
		if (ret != cases[i].ret)
			KUNIT_FAIL(test, "case %d: %d", (int)i, ret);
		for (j = 0; !ret && j < cases[i].nr; j++) {
			KUNIT_EXPECT_EQ(test, back[j].start, cases[i].runs[j].start);
			KUNIT_EXPECT_EQ(test, back[j].end, cases[i].runs[j].end);
		}
	}
}

/* Many commits, mostly of few runs: each leaves the previous one intact. */
static void mapfile_never_overlaps(struct kunit *test)
{
	static const u64 most = OD_MAPFILE_RUNS_AT + 2ULL * OD_MAPFILE_RUNS_MAX * OD_MAPFILE_RUN;
	struct od_mapfile *cur = example(test);
	u32 seed = od_test_seed(test), step;

	cur->runs_off = od_mapfile_next_off(NULL, OD_MAPFILE_RUNS_MAX);
	KUNIT_EXPECT_EQ(test, cur->runs_off, OD_MAPFILE_RUNS_AT);
	cur->nr_runs = OD_MAPFILE_RUNS_MAX;
	for (step = 0; step < 20000; step++) {
		u32 nr = od_test_random(&seed) % (OD_MAPFILE_RUNS_MAX + 1);
		u64 off, end, cur_end;

		/* None, few, and about as many as the area in use has. */
		switch (od_test_random(&seed) % 4) {
		case 0:
			nr %= 600;
			break;
		case 1:
			nr = cur->nr_runs;
			break;
		case 2:
			nr = (cur->runs_off - OD_MAPFILE_RUNS_AT) / OD_MAPFILE_RUN + nr % 3;
			if (nr > OD_MAPFILE_RUNS_MAX)
				nr = OD_MAPFILE_RUNS_MAX;
			break;
		}
		off = od_mapfile_next_off(cur, nr);
		end = off + (u64)nr * OD_MAPFILE_RUN;
		cur_end = cur->runs_off + (u64)cur->nr_runs * OD_MAPFILE_RUN;
		KUNIT_ASSERT_EQ(test, off % OD_MAPFILE_SLOT, 0U);
		KUNIT_ASSERT_GE(test, off, OD_MAPFILE_RUNS_AT);
		KUNIT_ASSERT_TRUE(test, end <= cur->runs_off || off >= cur_end);
		/* The file does not grow with the number of commits. */
		KUNIT_ASSERT_LE(test, off, most);
		cur->runs_off = off;
		cur->nr_runs = nr;
	}
}

static struct kunit_case mapfile_cases[] = {
	KUNIT_CASE(mapfile_crc),
	KUNIT_CASE(mapfile_layout),
	KUNIT_CASE(mapfile_round_trip),
	KUNIT_CASE(mapfile_fields),
	KUNIT_CASE(mapfile_unterminated),
	KUNIT_CASE(mapfile_torn),
	KUNIT_CASE(mapfile_runs),
	KUNIT_CASE(mapfile_never_overlaps),
	{}
};

static struct kunit_suite mapfile_suite = {
	.name = "od_mapfile",
	.test_cases = mapfile_cases,
};
kunit_test_suite(mapfile_suite);
