// SPDX-License-Identifier: GPL-2.0-only
#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "device.h"
#include "fill.h"
#include "log.h"
#include "range.h"
#include "stats.h"

#define BACKOFF_FIRST_MS	100
#define BACKOFF_MAX_MS		5000
/* Maximum tries after replies that contradict each other. */
#define DOUBTS_MAX		3
/* From this round on, the kernel is asked whether a reader still waits. */
#define ROUNDS_UNASKED		2
#define SILENCE_DOUBLINGS	4
#define AHEAD_AGAIN_MS		5

static uint64_t bit(int index)
{
	return 1ULL << index;
}

/* --- replies --- */

static int reply_to_open(struct work *work, uint32_t msg_id, int64_t size_or_errno,
		       const char *validator)
{
	char command[64 + VALIDATOR_MAX];

	if (!work->wide)
		validator = "";
	snprintf(command, sizeof(command), "copen %" PRIu32 ",%" PRId64 "%s%s", msg_id,
		 size_or_errno, *validator ? "," : "", validator);
	return device_command(work->dev, command);
}

/** work_refuse_open - reply to an OPEN with an errno */
void work_refuse_open(struct work *work, uint32_t msg_id, int err)
{
	int sent = reply_to_open(work, msg_id, err, "");

	stats.open_errors++;
	if (sent)
		log_warn("kernel rejected the reply to OPEN %" PRIu32 ": %s", msg_id,
			 strerror(-sent));
}

/* A changed blob in use is opened again for each READ: log it once. */
static void copen_refused(struct work *work, struct blob *blob, int err)
{
	stats.open_errors++;
	if (err != -ESTALE)
		log_warn("blob %s: kernel rejected the reply to OPEN: %s",
			 blob->shown, strerror(-err));
	else if (!told_before(&work->refused, blob->name, blob->validator))
		log_err("blob %s: changed at the source while in use: missing data cannot be read "
			"until it is unmounted: %s", blob->shown, strerror(-err));
	blobs_drop(&work->blobs, blob->object_id);
}

/** work_complete_read - complete a READ, however much of it was filled */
void work_complete_read(struct blob *blob, uint32_t msg_id)
{
	int err = device_complete(blob->dev, blob->fd, msg_id);

	/* A READ whose reader was killed meanwhile cannot be completed. */
	if (err)
		log_debug("kernel rejected the completion of READ %" PRIu32 " of blob %s: %s",
			  msg_id, blob->shown, strerror(-err));
}

static void complete_read(struct job *job)
{
	job_ends(job);
	work_complete_read(job->blob, job->msg_id);
}

/*
 * The kernel compares validators as text. A server may phrase the same version differently, so
 * the earlier text is sent again.
 */
static void name_version(struct work *work, struct blob *blob, bool mirror)
{
	struct version recorded;
	struct record record;

	version_write(&blob->version, blob->validator);
	if (!*blob->validator)
		return;
	if (!record_read(&work->dirs, blob->volume, blob->name, &record) && *record.validator) {
		version_read(&recorded, record.size, record.validator);
		if (version_same(&recorded, &blob->version, mirror)) {
			strcpy(blob->validator, record.validator);
			return;
		}
	}
	blobs_find_open(&work->blobs, blob, blob->validator);
}

static void send_copen(struct work *work, struct job *job, const char *from)
{
	struct blob *blob = job->blob;
	int err;

	/* READs may arrive as soon as the reply is sent. */
	atomic_store(&blob->open, true);
	job_ends(job);
	err = reply_to_open(work, job->msg_id, (int64_t)blob->version.size, blob->validator);
	if (err)
		copen_refused(work, blob, err);
	else
		log_debug("blob %s is open: %" PRIu64 " bytes, from %s", blob->shown,
			  blob->version.size, from);
	if (!err)
		prefetch_open(&work->prefetch, blob);
}

static void fail_open(struct work *work, struct job *job)
{
	log_warn("blob %s: failed to open: %s (%s)", job->blob->shown,
		 job->err == -ENOENT ? "no source has it" : job->why ? job->why : "out of memory",
		 strerror(-job->err));
	work_refuse_open(work, job->msg_id, job->err);
	blobs_drop(&work->blobs, job->blob->object_id);
}

