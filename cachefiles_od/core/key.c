// SPDX-License-Identifier: GPL-2.0-only
#include "key.h"

#define OD_HASH_MULTIPLIER	0x61C88647U

static const char od_hex_digits[] = "0123456789abcdef";

struct od_hash {
	u32 x, y;
};

static void od_hash_word(struct od_hash *h, u32 word)
{
	h->x ^= word;
	h->y ^= h->x;
	h->x = rol32(h->x, 7);
	h->x += h->y;
	h->y = rol32(h->y, 20);
	h->y *= 9;
}

static u32 od_hash_fold(const struct od_hash *h)
{
	return (h->y ^ h->x * OD_HASH_MULTIPLIER) * OD_HASH_MULTIPLIER;
}

/* A word of the zero-padded key, with or without a byte prepended. */
static u32 od_key_word(const u8 *key, size_t len, size_t at, int front)
{
	u8 b[4] = { 0 };
	size_t i;

	for (i = 0; i < 4; i++) {
		size_t pos = at + i;

		if (front >= 0) {
			if (pos == 0) {
				b[i] = (u8)front;
				continue;
			}
			pos--;
		}
		if (pos < len)
			b[i] = key[pos];
	}
	return get_unaligned_le32(b);
}

u32 od_key_volume_hash(const u8 *key, size_t len)
{
	struct od_hash h = { 0, 0 };
	size_t at;

	/* A length byte precedes the key and a NUL follows it. */
	for (at = 0; at < len + 2; at += 4)
		od_hash_word(&h, od_key_word(key, len, at, (u8)len));
	return od_hash_fold(&h);
}

u32 od_key_cookie_hash(const u8 *key, size_t len, u32 volume_hash)
{
	struct od_hash h = { 0, volume_hash };
	size_t at;

	for (at = 0; at < len; at += 4)
		od_hash_word(&h, od_key_word(key, len, at, -1));
	return od_hash_fold(&h);
}

static bool od_key_is_plain(const u8 *key, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (key[i] < 33 || key[i] == '/' || key[i] > 127)
			return false;
	return true;
}

static unsigned int od_hex_len(u32 v)
{
	unsigned int n = 0;

	for (; v; v >>= 4)
		n++;
	return n;
}

static size_t od_put_hex(char *p, u32 v)
{
	unsigned int n = od_hex_len(v), i;

	for (i = n; i > 0; i--, v >>= 4)
		p[i - 1] = od_hex_digits[v & 15];
	return n;
}

/* Words in hexadecimal, each preceded by a letter or a comma; a zero word is empty. */
static int od_key_as_words(const u8 *key, size_t len, bool big, char *name)
{
	size_t at, n = 0;

	for (at = 0; at < len; at += 4) {
		u32 v = od_key_word(key, len, at, -1);

		name[n++] = at ? ',' : big ? 'S' : 'T';
		n += od_put_hex(name + n, big ? swab32(v) : v);
	}
	name[n] = '\0';
	return (int)n;
}

static int od_key_as_base64(const u8 *key, size_t len, char *name)
{
	static const char digits[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
	size_t at, n = 0;

	name[n++] = 'E';
	name[n++] = (char)('0' + (3 - len % 3) % 3);
	for (at = 0; at < len; at += 3) {
		u32 v = od_key_word(key, len, at, -1) & 0xffffff;
		int i;

		for (i = 0; i < 4; i++, v >>= 6)
			name[n++] = digits[v & 63];
	}
	name[n] = '\0';
	return (int)n;
}

int od_key_file_name(const u8 *key, size_t len, char name[NAME_MAX + 1])
{
	size_t at, big = 0, little = 0, base64;

	if (len == 0)
		return -EINVAL;
	if (len > OD_KEY_MAX)
		return -ENAMETOOLONG;
	if (od_key_is_plain(key, len)) {
		name[0] = 'D';
		memcpy(name + 1, key, len);
		name[len + 1] = '\0';
		return (int)len + 1;
	}

	for (at = 0; at < len; at += 4) {
		u32 v = od_key_word(key, len, at, -1);

		little += 1 + od_hex_len(v);
		big += 1 + od_hex_len(swab32(v));
	}
	base64 = 2 + (len + 2) / 3 * 4;
	if (big < base64 || little < base64) {
		if (min(big, little) > NAME_MAX)
			return -ENAMETOOLONG;
		return od_key_as_words(key, len, big <= little, name);
	}
	if (base64 > NAME_MAX)
		return -ENAMETOOLONG;
	return od_key_as_base64(key, len, name);
}

int od_key_volume_name(const char *key, char name[NAME_MAX + 1])
{
	size_t len = strlen(key);

	if (len == 0 || strchr(key, '/'))
		return -EINVAL;
	if (len > OD_KEY_MAX)
		return -ENAMETOOLONG;
	name[0] = 'I';
	memcpy(name + 1, key, len + 1);
	return (int)len + 1;
}

void od_key_fanout_name(u32 hash, char name[OD_FANOUT_LEN + 1])
{
	name[0] = '@';
	name[1] = od_hex_digits[hash >> 4 & 15];
	name[2] = od_hex_digits[hash & 15];
	name[3] = '\0';
}
