// SPDX-License-Identifier: GPL-2.0-only
/*
 * The caches in /proc/fs/cachefiles_od: "caches" has a row per cache, "cache" a line per field
 * of the cache that a mount without cache= joins. Both share one list of fields.
 */
#include "internal.h"
#include "stats.h"

#include <linux/proc_fs.h>
#include <linux/seq_file.h>

/**
 * struct totals - totals over the blobs of a cache
 * @volumes: volumes in use
 * @blobs: blobs that are open
 * @waiting: pieces of reads that wait
 * @oldest_ms: age of the oldest request for a blob
 */
struct totals {
	unsigned int volumes, blobs, waiting, oldest_ms;
};

/**
 * struct field - a column of "caches", a line of "cache"
 * @name: its name
 * @show: prints it
 */
struct field {
	const char *name;
	void (*show)(struct seq_file *m, struct cachefiles_od_cache *cache,
		     const struct totals *totals);
};

#define SHOW(what, ...)									\
static void show_##what(struct seq_file *m, struct cachefiles_od_cache *cache,		\
			const struct totals *totals)					\
{											\
	seq_printf(m, __VA_ARGS__);							\
}

#define SHOW_COUNTER(what)	SHOW(what, "%lld", atomic64_read(&cache->stats.what))

SHOW(id, "%u", cache->id)
SHOW(device, "%u", cache->device)
SHOW(daemon, "%s", READ_ONCE(cache->queue.live) ? "bound" : "gone")
SHOW(requests, "%u", READ_ONCE(cache->queue.nr_requests))
SHOW_COUNTER(opens)
SHOW_COUNTER(reads)
SHOW_COUNTER(closes)
SHOW_COUNTER(filled)
SHOW_COUNTER(failed)
SHOW_COUNTER(commits)
SHOW_COUNTER(passed)
SHOW_COUNTER(punched)
SHOW_COUNTER(culled)
SHOW_COUNTER(widened)
SHOW_COUNTER(unused)
SHOW(culling, "%s", READ_ONCE(cache->room.culling) ? "yes" : "no")
SHOW(brun, "%u", cache->blocks.run)
SHOW(bcull, "%u", cache->blocks.cull)
SHOW(bstop, "%u", cache->blocks.stop)
SHOW(frun, "%u", cache->files.run)
SHOW(fcull, "%u", cache->files.cull)
SHOW(fstop, "%u", cache->files.stop)

static void show_tag(struct seq_file *m, struct cachefiles_od_cache *cache,
		     const struct totals *totals)
{
	cachefiles_od_stats_string(m, cache->tag);
}

static void show_dir(struct seq_file *m, struct cachefiles_od_cache *cache,
		     const struct totals *totals)
{
	cachefiles_od_stats_string(m, cache->dir);
}

static void show_room(struct seq_file *m, struct cachefiles_od_cache *cache,
		      const struct totals *totals)
{
	static const char * const names[] = {
		[OD_ROOM_PLENTY]	= "plenty",
		[OD_ROOM_SOME]		= "some",
		[OD_ROOM_SCARCE]	= "scarce",
		[OD_ROOM_NONE]		= "none",
	};

	seq_puts(m, names[READ_ONCE(cache->room.room)]);
}

SHOW(volumes, "%u", totals->volumes)
SHOW(blobs, "%u", totals->blobs)
SHOW(waiting, "%u", totals->waiting)
SHOW(oldest, "%u", totals->oldest_ms)
SHOW(hits, "%lld", atomic64_read(&cache->use.hits))
SHOW(misses, "%lld", atomic64_read(&cache->use.misses))
SHOW(served, "%lld", atomic64_read(&cache->use.served))
SHOW(timeouts, "%u", cachefiles_od_use_timeouts(&cache->use))

static void show_errors(struct seq_file *m, struct cachefiles_od_cache *cache,
			const struct totals *totals)
{
	cachefiles_od_use_show_errors(m, &cache->use);
}

static void show_waits(struct seq_file *m, struct cachefiles_od_cache *cache,
		       const struct totals *totals)
{
	cachefiles_od_use_show_waits(m, &cache->use);
}

