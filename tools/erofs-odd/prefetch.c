// SPDX-License-Identifier: GPL-2.0-only
#include "prefetch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ahead.h"
#include "fill.h"
#include "stats.h"
#include "work.h"

/* A READ waits for prefetched data if at most this much is to arrive before it, ... */
#define HOLD_BYTES	(256U << 10)
/* ... and at most this long. */
#define HOLD_MS		150
/* A READ for planned data fetches this much, or up to the end of its range. */
#define ALONE_BYTES	(128U << 10)
#define MOMENT_MS	10
/* While misses are in flight, minimum time between prefetch requests. */
#define YIELD_MS	50
/* Misses have priority on a busy CPU, too. */
#define NICENESS	10
/* Requests faster than this raise the limit on bytes in flight, slower ones lower it. */
#define QUICK_MS	60
#define SLOW_MS		120

/** prefetch_init - initialize, before any blob is opened */
void prefetch_init(struct prefetch *prefetch, struct work *work, bool off)
{
	pthread_condattr_t attr;

	prefetch->work = work;
	prefetch->off = off;
	prefetch->limit = PREFETCH_BYTES_MIN;
	pthread_mutex_init(&prefetch->lock, NULL);
	pthread_mutex_init(&prefetch->told.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&prefetch->changed, &attr);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&prefetch->traces);
}

/* --- what to do next --- */

static struct task task_for_target(struct ahead *ahead, unsigned int blob)
{
	struct task task = { .kind = TASK_TARGET, .ahead = ahead, .range.blob = blob };
	struct target *target = &ahead->targets[blob];

	if (target->state == TARGET_ASKED)
		task.kind = TASK_NONE;
	else if (target->state == TARGET_LATER && clock_ms() < ahead->again_ms)
		task.kind = TASK_WAIT;
	else
		target->state = TARGET_ASKED;
	return task;
}

/*
 * Gives way to misses: nothing new while one waits for a thread, and less while any is in
 * flight.
 */
static bool yields(const struct prefetch *prefetch)
{
	switch (pools_load(&prefetch->work->pools)) {
	case POOLS_FULL:
		return true;
	case POOLS_BUSY:
		return clock_ms() - prefetch->began_ms < YIELD_MS;
	case POOLS_IDLE:
		break;
	}
	return false;
}

static struct task task_for_plan(struct prefetch *prefetch, struct ahead *ahead)
{
	struct task task = { .ahead = ahead };
	int blob = plan_peek(&ahead->plan);

	if (blob < 0)
		return task;
	if (ahead->targets[blob].state != TARGET_OPEN)
		return task_for_target(ahead, (unsigned int)blob);
	if (prefetch->bytes >= prefetch->limit)
		return task;
	if (yields(prefetch)) {
		task.kind = TASK_WAIT;
		return task;
	}
	prefetch->began_ms = clock_ms();
	plan_next(&ahead->plan, prefetch->limit / 2, &task.range);
	task.kind = TASK_FETCH;
	return task;
}

static struct task task_for(struct prefetch *prefetch, struct ahead *ahead)
{
	struct task task = { .ahead = ahead };

	if (ahead->state == AHEAD_KNOWN)
		return task_for_plan(prefetch, ahead);
	if (ahead->state == AHEAD_NEW && prefetch->known < PREFETCH_TRACES) {
		ahead->state = AHEAD_ASKED;
		prefetch->waiting--;
		prefetch->known++;
		task.kind = TASK_TRACE;
	}
	return task;
}

static bool is_over(struct ahead *ahead)
{
	return ahead->state == AHEAD_KNOWN && !ahead->users && plan_peek(&ahead->plan) < 0;
}

static void forget(struct prefetch *prefetch, struct ahead *ahead)
{
	TAILQ_REMOVE(&prefetch->traces, ahead, link);
	if (ahead->state == AHEAD_NEW)
		prefetch->waiting--;
	else
		prefetch->known--;
	ahead_free(ahead);
}

static struct task next_task(struct prefetch *prefetch)
{
	struct task task = { .kind = TASK_NONE }, wait = { .kind = TASK_NONE };
	struct ahead *ahead, *next;

	for (ahead = TAILQ_FIRST(&prefetch->traces); ahead; ahead = next) {
		next = TAILQ_NEXT(ahead, link);
		if (is_over(ahead)) {
			forget(prefetch, ahead);
			continue;
		}
		task = task_for(prefetch, ahead);
		if (task.kind == TASK_WAIT)
			wait = task;
		else if (task.kind != TASK_NONE)
			return task;
	}
	return wait;
}

/* --- threads --- */

static void *run(void *arg);

/* With the lock held. If no thread can be added, the existing ones continue. */
static void add_thread(struct prefetch *prefetch)
{
	if (prefetch->idle || prefetch->count == PREFETCH_THREADS || prefetch->stop)
		return;
	if (!pthread_create(&prefetch->threads[prefetch->count], NULL, run, prefetch))
		prefetch->count++;
}

