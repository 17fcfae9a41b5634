// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts of decompressors, which all mounts share. There are as many of an algorithm as
 * may be at work at once, from its first mount to its last; a mount whose images need
 * larger ones replaces them.
 */
#include "decompressor.h"

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/* More than this many at once would take more memory than time they save. */
#define EROFS_OD_CONTEXTS_MAX	8U

static const struct erofs_od_decompressor *const erofs_od_decompressors[OD_ALGS] = {
	[OD_ALG_LZ4] = &erofs_od_lz4,
	[OD_ALG_LZMA] = &erofs_od_lzma,
	[OD_ALG_DEFLATE] = &erofs_od_deflate,
	[OD_ALG_ZSTD] = &erofs_od_zstd,
};

/**
 * struct erofs_od_context - a decompressor's context
 * @node: in the pool's list
 * @memory: what it can do, in the terms of its decompressor
 * @data: the decompressor's
 */
struct erofs_od_context {
	struct list_head node;
	size_t memory;
	void *data;
};

/**
 * struct erofs_od_pool - contexts of an algorithm
 * @users: mounts; under erofs_od_pools_mutex
 * @lock: protects @memory and @idle
 * @memory: of the contexts that are wanted; smaller ones are freed when next idle
 * @idle: contexts that are not at work
 * @wait: for one
 */
struct erofs_od_pool {
	unsigned int users;
	spinlock_t lock;
	size_t memory;
	struct list_head idle;
	wait_queue_head_t wait;
};

static DEFINE_MUTEX(erofs_od_pools_mutex);
static struct erofs_od_pool erofs_od_pools[OD_ALGS];

/**
 * erofs_od_can_decompress - does the kernel have this algorithm?
 * @alg: enum od_alg
 */
bool erofs_od_can_decompress(unsigned int alg)
{
	return erofs_od_decompressors[alg]->available;
}

static void erofs_od_context_free(unsigned int alg, struct erofs_od_context *context)
{
	erofs_od_decompressors[alg]->free(context->data);
	kfree(context);
}

static void erofs_od_contexts_free(unsigned int alg, struct list_head *list)
{
	struct erofs_od_context *context, *next;

	list_for_each_entry_safe(context, next, list, node)
		erofs_od_context_free(alg, context);
}

static struct erofs_od_context *erofs_od_context_new(unsigned int alg,
						     const struct od_zconfig *config)
{
	const struct erofs_od_decompressor *decompressor = erofs_od_decompressors[alg];
	struct erofs_od_context *context = kzalloc(sizeof(*context), GFP_KERNEL);

	if (!context)
		return NULL;
	context->memory = decompressor->memory(config);
	context->data = decompressor->alloc(config);
	if (context->data)
		return context;
	kfree(context);
	return NULL;
}

/* Contexts for all that may be at work at once; fewer do if memory is short. */
static int erofs_od_pool_fill(unsigned int alg, const struct od_zconfig *config)
{
	unsigned int nr = min(num_online_cpus(), EROFS_OD_CONTEXTS_MAX);
	struct erofs_od_pool *pool = &erofs_od_pools[alg];
	LIST_HEAD(fresh);
	LIST_HEAD(old);

	lockdep_assert_held(&erofs_od_pools_mutex);
	while (nr--) {
		struct erofs_od_context *context = erofs_od_context_new(alg, config);

		if (!context)
			break;
		list_add(&context->node, &fresh);
	}
	if (list_empty(&fresh))
		return -ENOMEM;
	spin_lock(&pool->lock);
	pool->memory = erofs_od_decompressors[alg]->memory(config);
	list_splice_init(&pool->idle, &old);
	list_splice(&fresh, &pool->idle);
	spin_unlock(&pool->lock);
	wake_up_all(&pool->wait);
	erofs_od_contexts_free(alg, &old);
	return 0;
}

/**
 * erofs_od_decompressor_get - prepare to decompress
 * @alg: enum od_alg, one that erofs_od_can_decompress()
 * @config: settings of the image
 *
 * Context: sleeps for memory; takes erofs_od_pools_mutex.
 * Return: 0, to be undone by erofs_od_decompressor_put(); -ENOMEM.
 */
int erofs_od_decompressor_get(unsigned int alg, const struct od_zconfig *config)
{
	const struct erofs_od_decompressor *decompressor = erofs_od_decompressors[alg];
	struct erofs_od_pool *pool = &erofs_od_pools[alg];
	int err = 0;

	if (!decompressor->alloc)
		return 0;
	mutex_lock(&erofs_od_pools_mutex);
	if (!pool->users || decompressor->memory(config) > pool->memory)
		err = erofs_od_pool_fill(alg, config);
	if (!err)
		pool->users++;
	mutex_unlock(&erofs_od_pools_mutex);
	return err;
}

/**
 * erofs_od_decompressor_put - undo erofs_od_decompressor_get()
 * @alg: enum od_alg
 *
 * Context: sleeps; takes erofs_od_pools_mutex.
 */
void erofs_od_decompressor_put(unsigned int alg)
{
	struct erofs_od_pool *pool = &erofs_od_pools[alg];
	LIST_HEAD(old);

	if (!erofs_od_decompressors[alg]->alloc)
		return;
	mutex_lock(&erofs_od_pools_mutex);
	if (!--pool->users) {
		/* No mount, no work: all of them are idle. */
		spin_lock(&pool->lock);
		list_splice_init(&pool->idle, &old);
		spin_unlock(&pool->lock);
		erofs_od_contexts_free(alg, &old);
	}
	mutex_unlock(&erofs_od_pools_mutex);
}

static struct erofs_od_context *erofs_od_pool_pop(struct erofs_od_pool *pool)
{
	struct erofs_od_context *context;

	spin_lock(&pool->lock);
	context = list_first_entry_or_null(&pool->idle, struct erofs_od_context, node);
	if (context)
		list_del(&context->node);
	spin_unlock(&pool->lock);
	return context;
}

static void erofs_od_pool_push(unsigned int alg, struct erofs_od_context *context)
{
	struct erofs_od_pool *pool = &erofs_od_pools[alg];
	bool small;

	spin_lock(&pool->lock);
	small = context->memory < pool->memory;
	if (!small)
		list_add(&context->node, &pool->idle);
	spin_unlock(&pool->lock);
	if (small)
		erofs_od_context_free(alg, context);
	else
		wake_up(&pool->wait);
}

/**
 * erofs_od_decompress - decompress
 * @alg: enum od_alg, of a mount that holds erofs_od_decompressor_get()
 * @stream: what to where
 *
 * Context: sleeps, for no longer than others decompress.
 * Return: 0; -EUCLEAN.
 */
int erofs_od_decompress(unsigned int alg, const struct erofs_od_stream *stream)
{
	const struct erofs_od_decompressor *decompressor = erofs_od_decompressors[alg];
	struct erofs_od_pool *pool = &erofs_od_pools[alg];
	struct erofs_od_context *context;
	int err;

	if (!decompressor->alloc)
		return decompressor->decompress(NULL, stream);
	wait_event(pool->wait, (context = erofs_od_pool_pop(pool)));
	err = decompressor->decompress(context->data, stream);
	erofs_od_pool_push(alg, context);
	return err;
}

void erofs_od_decompressor_init(void)
{
	unsigned int i;

	for (i = 0; i < OD_ALGS; i++) {
		spin_lock_init(&erofs_od_pools[i].lock);
		INIT_LIST_HEAD(&erofs_od_pools[i].idle);
		init_waitqueue_head(&erofs_od_pools[i].wait);
	}
}
