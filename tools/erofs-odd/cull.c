// SPDX-License-Identifier: GPL-2.0-only
#include "cull.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "pins.h"
#include "presence.h"
#include "proc.h"
#include "stats.h"
#include "table.h"

/* How long to wait for a scan of the cache, in seconds, and how old it may be. */
#define LOOK_S		5
#define LOOK_AGAIN_MS	10000

/**
 * struct item - a cache file
 * @dir: path of its directory
 * @name: of the file
 * @ino: its inode number
 * @bytes: size on disk
 * @used: when it was last used, in seconds since 1970
 * @pinned: never to be culled
 * @regions: row in the table of blobs in use, -1 if it is not in use
 */
struct item {
	char *dir;
	char *name;
	uint64_t ino;
	uint64_t bytes;
	uint64_t used;
	bool pinned;
	ssize_t regions;
};

/**
 * struct part - a part of a blob in use
 * @item: the blob
 * @start: first byte
 * @len: bytes
 * @used: when it was last read, in seconds since 1970, 0 for never
 */
struct part {
	const struct item *item;
	uint64_t start, len, used;
};

/**
 * struct cull_round - one scan of the cache, and its culling
 * @culler: the culler
 * @cache: row of the cache in @caches
 * @caches: the kernel's table of caches
 * @root: directory of the cache
 * @maps: its directory of maps, or -1
 * @pins: its directory of pins, or -1
 * @items: cache files
 * @nr: number of @items
 * @regions: the kernel's table of blobs in use
 * @filled: bytes that the daemon had written to the cache at the time of the scan
 * @total: bytes of all cache files
 * @kept: those of files that are in use or pinned
 * @bytes: still to be freed
 * @files: still to be removed
 * @freed: bytes freed
 * @blobs: blobs removed
 * @parts: parts punched
 */
struct cull_round {
	const struct culler *culler;
	size_t cache;
	struct table caches;
	int root, maps, pins;
	struct item *items;
	size_t nr;
	struct table regions;
	uint64_t filled;
	uint64_t total, kept;
	uint64_t bytes, files;
	uint64_t freed;
	unsigned int blobs, parts;
};

static uint64_t less(uint64_t a, uint64_t by)
{
	return a > by ? a - by : 0;
}

static void count_freed(struct cull_round *round, uint64_t bytes)
{
	round->freed += bytes;
	round->bytes = less(round->bytes, bytes);
}

static bool is_done(const struct cull_round *round)
{
	return !round->bytes && !round->files;
}

/* --- what there is --- */

/* Time of last use from the map, or the file's times if an older module did not record it. */
static uint64_t last_use(const struct cull_round *round, const struct stat *st)
{
	char name[MAP_NAME_SIZE];
	struct od_mapfile head;

	presence_name(st->st_ino, name);
	if (round->maps >= 0 && !presence_read_head(round->maps, name, &head) && head.used)
		return head.used;
	return (uint64_t)st->st_mtime;
}

static int add_item(struct cull_round *round, const FTSENT *entry)
{
	struct item *items = reallocarray(round->items, round->nr + 1, sizeof(*items)), *item;

	if (!items)
		return -ENOMEM;
	round->items = items;
	item = &items[round->nr];
	*item = (struct item) {
		.dir = strndup(entry->fts_path, entry->fts_pathlen - entry->fts_namelen - 1u),
		.name = strdup(entry->fts_name),
		.ino = entry->fts_statp->st_ino,
		.bytes = (uint64_t)entry->fts_statp->st_blocks * 512,
		.used = last_use(round, entry->fts_statp),
		.pinned = pins_has(round->pins, entry->fts_name),
		.regions = -1,
	};
	round->nr++;
	round->total += item->bytes;
	return item->dir && item->name ? 0 : -ENOMEM;
}

static FTS *open_tree(const struct cull_round *round, const char *name, char path[static PATH_MAX])
{
	char *paths[] = { path, NULL };

	snprintf(path, PATH_MAX, "%s/%s", round->culler->options->dir, name);
	return fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
}

/* Lists cache/VOLUME/@xx/FILE; bytes written meanwhile count as written afterwards */
static int list_items(struct cull_round *round)
{
	char path[PATH_MAX];
	FTS *tree = open_tree(round, "cache", path);
	FTSENT *entry;
	int err = 0;

	if (!tree)
		return -errno;
	round->filled = stats.bytes_filled;
	while (!err && (entry = fts_read(tree)) != NULL)
		if (entry->fts_info == FTS_F && entry->fts_level == 3)
			err = add_item(round, entry);
	fts_close(tree);
	return err;
}

/**
 * struct used - a blob in use
 * @ino: inode number of its cache file
 * @row: row in the kernel's table
 */
struct used {
	uint64_t ino;
	size_t row;
};

