// SPDX-License-Identifier: GPL-2.0-only
/* Allocating and freeing batches. */
#include "io.h"

#include <linux/slab.h>

/*
 * Batches of one folio, the most frequent ones. With a constructor: many kernels clear memory
 * without one whenever it is allocated.
 */
static struct kmem_cache *singles;

/* The first segment follows the slots: most batches have no other. */
static size_t segment_offset(unsigned int max)
{
	return sizeof(struct erofs_od_batch) + max * sizeof(struct erofs_od_slot);
}

static size_t batch_size(unsigned int max)
{
	return segment_offset(max) + sizeof(struct erofs_od_segment) +
	       min(max, EROFS_OD_BATCH_FIRST) * sizeof(struct bio_vec);
}

static void single_init(void *p)
{
	struct erofs_od_batch *batch = p;

	batch->max = 1;
}

/**
 * erofs_od_batch_new - allocate a batch, with a reference
 * @source: where the bytes come from
 * @max: number of folios that it can hold
 * @gfp: for this and further allocations
 *
 * Return: the batch, or NULL
 */
struct erofs_od_batch *erofs_od_batch_new(const struct erofs_od_source *source, unsigned int max,
					  gfp_t gfp)
{
	struct erofs_od_batch *batch;

	batch = max == 1 ? kmem_cache_alloc(singles, gfp) : kmalloc(batch_size(max), gfp);
	if (!batch)
		return NULL;
	batch->first = (void *)batch + segment_offset(max);
	refcount_set(&batch->refs, 1);
	batch->source = *source;
	erofs_od_batch_begin(batch);
	batch->gfp = gfp;
	batch->may_wait = false;
	batch->asked = false;
	batch->nr = 0;
	batch->max = max;
	batch->end = 0;
	return batch;
}

/**
 * erofs_od_batch_put - drop a reference
 * @batch: batch
 *
 * Context: any.
 */
void erofs_od_batch_put(struct erofs_od_batch *batch)
{
	if (!refcount_dec_and_test(&batch->refs))
		return;
	erofs_od_batch_end(batch);
	if (batch->max == 1)
		kmem_cache_free(singles, batch);
	else
		kfree(batch);
}

int erofs_od_batch_init(void)
{
	singles = kmem_cache_create("erofs_od_batch", batch_size(1), 0, 0, single_init);
	return singles ? 0 : -ENOMEM;
}

/* All mounts have ended, and with them their reads. */
void erofs_od_batch_exit(void)
{
	kmem_cache_destroy(singles);
}
