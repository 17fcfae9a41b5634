// SPDX-License-Identifier: GPL-2.0-only
#include "zmap.h"
#include "zplace.h"
#include "zrecords.h"

/*
 * A compact map consists of packs: entries of the same width, from bit 0 on, and a base
 * address in the last 4 bytes. There are packs of 2 entries and packs of 16.
 */
#define OD_PACK_SMALL		8U
#define OD_PACK_LARGE		32U
#define OD_PACK_SMALL_SLOTS	2U
#define OD_PACK_LARGE_SLOTS	16U
#define OD_PACK_SMALL_WIDTH	16U
#define OD_PACK_LARGE_WIDTH	14U
/* An entry's value has as many bits as clusterofs needs, but at least this many. */
#define OD_PACK_BITS_MIN	12U

/**
 * struct od_lcluster - an entry of the map
 * @type: enum od_lcluster_type
 * @partial: head: the pcluster holds more than the extent
 * @hole: head: zeroes
 * @counted: not a head: @blocks is valid
 * @clusterofs: head: where in the lcluster the extent starts
 * @blkaddr: head: first block of the pcluster
 * @delta0: not a head: lclusters back to the head, or part of the way
 * @blocks: not a head: blocks in the pcluster
 */
struct od_lcluster {
	u8 type;
	bool partial;
	bool hole;
	bool counted;
	u32 clusterofs;
	u32 blkaddr;
	u32 delta0;
	u32 blocks;
};

/**
 * struct od_zwalk - state of a lookup
 * @map: image
 * @inode: inode
 * @z: its map header
 * @limit: lclusters of the longest extent
 * @pack_off: byte that @pack was read from; 0: none
 * @pack: the last pack read
 */
struct od_zwalk {
	const struct od_zmap *map;
	const struct od_inode *inode;
	const struct od_zinode *z;
	u64 limit;
	u64 pack_off;
	u8 pack[OD_PACK_LARGE];
};

/**
 * struct od_zhead - the lcluster where an extent starts
 * @lcn: its number
 * @lc: its entry
 * @end: first byte past the extent; 0: not known yet
 */
struct od_zhead {
	u64 lcn;
	struct od_lcluster lc;
	u64 end;
};

static u64 od_zpos(const struct od_zinode *z, u64 lcn, const struct od_lcluster *lc)
{
	return (lcn << z->lclusterbits) + lc->clusterofs;
}

static bool od_is_big(const struct od_zinode *z)
{
	return z->advise & (OD_ZADVISE_BIG_1 | OD_ZADVISE_BIG_2);
}

static int od_read_full(struct od_zwalk *w, u64 lcn, struct od_lcluster *lc)
{
	struct od_disk_zindex disk;
	u16 advise, delta0;
	int err = w->map->read(w->map->data, w->z->array + lcn * sizeof(disk), &disk,
			       sizeof(disk));

	if (err)
		return err;
	advise = le16_to_cpu(disk.advise);
	lc->type = advise & OD_LCLUSTER_TYPE;
	if (lc->type != OD_LCLUSTER_NONHEAD) {
		lc->partial = advise & OD_LCLUSTER_PARTIAL;
		lc->hole = advise & OD_LCLUSTER_HOLE;
		lc->clusterofs = le16_to_cpu(disk.clusterofs);
		lc->blkaddr = le32_to_cpu(disk.blkaddr);
		return 0;
	}
	delta0 = le16_to_cpu(disk.delta0);
	lc->counted = delta0 & OD_LCLUSTER_COUNTED;
	lc->blocks = delta0 & ~OD_LCLUSTER_COUNTED;
	lc->delta0 = lc->counted ? 1 : delta0;
	return 0;
}

/**
 * struct od_pack - a pack of entries
 * @p: bytes
 * @slots: entries
 * @bits: bits of an entry's value
 */
struct od_pack {
	const u8 *p;
	u32 slots;
	u32 bits;
};

static u32 od_pack_unit(const struct od_pack *pack, u32 slot, u8 *type)
{
	u32 width = pack->slots == OD_PACK_SMALL_SLOTS ? OD_PACK_SMALL_WIDTH : OD_PACK_LARGE_WIDTH;
	u32 unit = get_unaligned_le32(pack->p + slot * width / 8) >> (slot * width & 7);

	*type = unit >> pack->bits & OD_LCLUSTER_TYPE;
	return unit & ((1U << pack->bits) - 1);
}

