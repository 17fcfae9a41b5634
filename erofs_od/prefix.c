// SPDX-License-Identifier: GPL-2.0-only
/* The table of long xattr name prefixes, read once per mount. */
#include "internal.h"

#include <linux/slab.h>

/* Entries have seven bits for the prefix number. */
#define PREFIXES_MAX	(OD_XATTR_LONG_PREFIX_MASK + 1)

static int prefix_bytes(struct erofs_od_sb_info *sbi, u64 at, void *to, size_t len)
{
	switch (sbi->od.prefix_place) {
	case OD_PREFIX_IN_PACKED:
		return erofs_od_copy_bytes(sbi, &sbi->packed, at, to, len);
	case OD_PREFIX_IN_METABOX:
		return erofs_od_meta_copy(sbi, sbi->metabox, at, to, len);
	default:
		return erofs_od_meta_copy(sbi, sbi->blobs[0], at, to, len);
	}
}

/* Reads the record at *at and advances to the next one. */
static int read_prefix(struct erofs_od_sb_info *sbi, u64 *at)
{
	struct od_xattr_prefix *prefix = &sbi->prefixes[sbi->nr_prefixes];
	__le16 head;
	u8 *p;
	u16 size;
	int err;

	err = prefix_bytes(sbi, *at, &head, sizeof(head));
	if (err)
		return err;
	size = le16_to_cpu(head);
	if (!size)
		return -EUCLEAN;
	p = kmalloc(size, GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	err = prefix_bytes(sbi, *at + sizeof(head), p, size);
	if (!err)
		err = od_xattr_prefix_parse(p, size, prefix);
	if (!err)
		prefix->infix = kmemdup_nul(prefix->infix, prefix->infix_len, GFP_KERNEL);
	kfree(p);
	if (err)
		return err;
	if (!prefix->infix)
		return -ENOMEM;
	sbi->nr_prefixes++;
	*at = round_up(*at + sizeof(head) + size, OD_XATTR_ALIGN);
	return 0;
}

/**
 * erofs_od_read_prefixes - read the long xattr name prefixes of an image
 * @sbi: mount whose blobs are open, with its packed inode and metabox read
 *
 * Context: sleeps, killably.
 */
int erofs_od_read_prefixes(struct erofs_od_sb_info *sbi)
{
	unsigned int count = min_t(unsigned int, sbi->od.prefix_count, PREFIXES_MAX);
	u64 at = sbi->od.prefix_off;
	int err = 0;

	if (!count)
		return 0;
	sbi->prefixes = kcalloc(count, sizeof(*sbi->prefixes), GFP_KERNEL);
	if (!sbi->prefixes)
		return -ENOMEM;
	while (!err && sbi->nr_prefixes < count)
		err = read_prefix(sbi, &at);
	if (err)
		erofs_od_err(sbi, "failed to read xattr name prefix %u: %d", sbi->nr_prefixes, err);
	return err;
}

/**
 * erofs_od_free_prefixes - undo erofs_od_read_prefixes()
 * @sbi: mount
 */
void erofs_od_free_prefixes(struct erofs_od_sb_info *sbi)
{
	while (sbi->nr_prefixes)
		kfree(sbi->prefixes[--sbi->nr_prefixes].infix);
	kfree(sbi->prefixes);
	sbi->prefixes = NULL;
}
