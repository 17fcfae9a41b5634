// SPDX-License-Identifier: GPL-2.0-only
/* Keys: hashes and file names, from the published vector and at the limits. */
#include <kunit/test.h>

#include "cachefiles_od/core/key.h"

static const u8 *bytes(const char *s)
{
	return (const u8 *)s;
}

static void key_hash_vector(struct kunit *test)
{
	u32 volume = od_key_volume_hash(bytes("erofs,test"), 10);

	KUNIT_EXPECT_EQ(test, volume, 0x6c5d5056);
	KUNIT_EXPECT_EQ(test, od_key_cookie_hash(bytes("test"), 4, volume), 0xd218e239);
}

static void key_path_vector(struct kunit *test)
{
	u32 volume = od_key_volume_hash(bytes("erofs,test"), 10);
	char name[NAME_MAX + 1], fanout[OD_FANOUT_LEN + 1];

	KUNIT_EXPECT_EQ(test, od_key_volume_name("erofs,test", name), 11);
	KUNIT_EXPECT_STREQ(test, name, "Ierofs,test");
	od_key_fanout_name(od_key_cookie_hash(bytes("test"), 4, volume), fanout);
	KUNIT_EXPECT_EQ(test, od_key_file_name(bytes("test"), 4, name), 5);
	KUNIT_EXPECT_STREQ(test, name, "Dtest");
	KUNIT_EXPECT_STREQ(test, fanout, "@39");
}

static void key_file_names(struct kunit *test)
{
	static const struct {
		const char *what, *key;
		size_t len;
		const char *name;
	} cases[] = {
		{ "plain", "sha256-abc", 10, "Dsha256-abc" },
		{ "first and last plain byte", "!\x7f", 2, "D!\x7f" },
		{ "slash is not plain", "a/b", 3, "E0xZyo" },
		{ "blank is not plain", "a b", 3, "E0x1yo" },
		{ "one word, four digits each way", "    ", 4, "S20202020" },
		{ "base64 with one padding byte", "/////", 5, "E1LYObLY20" },
		{ "base64 with two padding bytes", "///////", 7, "E2LYObLYObL000" },
		{ "one word, little-endian", " ", 1, "T20" },
		{ "words, big-endian shorter", "\0\0\0\1\0\0\0\2\0\0\0\0", 12, "S1,2," },
		{ "words, little-endian shorter", "\1\0\0\0\2\0\0\0\0\0\0\0", 12, "T1,2," },
		{ "high byte", "\x80\0\0\0", 4, "T80" },
	};
	char name[NAME_MAX + 1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int len = od_key_file_name(bytes(cases[i].key), cases[i].len, name);

		if (len != (int)strlen(cases[i].name) || strcmp(name, cases[i].name) != 0)
			KUNIT_FAIL(test, "%s: %d \"%s\", not \"%s\"", cases[i].what, len, name,
				   cases[i].name);
	}
}

static void key_key_lengths(struct kunit *test)
{
	char *name = kunit_kzalloc(test, NAME_MAX + 1, GFP_KERNEL);
	char *key = kunit_kzalloc(test, 260, GFP_KERNEL);
	u8 *odd = kunit_kzalloc(test, OD_KEY_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, name);
	KUNIT_ASSERT_NOT_NULL(test, key);
	KUNIT_ASSERT_NOT_NULL(test, odd);
	memset(key, 'k', 260);
	KUNIT_EXPECT_EQ(test, od_key_file_name(bytes(key), 0, name), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_key_file_name(bytes(key), 252, name), 253);
	KUNIT_EXPECT_EQ(test, strlen(name), 253);
	KUNIT_EXPECT_EQ(test, od_key_file_name(bytes(key), 253, name), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, od_key_file_name(bytes(key), 255, name), -ENAMETOOLONG);

	/* 189 such bytes encode to 254 base64 characters, 190 would to 258. */
	memset(odd, 0xff, OD_KEY_MAX);
	KUNIT_EXPECT_EQ(test, od_key_file_name(odd, 189, name), 254);
	KUNIT_EXPECT_EQ(test, od_key_file_name(odd, 190, name), -ENAMETOOLONG);

	key[252] = '\0';
	KUNIT_EXPECT_EQ(test, od_key_volume_name(key, name), 253);
	key[252] = 'k';
	key[253] = '\0';
	KUNIT_EXPECT_EQ(test, od_key_volume_name(key, name), -ENAMETOOLONG);
	KUNIT_EXPECT_EQ(test, od_key_volume_name("", name), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_key_volume_name("erofs,../x", name), -EINVAL);
}

