// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of algorithms, and the contexts of their decompressors.
 *
 * All mounts share the contexts. While any mount needs an algorithm, there are as many as can
 * be in use at once, so that reads never allocate anything large. A mount whose image needs
 * larger ones replaces them.
 */
#include "decompressor.h"

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/* More would cost more memory than the time they save is worth. */
#define CONTEXTS_MAX	8U

static const struct erofs_od_decompressor *const table[OD_ALGORITHMS] = {
	[OD_ALGORITHM_LZ4] = &erofs_od_lz4,
	[OD_ALGORITHM_LZMA] = &erofs_od_lzma,
	[OD_ALGORITHM_DEFLATE] = &erofs_od_deflate,
	[OD_ALGORITHM_ZSTD] = &erofs_od_zstd,
};

/**
 * struct context - decompressor context
 * @node: in the list of its pool
 * @memory: its size, as reported by the decompressor
 * @data: the decompressor's own data
 */
struct context {
	struct list_head node;
	size_t memory;
	void *data;
};

/**
 * struct pool - the contexts of an algorithm
 * @users: mounts that use the algorithm; protected by pools_mutex
 * @lock: protects @memory and @idle
 * @memory: size of the current contexts; smaller ones are freed once they are idle
 * @idle: contexts not in use
 * @wait: woken up when a context becomes idle
 */
struct pool {
	unsigned int users;
	spinlock_t lock;
	size_t memory;
	struct list_head idle;
	wait_queue_head_t wait;
};

static DEFINE_MUTEX(pools_mutex);
static struct pool pools[OD_ALGORITHMS];

/**
 * erofs_od_can_decompress - whether the kernel supports an algorithm
 * @algorithm: enum od_algorithm
 */
bool erofs_od_can_decompress(unsigned int algorithm)
{
	return table[algorithm]->available;
}

static void context_free(unsigned int algorithm, struct context *context)
{
	table[algorithm]->free(context->data);
	kfree(context);
}

static void contexts_free(unsigned int algorithm, struct list_head *list)
{
	struct context *context, *next;

	list_for_each_entry_safe(context, next, list, node)
		context_free(algorithm, context);
}

static struct context *context_new(unsigned int algorithm, const struct od_zconfig *config)
{
	struct context *context = kzalloc(sizeof(*context), GFP_KERNEL);

	if (!context)
		return NULL;
	context->memory = table[algorithm]->memory(config);
	context->data = table[algorithm]->alloc(config);
	if (context->data)
		return context;
	kfree(context);
	return NULL;
}

/* Under memory pressure, one context is enough. */
static int pool_fill(unsigned int algorithm, const struct od_zconfig *config)
{
	unsigned int nr = min(num_online_cpus(), CONTEXTS_MAX);
	struct pool *pool = &pools[algorithm];
	LIST_HEAD(fresh);
	LIST_HEAD(old);

	lockdep_assert_held(&pools_mutex);
	while (nr--) {
		struct context *context = context_new(algorithm, config);

		if (!context)
			break;
		list_add(&context->node, &fresh);
	}
	if (list_empty(&fresh))
		return -ENOMEM;
	spin_lock(&pool->lock);
	pool->memory = table[algorithm]->memory(config);
	list_splice_init(&pool->idle, &old);
	list_splice(&fresh, &pool->idle);
	spin_unlock(&pool->lock);
	wake_up_all(&pool->wait);
	contexts_free(algorithm, &old);
	return 0;
}

/**
 * erofs_od_decompressor_get - prepare to decompress
 * @algorithm: enum od_algorithm, for which erofs_od_can_decompress() is true
 * @config: configuration of the image
 *
 * Context: sleeps for memory; takes pools_mutex.
 * Return: 0, then erofs_od_decompressor_put() undoes it; or -ENOMEM.
 */
int erofs_od_decompressor_get(unsigned int algorithm, const struct od_zconfig *config)
{
	struct pool *pool = &pools[algorithm];
	int err = 0;

	if (!table[algorithm]->alloc)
		return 0;
	mutex_lock(&pools_mutex);
	if (!pool->users || table[algorithm]->memory(config) > pool->memory)
		err = pool_fill(algorithm, config);
	if (!err)
		pool->users++;
	mutex_unlock(&pools_mutex);
	return err;
}

/**
 * erofs_od_decompressor_put - undo erofs_od_decompressor_get()
 * @algorithm: enum od_algorithm
 *
 * Context: sleeps; takes pools_mutex.
 */
void erofs_od_decompressor_put(unsigned int algorithm)
{
	struct pool *pool = &pools[algorithm];
	LIST_HEAD(old);

	if (!table[algorithm]->alloc)
		return;
	mutex_lock(&pools_mutex);
	if (!--pool->users) {
		/* With no mount left, all contexts are idle. */
		spin_lock(&pool->lock);
		list_splice_init(&pool->idle, &old);
		spin_unlock(&pool->lock);
		contexts_free(algorithm, &old);
	}
	mutex_unlock(&pools_mutex);
}

static struct context *pool_pop(struct pool *pool)
{
	struct context *context;

	spin_lock(&pool->lock);
	context = list_first_entry_or_null(&pool->idle, struct context, node);
	if (context)
		list_del(&context->node);
	spin_unlock(&pool->lock);
	return context;
}

static void pool_push(unsigned int algorithm, struct context *context)
{
	struct pool *pool = &pools[algorithm];
	bool small;

	spin_lock(&pool->lock);
	small = context->memory < pool->memory;
	if (!small)
		list_add(&context->node, &pool->idle);
	spin_unlock(&pool->lock);
	if (small)
		context_free(algorithm, context);
	else
		wake_up(&pool->wait);
}

/**
 * erofs_od_decompress - decompress
 * @algorithm: enum od_algorithm, held by the mount with erofs_od_decompressor_get()
 * @stream: input and output
 *
 * Context: sleeps while all contexts are in use; their users never sleep.
 * Return: 0; -EUCLEAN.
 */
int erofs_od_decompress(unsigned int algorithm, const struct erofs_od_stream *stream)
{
	const struct erofs_od_decompressor *decompressor = table[algorithm];
	struct context *context;
	int err;

	if (!decompressor->alloc)
		return decompressor->decompress(NULL, stream);
	wait_event(pools[algorithm].wait, (context = pool_pop(&pools[algorithm])));
	err = decompressor->decompress(context->data, stream);
	pool_push(algorithm, context);
	return err;
}

void erofs_od_decompressor_init(void)
{
	unsigned int i;

	for (i = 0; i < OD_ALGORITHMS; i++) {
		spin_lock_init(&pools[i].lock);
		INIT_LIST_HEAD(&pools[i].idle);
		init_waitqueue_head(&pools[i].wait);
	}
}
