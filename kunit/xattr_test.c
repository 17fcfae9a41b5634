// SPDX-License-Identifier: GPL-2.0-only
/* Extended attributes: bodies, entries, long prefixes, the name filter. */
#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/xattr.h"
#include "erofs_od/core/xxhash.h"

static size_t put_entry(u8 *p, u8 index, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	p[0] = (u8)n;
	p[1] = index;
	put16(p + 2, (u16)v);
	memcpy(p + 4, name, n);
	memcpy(p + 4 + n, value, v);
	return (4 + n + v + 3) & ~(size_t)3;
}

static void xattr_body(struct kunit *test)
{
	struct od_xattr_entry e;
	struct od_xattr_body b;
	const u8 *value;
	u8 p[64] = { 0 };
	size_t at, end = 12 + 8;

	put32(p, 0xFFFF0000);
	p[4] = 2;
	put32(p + 12, 7);
	put32(p + 16, 0xFFFFFFFF);
	end += put_entry(p + end, OD_XATTR_USER, "one", "first");
	end += put_entry(p + end, OD_XATTR_SECURITY, "", "");
	KUNIT_EXPECT_EQ(test, od_xattr_body_parse(p, end, &b), 0);
	KUNIT_EXPECT_EQ(test, b.filter, 0xFFFF0000);
	KUNIT_EXPECT_EQ(test, b.shared_count, 2);
	KUNIT_EXPECT_EQ(test, od_xattr_shared(&b, 0), 28);
	KUNIT_EXPECT_EQ(test, od_xattr_shared(&b, 1), 0xFFFFFFFFULL * 4);
	at = od_xattr_first(&b);
	KUNIT_EXPECT_EQ(test, at, 20);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), 0);
	KUNIT_EXPECT_EQ(test, e.index, OD_XATTR_USER);
	KUNIT_EXPECT_EQ(test, e.name_len, 3);
	KUNIT_EXPECT_MEMEQ(test, e.name, "one", 3);
	KUNIT_EXPECT_EQ(test, e.value_size, 5);
	KUNIT_EXPECT_MEMEQ(test, value, "first", 5);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), 0);
	KUNIT_EXPECT_EQ(test, e.name_len, 0);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), -ENODATA);
}

static void xattr_body_limits(struct kunit *test)
{
	static const struct {
		size_t len;
		u8 shared;
		int err;
	} cases[] = {
		{ 0, 0, -EUCLEAN }, { 11, 0, -EUCLEAN }, { 12, 0, 0 }, { 12, 1, -EUCLEAN },
		{ 15, 1, -EUCLEAN }, { 16, 1, 0 }, { 12 + 255 * 4, 255, 0 },
		{ 11 + 255 * 4, 255, -EUCLEAN },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 *p = kunit_kzalloc(test, cases[i].len + 1, GFP_KERNEL);
		struct od_xattr_body b;

		KUNIT_ASSERT_NOT_NULL(test, p);
		if (cases[i].len > 4)
			p[4] = cases[i].shared;
		if (od_xattr_body_parse(p, cases[i].len, &b) != cases[i].err)
			KUNIT_FAIL(test, "case %zu", i);
	}
}

/* An entry one byte longer than what is left. */
static void xattr_entry_limits(struct kunit *test)
{
	u8 p[12 + 4 + 8] = { 0 };
	struct od_xattr_entry e;
	struct od_xattr_body b;
	const u8 *value;
	size_t at;

	KUNIT_EXPECT_EQ(test, od_xattr_body_parse(p, sizeof(p), &b), 0);
	p[12] = 3;
	put16(p + 14, 5);
	at = od_xattr_first(&b);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), 0);
	KUNIT_EXPECT_EQ(test, at, sizeof(p));
	put16(p + 14, 6);
	at = od_xattr_first(&b);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), -EUCLEAN);
	p[12] = 255;
	put16(p + 14, 65535);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), -EUCLEAN);
	/* The last entry's padding may be cut off. */
	p[12] = 1;
	put16(p + 14, 0);
	b.len = 12 + 5;
	at = od_xattr_first(&b);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), 0);
	KUNIT_EXPECT_EQ(test, od_xattr_next(&b, &at, &e, &value), -ENODATA);
}

static void xattr_prefixes(struct kunit *test)
{
	static const u8 good[] = { OD_XATTR_USER, 'a', 'b', '.' };
	static const u8 nested[] = { 0x81, 'a' };
	struct od_xattr_prefix p[2], r;
	u8 *longest = kunit_kzalloc(test, 257, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, longest);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(good, 4, &p[0]), 0);
	KUNIT_EXPECT_EQ(test, p[0].base, OD_XATTR_USER);
	KUNIT_EXPECT_EQ(test, p[0].infix_len, 3);
	KUNIT_EXPECT_MEMEQ(test, p[0].infix, "ab.", 3);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(good, 0, &p[1]), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(nested, 2, &p[1]), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(longest, 257, &p[1]), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(longest, 256, &p[1]), 0);
	KUNIT_EXPECT_EQ(test, od_xattr_prefix_parse(good, 1, &p[1]), 0);

	KUNIT_EXPECT_EQ(test, od_xattr_resolve(0x80, p, 2, &r), 0);
	KUNIT_EXPECT_EQ(test, r.infix_len, 3);
	KUNIT_EXPECT_EQ(test, od_xattr_resolve(0x81, p, 2, &r), 0);
	KUNIT_EXPECT_EQ(test, r.infix_len, 0);
	KUNIT_EXPECT_EQ(test, od_xattr_resolve(0x82, p, 2, &r), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_resolve(0xFF, p, 2, &r), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_resolve(0x80, NULL, 0, &r), -EUCLEAN);
	KUNIT_EXPECT_EQ(test, od_xattr_resolve(OD_XATTR_TRUSTED, NULL, 0, &r), 0);
	KUNIT_EXPECT_EQ(test, r.base, OD_XATTR_TRUSTED);
	KUNIT_EXPECT_EQ(test, r.infix_len, 0);
}

