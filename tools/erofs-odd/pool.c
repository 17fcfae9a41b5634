// SPDX-License-Identifier: GPL-2.0-only
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fill.h"
#include "stats.h"

/**
 * job_new - a request for a blob
 * @blob: the blob; the job takes over the caller's reference
 * @msg_id: for the reply
 *
 * Return: the job, or NULL; then the caller keeps the reference
 */
struct job *job_new(struct blob *blob, uint32_t msg_id)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->blob = blob;
	job->msg_id = msg_id;
	atomic_fetch_add(&blob->jobs, 1);
	return job;
}

/**
 * job_ends - stop counting a job for its blob
 * @job: the job
 *
 * Call it before the reply: the blob's next request may arrive at once.
 */
void job_ends(struct job *job)
{
	if (!job->ended)
		atomic_fetch_sub(&job->blob->jobs, 1);
	job->ended = true;
}

/** job_free - free a job and put its blob */
void job_free(struct job *job)
{
	job_ends(job);
	blob_put(job->blob);
	free(job->tail);
	free(job->why);
	free(job);
}

static void count_taken(struct pools *pools)
{
	stats.queued--;
	if (atomic_fetch_sub(&pools->queued, 1) - 1 <= pools->queue_max / 2 &&
	    atomic_exchange(&pools->starved, false))
		eventfd_write(pools->room_fd, 1);
}

static void *worker(void *arg);

/* Threads of a source; a quarter of @threads more are reserved for blobs without other requests. */
static unsigned int threads_max(const struct pools *pools)
{
	return pools->threads + (pools->threads + 3) / 4;
}

/* With the lock held. */
static int add_thread(struct pool *pool)
{
	int err = pthread_create(&pool->threads[pool->count], NULL, worker, pool);

	if (!err)
		pool->count++;
	return -err;
}

static void put_ready(struct pool *pool, struct job *job)
{
	struct job_queue *queue = &pool->reads;

	if (job->is_open)
		queue = &pool->opens;
	else if (atomic_load(&job->blob->jobs) == 1)
		queue = &pool->firsts;
	TAILQ_INSERT_TAIL(queue, job, link);
	pool->ready++;
	/* Failure to start another thread is harmless: there is one. */
	if (pool->ready > pool->waiting && pool->count < threads_max(pool->pools) &&
	    !pool->stopping)
		add_thread(pool);
	pthread_cond_signal(&pool->work);
}

static void put_later(struct pool *pool, struct job *job)
{
	struct job *before;

	TAILQ_FOREACH_REVERSE(before, &pool->later, job_queue, link)
		if (before->due_ms <= job->due_ms)
			break;
	if (before)
		TAILQ_INSERT_AFTER(&pool->later, before, job, link);
	else
		TAILQ_INSERT_HEAD(&pool->later, job, link);
}

static void move_due(struct pool *pool)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&pool->later)) && job->due_ms <= clock_ms()) {
		TAILQ_REMOVE(&pool->later, job, link);
		put_ready(pool, job);
	}
}

static struct job *take_from(struct pool *pool, struct job_queue *queue)
{
	struct job *job = TAILQ_FIRST(queue);

	if (!job)
		return NULL;
	TAILQ_REMOVE(queue, job, link);
	if (queue != &pool->later)
		pool->ready--;
	count_taken(pool->pools);
	return job;
}

/*
 * A blob whose requests hang does not delay others: it never gets all threads. First requests
 * of blobs alternate with further ones.
 */
static struct job *take_job(struct pool *pool)
{
	bool may_read = pool->running < pool->pools->threads;
	struct job *job;

	move_due(pool);
	job = take_from(pool, &pool->opens);
	if (job)
		return job;
	pool->turn = !pool->turn;
	if (may_read && pool->turn)
		job = take_from(pool, &pool->reads);
	if (!job)
		job = take_from(pool, &pool->firsts);
	if (!job && may_read)
		job = take_from(pool, &pool->reads);
	return job;
}