static u32 od_pack_base(const struct od_pack *pack)
{
	u32 size = pack->slots == OD_PACK_SMALL_SLOTS ? OD_PACK_SMALL : OD_PACK_LARGE;

	return get_unaligned_le32(pack->p + size - sizeof(__le32));
}

/* Without big pclusters each head before @slot has one block, as does the one before these. */
static u32 od_pack_small(const struct od_pack *pack, u32 slot)
{
	u32 heads = 0, i;
	u8 type;

	for (i = 0; i < slot; i++) {
		od_pack_unit(pack, i, &type);
		heads += type != OD_LCLUSTER_NONHEAD;
	}
	return od_pack_base(pack) + 1 + heads;
}

/* With big pclusters a head has the number of blocks in the next entry, or one. */
static u32 od_pack_big(const struct od_pack *pack, u32 slot)
{
	u32 blocks = 0, next, i;
	u8 type, next_type;

	for (i = 0; i < slot; i++) {
		u32 value = od_pack_unit(pack, i, &type);

		if (type == OD_LCLUSTER_NONHEAD) {
			blocks += value & OD_LCLUSTER_COUNTED ? value & ~OD_LCLUSTER_COUNTED : 0;
			continue;
		}
		next = od_pack_unit(pack, i + 1, &next_type);
		blocks += next_type != OD_LCLUSTER_NONHEAD || !(next & OD_LCLUSTER_COUNTED);
	}
	return od_pack_base(pack) + blocks;
}

/* The last entry of a pack has delta1: its delta0 follows from the entry before. */
static u32 od_pack_last_delta0(const struct od_pack *pack)
{
	u8 type;
	u32 value = od_pack_unit(pack, pack->slots - 2, &type);

	if (type != OD_LCLUSTER_NONHEAD)
		return 1;
	return value & OD_LCLUSTER_COUNTED ? 2 : value + 1;
}

static int od_pack_entry(const struct od_pack *pack, u32 slot, bool big, struct od_lcluster *lc)
{
	u32 value = od_pack_unit(pack, slot, &lc->type);

	if (lc->type != OD_LCLUSTER_NONHEAD) {
		lc->clusterofs = value;
		lc->blkaddr = big ? od_pack_big(pack, slot) : od_pack_small(pack, slot);
	} else if (value & OD_LCLUSTER_COUNTED) {
		lc->counted = true;
		lc->blocks = value & ~OD_LCLUSTER_COUNTED;
		lc->delta0 = 1;
	} else if (slot == pack->slots - 1) {
		lc->delta0 = od_pack_last_delta0(pack);
	} else {
		lc->delta0 = value;
		if (big && value <= 1)
			return -EUCLEAN;
	}
	return 0;
}

/* Locates the pack of an entry, and the entry's slot in it. */
static u64 od_pack_find(const struct od_zinode *z, u64 lcn, u32 *slots, u32 *slot)
{
	u64 at = z->array;

	*slots = OD_PACK_SMALL_SLOTS;
	if (lcn >= z->first4) {
		at += z->first4 / OD_PACK_SMALL_SLOTS * OD_PACK_SMALL;
		lcn -= z->first4;
		if (lcn < z->packed2) {
			*slots = OD_PACK_LARGE_SLOTS;
			*slot = (u32)(lcn % OD_PACK_LARGE_SLOTS);
			return at + lcn / OD_PACK_LARGE_SLOTS * OD_PACK_LARGE;
		}
		at += z->packed2 / OD_PACK_LARGE_SLOTS * OD_PACK_LARGE;
		lcn -= z->packed2;
	}
	*slot = (u32)(lcn % OD_PACK_SMALL_SLOTS);
	return at + lcn / OD_PACK_SMALL_SLOTS * OD_PACK_SMALL;
}