static void xattr_matches(struct kunit *test)
{
	static const struct {
		u8 index;
		const char *infix, *rest;
		u8 wanted;
		const char *name;
		bool match;
	} cases[] = {
		{ 1, "", "name", 1, "name", true },
		{ 1, "", "name", 4, "name", false },
		{ 1, "", "name", 1, "nam", false },
		{ 1, "", "name", 1, "names", false },
		{ 1, "", "", 1, "", true },
		{ 1, "long.", "name", 1, "long.name", true },
		{ 1, "long.", "name", 1, "name", false },
		{ 1, "long.", "name", 1, "lang.name", false },
		{ 1, "long.", "", 1, "long.", true },
		{ 1, "long.", "name", 1, "long.nam", false },
		{ 6, "long.", "name", 1, "long.name", false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_xattr_entry e = {
			.name = cases[i].rest, .name_len = (u8)strlen(cases[i].rest),
		};
		struct od_xattr_prefix p = {
			.base = cases[i].index, .infix = cases[i].infix,
			.infix_len = (u16)strlen(cases[i].infix),
		};

		if (od_xattr_match(&e, &p, cases[i].wanted, cases[i].name,
				   strlen(cases[i].name)) != cases[i].match)
			KUNIT_FAIL(test, "case %zu", i);
	}
}

static void xattr_name_filter(struct kunit *test)
{
	u32 bit = od_xxh32((const u8 *)"name", 4, 0x25BBE08F + 1) & 31;
	struct od_xattr_body b = { .filter = 1U << bit };

	KUNIT_EXPECT_TRUE(test, od_xattr_absent(&b, 1, "name", 4));
	b.filter = ~b.filter;
	KUNIT_EXPECT_FALSE(test, od_xattr_absent(&b, 1, "name", 4));
	b.filter = 0;
	KUNIT_EXPECT_FALSE(test, od_xattr_absent(&b, 1, "name", 4));
	b.filter = ~0U;
	KUNIT_EXPECT_TRUE(test, od_xattr_absent(&b, 6, "", 0));
}

/* The fixed part of an entry, at the limits of its fields and of the space left. */
static void xattr_entry_sizes(struct kunit *test)
{
	static const struct {
		const char *name;
		size_t left;
		u8 name_len;
		u16 value_size;
		int err;
		size_t step;
	} cases[] = {
		{ "nothing left", 0, 0, 0, -ENODATA, 0 },
		{ "a tail of padding", 3, 0, 0, -ENODATA, 0 },
		{ "no name and no value", 4, 0, 0, 0, 4 },
		{ "a byte of name too much", 4, 1, 0, -EUCLEAN, 0 },
		{ "a byte of value too much", 4, 0, 1, -EUCLEAN, 0 },
		{ "padding that is not there", 5, 1, 0, 0, 5 },
		{ "padding that is there", 8, 1, 0, 0, 8 },
		{ "longest name", 4 + 255, 255, 0, 0, 259 },
		{ "longest name, cut off", 4 + 254, 255, 0, -EUCLEAN, 0 },
		{ "longest of both", 4 + 255 + 65535, 255, 65535, 0, 4 + 255 + 65535 },
		{ "longest of both, cut off", 3 + 255 + 65535, 255, 65535, -EUCLEAN, 0 },
	};
	u8 *p = kunit_kzalloc(test, 12 + 4 + 255 + 65535, GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_xattr_entry e;
		struct od_xattr_body b;
		size_t at = 12;
		const u8 *value;
		int err;

		p[12] = cases[i].name_len;
		put16(p + 14, cases[i].value_size);
		KUNIT_ASSERT_EQ(test, od_xattr_body_parse(p, 12 + cases[i].left, &b), 0);
		err = od_xattr_next(&b, &at, &e, &value);
		if (err != cases[i].err || at != 12 + cases[i].step)
			KUNIT_FAIL(test, "%s: %d, at %zu", cases[i].name, err, at);
	}
}

/* All prefixes that an entry can refer to. */
static void xattr_most_prefixes(struct kunit *test)
{
	struct od_xattr_prefix *all, r;
	u32 i;

	all = kunit_kzalloc(test, 128 * sizeof(*all), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	for (i = 0; i < 128; i++)
		all[i].infix_len = (u16)i;
	for (i = 0; i < 128; i++) {
		KUNIT_EXPECT_EQ(test, od_xattr_resolve((u8)(0x80 | i), all, 128, &r), 0);
		KUNIT_EXPECT_EQ(test, r.infix_len, i);
		KUNIT_EXPECT_EQ(test, od_xattr_resolve((u8)(0x80 | i), all, i, &r), -EUCLEAN);
	}
}

static struct kunit_case xattr_cases[] = {
	KUNIT_CASE(xattr_body),
	KUNIT_CASE(xattr_body_limits),
	KUNIT_CASE(xattr_entry_limits),
	KUNIT_CASE(xattr_prefixes),
	KUNIT_CASE(xattr_matches),
	KUNIT_CASE(xattr_name_filter),
	KUNIT_CASE(xattr_entry_sizes),
	KUNIT_CASE(xattr_most_prefixes),
	{}
};

static struct kunit_suite xattr_suite = {
	.name = "od_xattr",
	.test_cases = xattr_cases,
};
kunit_test_suite(xattr_suite);
