// SPDX-License-Identifier: GPL-2.0-only
#include "xattr.h"
#include "xxhash.h"

#define OD_XATTR_SHARED_SIZE	4

int od_xattr_body_parse(const u8 *p, size_t len, struct od_xattr_body *body)
{
	if (len < OD_XATTR_HEADER_SIZE)
		return -EUCLEAN;
	body->p = p;
	body->len = len;
	body->filter = od_le32(p);
	body->shared_count = p[OD_XATTR_SHARED_COUNT_AT];
	return od_xattr_first(body) > len ? -EUCLEAN : 0;
}

u64 od_xattr_shared(const struct od_xattr_body *body, u32 nr)
{
	const u8 *ids = body->p + OD_XATTR_HEADER_SIZE;

	return (u64)od_le32(ids + nr * OD_XATTR_SHARED_SIZE) * OD_XATTR_ALIGN;
}

size_t od_xattr_first(const struct od_xattr_body *body)
{
	return OD_XATTR_HEADER_SIZE + body->shared_count * OD_XATTR_SHARED_SIZE;
}

void od_xattr_entry_head(const u8 p[OD_XATTR_ENTRY_SIZE], struct od_xattr_entry *entry)
{
	entry->name_len = p[0];
	entry->index = p[1];
	entry->value_size = od_le16(p + 2);
	entry->name = NULL;
}

int od_xattr_next(const struct od_xattr_body *body, size_t *at,
		  struct od_xattr_entry *entry, const u8 **value)
{
	size_t left = body->len - *at;
	size_t size;

	/* A tail shorter than an entry is padding. */
	if (left < OD_XATTR_ENTRY_SIZE)
		return -ENODATA;
	od_xattr_entry_head(body->p + *at, entry);
	size = (size_t)OD_XATTR_ENTRY_SIZE + entry->name_len + entry->value_size;
	if (size > left)
		return -EUCLEAN;
	entry->name = (const char *)body->p + *at + OD_XATTR_ENTRY_SIZE;
	*value = body->p + *at + OD_XATTR_ENTRY_SIZE + entry->name_len;
	size = (size + OD_XATTR_ALIGN - 1) & ~(size_t)(OD_XATTR_ALIGN - 1);
	*at += size < left ? size : left;
	return 0;
}

int od_xattr_prefix_parse(const u8 *p, u16 size, struct od_xattr_prefix *prefix)
{
	if (size < 1 || size - 1 > OD_NAME_MAX || p[0] & OD_XATTR_LONG_PREFIX)
		return -EUCLEAN;
	prefix->base = p[0];
	prefix->infix = (const char *)p + 1;
	prefix->infix_len = size - 1;
	return 0;
}

int od_xattr_resolve(u8 index, const struct od_xattr_prefix *prefixes, u32 count,
		     struct od_xattr_prefix *prefix)
{
	u32 nr = index & OD_XATTR_LONG_PREFIX_MASK;

	if (index & OD_XATTR_LONG_PREFIX) {
		if (nr >= count)
			return -EUCLEAN;
		*prefix = prefixes[nr];
		return 0;
	}
	prefix->base = index;
	prefix->infix = "";
	prefix->infix_len = 0;
	return 0;
}

bool od_xattr_match(const struct od_xattr_entry *entry,
		    const struct od_xattr_prefix *prefix, u8 index,
		    const char *name, size_t len)
{
	return prefix->base == index &&
	       (size_t)prefix->infix_len + entry->name_len == len &&
	       !memcmp(name, prefix->infix, prefix->infix_len) &&
	       !memcmp(name + prefix->infix_len, entry->name, entry->name_len);
}

bool od_xattr_absent(const struct od_xattr_body *body, u8 index, const char *name,
		     size_t len)
{
	u32 hash = od_xxh32((const u8 *)name, len, OD_XATTR_FILTER_SEED + index);

	return body->filter >> (hash % OD_XATTR_FILTER_BITS) & 1;
}