/* In output order; readers go by the names. */
static const struct field fields[] = {
	{ "cache", show_id },
	{ "tag", show_tag },
	{ "device", show_device },
	{ "daemon", show_daemon },
	{ "dir", show_dir },
	{ "volumes", show_volumes },
	{ "blobs", show_blobs },
	{ "requests", show_requests },
	{ "opens", show_opens },
	{ "reads_sent", show_reads },
	{ "closes", show_closes },
	{ "bytes_filled", show_filled },
	{ "bytes_served", show_served },
	{ "failures", show_failed },
	{ "commits", show_commits },
	{ "room", show_room },
	{ "culling", show_culling },
	{ "brun", show_brun },
	{ "bcull", show_bcull },
	{ "bstop", show_bstop },
	{ "frun", show_frun },
	{ "fcull", show_fcull },
	{ "fstop", show_fstop },
	{ "bytes_passed", show_passed },
	{ "bytes_punched", show_punched },
	{ "culled", show_culled },
	{ "bytes_widened", show_widened },
	{ "bytes_unused", show_unused },
	{ "hits", show_hits },
	{ "misses", show_misses },
	{ "waiting", show_waiting },
	{ "oldest_ms", show_oldest },
	{ "errors", show_errors },
	{ "timeouts", show_timeouts },
	{ "waits_ms", show_waits },
};

/* Blob by blob: each one's lock is held only while its READs are counted. */
static struct totals count_totals(struct cachefiles_od_cache *cache)
{
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;
	struct totals totals = { };

	lockdep_assert_held(&cachefiles_od_mutex);
	list_for_each_entry(volume, &cache->volumes, link) {
		totals.volumes++;
		list_for_each_entry(cookie, &volume->cookies, link) {
			totals.blobs++;
			spin_lock(&cookie->lock);
			cachefiles_od_stats_waiting(cookie, &totals.waiting, &totals.oldest_ms);
			spin_unlock(&cookie->lock);
		}
	}
	return totals;
}

/* Before the mutex is taken: a file system may take long. */
static void look_up_rooms(void)
{
	struct cachefiles_od_cache *cache;
	unsigned int id = 0;

	while ((cache = cachefiles_od_cache_get_after(id))) {
		id = cache->id;
		cachefiles_od_room(cache);
		cachefiles_od_cache_put(cache);
	}
}

static int show_cache(struct seq_file *m, void *unused)
{
	struct cachefiles_od_cache *cache;
	struct totals totals = { };
	size_t i;

	seq_puts(m, "name\tvalue\n");
	look_up_rooms();
	mutex_lock(&cachefiles_od_mutex);
	cache = cachefiles_od_cache_find(NULL);
	if (cache)
		totals = count_totals(cache);
	else
		seq_puts(m, "daemon\tnone\n");
	for (i = 0; cache && i < ARRAY_SIZE(fields); i++) {
		seq_printf(m, "%s\t", fields[i].name);
		fields[i].show(m, cache, &totals);
		seq_putc(m, '\n');
	}
	mutex_unlock(&cachefiles_od_mutex);
	return 0;
}

/* --- caches: under cachefiles_od_mutex, which nothing that waits for a disk holds --- */

static void *caches_start(struct seq_file *m, loff_t *pos)
{
	look_up_rooms();
	mutex_lock(&cachefiles_od_mutex);
	return seq_list_start_head(&cachefiles_od_caches, *pos);
}

static void *caches_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &cachefiles_od_caches, pos);
}

static void caches_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&cachefiles_od_mutex);
}

static int caches_show(struct seq_file *m, void *v)
{
	struct cachefiles_od_cache *cache =
		v == &cachefiles_od_caches ? NULL : list_entry(v, struct cachefiles_od_cache, link);
	struct totals totals = { };
	size_t i;

	if (cache)
		totals = count_totals(cache);
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (i)
			seq_putc(m, '\t');
		if (cache)
			fields[i].show(m, cache, &totals);
		else
			seq_puts(m, fields[i].name);
	}
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations caches_ops = {
	.start	= caches_start,
	.next	= caches_next,
	.stop	= caches_stop,
	.show	= caches_show,
};

bool cachefiles_od_stats_register_caches(struct proc_dir_entry *dir)
{
	return proc_create_single("cache", 0400, dir, show_cache) &&
	       proc_create_seq("caches", 0400, dir, &caches_ops);
}