/* Called and returns with the lock held. */
static void run_job(struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece)
{
	struct pools *pools = pool->pools;
	/* The job may belong to another thread, or be freed, before the fetcher is used again. */
	struct blob *blob = job->blob;

	blob_get(blob);
	pool->running++;
	pthread_mutex_unlock(&pool->lock);
	stats.in_flight++;
	fetcher->cancel = &blob->closed;
	pools->run(pools->arg, pool, job, fetcher, piece);
	fetcher->cancel = NULL;
	blob_put(blob);
	stats.in_flight--;
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	if (pool->stopping)
		pthread_cond_signal(&pool->idle);
}

static void wait_for_work(struct pool *pool)
{
	struct job *next = TAILQ_FIRST(&pool->later);
	struct timespec due;

	pool->waiting++;
	if (next) {
		due.tv_sec = (time_t)(next->due_ms / 1000);
		due.tv_nsec = (long)(next->due_ms % 1000) * 1000000L;
		pthread_cond_timedwait(&pool->work, &pool->lock, &due);
	} else {
		pthread_cond_wait(&pool->work, &pool->lock);
	}
	pool->waiting--;
}

static void work(struct pool *pool, struct fetcher *fetcher, char *piece)
{
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	while (!pool->stopping) {
		job = take_job(pool);
		if (job)
			run_job(pool, job, fetcher, piece);
		else
			wait_for_work(pool);
	}
	pthread_mutex_unlock(&pool->lock);
}

static void *worker(void *arg)
{
	struct pool *pool = arg;
	const struct source_ops *ops = pool->source->ops;
	struct fetcher fetcher = { .options = pool->pools->options,
				   .stop = &pool->pools->abort };
	char *piece = fill_buffer();

	/* Retry after a while: a thread that cannot allocate its memory has no other way out. */
	while (!piece || (ops->begin && ops->begin(&fetcher))) {
		if (fetcher_canceled(&fetcher))
			goto out;
		sleep(1);
		if (!piece)
			piece = fill_buffer();
	}
	work(pool, &fetcher, piece);
	if (ops->end)
		ops->end(&fetcher);
out:
	free(piece);
	return NULL;
}

static int pool_start(struct pool *pool, struct pools *pools, struct source *source)
{
	pthread_condattr_t attr;
	int err;

	pool->pools = pools;
	pool->source = source;
	health_init(&pool->health);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->work, &attr);
	pthread_cond_init(&pool->idle, &attr);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&pool->opens);
	TAILQ_INIT(&pool->firsts);
	TAILQ_INIT(&pool->reads);
	TAILQ_INIT(&pool->later);
	pool->threads = calloc(threads_max(pools), sizeof(*pool->threads));
	if (!pool->threads)
		return -ENOMEM;
	pthread_mutex_lock(&pool->lock);
	err = add_thread(pool);
	pthread_mutex_unlock(&pool->lock);
	return err;
}

/**
 * pools_start - start the workers
 * @pools: fields after @count without a comment of their own are zero
 * @sources: their sources
 *
 * Return: 0 or a negative errno; then pools_stop() must still be called
 */
int pools_start(struct pools *pools, struct source *sources)
{
	struct source *source;
	int err = 0;

	pools->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pools->room_fd < 0)
		return -errno;
	pools->of = calloc((size_t)source_last(sources)->index + 1, sizeof(*pools->of));
	if (!pools->of)
		return -ENOMEM;
	for (source = sources; source && !err; source = source->next)
		err = pool_start(&pools->of[pools->count++], pools, source);
	return err;
}

/**
 * pools_submit - queue a job, which the pool owns from now on
 * @pools: the pools
 * @index: index of the source to ask
 * @job: not run before its @due_ms
 */
void pools_submit(struct pools *pools, int index, struct job *job)
{
	struct pool *pool = &pools->of[index];

	atomic_fetch_add(&pools->queued, 1);
	stats.queued++;
	pthread_mutex_lock(&pool->lock);
	if (job->due_ms > clock_ms()) {
		put_later(pool, job);
		/* It may be due before those that the waiting threads wait for. */
		pthread_cond_signal(&pool->work);
	} else {
		put_ready(pool, job);
	}
	pthread_mutex_unlock(&pool->lock);
}