/* Logs one line for a blob that changed, and one for each READ that fails otherwise. */
static void fail_read(struct job *job)
{
	struct blob *blob = job->blob;
	const char *why = job->why ? job->why : "out of memory";

	stats.read_errors++;
	if (job->err != -ESTALE)
		log_err("blob %s, %" PRIu64 " bytes at %" PRIu64 ": %s (%s)", blob->shown,
			job->end - job->off, job->off, why, strerror(-job->err));
	else if (!atomic_exchange(&blob->told, true))
		log_err("blob %s: no more data is fetched until it is reopened: %s (%s)",
			blob->shown, why, strerror(-job->err));
	/* A failed READ is completed too: the hole tells the kernel to fail the reader. */
	complete_read(job);
}

static void fail(struct work *work, struct job *job)
{
	if (job->is_open)
		fail_open(work, job);
	else
		fail_read(job);
	job_free(job);
}

/* --- where to ask --- */

/* Sources in list order, except that the one the blob was opened from comes first. */
static int candidate(const struct work *work, const struct job *job, int i)
{
	int home = job->is_open ? 0 : job->blob->version.place;

	if (home < 0 || home >= work->pools.count)
		home = 0;
	if (!i)
		return home;
	return i <= home ? i - 1 : i;
}

/* The first source that may be asked in this round, or -1. */
static int first_source(struct work *work, const struct job *job, uint64_t without, bool sick)
{
	int i, index;

	without |= job->tried | job->refused | atomic_load(&job->blob->stale);
	for (i = 0; i < work->pools.count; i++) {
		index = candidate(work, job, i);
		if (!(without & bit(index)) &&
		    (sick || !health_is_sick(&work->pools.of[index].health)))
			return index;
	}
	return -1;
}

static int next_source(struct work *work, const struct job *job)
{
	int index = first_source(work, job, 0, false);

	return index >= 0 ? index : first_source(work, job, 0, true);
}

static void submit_at(struct work *work, int index, struct job *job, uint64_t due_ms)
{
	job->due_ms = due_ms;
	pools_submit(&work->pools, index, job);
}

/**
 * work_submit - start a request
 * @work: the daemon's
 * @job: a new job, no longer owned by the caller
 */
void work_submit(struct work *work, struct job *job)
{
	int index = next_source(work, job);

	job->came_ms = clock_ms();
	job->progress_ms = job->came_ms;
	if (index >= 0) {
		submit_at(work, index, job, 0);
		return;
	}
	/* Even if it looks unchanged again: what happened in between is unknown. */
	job->err = -ESTALE;
	fail(work, job);
}

/* --- after a failure --- */

static uint64_t deadline(const struct work *work, const struct job *job)
{
	return job->progress_ms + work->pools.options->retry_ms;
}

/*
 * Doubles every round; the upper half is random, so that readers that failed together do not
 * retry together.
 */
static unsigned long backoff_ms(unsigned int round)
{
	unsigned long full = BACKOFF_FIRST_MS;
	unsigned int chance = 0;

	while (round-- && full < BACKOFF_MAX_MS)
		full *= 2;
	if (full > BACKOFF_MAX_MS)
		full = BACKOFF_MAX_MS;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != (ssize_t)sizeof(chance))
		chance = (unsigned int)clock_ms();
	return full / 2 + chance % (full / 2 + 1);
}

/* Keeps the most informative error: neither "not found" nor "another version". */
static void note(struct job *job, int err, const char *why)
{
	if (job->err && (err == -ENOENT || (job->err != -ENOENT && job->err != -ESTALE)))
		return;
	free(job->why);
	job->why = strdup(why);
	job->err = err;
}

/* The sources are unreachable, but nothing has to be fetched from them. */
static bool open_from_record(struct work *work, struct job *job)
{
	struct blob *blob = job->blob;
	struct record record;

	if (record_read(&work->dirs, blob->volume, blob->name, &record) || !record.whole ||
	    !*record.validator)
		return false;
	version_read(&blob->version, record.size, record.validator);
	strcpy(blob->validator, record.validator);
	log_warn("blob %s: opened from the cache, where it is complete: %s", blob->shown,
		 job->why ? job->why : strerror(-job->err));
	send_copen(work, job, "the cache");
	job_free(job);
	return true;
}

