// SPDX-License-Identifier: GPL-2.0-only
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "fill.h"
#include "log.h"
#include "stats.h"

static void queue_init(struct job_queue *queue)
{
	queue->head = NULL;
	queue->tail = &queue->head;
}

static void queue_put(struct job_queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->tail = job;
	queue->tail = &job->next;
}

static struct job *queue_take(struct job_queue *queue)
{
	struct job *job = queue->head;

	if (!job)
		return NULL;
	queue->head = job->next;
	if (!queue->head)
		queue->tail = &queue->head;
	return job;
}

static void job_free(struct job *job)
{
	blob_put(job->blob);
	free(job);
}

static struct job *take_job(struct pool *pool)
{
	struct job *job = queue_take(&pool->opens);

	if (!job)
		job = queue_take(&pool->reads);
	if (!job)
		return NULL;
	pool->queued--;
	stats.queued--;
	if (pool->starved && pool->queued <= POOL_QUEUE_MAX / 2) {
		pool->starved = false;
		eventfd_write(pool->room_fd, 1);
	}
	return job;
}

/* Called and returns with the lock held. */
static void run_job(struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece)
{
	pool->running++;
	pthread_mutex_unlock(&pool->lock);
	stats.in_flight++;
	fetcher->cancel = &job->blob->gone;
	pool->run(pool->arg, job, fetcher, piece);
	fetcher->cancel = NULL;
	job_free(job);
	stats.in_flight--;
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	if (pool->stopping)
		pthread_cond_signal(&pool->idle);
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
			pthread_cond_wait(&pool->work, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
}

static void *worker(void *arg)
{
	struct pool *pool = arg;
	struct fetcher fetcher;
	char *piece = malloc(FILL_PIECE);

	if (!piece || fetcher_init(&fetcher, pool->options, &pool->abort)) {
		log_err("out of memory for a worker thread");
		free(piece);
		return NULL;
	}
	work(pool, &fetcher, piece);
	fetcher_exit(&fetcher);
	free(piece);
	return NULL;
}

static int init_sync(struct pool *pool)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->idle, &attr);
	pthread_condattr_destroy(&attr);
	queue_init(&pool->opens);
	queue_init(&pool->reads);
	pool->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return pool->room_fd < 0 ? -errno : 0;
}

/**
 * pool_start - start the workers
 * @pool: @run, @arg and @options are set, the rest is zero
 * @count: how many
 *
 * Return: 0 or a negative errno; then pool_stop() must still be called
 */
int pool_start(struct pool *pool, unsigned int count)
{
	int err = init_sync(pool);

	if (err)
		return err;
	pool->threads = calloc(count, sizeof(*pool->threads));
	if (!pool->threads)
		return -ENOMEM;
	for (; pool->count < count; pool->count++) {
		err = pthread_create(&pool->threads[pool->count], NULL, worker, pool);
		if (err)
			return -err;
	}
	return 0;
}

/** pool_submit - queue a job, which the pool frees when it is done */
void pool_submit(struct pool *pool, struct job *job)
{
	pthread_mutex_lock(&pool->lock);
	queue_put(job->is_open ? &pool->opens : &pool->reads, job);
	pool->queued++;
	stats.queued++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

/** pool_full - are enough jobs queued? If so, room_fd tells when that has changed */
bool pool_full(struct pool *pool)
{
	bool full;

	pthread_mutex_lock(&pool->lock);
	full = pool->queued >= POOL_QUEUE_MAX;
	if (full)
		pool->starved = true;
	pthread_mutex_unlock(&pool->lock);
	return full;
}

static unsigned int discard_queued(struct pool *pool)
{
	unsigned int count = 0;
	struct job *job;

	while ((job = take_job(pool)) != NULL) {
		job_free(job);
		count++;
	}
	return count;
}

static void wait_idle(struct pool *pool, unsigned int grace_ms)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += grace_ms / 1000;
	end.tv_nsec += grace_ms % 1000 * 1000000L;
	if (end.tv_nsec >= 1000000000L) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000L;
	}
	while (pool->running && !pthread_cond_timedwait(&pool->idle, &pool->lock, &end))
		;
}

/**
 * pool_stop - end the workers
 * @pool: the pool
 * @grace_ms: jobs being handled have so long to end well, then they are told to
 *	give up
 *
 * Return: how many jobs were not finished: queued ones, and those given up
 */
unsigned int pool_stop(struct pool *pool, unsigned int grace_ms)
{
	unsigned int unfinished, i;

	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	unfinished = discard_queued(pool);
	pthread_cond_broadcast(&pool->work);
	wait_idle(pool, grace_ms);
	unfinished += pool->running;
	atomic_store(&pool->abort, true);
	pthread_mutex_unlock(&pool->lock);

	for (i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	free(pool->threads);
	if (pool->room_fd >= 0)
		close(pool->room_fd);
	return unfinished;
}
