// SPDX-License-Identifier: GPL-2.0-only
#include "xattr.h"
#include "xxhash.h"

int od_xattr_body_parse(const u8 *p, size_t len, struct od_xattr_body *body)
{
	const struct od_disk_xattr_header *disk = (const void *)p;

	if (len < sizeof(*disk))
		return -EUCLEAN;
	body->p = p;
	body->len = len;
	body->filter = le32_to_cpu(disk->name_filter);
	body->shared_count = disk->shared_count;
	return od_xattr_first(body) > len ? -EUCLEAN : 0;
}

u64 od_xattr_shared(const struct od_xattr_body *body, u32 nr)
{
	const u8 *ids = body->p + sizeof(struct od_disk_xattr_header);

	return (u64)get_unaligned_le32(ids + nr * sizeof(__le32)) * OD_XATTR_ALIGN;
}

size_t od_xattr_first(const struct od_xattr_body *body)
{
	return sizeof(struct od_disk_xattr_header) + body->shared_count * sizeof(__le32);
}

void od_xattr_entry_head(const struct od_disk_xattr_entry *disk, struct od_xattr_entry *entry)
{
	entry->name_len = disk->name_len;
	entry->index = disk->name_index;
	entry->value_size = le16_to_cpu(disk->value_size);
	entry->name = NULL;
}

int od_xattr_next(const struct od_xattr_body *body, size_t *at,
		  struct od_xattr_entry *entry, const u8 **value)
{
	const struct od_disk_xattr_entry *disk = (const void *)(body->p + *at);
	size_t left = body->len - *at;
	size_t size;

	/* A tail shorter than an entry is padding. */
	if (left < sizeof(*disk))
		return -ENODATA;
	od_xattr_entry_head(disk, entry);
	size = sizeof(*disk) + entry->name_len + entry->value_size;
	if (size > left)
		return -EUCLEAN;
	entry->name = (const char *)(disk + 1);
	*value = (const u8 *)(disk + 1) + entry->name_len;
	*at += min_t(size_t, round_up(size, OD_XATTR_ALIGN), left);
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