static void abandon(struct work *work, struct job *job)
{
	log_debug("request %" PRIu32 " of blob %s: no reader waits for it", job->msg_id,
		  job->blob->shown);
	if (job->is_open)
		blobs_drop(&work->blobs, job->blob->object_id);
	else
		complete_read(job);
	job_free(job);
}

/* All sources were asked. */
static void end_round(struct work *work, struct job *job)
{
	uint64_t now = clock_ms(), end = deadline(work, job), due, pause;
	int index;

	if (!job->hopeful || now >= end) {
		fail(work, job);
		return;
	}
	if (job->is_open && open_from_record(work, job))
		return;
	if (job->round >= ROUNDS_UNASKED &&
	    !wanted_still(&work->wanted, job->msg_id, job->came_ms)) {
		abandon(work, job);
		return;
	}
	job->tried = 0;
	index = next_source(work, job);
	if (index < 0) {
		fail(work, job);
		return;
	}
	job->hopeful = false;
	job->err = 0;
	due = now + backoff_ms(job->round++);
	pause = health_pause(&work->pools.of[index].health);
	if (now + pause > due)
		due = now + pause;
	stats.retries++;
	/* One last try at the deadline, whatever pause the source asked for. */
	submit_at(work, index, job, due < end ? due : end);
}

static void go_on(struct work *work, struct job *job)
{
	int index = next_source(work, job);

	if (index < 0)
		end_round(work, job);
	else
		submit_at(work, index, job, 0);
}

static void is_stale(struct work *work, struct pool *pool, struct job *job, const char *why)
{
	uint64_t before = atomic_fetch_or(&job->blob->stale, bit(pool->source->index));

	if (!(before & bit(pool->source->index)) && work->pools.count > 1)
		log_warn("blob %s: %s; source no longer used for this blob", job->blob->shown, why);
}

static void is_sick(struct work *work, struct pool *pool, struct fetcher *fetcher)
{
	if (health_failed(&pool->health, fetcher->pause_ms))
		log_warn("%s; retrying, each request for %lu s", fetcher->why,
			 work->pools.options->retry_ms / 1000);
	else
		log_debug("%s; retrying", fetcher->why);
}

/* @moved: some data arrived */
static void failed(struct work *work, struct pool *pool, struct job *job, struct fetcher *fetcher,
		   int err, bool moved)
{
	uint64_t self = bit(pool->source->index);

	note(job, err, fetcher->why);
	if (moved) {
		job->progress_ms = clock_ms();
		job->round = 0;
		job->doubts = 0;
		job->tried = 0;
	}
	if (err == -ESTALE && !job->is_open)
		is_stale(work, pool, job, fetcher->why);
	if (fetcher->hope == HOPE_NONE ||
	    (fetcher->hope == HOPE_LITTLE && ++job->doubts >= DOUBTS_MAX)) {
		job->refused |= self;
	} else {
		job->hopeful = true;
		if (fetcher->hope == HOPE_LATER && !moved)
			is_sick(work, pool, fetcher);
		else
			log_debug("%s; retrying", fetcher->why);
	}
	if (moved && !(job->refused & self)) {
		stats.retries++;
		submit_at(work, pool->source->index, job, 0);
		return;
	}
	job->tried |= self;
	go_on(work, job);
}

/* --- asking --- */

static int ask_open(struct work *work, struct pool *pool, struct job *job, struct fetcher *fetcher)
{
	struct blob *blob = job->blob;
	struct source *source = pool->source;
	int err = source->ops->open(source, fetcher, blob->name, &blob->version);

	if (err)
		return err;
	name_version(work, blob, source_is_mirrored(fetcher, blob->name));
	send_copen(work, job, source->shown);
	return 0;
}

static void take_tail(struct job *job, struct fill *fill)
{
	if (job->tail)
		memcpy(fill->buf, job->tail, job->tail_len);
	fill->used = job->tail_len;
	free(job->tail);
	job->tail = NULL;
	job->tail_len = 0;
}