static int od_read_compact(struct od_zwalk *w, u64 lcn, struct od_lcluster *lc)
{
	struct od_pack pack = {
		.p = w->pack,
		.bits = max_t(u32, w->z->lclusterbits, OD_PACK_BITS_MIN),
	};
	u32 slot;
	u64 off = od_pack_find(w->z, lcn, &pack.slots, &slot);
	int err;

	if (off != w->pack_off) {
		w->pack_off = 0;
		err = w->map->read(w->map->data, off, w->pack,
				   pack.slots == OD_PACK_SMALL_SLOTS ? OD_PACK_SMALL
									  : OD_PACK_LARGE);
		if (err)
			return err;
		w->pack_off = off;
	}
	return od_pack_entry(&pack, slot, od_is_big(w->z), lc);
}

static int od_read_lcluster(struct od_zwalk *w, u64 lcn, struct od_lcluster *lc)
{
	int err;

	memset(lc, 0, sizeof(*lc));
	err = w->inode->layout == OD_LAYOUT_COMPRESSED_FULL ? od_read_full(w, lcn, lc)
							    : od_read_compact(w, lcn, lc);
	if (err)
		return err;
	if (lc->type == OD_LCLUSTER_NONHEAD) {
		if (!lc->delta0 || lc->delta0 > lcn)
			return -EUCLEAN;
		return lc->counted && !od_is_big(w->z) ? -EUCLEAN : 0;
	}
	if (lc->clusterofs >> w->z->lclusterbits || (!lcn && lc->clusterofs))
		return -EUCLEAN;
	return 0;
}

/* Finds the head of the extent that holds a byte. Each step goes back, so the loop ends. */
static int od_find_head(struct od_zwalk *w, u64 pos, u64 limit, struct od_zhead *head)
{
	u64 lcn = pos >> w->z->lclusterbits, from;
	int err = od_read_lcluster(w, lcn, &head->lc);

	head->end = 0;
	if (!err && head->lc.type != OD_LCLUSTER_NONHEAD && pos < od_zpos(w->z, lcn, &head->lc)) {
		head->end = od_zpos(w->z, lcn, &head->lc);
		err = od_read_lcluster(w, --lcn, &head->lc);
	}
	from = lcn;
	while (!err && head->lc.type == OD_LCLUSTER_NONHEAD) {
		bool counted = head->lc.counted;

		lcn -= head->lc.delta0;
		if (from - lcn > limit)
			return -EOPNOTSUPP;
		err = od_read_lcluster(w, lcn, &head->lc);
		/* The block count directly follows the head. */
		if (!err && counted && head->lc.type == OD_LCLUSTER_NONHEAD)
			err = -EUCLEAN;
	}
	head->lcn = lcn;
	return err;
}

/* An extent ends where the next one starts, or at the end of the file. */
static int od_find_end(struct od_zwalk *w, u64 pos, struct od_zhead *head)
{
	u64 size = w->inode->size, lcn;

	for (lcn = (pos >> w->z->lclusterbits) + 1; !head->end && lcn < w->z->entries; lcn++) {
		struct od_lcluster lc;
		int err = od_read_lcluster(w, lcn, &lc);

		if (err)
			return err;
		if (lc.type != OD_LCLUSTER_NONHEAD)
			head->end = od_zpos(w->z, lcn, &lc);
		else if (lc.counted && lcn != head->lcn + 1)
			return -EUCLEAN;
		if (lcn - head->lcn > w->limit)
			return -EOPNOTSUPP;
	}
	if (!head->end || head->end > size)
		head->end = size;
	return 0;
}

/* Blocks of a pcluster: where it may be big, the entry after the head has the count. */
static int od_find_blocks(struct od_zwalk *w, const struct od_zhead *head, u32 *blocks)
{
	bool big = w->z->advise & (head->lc.type == OD_LCLUSTER_HEAD1 ? OD_ZADVISE_BIG_1
								       : OD_ZADVISE_BIG_2);
	struct od_lcluster lc;
	int err;

	*blocks = 1;
	if (head->lcn + 1 >= w->z->entries)
		return 0;
	err = od_read_lcluster(w, head->lcn + 1, &lc);
	if (err || lc.type != OD_LCLUSTER_NONHEAD)
		return err;
	if (lc.counted != big)
		return -EUCLEAN;
	if (big)
		*blocks = lc.blocks;
	return 0;
}