static int by_ino(const void *a, const void *b)
{
	const struct used *x = a, *y = b;

	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int mark_used(struct cull_round *round)
{
	struct used *list = calloc(round->regions.rows + 1, sizeof(*list)), *found;
	uint64_t id = table_number(&round->caches, round->cache, "cache");
	size_t i, nr = 0;

	if (!list)
		return -ENOMEM;
	for (i = 0; i < round->regions.rows; i++)
		if (table_number(&round->regions, i, "cache") == id)
			list[nr++] = (struct used) { table_number(&round->regions, i, "inode"), i };
	qsort(list, nr, sizeof(*list), by_ino);
	for (i = 0; i < round->nr; i++) {
		struct used key = { .ino = round->items[i].ino };

		found = bsearch(&key, list, nr, sizeof(*list), by_ino);
		if (found)
			round->items[i].regions = (ssize_t)found->row;
		if (found || round->items[i].pinned)
			round->kept += round->items[i].bytes;
	}
	free(list);
	return 0;
}

static int list_used(struct cull_round *round)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/fs/cachefiles_od/regions", round->culler->options->proc);
	return table_load(&round->regions, path) ?: mark_used(round);
}

/* --- what is to be freed --- */

static uint64_t percent_of(uint64_t total, const struct cull_round *round, const char *limit)
{
	return total / 100 * table_number(&round->caches, round->cache, limit);
}

/* For as long as the kernel reports it: only the kernel knows whether culling has started. */
static int want_room(struct cull_round *round)
{
	struct statvfs fs;

	if (strcmp(table_get(&round->caches, round->cache, "culling"), "yes"))
		return 0;
	if (fstatvfs(round->root, &fs))
		return -errno;
	/* One block more, to exceed the limit rather than reach it. */
	round->bytes = less(percent_of(fs.f_blocks, round, "brun") + fs.f_blocks / 100 + 1,
			    fs.f_bavail) * fs.f_frsize;
	if (fs.f_files)
		round->files = less(percent_of(fs.f_files, round, "frun") + 1, fs.f_ffree);
	return 0;
}

static void want_size(struct cull_round *round)
{
	uint64_t size = round->culler->options->size, over;

	if (!size || round->total <= size)
		return;
	over = round->total - size / 10 * 9;
	if (round->bytes < over)
		round->bytes = over;
}

/* --- freeing --- */

/* Sends a command on a name, which is relative to this thread's directory, see cull_thread(). */
static int command(const struct cull_round *round, const struct item *item, const char *text)
{
	if (chdir(item->dir))
		return -errno;
	return device_command(round->culler->dev, text);
}

/* The kernel moves files here whose removal it did not wait for. */
static void empty_graveyard(struct cull_round *round)
{
	char path[PATH_MAX];
	FTS *tree = open_tree(round, "graveyard", path);
	FTSENT *entry;

	if (!tree)
		return;
	while ((entry = fts_read(tree)) != NULL) {
		if (entry->fts_level < 1 || entry->fts_info == FTS_D)
			continue;
		if (entry->fts_info == FTS_DP)
			rmdir(entry->fts_path);
		else if (!unlink(entry->fts_path) && entry->fts_info == FTS_F)
			count_freed(round, (uint64_t)entry->fts_statp->st_blocks * 512);
	}
	fts_close(tree);
}