/* Without memory for it, it is fetched again. */
static void keep_tail(struct job *job, const struct fill *fill)
{
	job->tail = fill->used ? malloc(fill->used) : NULL;
	if (!job->tail)
		return;
	memcpy(job->tail, fill->buf, fill->used);
	job->tail_len = fill->used;
}

static int ask_read(struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece,
		    bool *moved)
{
	struct blob *blob = job->blob;
	struct source *source = pool->source;
	struct fill fill = { .dev = blob->dev, .fd = blob->fd, .off = job->off, .end = job->end,
			     .buf = piece };
	uint64_t before = job->off + job->tail_len;
	int err;

	take_tail(job, &fill);
	err = source->ops->fetch(source, fetcher, blob->name, &blob->version, &fill);
	if (!err || err == -ECANCELED)
		return err;
	if (!fill.err && fill_flush(&fill))
		fetcher_fail(fetcher, fill.err, "write to the cache failed: %s", strerror(-fill.err));
	*moved = fill.off + fill.used > before;
	job->off = fill.off;
	if (!fill.err)
		keep_tail(job, &fill);
	else
		/* No other source can help. */
		job->refused = UINT64_MAX;
	return fill.err ? fill.err : err;
}

static void succeeded(struct pool *pool, struct job *job)
{
	uint64_t sick_for;

	if (health_good(&pool->health, &sick_for))
		log_info("%s: works again after %" PRIu64 " s", pool->source->shown,
			 sick_for / 1000);
	if (!job->is_open) {
		if (pool->source->index != job->blob->version.place)
			stats.failovers++;
		complete_read(job);
	}
	job_free(job);
}

/* Another source should be asked instead, or this one asked for a pause. */
static bool is_put_off(struct work *work, struct pool *pool, struct job *job)
{
	uint64_t now = clock_ms(), pause = health_pause(&pool->health), end = deadline(work, job);
	int index = first_source(work, job, 0, false);

	if (index >= 0 && index != pool->source->index && health_is_sick(&pool->health)) {
		submit_at(work, index, job, 0);
		return true;
	}
	if (!pause || now >= end)
		return false;
	submit_at(work, pool->source->index, job, now + pause < end ? now + pause : end);
	return true;
}

/* Its data is just being prefetched, so it needs no request. */
static bool is_fetched_ahead(struct work *work, struct pool *pool, struct job *job)
{
	switch (prefetch_turn(&work->prefetch, job)) {
	case PREFETCH_WAIT:
		submit_at(work, pool->source->index, job, clock_ms() + AHEAD_AGAIN_MS);
		return true;
	case PREFETCH_DONE:
		complete_read(job);
		job_free(job);
		return true;
	case PREFETCH_ASK:
		break;
	}
	return false;
}

/* If there is another source to ask, a silent one is given up sooner. */
static unsigned long silence_ms(struct work *work, struct pool *pool, struct job *job)
{
	unsigned int doublings = job->round;

	if (first_source(work, job, bit(pool->source->index), false) < 0)
		return 0;
	if (doublings > SILENCE_DOUBLINGS)
		doublings = SILENCE_DOUBLINGS;
	return work->pools.options->switch_ms << doublings;
}

/** work_run - ask one source; called by its threads */
void work_run(void *arg, struct pool *pool, struct job *job, struct fetcher *fetcher, char *piece)
{
	struct work *work = arg;
	bool moved = false;
	int err = -ECANCELED;

	if (!fetcher_canceled(fetcher)) {
		if (is_put_off(work, pool, job))
			return;
		if (!job->is_open && is_fetched_ahead(work, pool, job))
			return;
		health_try(&pool->health);
		fetcher->silence_ms = silence_ms(work, pool, job);
		fetcher->pause_ms = 0;
		if (job->is_open)
			err = ask_open(work, pool, job, fetcher);
		else
			err = ask_read(pool, job, fetcher, piece, &moved);
	}
	if (!err)
		succeeded(pool, job);
	else if (err == -ECANCELED)
		/*
		 * An aborted request gets no reply: no reader waits for it, or, if the device
		 * is kept open, the next daemon gets it again.
		 */
		job_free(job);
	else
		failed(work, pool, job, fetcher, err, moved);
}