/** pools_full - whether enough jobs are queued. If so, room_fd signals when that changes */
bool pools_full(struct pools *pools)
{
	if (atomic_load(&pools->queued) < pools->queue_max)
		return false;
	atomic_store(&pools->starved, true);
	/* All may have been taken meanwhile, and nothing would signal that. */
	if (atomic_load(&pools->queued) > pools->queue_max / 2)
		return true;
	return !atomic_exchange(&pools->starved, false);
}

static enum pools_load pool_load(struct pool *pool)
{
	enum pools_load load = POOLS_IDLE;

	pthread_mutex_lock(&pool->lock);
	if (pool->ready && !pool->waiting)
		load = POOLS_FULL;
	else if (pool->ready || pool->running)
		load = POOLS_BUSY;
	pthread_mutex_unlock(&pool->lock);
	return load;
}

/** pools_load - the load of the busiest source's workers */
enum pools_load pools_load(struct pools *pools)
{
	enum pools_load load, most = POOLS_IDLE;
	int i;

	for (i = 0; i < pools->count; i++) {
		load = pool_load(&pools->of[i]);
		if (load > most)
			most = load;
	}
	return most;
}

/* A job of a closed blob has nothing to wait for. */
static void wake_closed(struct pool *pool)
{
	struct job *job, *next;

	pthread_mutex_lock(&pool->lock);
	for (job = TAILQ_FIRST(&pool->later); job; job = next) {
		next = TAILQ_NEXT(job, link);
		if (!atomic_load(&job->blob->closed))
			continue;
		TAILQ_REMOVE(&pool->later, job, link);
		put_ready(pool, job);
	}
	pthread_mutex_unlock(&pool->lock);
}

/** pools_closed - end the jobs of a closed blob now */
void pools_closed(struct pools *pools)
{
	int i;

	for (i = 0; i < pools->count; i++)
		wake_closed(&pools->of[i]);
}

static unsigned int discard(struct pool *pool, struct job_queue *queue)
{
	unsigned int count = 0;
	struct job *job;

	while ((job = take_from(pool, queue)) != NULL) {
		job_free(job);
		count++;
	}
	return count;
}

static unsigned int discard_queued(struct pool *pool)
{
	return discard(pool, &pool->opens) + discard(pool, &pool->firsts) +
	       discard(pool, &pool->reads) + discard(pool, &pool->later);
}

static unsigned int stop_taking(struct pool *pool)
{
	unsigned int count;

	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	count = discard_queued(pool);
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	return count;
}

/* Returns how many jobs have not finished by @end. */
static unsigned int wait_idle(struct pool *pool, const struct timespec *end)
{
	unsigned int running;

	pthread_mutex_lock(&pool->lock);
	while (pool->running && !pthread_cond_timedwait(&pool->idle, &pool->lock, end))
		;
	running = pool->running;
	pthread_mutex_unlock(&pool->lock);
	return running;
}

static void join(struct pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	free(pool->threads);
}

/**
 * pools_stop - stop the workers
 * @pools: the pools
 * @grace_ms: time for running jobs to finish before they are aborted
 *
 * Return: number of unfinished jobs: queued ones, and those aborted
 */
unsigned int pools_stop(struct pools *pools, unsigned int grace_ms)
{
	unsigned int unfinished = 0;
	struct timespec end;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += grace_ms / 1000;
	end.tv_nsec += grace_ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000L;
	}
	for (i = 0; i < pools->count; i++)
		unfinished += stop_taking(&pools->of[i]);
	for (i = 0; i < pools->count; i++)
		unfinished += wait_idle(&pools->of[i], &end);
	atomic_store(&pools->abort, true);
	for (i = 0; i < pools->count; i++)
		join(&pools->of[i]);
	/* Jobs that a thread submitted to another pool while that was stopping */
	for (i = 0; i < pools->count; i++)
		unfinished += discard_queued(&pools->of[i]);
	free(pools->of);
	if (pools->room_fd >= 0)
		close(pools->room_fd);
	return unfinished;
}
