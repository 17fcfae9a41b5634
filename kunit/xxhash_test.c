// SPDX-License-Identifier: GPL-2.0-only
/* xxh32: published vectors, and every length up to a few stripes. */
#include <kunit/test.h>

#include "erofs_od/core/format.h"
#include "erofs_od/core/xxhash.h"

static void xxhash_vectors(struct kunit *test)
{
	static const struct {
		const char *text;
		u32 seed;
		u32 hash;
	} cases[] = {
		{ "", 0, 0x02CC5D05 },
		{ "", 0x9E3779B1, 0x36B78AE7 },
		{ "a", 0, 0x550D7456 },
		{ "abc", 0, 0x32D153FF },
		{ "Nobody inspects the spammish repetition", 0, 0xE2293B2F },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (od_xxh32((const u8 *)cases[i].text, strlen(cases[i].text),
			     cases[i].seed) != cases[i].hash)
			KUNIT_FAIL(test, "\"%s\" seed %x", cases[i].text, cases[i].seed);
	}
}

/* All reads must be inside the buffer, and every byte must count. */
static void xxhash_every_byte_counts(struct kunit *test)
{
	size_t len, at;

	for (len = 1; len <= 40; len++) {
		u8 *p = kunit_kzalloc(test, len, GFP_KERNEL);
		u32 zeroes;

		KUNIT_ASSERT_NOT_NULL(test, p);
		zeroes = od_xxh32(p, len, 7);
		for (at = 0; at < len; at++) {
			p[at] = 1;
			KUNIT_EXPECT_NE(test, od_xxh32(p, len, 7), zeroes);
			p[at] = 0;
		}
	}
}

static struct kunit_case xxhash_cases[] = {
	KUNIT_CASE(xxhash_vectors),
	KUNIT_CASE(xxhash_every_byte_counts),
	{}
};

static struct kunit_suite xxhash_suite = {
	.name = "od_xxhash",
	.test_cases = xxhash_cases,
};
kunit_test_suite(xxhash_suite);