static void wait_for_task(struct prefetch *prefetch, enum task_kind kind)
{
	struct timespec until;

	prefetch->idle++;
	if (kind == TASK_WAIT) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += MOMENT_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		pthread_cond_timedwait(&prefetch->changed, &prefetch->lock, &until);
	} else {
		pthread_cond_wait(&prefetch->changed, &prefetch->lock);
	}
	prefetch->idle--;
}

static void take_off(struct flight *flight, const struct task *task)
{
	flight->object_id = task->ahead->targets[task->range.blob].object_id;
	flight->off = task->range.off;
	flight->end = task->range.end;
	atomic_store(&flight->at, flight->off);
	flight->since_ms = clock_ms();
	flight->flying = true;
}

/* Adapts the limit: a READ may have to wait for everything in flight when it arrives. */
static void adapt(struct prefetch *prefetch, uint64_t took_ms)
{
	uint64_t limit = prefetch->limit;

	if (took_ms < QUICK_MS && prefetch->bytes >= limit)
		limit += limit / 4;
	else if (took_ms > SLOW_MS)
		limit -= limit / 4;
	if (limit < PREFETCH_BYTES_MIN)
		limit = PREFETCH_BYTES_MIN;
	prefetch->limit = limit < PREFETCH_BYTES_MAX ? limit : PREFETCH_BYTES_MAX;
}

static void land(struct prefetch *prefetch, struct flight *flight)
{
	struct flight *recent = &prefetch->recent[prefetch->next++ % PREFETCH_RECENT];

	adapt(prefetch, clock_ms() - flight->since_ms);
	recent->object_id = flight->object_id;
	recent->off = flight->off;
	recent->end = flight->end;
	atomic_store(&recent->at, atomic_load(&flight->at));
	flight->flying = false;
}

/* Called and returns with the lock held. */
static void run_task(struct prefetch *prefetch, struct task *task, struct flight *flight,
		     struct fetcher *fetcher, char *piece)
{
	uint64_t bytes = task->kind == TASK_FETCH ? task->range.end - task->range.off : 0;

	if (bytes)
		take_off(flight, task);
	task->ahead->users++;
	prefetch->bytes += bytes;
	/* There may be more to do than this. */
	add_thread(prefetch);
	pthread_cond_signal(&prefetch->changed);
	pthread_mutex_unlock(&prefetch->lock);
	ahead_run(prefetch, task, fetcher, flight, piece);
	pthread_mutex_lock(&prefetch->lock);
	if (bytes)
		land(prefetch, flight);
	prefetch->bytes -= bytes;
	task->ahead->users--;
	pthread_cond_broadcast(&prefetch->changed);
}

static void work(struct prefetch *prefetch, struct fetcher *fetcher, char *piece)
{
	struct flight *flight;
	struct task task;

	pthread_mutex_lock(&prefetch->lock);
	for (flight = prefetch->flights; flight->taken; flight++)
		;
	flight->taken = true;
	while (!prefetch->stop) {
		task = next_task(prefetch);
		if (task.kind == TASK_NONE || task.kind == TASK_WAIT)
			wait_for_task(prefetch, task.kind);
		else
			run_task(prefetch, &task, flight, fetcher, piece);
	}
	pthread_mutex_unlock(&prefetch->lock);
}

/* Only one kind of source has a connection, which is kept for all of them. */
static void *run(void *arg)
{
	struct prefetch *prefetch = arg;
	struct fetcher fetcher = { .options = prefetch->work->pools.options,
				   .stop = &prefetch->stop };
	char *piece = fill_buffer();

	/* On Linux this only affects this thread. If it fails, misses are a little slower. */
	setpriority(PRIO_PROCESS, 0, NICENESS);
	if (piece)
		work(prefetch, &fetcher, piece);
	if (fetcher.connection)
		source_http_ops.end(&fetcher);
	free(piece);
	return NULL;
}

/** prefetch_stop - stop all threads; fetched data stays, and READs may still arrive */
void prefetch_stop(struct prefetch *prefetch)
{
	struct ahead *ahead;
	unsigned int i;

	pthread_mutex_lock(&prefetch->lock);
	prefetch->stop = true;
	pthread_cond_broadcast(&prefetch->changed);
	pthread_mutex_unlock(&prefetch->lock);
	for (i = 0; i < prefetch->count; i++)
		pthread_join(prefetch->threads[i], NULL);
	pthread_mutex_lock(&prefetch->lock);
	while ((ahead = TAILQ_FIRST(&prefetch->traces)) != NULL)
		forget(prefetch, ahead);
	pthread_mutex_unlock(&prefetch->lock);
}

/**
 * prefetch_open - a blob was opened: look for its trace
 * @prefetch: the prefetcher
 * @blob: its version is known
 */
