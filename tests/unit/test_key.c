// SPDX-License-Identifier: GPL-2.0-only
/* Keys: hashes and file names, from the published vector and the limits. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "cachefiles_od/core/key.h"

static const u8 *bytes(const char *s)
{
	return (const u8 *)s;
}

static void hash_vector(void **state)
{
	u32 volume = od_key_volume_hash(bytes("erofs,test"), 10);

	(void)state;
	assert_int_equal(volume, 0x6c5d5056);
	assert_int_equal(od_key_cookie_hash(bytes("test"), 4, volume), 0xd218e239);
}

static void path_vector(void **state)
{
	u32 volume = od_key_volume_hash(bytes("erofs,test"), 10);
	char dir[OD_NAME_MAX + 1], fanout[OD_FANOUT_LEN + 1], file[OD_NAME_MAX + 1];

	(void)state;
	assert_int_equal(od_key_volume_name("erofs,test", dir), 11);
	od_key_fanout_name(od_key_cookie_hash(bytes("test"), 4, volume), fanout);
	assert_int_equal(od_key_file_name(bytes("test"), 4, file), 5);
	assert_string_equal(dir, "Ierofs,test");
	assert_string_equal(fanout, "@39");
	assert_string_equal(file, "Dtest");
}

static void file_names(void **state)
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
	char name[OD_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int len = od_key_file_name(bytes(cases[i].key), cases[i].len, name);

		if (len != (int)strlen(cases[i].name) || strcmp(name, cases[i].name) != 0)
			fail_msg("%s: %d \"%s\", not \"%s\"", cases[i].what, len, name,
				 cases[i].name);
	}
}

static void key_lengths(void **state)
{
	char name[OD_NAME_MAX + 1], dir[OD_NAME_MAX + 1], key[260];
	u8 odd[OD_KEY_MAX];

	(void)state;
	memset(key, 'k', sizeof(key));
	assert_int_equal(od_key_file_name(bytes(key), 0, name), -EINVAL);
	assert_int_equal(od_key_file_name(bytes(key), 252, name), 253);
	assert_int_equal(strlen(name), 253);
	assert_int_equal(od_key_file_name(bytes(key), 253, name), -ENAMETOOLONG);
	assert_int_equal(od_key_file_name(bytes(key), 255, name), -ENAMETOOLONG);

	/* 189 odd bytes make 254 letters of base64, 190 would make 258. */
	memset(odd, 0xff, sizeof(odd));
	assert_int_equal(od_key_file_name(odd, 189, name), 254);
	assert_int_equal(od_key_file_name(odd, 190, name), -ENAMETOOLONG);

	key[252] = '\0';
	assert_int_equal(od_key_volume_name(key, dir), 253);
	key[252] = 'k';
	key[253] = '\0';
	assert_int_equal(od_key_volume_name(key, dir), -ENAMETOOLONG);
	assert_int_equal(od_key_volume_name("", dir), -EINVAL);
	assert_int_equal(od_key_volume_name("erofs,../x", dir), -EINVAL);
}

/* Different keys must not share a file: every two-byte key, encoded. */
static void file_names_differ(void **state)
{
	static char seen[65536][8];
	char name[OD_NAME_MAX + 1];
	int i, j;

	(void)state;
	for (i = 0; i < 65536; i += 257) {
		u8 key[2] = { (u8)i, (u8)(i >> 8) };

		assert_in_range(od_key_file_name(key, 2, name), 1, 7);
		strcpy(seen[i], name);
		for (j = 0; j < i; j += 257)
			assert_string_not_equal(seen[i], seen[j]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_vector),
		cmocka_unit_test(path_vector),
		cmocka_unit_test(file_names),
		cmocka_unit_test(key_lengths),
		cmocka_unit_test(file_names_differ),
	};

	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
