// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start addresses of pclusters for encoded extents that do not record them: partial sums of
 * lengths, for core/zrecords.c.
 */
#include "zmap.h"

#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/* At most one page of sums per inode. */
#define SUMS_MAX	512U

/**
 * struct od_zsums - the sums of an inode
 * @lock: protects @nr and @sum; a leaf
 * @shift: log2 of the records from one sum to the next
 * @max: capacity of @sum
 * @nr: number of sums known, from the first on
 * @sum: first byte of the pcluster of record 1 << @shift, 2 << @shift, and so on
 */
struct od_zsums {
	spinlock_t lock;
	unsigned int shift;
	unsigned int max;
	unsigned int nr;
	u64 sum[];
};

/**
 * erofs_od_zsums_new - allocate the sums of an inode
 * @z: its map header; gets them, if it needs any
 *
 * Lookups without sums are slower, with the same result.
 *
 * Context: sleeps for memory. Call erofs_od_zsums_free() once no lookup can be running.
 */
void erofs_od_zsums_new(struct od_zinode *z)
{
	struct od_zsums *sums;
	unsigned int shift = ilog2(OD_ZSUM_STEP), max;

	if (z->record_size != OD_ZRECORD_4 || z->entries <= OD_ZSUM_STEP)
		return;
	while (z->entries >> shift > SUMS_MAX)
		shift++;
	max = (unsigned int)(z->entries >> shift);
	sums = kzalloc(struct_size(sums, sum, max), GFP_KERNEL_ACCOUNT);
	if (!sums)
		return;
	spin_lock_init(&sums->lock);
	sums->shift = shift;
	sums->max = max;
	z->sums = sums;
}

/**
 * erofs_od_zsums_free - undo erofs_od_zsums_new()
 * @z: map header of an inode, or zeroes
 */
void erofs_od_zsums_free(struct od_zinode *z)
{
	kfree(z->sums);
	z->sums = NULL;
}

/**
 * erofs_od_zsums_known - find a sum, for struct od_zmap
 * @sums: the inode's
 * @nr: record; becomes the last one up to it with a known sum
 * @start: the sum
 *
 * Context: any; takes @sums->lock.
 * Return: false if there is none.
 */
bool erofs_od_zsums_known(struct od_zsums *sums, u64 *nr, u64 *start)
{
	u64 i;

	spin_lock(&sums->lock);
	i = min_t(u64, *nr >> sums->shift, sums->nr);
	if (i) {
		*nr = i << sums->shift;
		*start = sums->sum[i - 1];
	}
	spin_unlock(&sums->lock);
	return i;
}

/**
 * erofs_od_zsums_learn - keep a sum if it is the next one, for struct od_zmap
 * @sums: the inode's
 * @nr: record
 * @start: first byte of its pcluster
 *
 * Context: any; takes @sums->lock.
 */
void erofs_od_zsums_learn(struct od_zsums *sums, u64 nr, u64 start)
{
	spin_lock(&sums->lock);
	if (sums->nr < sums->max && nr == (sums->nr + 1ULL) << sums->shift)
		sums->sum[sums->nr++] = start;
	spin_unlock(&sums->lock);
}
