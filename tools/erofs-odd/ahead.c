// SPDX-License-Identifier: GPL-2.0-only
#include "ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cull.h"
#include "fill.h"
#include "log.h"
#include "proc.h"
#include "stats.h"
#include "work.h"

/* The blobs of an image are opened together. */
#define OPEN_MS		2000
#define OPEN_AGAIN_MS	50

struct ahead *ahead_new(const struct blob *blob)
{
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return NULL;
	ahead->object_id = blob->object_id;
	ahead->opened_ms = clock_ms();
	strcpy(ahead->volume, blob->volume);
	return ahead;
}

void ahead_free(struct ahead *ahead)
{
	plan_free(&ahead->plan);
	free(ahead);
}

static void give_up(struct prefetch *prefetch, struct ahead *ahead)
{
	pthread_mutex_lock(&prefetch->lock);
	ahead->plan.trace.nr_ranges = 0;
	pthread_mutex_unlock(&prefetch->lock);
}

/* The source that a blob was opened from, ready for requests; or NULL. */
static struct source *source_of(struct prefetch *prefetch, struct fetcher *fetcher,
				const struct blob *blob)
{
	struct pool *pool = &prefetch->work->pools.of[blob->version.place];
	const struct source_ops *ops = pool->source->ops;

	if (health_is_sick(&pool->health) || health_pause(&pool->health) ||
	    atomic_load(&blob->stale) & 1ULL << blob->version.place)
		return NULL;
	if (ops->begin && !fetcher->connection && ops->begin(fetcher))
		return NULL;
	fetcher->cancel = &blob->closed;
	/* Bounds a source that sends a byte at a time, so that it does not keep the thread. */
	fetcher->until_ms = clock_ms() + (uint64_t)fetcher->options->timeout_ms;
	fetcher->silence_ms = fetcher->options->switch_ms;
	return pool->source;
}

/* --- the trace --- */