/* Returns 1 if @pos is in the fragment at the end of the file. */
static int od_zmap_tail(struct od_zwalk *w, u64 pos, struct od_zextent *x)
{
	u64 size = w->inode->size, off = w->z->fragment, start;
	struct od_zhead head;
	int err;

	if (!(w->z->advise & OD_ZADVISE_FRAGMENT))
		return 0;
	/* The length of a fragment is not limited. */
	err = od_find_head(w, size - 1, w->z->entries, &head);
	if (err)
		return err;
	start = od_zpos(w->z, head.lcn, &head.lc);
	if (pos < start)
		return 0;
	if (w->inode->layout == OD_LAYOUT_COMPRESSED_FULL)
		off |= (u64)head.lc.blkaddr << 32;
	return od_zmap_fragment(w->map, size, start, off, x) ?: 1;
}

static int od_zmap_inline(const struct od_zwalk *w, struct od_zextent *x)
{
	u64 blk = 1ULL << w->map->tab->blkbits;

	x->flags |= OD_ZEXTENT_INLINE;
	x->off = w->z->end;
	x->encoded_len = w->z->inline_size;
	return (x->off & (blk - 1)) + x->encoded_len > blk ? -EUCLEAN : 0;
}

static int od_zmap_extent(struct od_zwalk *w, const struct od_zhead *head, struct od_zextent *x)
{
	u8 blkbits = w->map->tab->blkbits;
	u32 blocks;
	int err = od_find_blocks(w, head, &blocks);

	if (err)
		return err;
	x->start = od_zpos(w->z, head->lcn, &head->lc);
	x->len = head->end - x->start;
	if (head->lc.partial)
		x->flags |= OD_ZEXTENT_PARTIAL;
	x->algorithm = w->z->algorithm[head->lc.type == OD_LCLUSTER_HEAD2];
	if (head->lc.type == OD_LCLUSTER_PLAIN)
		x->flags |= OD_ZEXTENT_PLAIN;
	else if (x->algorithm == OD_ALGORITHM_LZ4 && w->map->lz4_unpadded)
		x->flags |= OD_ZEXTENT_PARTIAL | OD_ZEXTENT_UNPADDED;
	if (w->z->inline_size && head->end == w->inode->size) {
		err = od_zmap_inline(w, x);
	} else if (!blocks || head->lc.hole) {
		x->flags = OD_ZEXTENT_HOLE;
		return 0;
	} else {
		err = od_zmap_place(w->map, w->z, (u64)head->lc.blkaddr << blkbits,
				    (u64)blocks << blkbits, x);
	}
	return err ?: od_zmap_check(w->map, w->inode, x);
}

int od_zmap(const struct od_zmap *map, const struct od_inode *inode, const struct od_zinode *z,
	    u64 pos, struct od_zextent *x)
{
	struct od_zwalk w = {
		.map = map, .inode = inode, .z = z, .limit = OD_ZDECODED_MAX >> z->lclusterbits,
	};
	struct od_zhead head;
	int err;

	memset(x, 0, sizeof(*x));
	if (pos >= inode->size)
		return -EUCLEAN;
	if (z->whole)
		return od_zmap_fragment(map, inode->size, 0, z->fragment, x);
	if (z->record_size)
		return od_zmap_records(map, inode, z, pos, x);
	err = od_zmap_tail(&w, pos, x);
	if (err)
		return err > 0 ? 0 : err;
	err = od_find_head(&w, pos, w.limit, &head);
	if (!err)
		err = od_find_end(&w, pos, &head);
	return err ?: od_zmap_extent(&w, &head, x);
}

static u64 od_zmap_entry(const struct od_inode *inode, const struct od_zinode *z, u64 lcn)
{
	u32 slots, slot;

	if (inode->layout == OD_LAYOUT_COMPRESSED_FULL)
		return z->array + lcn * sizeof(struct od_disk_zindex);
	return od_pack_find(z, lcn, &slots, &slot);
}

u64 od_zmap_entries(const struct od_inode *inode, const struct od_zinode *z, u64 pos, u64 len,
		    u64 *off)
{
	u64 lcn = pos >> z->lclusterbits, last, end;

	if (z->whole || z->record_size || lcn >= z->entries)
		return 0;
	*off = od_zmap_entry(inode, z, lcn);
	/* One more entry, for where the last extent ends. */
	last = len > inode->size - pos ? z->entries : ((pos + len - 1) >> z->lclusterbits) + 1;
	end = last + 1 < z->entries ? od_zmap_entry(inode, z, last + 1) : z->end;
	return end - *off;
}