void prefetch_open(struct prefetch *prefetch, const struct blob *blob)
{
	struct ahead *ahead;

	if (prefetch->off || blob->version.place < 0 || !blob->version.size)
		return;
	ahead = ahead_new(blob);
	if (!ahead)
		return;
	pthread_mutex_lock(&prefetch->lock);
	if (prefetch->stop || prefetch->waiting == PREFETCH_WAITING) {
		pthread_mutex_unlock(&prefetch->lock);
		ahead_free(ahead);
		return;
	}
	TAILQ_INSERT_TAIL(&prefetch->traces, ahead, link);
	prefetch->waiting++;
	add_thread(prefetch);
	pthread_cond_signal(&prefetch->changed);
	pthread_mutex_unlock(&prefetch->lock);
}

/* --- READs --- */

static bool covers(const struct flight *flight, const struct job *job)
{
	return flight->object_id == job->blob->object_id && flight->off <= job->off &&
	       job->off < flight->end;
}

static const struct flight *find_flight(const struct prefetch *prefetch, const struct job *job)
{
	unsigned int i;

	for (i = 0; i < PREFETCH_THREADS; i++)
		if (prefetch->flights[i].flying && covers(&prefetch->flights[i], job))
			return &prefetch->flights[i];
	return NULL;
}

static const struct flight *find_recent(const struct prefetch *prefetch, const struct job *job)
{
	unsigned int i;

	/* Newest first: older entries may be for data fetched earlier. */
	for (i = 1; i <= PREFETCH_RECENT; i++) {
		const struct flight *recent =
			&prefetch->recent[(prefetch->next - i) % PREFETCH_RECENT];

		if (recent->end && covers(recent, job))
			return recent;
	}
	return NULL;
}

static enum prefetch_turn ask(const struct prefetch *prefetch, struct job *job, uint64_t end)
{
	if (end < job->off + ALONE_BYTES)
		end = job->off + ALONE_BYTES;
	/* Kernels that know "wide" request the rest again if a reader wants it. */
	if (prefetch->work->wide && end < job->end)
		job->end = end;
	job->asked = true;
	return PREFETCH_ASK;
}

/*
 * The READ was received before the bytes at @at arrived, so its readers got them when they
 * were filled. The kernel requests the rest again, which may wait for prefetched data again.
 */
static enum prefetch_turn served(struct job *job)
{
	job->asked = true;
	stats.prefetch_hits++;
	return PREFETCH_DONE;
}

/* Some of the data of the READ is in flight, from @at on. */
static enum prefetch_turn look_at(const struct prefetch *prefetch, const struct flight *flight,
				  struct job *job)
{
	uint64_t at = atomic_load(&flight->at), now = clock_ms();

	if (job->held_ms && at >= job->end)
		return served(job);
	if (!job->held_ms) {
		/* Data before @at arrived before the READ, and may have been removed again. */
		if (at > job->off || job->off - at > HOLD_BYTES || !prefetch->work->wide)
			return ask(prefetch, job, at);
		job->held_ms = now;
	}
	if (now - job->held_ms < HOLD_MS)
		return PREFETCH_WAIT;
	return at > job->off ? served(job) : ask(prefetch, job, 0);
}

/* Data of this READ is no longer prefetched. */
static enum prefetch_turn look_in_plans(struct prefetch *prefetch, struct job *job)
{
	enum prefetch_turn turn = PREFETCH_ASK;
	struct ahead *ahead;
	unsigned int i;
	uint64_t end;

	job->asked = true;
	TAILQ_FOREACH(ahead, &prefetch->traces, link) {
		for (i = 0; i < ahead->plan.trace.nr_blobs; i++) {
			if (ahead->targets[i].state != TARGET_OPEN ||
			    ahead->targets[i].object_id != job->blob->object_id)
				continue;
			end = plan_end(&ahead->plan, i, job->off);
			if (end)
				turn = ask(prefetch, job, end);
			plan_skip(&ahead->plan, i, job->off, job->end);
		}
	}
	return turn;
}

static enum prefetch_turn look(struct prefetch *prefetch, struct job *job)
{
	const struct flight *flight = find_flight(prefetch, job);

	if (flight)
		return look_at(prefetch, flight, job);
	if (job->held_ms) {
		flight = find_recent(prefetch, job);
		if (flight && atomic_load(&flight->at) > job->off)
			return served(job);
	}
	return look_in_plans(prefetch, job);
}

/**
 * prefetch_turn - decide whether a READ that is due waits for prefetched data
 * @prefetch: the prefetcher
 * @job: the READ; may be shortened
 */
enum prefetch_turn prefetch_turn(struct prefetch *prefetch, struct job *job)
{
	enum prefetch_turn turn;

	if (prefetch->off || job->asked)
		return PREFETCH_ASK;
	pthread_mutex_lock(&prefetch->lock);
	turn = look(prefetch, job);
	pthread_mutex_unlock(&prefetch->lock);
	return turn;
}