static bool is_recording(void)
{
	int fd = open(TRACE_WINDOW, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return n > 0 && atoi(text) == atoi(TRACE_WINDOW_KIB);
}

static bool is_whole(const struct work *work, const struct blob *blob)
{
	struct presence map;
	bool whole;

	if (record_map(&work->dirs, blob->volume, blob->name, &map))
		return false;
	whole = presence_bytes(&map) == blob->version.size;
	presence_free(&map);
	return whole;
}

static void reject(struct prefetch *prefetch, const struct blob *blob, const char *why)
{
	if (!told_before(&prefetch->told, blob->name, why))
		log_warn("blob %s: ignoring its trace: %s", blob->shown, why);
}

/* The blob may differ from the one that the trace was recorded for. */
static void reject_size(struct prefetch *prefetch, const struct blob *blob,
			const struct trace_blob *want)
{
	if (!told_before(&prefetch->told, blob->name, "size"))
		log_warn("blob %s: not prefetched: it has %" PRIu64 " bytes, and %" PRIu64
			 " in the trace", blob->shown, blob->version.size, want->size);
}

static int parse(struct prefetch *prefetch, const struct blob *blob, struct fill *fill,
		 struct trace *trace)
{
	const char *why;
	int err;

	fill->buf[fill->used] = '\0';
	err = trace_parse(trace, fill->buf, fill->used, &why);
	if (err)
		reject(prefetch, blob, why);
	return err;
}

static int fetch_text(struct prefetch *prefetch, struct source *source, struct fetcher *fetcher,
		      const struct blob *blob, struct trace *trace)
{
	char name[BLOB_NAME_MAX + sizeof(TRACE_SUFFIX)];
	struct fill fill = { .hold = true };
	struct version version;
	int err;

	snprintf(name, sizeof(name), "%s" TRACE_SUFFIX, blob->name);
	err = source->ops->open(source, fetcher, name, &version);
	if (err)
		return err;
	if (version.size > TRACE_TEXT_MAX) {
		reject(prefetch, blob, "too long");
		return fetcher_fail(fetcher, -EFBIG, "%" PRIu64 " bytes", version.size);
	}
	fill.end = version.size;
	fill.buf = malloc(version.size + 1);
	if (!fill.buf)
		return fetcher_fail(fetcher, -ENOMEM, "out of memory");
	err = source->ops->fetch(source, fetcher, name, &version, &fill);
	if (!err && parse(prefetch, blob, &fill, trace))
		err = fetcher_fail(fetcher, -EINVAL, "not a valid trace");
	free(fill.buf);
	return err;
}

/* Most blobs have none, which is not worth a log line. */
static int find_trace(struct prefetch *prefetch, struct fetcher *fetcher, const struct blob *blob,
		      struct trace *trace)
{
	struct source *source;
	int err;

	if (is_recording() || is_whole(prefetch->work, blob))
		return -ENOENT;
	source = source_of(prefetch, fetcher, blob);
	if (!source)
		return -ENOENT;
	err = fetch_text(prefetch, source, fetcher, blob, trace);
	if (err)
		log_debug("blob %s: no trace: %s", blob->shown, fetcher->why);
	return err;
}

static void fetch_trace(struct prefetch *prefetch, struct ahead *ahead, struct fetcher *fetcher)
{
	struct blob *blob = blobs_get(&prefetch->work->blobs, ahead->object_id);
	struct trace trace = { 0 };
	struct plan plan = { 0 };

	if (blob && !find_trace(prefetch, fetcher, blob, &trace)) {
		log_debug("blob %s: prefetching %" PRIu64 " bytes in %u ranges", blob->shown,
			  trace_bytes(&trace), trace.nr_ranges);
		stats.prefetches++;
		if (plan_init(&plan, &trace))
			plan_free(&plan);
	}
	pthread_mutex_lock(&prefetch->lock);
	ahead->plan = plan;
	ahead->state = AHEAD_KNOWN;
	pthread_mutex_unlock(&prefetch->lock);
	fetcher->cancel = NULL;
	if (blob)
		blob_put(blob);
}

/* --- its blobs --- */

/* Data already in the cache is not fetched again. */
static void skip_present(struct prefetch *prefetch, struct ahead *ahead, unsigned int nr,
			 const struct blob *blob)
{
	struct presence map;
	uint32_t i;

	if (record_map(&prefetch->work->dirs, blob->volume, blob->name, &map))
		return;
	pthread_mutex_lock(&prefetch->lock);
	/* The kernel discards the file of another version. */
	for (i = 0; i < map.head.nr_runs && !strcmp(map.head.validator, blob->validator); i++)
		plan_skip(&ahead->plan, nr, map.runs[i].start, map.runs[i].end);
	pthread_mutex_unlock(&prefetch->lock);
	presence_free(&map);
}

static void find_target(struct prefetch *prefetch, struct ahead *ahead, unsigned int nr)
{
	const struct trace_blob *want = &ahead->plan.trace.blobs[nr];
	struct blob *blob = blobs_find(&prefetch->work->blobs, ahead->volume, want->name);
	struct target target = { .state = TARGET_OPEN };
	uint64_t now = clock_ms();
	bool skip = false;

	if (!blob && now - ahead->opened_ms < OPEN_MS) {
		target.state = TARGET_LATER;
	} else if (!blob || blob->version.place < 0) {
		skip = true;
	} else if (blob->version.size != want->size) {
		reject_size(prefetch, blob, want);
		skip = true;
	} else {
		skip_present(prefetch, ahead, nr, blob);
		target.object_id = blob->object_id;
	}
	pthread_mutex_lock(&prefetch->lock);
	if (skip)
		plan_skip_blob(&ahead->plan, nr);
	ahead->again_ms = now + OPEN_AGAIN_MS;
	ahead->targets[nr] = target;
	pthread_mutex_unlock(&prefetch->lock);
	if (blob)
		blob_put(blob);
}

/* --- their data --- */

/*
 * Nothing is prefetched that would not be kept, or that other data would have to be culled for:
 * not until culling has ended.
 */
static bool has_room(const struct work *work, uint64_t bytes)
{
	const char *room = "", *culling = "";
	struct table caches;
	bool scarce;
	size_t row;

	if (!proc_own_cache(work->wanted.proc, work->dev, &caches, &row)) {
		room = table_get(&caches, row, "room");
		culling = table_get(&caches, row, "culling");
	}
	scarce = !strcmp(room, "none") || !strcmp(room, "scarce") || !strcmp(culling, "yes");
	table_free(&caches);
	return !scarce && (!work->culler || culler_has_room(work->culler, bytes));
}

static uint64_t under_way(struct prefetch *prefetch)
{
	uint64_t bytes;

	pthread_mutex_lock(&prefetch->lock);
	bytes = prefetch->bytes;
	pthread_mutex_unlock(&prefetch->lock);
	return bytes;
}

/* An error ends all of it: missing data is fetched when it is read. */
static void fetch_range(struct prefetch *prefetch, struct task *task, struct blob *blob,
			struct fetcher *fetcher, struct flight *flight, char *piece)
{
	struct source *source = source_of(prefetch, fetcher, blob);
	struct fill fill = { .dev = blob->dev, .fd = blob->fd, .off = task->range.off,
			     .end = task->range.end, .buf = piece, .progress = &flight->at };
	int err = -ENOENT;

	fetcher_fail(fetcher, err, "its source failed recently");
	if (source && !has_room(prefetch->work, under_way(prefetch))) {
		err = fetcher_fail(fetcher, -ENOSPC, "the cache is full");
	} else if (source) {
		stats.prefetch_requests++;
		err = source->ops->fetch(source, fetcher, blob->name, &blob->version, &fill);
	}
	if (err && !fill.err)
		fill_flush(&fill);
	stats.bytes_prefetched += fill.off - task->range.off;
	if (err) {
		log_debug("blob %s: prefetching stopped: %s", blob->shown, fetcher->why);
		give_up(prefetch, task->ahead);
	}
}

static void fetch(struct prefetch *prefetch, struct task *task, struct fetcher *fetcher,
		  struct flight *flight, char *piece)
{
	struct blob *blob = blobs_get(&prefetch->work->blobs, flight->object_id);

	if (!blob) {
		give_up(prefetch, task->ahead);
		return;
	}
	fetch_range(prefetch, task, blob, fetcher, flight, piece);
	fetcher->cancel = NULL;
	blob_put(blob);
}

/** ahead_run - run a task, without the lock held */
void ahead_run(struct prefetch *prefetch, struct task *task, struct fetcher *fetcher,
	       struct flight *flight, char *piece)
{
	switch (task->kind) {
	case TASK_TRACE:
		fetch_trace(prefetch, task->ahead, fetcher);
		break;
	case TASK_TARGET:
		find_target(prefetch, task->ahead, task->range.blob);
		break;
	case TASK_FETCH:
		fetch(prefetch, task, fetcher, flight, piece);
		break;
	case TASK_NONE:
	case TASK_WAIT:
		break;
	}
}
