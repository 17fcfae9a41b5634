// SPDX-License-Identifier: GPL-2.0-only
/* Names of files in the cache: the input is a key. */
#include "fuzz.h"
#include "cachefiles_od/core/key.h"

/* Includes keys that are too long, which must be rejected. */
#define KEY_TRIED	300

static u32 digit(char c, const char *digits)
{
	const char *at = strchr(digits, c);

	must(c && at);
	return (u32)(at - digits);
}

/* Decodes hexadecimal words, each with a letter before it. */
static size_t decode_words(const char *name, u8 *key)
{
	bool big = *name == 'S';
	size_t n = 0;

	while (*name) {
		u64 v = 0;
		int i;

		must(n == 0 || *name == ',');
		for (name++; *name && *name != ','; name++)
			v = v << 4 | digit(*name, "0123456789abcdef");
		must(v <= U32_MAX);
		for (i = 0; i < 4; i++)
			key[n++] = (u8)(v >> (big ? 24 - 8 * i : 8 * i));
	}
	return n;
}

static size_t decode_base64(const char *name, u8 *key)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
	u32 padding = digit(name[1], "012");
	size_t n = 0;

	for (name += 2; *name; name += 4) {
		u32 v = 0;
		int i;

		for (i = 0; i < 4; i++)
			v |= digit(name[i], digits) << 6 * i;
		for (i = 0; i < 3; i++)
			key[n++] = (u8)(v >> 8 * i);
	}
	must(n >= padding);
	return n - padding;
}

/* A name decodes to its key, except for trailing NULs of words: no two keys share a file. */
static void check_decoded(const u8 *key, size_t len, const char *name)
{
	u8 got[4 * (NAME_MAX + 1)];
	size_t n;

	if (name[0] == 'D') {
		must(strlen(name + 1) == len && !memcmp(name + 1, key, len));
		return;
	}
	if (name[0] == 'E') {
		must(decode_base64(name, got) == len && !memcmp(got, key, len));
		return;
	}
	must(name[0] == 'S' || name[0] == 'T');
	n = decode_words(name, got);
	must(n >= len && n - len < 4 && !memcmp(got, key, len));
	while (n > len)
		must(!got[--n]);
}

static void check_file_name(const u8 *key, size_t len)
{
	char *name = malloc(NAME_MAX + 1);
	int got, i;

	memset(name, 0xa5, NAME_MAX + 1);
	got = od_key_file_name(key, len, name);
	must((got == -EINVAL) == (len == 0));
	if (got < 0) {
		must(len == 0 || (got == -ENAMETOOLONG && len > 128));
	} else {
		must(len <= OD_KEY_MAX && got >= 1 && got <= (int)NAME_MAX);
		must(strnlen(name, NAME_MAX + 1) == (size_t)got);
		for (i = 0; i < got; i++)
			must(name[i] > 32 && name[i] != '/');
		check_decoded(key, len, name);
	}
	free(name);
}

static void check_volume_name(const u8 *key, size_t len)
{
	char *text = malloc(len + 1), *name = malloc(NAME_MAX + 1);
	int got;

	memcpy(text, key, len);
	text[len] = '\0';
	len = strlen(text);
	got = od_key_volume_name(text, name);
	must((got == -EINVAL) == (!len || strchr(text, '/')));
	must(got == -EINVAL || (got == -ENAMETOOLONG) == (len > OD_KEY_MAX));
	if (got > 0) {
		must(got == (int)len + 1 && got <= (int)NAME_MAX);
		must(name[0] == 'I' && !strcmp(name + 1, text));
	}
	free(text);
	free(name);
}

/* A hash depends only on the bytes, not on their alignment. */
static void check_hashes(const u8 *key, size_t len)
{
	u8 *odd = malloc(len + 1);
	char fanout[OD_FANOUT_LEN + 1], wanted[OD_FANOUT_LEN + 1];
	u32 volume = od_key_volume_hash(key, len), cookie;

	memcpy(odd + 1, key, len);
	must(od_key_volume_hash(odd + 1, len) == volume);
	cookie = od_key_cookie_hash(key, len, volume);
	must(od_key_cookie_hash(odd + 1, len, volume) == cookie);
	od_key_fanout_name(cookie, fanout);
	snprintf(wanted, sizeof(wanted), "@%02x", cookie & 0xff);
	must(!strcmp(fanout, wanted));
	free(odd);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	size_t len;
	u8 *key = feed_rest(&feed, KEY_TRIED, &len);

	check_file_name(key, len);
	check_volume_name(key, len);
	if (len >= 1 && len <= OD_KEY_MAX)
		check_hashes(key, len);
	free(key);
	return 0;
}
