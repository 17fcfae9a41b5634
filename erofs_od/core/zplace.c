// SPDX-License-Identifier: GPL-2.0-only
#include "zplace.h"

int od_zmap_fragment(const struct od_zmap *map, u64 size, u64 start, u64 off,
		     struct od_zextent *x)
{
	x->flags = OD_ZEXTENT_FRAGMENT;
	x->start = start;
	x->len = size - start;
	x->off = off;
	return off > map->packed_size || x->len > map->packed_size - off ? -EUCLEAN : 0;
}

int od_zmap_place(const struct od_zmap *map, const struct od_zinode *z, u64 off, u64 len,
		  struct od_zextent *x)
{
	u64 blk = 1ULL << map->tab->blkbits, left = len;

	x->off = off;
	if (len > OD_ZENCODED_MAX)
		return -EOPNOTSUPP;
	x->encoded_len = (u32)len;
	od_blobtab_flat(map->tab, &x->off, &x->blob, &left);
	/* A pcluster cannot span blobs. */
	if (left < len)
		return -EUCLEAN;
	/* An unaligned pcluster has no last block that could hold the first bytes. */
	if ((x->flags & OD_ZEXTENT_PLAIN) && (z->advise & OD_ZADVISE_INTERLACED) &&
	    !((off | len) & (blk - 1)))
		x->rotated = (u32)(blk - (x->start & (blk - 1)));
	return 0;
}

int od_zmap_check(const struct od_zmap *map, const struct od_inode *inode,
		  const struct od_zextent *x)
{
	u64 size = x->flags & OD_ZEXTENT_INLINE ? od_blobtab_meta_size(map->tab, inode->nid)
						: map->tab->blob[x->blob].size;

	if (x->off > size || x->encoded_len > size - x->off)
		return -EUCLEAN;
	if (x->flags & OD_ZEXTENT_PLAIN)
		return x->len > x->encoded_len ? -EUCLEAN : 0;
	if (!(map->algorithms & (1U << x->algorithm)))
		return -EUCLEAN;
	/* Data that did not shrink is stored plain, except at the end of a file. */
	if (!(x->flags & OD_ZEXTENT_PARTIAL) && x->start + x->len < inode->size &&
	    x->len < x->encoded_len)
		return -EUCLEAN;
	return x->len > OD_ZDECODED_MAX ? -EOPNOTSUPP : 0;
}