static int by_use(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

static void cull_blobs(struct cull_round *round)
{
	char text[sizeof("cull ") + NAME_MAX];
	size_t i;
	int err;

	qsort(round->items, round->nr, sizeof(*round->items), by_use);
	for (i = 0; i < round->nr && !is_done(round); i++) {
		const struct item *item = &round->items[i];

		if (item->pinned || item->regions >= 0)
			continue;
		snprintf(text, sizeof(text), "cull %s", item->name);
		err = command(round, item, text);
		if (!err) {
			round->blobs++;
			round->files = less(round->files, 1);
			count_freed(round, item->bytes);
		} else if (err != -EBUSY && err != -ESTALE && err != -ENOENT) {
			log_warn("%s/%s: failed to cull: %s", item->dir, item->name, strerror(-err));
		}
	}
}

static int add_parts(const struct cull_round *round, const struct item *item, struct part **parts,
		     size_t *nr)
{
	size_t row = (size_t)item->regions;
	uint64_t size = table_number(&round->regions, row, "size");
	uint64_t len = table_number(&round->regions, row, "region"), start = 0;
	uint64_t cold = less((uint64_t)time(NULL), round->culler->options->cold_s);
	const char *text = table_get(&round->regions, row, "used");
	struct part *grown;
	uint64_t used;
	char *end;

	for (; len && start < size && *text; start += len) {
		used = strtoull(text, &end, 10);
		text = *end == ',' ? end + 1 : end;
		if (used > cold)
			continue;
		grown = reallocarray(*parts, *nr + 1, sizeof(**parts));
		if (!grown)
			return -ENOMEM;
		*parts = grown;
		grown[(*nr)++] = (struct part) { item, start, len, used };
	}
	return 0;
}

static int by_coldness(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Bytes of a part that its cache file has. */
static uint64_t data_in(const struct part *part)
{
	off_t at = (off_t)part->start, end = at + (off_t)part->len, hole;
	int fd = open(part->item->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint64_t bytes = 0;

	while (fd >= 0 && at < end) {
		at = lseek(fd, at, SEEK_DATA);
		hole = at < 0 || at >= end ? -1 : lseek(fd, at, SEEK_HOLE);
		if (hole <= at)
			break;
		bytes += (uint64_t)((hole < end ? hole : end) - at);
		at = hole;
	}
	if (fd >= 0)
		close(fd);
	return bytes;
}

static int punch(struct cull_round *round, const struct part *part)
{
	char text[sizeof("punch  18446744073709551615 18446744073709551615") + NAME_MAX];
	uint64_t bytes;
	int err;

	if (chdir(part->item->dir))
		return -errno;
	bytes = data_in(part);
	if (!bytes)
		return 0;
	snprintf(text, sizeof(text), "punch %s %" PRIu64 " %" PRIu64, part->item->name,
		 part->start, part->len);
	err = command(round, part->item, text);
	if (!err) {
		round->parts++;
		count_freed(round, bytes);
	}
	return err;
}

static int punch_parts(struct cull_round *round)
{
	struct part *parts = NULL;
	size_t nr = 0, i;
	int err = 0, one;

	for (i = 0; i < round->nr && !err; i++)
		if (round->items[i].regions >= 0 && !round->items[i].pinned)
			err = add_parts(round, &round->items[i], &parts, &nr);
	if (nr)
		qsort(parts, nr, sizeof(*parts), by_coldness);
	for (i = 0; i < nr && round->bytes; i++) {
		one = punch(round, &parts[i]);
		/* Closed meanwhile, or the cache's file system is frozen. */
		if (one != -ENOENT && one != -EBUSY && one != -ESTALE && !err)
			err = one;
	}
	free(parts);
	return err;
}

/* --- a round --- */

static int open_round(struct cull_round *round)
{
	int err;

	round->root = open(round->culler->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (round->root < 0)
		return -errno;
	err = proc_own_cache(round->culler->options->proc, round->culler->dev, &round->caches,
			     &round->cache);
	if (err)
		return err;
	round->maps = openat(round->root, "maps", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	round->pins = pins_open(round->root, false);
	return 0;
}

static void close_round(struct cull_round *round)
{
	size_t i;

	/* Do not pin the directory that this thread was in. */
	if (chdir("/"))
		log_debug("chdir: %s", strerror(errno));
	if (round->pins >= 0)
		close(round->pins);
	if (round->maps >= 0)
		close(round->maps);
	if (round->root >= 0)
		close(round->root);
	for (i = 0; i < round->nr; i++) {
		free(round->items[i].dir);
		free(round->items[i].name);
	}
	free(round->items);
	table_free(&round->caches);
	table_free(&round->regions);
}

static int make_room(struct cull_round *round)
{
	empty_graveyard(round);
	if (!is_done(round))
		cull_blobs(round);
	return round->bytes ? punch_parts(round) : 0;
}

static int run_round(struct cull_round *round)
{
	int err = open_round(round);

	if (!err)
		err = want_room(round);
	if (!err && (!is_done(round) || round->culler->options->size))
		err = list_items(round) ?: list_used(round);
	if (!err)
		want_size(round);
	return err || is_done(round) ? err : make_room(round);
}

/* Records the size of the cache, for culler_has_room(). */
static void note_size(struct culler *culler, const struct cull_round *round)
{
	pthread_mutex_lock(&culler->lock);
	culler->looked = true;
	culler->looked_ms = clock_ms();
	culler->filled = round->filled;
	culler->total = less(round->total, round->freed);
	culler->kept = round->kept;
	pthread_cond_broadcast(&culler->has_looked);
	pthread_mutex_unlock(&culler->lock);
}

/* Runs and logs one round. Returns 1 if there is more to do, or a negative errno. */
static int cull_once(struct culler *culler)
{
	struct cull_round round = { .culler = culler, .root = -1, .maps = -1, .pins = -1 };
	int err = run_round(&round);

	if (round.blobs || round.parts)
		log_info("culled %u blobs and %u parts of blobs in use, %" PRIu64 " bytes",
			 round.blobs, round.parts, round.freed);
	if (!err && culler->options->size)
		note_size(culler, &round);
	err = err ? err : !is_done(&round);
	close_round(&round);
	return err;
}

/* --- the thread --- */

/* With a size limit, how much may be fetched before the cache is scanned again. */
static bool has_grown(const struct culler *culler, uint64_t *seen)
{
	uint64_t fetched = stats.bytes_fetched;

	if (!culler->options->size || fetched - *seen <= culler->options->size / 64)
		return false;
	*seen = fetched;
	return true;
}

/* Waits a second at most; true if the thread has to exit. */
static bool wait_second(struct culler *culler, bool *wanted)
{
	struct timespec until;
	bool stopping;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_mutex_lock(&culler->lock);
	/* Woken up or not, what failed is not retried at once. */
	while (!culler->stopping && !(culler->wanted && !*wanted)) {
		if (!*wanted && !culler->options->size)
			pthread_cond_wait(&culler->changed, &culler->lock);
		else if (pthread_cond_timedwait(&culler->changed, &culler->lock, &until))
			break;
	}
	*wanted = *wanted || culler->wanted;
	culler->wanted = false;
	stopping = culler->stopping;
	pthread_mutex_unlock(&culler->lock);
	return stopping;
}

/* Logs an obstacle once rather than every second. */
static void report(int more, int *told)
{
	if (more == *told)
		return;
	*told = more;
	if (more < 0)
		log_warn("failed to cull: %s", strerror(-more));
	else if (more)
		log_warn("too little free space: everything left is in use, pinned or recently "
			 "read");
}

static void *cull_thread(void *arg)
{
	struct culler *culler = arg;
	bool wanted = true, stopping = false;
	uint64_t seen = 0;
	int more, told = 0;

	/* A private working directory: names are relative to it. */
	if (unshare(CLONE_FS)) {
		log_err("culling is disabled: unshare: %s", strerror(errno));
		return NULL;
	}
	for (; !stopping; stopping = wait_second(culler, &wanted)) {
		if (!has_grown(culler, &seen) && !wanted)
			continue;
		more = cull_once(culler);
		/* The kernel reports only once that space is short: retry what failed. */
		wanted = more != 0;
		report(more, &told);
	}
	return NULL;
}

/** culler_start - start the thread, which scans the cache at once. Return: 0 or a negative errno */
int culler_start(struct culler *culler, const struct cull_options *options, int dev)
{
	int err;

	if (!options->dir) {
		log_warn("culling is disabled: the cache directory is unknown");
		return 0;
	}
	culler->options = options;
	culler->dev = dev;
	pthread_mutex_init(&culler->lock, NULL);
	pthread_cond_init(&culler->changed, NULL);
	pthread_cond_init(&culler->has_looked, NULL);
	err = pthread_create(&culler->thread, NULL, cull_thread, culler);
	culler->running = !err;
	return -err;
}

/** culler_wake - the kernel reports that space is short */
void culler_wake(struct culler *culler)
{
	if (!culler->running)
		return;
	pthread_mutex_lock(&culler->lock);
	culler->wanted = true;
	pthread_cond_signal(&culler->changed);
	pthread_mutex_unlock(&culler->lock);
}

static bool wait_for_look(struct culler *culler)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LOOK_S;
	while (!culler->looked && !culler->stopping)
		if (pthread_cond_timedwait(&culler->has_looked, &culler->lock, &until))
			break;
	return culler->looked && !culler->stopping;
}

static bool has_room(struct culler *culler, uint64_t bytes)
{
	if (!wait_for_look(culler))
		return false;
	bytes += less(stats.bytes_filled, culler->filled);
	return culler->total + bytes <= culler->options->size &&
	       culler->kept + bytes <= culler->options->size / 10 * 9;
}

/**
 * culler_has_room - whether bytes may be prefetched
 * @culler: the culler
 * @bytes: number of bytes
 *
 * Not if the cache would exceed its own limit, nor if blobs in use or pinned leave no space for
 * them: parts of these would be culled sooner.
 *
 * Context: waits for a scan of the cache, seconds at most.
 */
bool culler_has_room(struct culler *culler, uint64_t bytes)
{
	bool room;

	if (!culler->running || !culler->options->size)
		return true;
	pthread_mutex_lock(&culler->lock);
	room = has_room(culler, bytes);
	/* Blobs that were in use may not be any more. */
	if (!room && culler->looked && clock_ms() - culler->looked_ms > LOOK_AGAIN_MS) {
		culler->looked = false;
		culler->wanted = true;
		pthread_cond_signal(&culler->changed);
		room = has_room(culler, bytes);
	}
	pthread_mutex_unlock(&culler->lock);
	return room;
}

/** culler_stop - stop the thread after the current file */
void culler_stop(struct culler *culler)
{
	if (!culler->running)
		return;
	pthread_mutex_lock(&culler->lock);
	culler->stopping = true;
	pthread_cond_signal(&culler->changed);
	pthread_cond_broadcast(&culler->has_looked);
	pthread_mutex_unlock(&culler->lock);
	pthread_join(culler->thread, NULL);
	culler->running = false;
}
