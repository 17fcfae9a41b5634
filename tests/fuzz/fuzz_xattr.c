// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended attributes. The input: number of long prefixes, size and bytes of each,
 * index, length and bytes of a name to look up, then the body.
 */
#include "fuzz.h"
#include "erofs_od/core/xattr.h"
#include "erofs_od/core/xxhash.h"

#define PREFIXES_MAX	4

struct prefixes {
	struct od_xattr_prefix prefix[PREFIXES_MAX];
	u8 *bytes[PREFIXES_MAX];
	u32 nr;
};

static void feed_prefixes(struct feed *feed, struct prefixes *all)
{
	u8 count = feed8(feed) % (PREFIXES_MAX + 1);

	while (all->nr < count) {
		struct od_xattr_prefix *prefix = &all->prefix[all->nr];
		/* The size field has 16 bits; slightly more than a name is enough. */
		u16 size = feed16(feed) % (OD_NAME_MAX + 10);
		u8 *bytes = feed_bytes(feed, size);
		int err = od_xattr_prefix_parse(bytes, size, prefix);

		must(!err || err == -EUCLEAN);
		if (err) {
			must(size < 1 || size - 1 > OD_NAME_MAX || bytes[0] & 0x80);
			free(bytes);
			return;
		}
		must(prefix->infix_len <= OD_NAME_MAX && prefix->infix_len == size - 1);
		must(inside(prefix->infix, prefix->infix_len, bytes, size));
		must(prefix->base == bytes[0] && !(prefix->base & OD_XATTR_LONG_PREFIX));
		all->bytes[all->nr++] = bytes;
	}
}

/* The xattr's full name matches, any other does not. */
static void check_match(const struct od_xattr_entry *entry, const struct od_xattr_prefix *prefix)
{
	size_t len = (size_t)prefix->infix_len + entry->name_len;
	char *name = malloc(len + 1);

	memcpy(name, prefix->infix, prefix->infix_len);
	memcpy(name + prefix->infix_len, entry->name, entry->name_len);
	must(od_xattr_match(entry, prefix, prefix->base, name, len));
	must(!od_xattr_match(entry, prefix, (u8)(prefix->base + 1), name, len));
	name[len] = 'x';
	must(!od_xattr_match(entry, prefix, prefix->base, name, len + 1));
	if (len) {
		must(!od_xattr_match(entry, prefix, prefix->base, name, len - 1));
		name[len / 2]++;
		must(!od_xattr_match(entry, prefix, prefix->base, name, len));
	}
	free(name);
}

static void check_prefix(u8 index, const struct prefixes *all, struct od_xattr_prefix *prefix)
{
	int err = od_xattr_resolve(index, all->prefix, all->nr, prefix);

	must(err == (index & 0x80 && (index & 0x7fU) >= all->nr ? -EUCLEAN : 0));
	if (!err && !(index & 0x80))
		must(prefix->base == index && prefix->infix_len == 0 && prefix->infix);
}

static void walk(const struct od_xattr_body *body, const struct prefixes *all, u8 index,
		 const char *name, size_t name_len)
{
	size_t at = od_xattr_first(body), before = 0;
	struct od_xattr_entry entry;
	struct od_xattr_prefix prefix;
	const u8 *value;

	for (;;) {
		int err;

		must(at <= body->len && at > before);
		before = at;
		err = od_xattr_next(body, &at, &entry, &value);
		must(!err || err == -ENODATA || err == -EUCLEAN);
		if (err) {
			must(err == -EUCLEAN ||
			     body->len - at < sizeof(struct od_disk_xattr_entry));
			return;
		}
		must(inside(entry.name, entry.name_len, body->p, body->len));
		must(inside(value, entry.value_size, body->p, body->len));
		must(entry.name == (const char *)body->p + before + 4);
		must(value == (const u8 *)entry.name + entry.name_len);
		must(at == body->len || at % OD_XATTR_ALIGN == 0);
		check_prefix(entry.index, all, &prefix);
		if (od_xattr_resolve(entry.index, all->prefix, all->nr, &prefix))
			continue;
		check_match(&entry, &prefix);
		if (od_xattr_match(&entry, &prefix, index, name, name_len))
			must(prefix.base == index &&
			     prefix.infix_len + entry.name_len == name_len);
	}
}

static void check_body(const u8 *p, size_t len, const struct prefixes *all, u8 index,
		       const char *name, size_t name_len)
{
	struct od_xattr_body body;
	int err = od_xattr_body_parse(p, len, &body);
	u32 i, bit;

	must(err == (len < 12 || len < 12 + 4 * (size_t)p[4] ? -EUCLEAN : 0));
	if (err)
		return;
	must(body.p == p && body.len == len && body.shared_count == p[4]);
	must(od_xattr_first(&body) <= len);
	for (i = 0; i < body.shared_count; i++)
		must(od_xattr_shared(&body, i) == 4ULL * get_unaligned_le32(p + 12 + 4 * i));
	bit = od_xxh32((const u8 *)name, name_len, 0x25BBE08FU + index) % 32;
	must(od_xattr_absent(&body, index, name, name_len) == (get_unaligned_le32(p) >> bit & 1));
	walk(&body, all, index, name, name_len);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct prefixes all = { .nr = 0 };
	size_t len, name_len;
	char *name;
	u8 *p, index;

	feed_prefixes(&feed, &all);
	index = feed8(&feed);
	name_len = feed8(&feed);
	name = (char *)feed_bytes(&feed, name_len);
	p = feed_rest(&feed, 12 + 4 * 0xffff, &len);
	check_body(p, len, &all, index, name, name_len);
	free(p);
	free(name);
	while (all.nr)
		free(all.bytes[--all.nr]);
	return 0;
}
