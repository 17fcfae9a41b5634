// SPDX-License-Identifier: GPL-2.0-only
#include "keyname.h"

#include <stdlib.h>

static int put_word(u8 *bytes, size_t *len, u32 word)
{
	if (*len + 4 > OD_KEY_MAX + 3)
		return -EINVAL;
	put_unaligned_le32(word, bytes + *len);
	*len += 4;
	return 0;
}

static u32 swap(u32 v)
{
	return v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24;
}

/* A letter, then hexadecimal words separated by commas; an empty word is 0. */
static int from_words(const char *name, u8 *bytes, size_t *len)
{
	bool big = *name == 'S';
	char *end;

	do {
		unsigned long word = 0;

		name++;
		if (*name && *name != ',') {
			word = strtoul(name, &end, 16);
			if (end == name || word > U32_MAX)
				return -EINVAL;
			name = end;
		}
		if (put_word(bytes, len, big ? swap((u32)word) : (u32)word))
			return -EINVAL;
	} while (*name == ',');
	return *name ? -EINVAL : 0;
}

/* Four digits encode three bytes; the digit after the letter counts the bytes of padding. */
static int from_base64(const char *name, u8 *bytes, size_t *len)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
	size_t padding = (size_t)(name[1] - '0');

	if (padding > 2)
		return -EINVAL;
	for (name += 2; *name; name += 4) {
		u32 v = 0;
		int i;

		for (i = 0; i < 4; i++) {
			const char *digit = name[i] ? strchr(digits, name[i]) : NULL;

			if (!digit)
				return -EINVAL;
			v |= (u32)(digit - digits) << 6 * i;
		}
		if (put_word(bytes, len, v))
			return -EINVAL;
		*len -= 1;
	}
	if (*len < padding)
		return -EINVAL;
	*len -= padding;
	return 0;
}

static int decode(const char *name, u8 *bytes, size_t *len)
{
	switch (*name) {
	case 'D':
		*len = strlen(name) - 1;
		if (*len > OD_KEY_MAX)
			return -EINVAL;
		memcpy(bytes, name + 1, *len);
		return 0;
	case 'S':
	case 'T':
		return from_words(name, bytes, len);
	case 'E':
		return from_base64(name, bytes, len);
	}
	return -EINVAL;
}

/**
 * key_of_file_name - decode the name of a cache file
 * @name: name of the file, as od_key_file_name() encodes it
 * @key: set to the name of the blob and a NUL; NULs at its end are dropped
 *
 * Return: 0, or -EINVAL for any other name, or if the name of the blob contains a NUL
 */
int key_of_file_name(const char *name, char key[static OD_KEY_MAX + 1])
{
	u8 bytes[OD_KEY_MAX + 4] = { 0 };
	char again[NAME_MAX + 1];
	size_t len = 0;

	if (decode(name, bytes, &len))
		return -EINVAL;
	while (len && !bytes[len - 1])
		len--;
	/* Accept only the canonical encoding. */
	if (memchr(bytes, 0, len) || od_key_file_name(bytes, len, again) < 0 ||
	    strcmp(name, again))
		return -EINVAL;
	memcpy(key, bytes, len);
	key[len] = '\0';
	return 0;
}
