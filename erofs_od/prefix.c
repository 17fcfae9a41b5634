// SPDX-License-Identifier: GPL-2.0-only
/* The table of long xattr name prefixes, read once per mount. */
#include "internal.h"

#include <linux/slab.h>

/* Entries name a prefix with seven bits. */
#define EROFS_OD_PREFIXES_MAX	(OD_XATTR_LONG_PREFIX_MASK + 1)

static int erofs_od_prefix_bytes(struct erofs_od_mount *m, const struct od_inode *packed, u64 at,
				 void *to, size_t len)
{
	if (packed)
		return erofs_od_copy_bytes(m, packed, at, to, len);
	return erofs_od_meta_copy(m->blobs[0], at, to, len);
}

/* Read the record at *at and go on to the next one. */
static int erofs_od_read_prefix(struct erofs_od_mount *m, const struct od_inode *packed, u64 *at)
{
	struct od_xattr_prefix *prefix = &m->prefixes[m->nr_prefixes];
	u8 head[2], *p;
	u16 size;
	int err;

	err = erofs_od_prefix_bytes(m, packed, *at, head, sizeof(head));
	if (err)
		return err;
	size = od_le16(head);
	if (!size)
		return -EUCLEAN;
	p = kmalloc(size, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = erofs_od_prefix_bytes(m, packed, *at + sizeof(head), p, size);
	if (!err)
		err = od_xattr_prefix_parse(p, size, prefix);
	if (!err)
		prefix->infix = kmemdup_nul(prefix->infix, prefix->infix_len, GFP_KERNEL);
	kfree(p);
	if (err)
		return err;
	if (!prefix->infix)
		return -ENOMEM;
	m->nr_prefixes++;
	*at = round_up(*at + sizeof(head) + size, OD_XATTR_ALIGN);
	return 0;
}

/**
 * erofs_od_read_prefixes - read the long xattr name prefixes of an image
 * @m: mount with its blobs open
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_prefixes(struct erofs_od_mount *m)
{
	unsigned int count = min_t(unsigned int, m->od.prefix_count, EROFS_OD_PREFIXES_MAX);
	const struct od_inode *packed = m->od.prefix_in_packed ? &m->packed : NULL;
	u64 at = m->od.prefix_off;
	int err = 0;

	if (!count)
		return 0;
	m->prefixes = kcalloc(count, sizeof(*m->prefixes), GFP_KERNEL);
	if (!m->prefixes)
		return -ENOMEM;
	while (!err && m->nr_prefixes < count)
		err = erofs_od_read_prefix(m, packed, &at);
	if (err)
		erofs_od_err(m, "cannot read xattr name prefix %u: %d", m->nr_prefixes, err);
	return err;
}

/**
 * erofs_od_free_prefixes - undo erofs_od_read_prefixes()
 * @m: mount
 */
void erofs_od_free_prefixes(struct erofs_od_mount *m)
{
	while (m->nr_prefixes)
		kfree(m->prefixes[--m->nr_prefixes].infix);
	kfree(m->prefixes);
}