/* Different keys must not share a file: every two-byte key, encoded. */
static void key_file_names_differ(struct kunit *test)
{
	static char seen[256][8];
	char name[NAME_MAX + 1];
	int i, j;

	for (i = 0; i < 256; i++) {
		u8 key[2] = { (u8)i, (u8)i };
		int len = od_key_file_name(key, 2, name);

		KUNIT_ASSERT_GE(test, len, 1);
		KUNIT_ASSERT_LE(test, len, 7);
		memcpy(seen[i], name, (size_t)len + 1);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, seen[i], seen[j]);
	}
}

/* The name of every fan-out directory, independent of the hash's other bits. */
static void key_fanout_names(struct kunit *test)
{
	char name[OD_FANOUT_LEN + 1], expected[8];
	u32 i;

	for (i = 0; i < 256; i++) {
		snprintf(expected, sizeof(expected), "@%02x", i);
		od_key_fanout_name(i | 0xA5C3F100U, name);
		KUNIT_EXPECT_STREQ(test, name, expected);
	}
}

/* Each byte by itself: kept or encoded. */
static void key_plain_bytes(struct kunit *test)
{
	char name[NAME_MAX + 1];
	unsigned int c;

	for (c = 0; c < 256; c++) {
		u8 key = (u8)c;
		bool plain = (c >= 33 && c <= 46) || (c >= 48 && c <= 127);

		KUNIT_ASSERT_GE(test, od_key_file_name(&key, 1, name), 1);
		KUNIT_EXPECT_EQ_MSG(test, name[0] == 'D', plain, "byte %u", c);
	}
}

/* All bytes of a key affect its hash, as does its length. */
static void key_hash_takes_all(struct kunit *test)
{
	u8 *key = kunit_kzalloc(test, OD_KEY_MAX, GFP_KERNEL);
	u32 volume = 0, cookie = 0;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, key);
	for (len = 1; len <= OD_KEY_MAX; len++) {
		u32 v = od_key_volume_hash(key, len), c = od_key_cookie_hash(key, len, v);

		KUNIT_EXPECT_NE(test, v, volume);
		key[len - 1] = 1;
		KUNIT_EXPECT_NE(test, od_key_volume_hash(key, len), v);
		KUNIT_EXPECT_NE(test, od_key_cookie_hash(key, len, v), c);
		KUNIT_EXPECT_NE(test, od_key_cookie_hash(key, len, v + 1), c);
		key[len - 1] = 0;
		volume = v;
		cookie = c;
	}
	KUNIT_EXPECT_NE(test, cookie, 0);
}

static struct kunit_case key_cases[] = {
	KUNIT_CASE(key_hash_vector),
	KUNIT_CASE(key_path_vector),
	KUNIT_CASE(key_file_names),
	KUNIT_CASE(key_key_lengths),
	KUNIT_CASE(key_file_names_differ),
	KUNIT_CASE(key_fanout_names),
	KUNIT_CASE(key_plain_bytes),
	KUNIT_CASE(key_hash_takes_all),
	{}
};

static struct kunit_suite key_suite = {
	.name = "od_key",
	.test_cases = key_cases,
};
kunit_test_suite(key_suite);
