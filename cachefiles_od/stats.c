// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator wants to see at a glance, under /proc/fs/cachefiles_od:
 * the cache, its blobs and what waits for the daemon. Columns are separated by
 * tabs, the first line names them. Root alone may read it, row by row; no
 * spinlock is held while a row is formatted.
 */
#include "internal.h"

#include <linux/jiffies.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define PROC_DIR	"fs/cachefiles_od"

/* Blanks and what is not printable as octal, so that columns stay columns. */
static void show_key(struct seq_file *m, const u8 *key, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (key[i] > 32 && key[i] < 127 && key[i] != '\\')
			seq_putc(m, key[i]);
		else
			seq_printf(m, "\\%03o", key[i]);
	}
}

static void show_string(struct seq_file *m, const char *s)
{
	show_key(m, (const u8 *)s, strlen(s));
}

static void show_named(struct seq_file *m, const char *name, const char *value)
{
	seq_printf(m, "%s\t", name);
	show_string(m, value);
	seq_putc(m, '\n');
}

static void show_counter(struct seq_file *m, const char *name, atomic64_t *counter)
{
	seq_printf(m, "%s\t%lld\n", name, atomic64_read(counter));
}

static void show_count(struct seq_file *m, atomic64_t *counter)
{
	seq_printf(m, "\t%lld", atomic64_read(counter));
}

static void count_users(struct cachefiles_od_cache *cache, unsigned int *volumes,
			unsigned int *blobs)
{
	struct cachefiles_od_volume *volume;
	struct list_head *pos;

	list_for_each_entry(volume, &cache->volumes, link) {
		++*volumes;
		list_for_each(pos, &volume->cookies)
			++*blobs;
	}
}

static const char *daemon_name(const struct cachefiles_od_cache *cache)
{
	return READ_ONCE(cache->queue.live) ? "bound" : "gone";
}

static const char *room_name(const struct cachefiles_od_cache *cache)
{
	static const char * const names[] = {
		[OD_ROOM_PLENTY]	= "plenty",
		[OD_ROOM_SOME]		= "some",
		[OD_ROOM_SCARCE]	= "scarce",
		[OD_ROOM_NONE]		= "none",
	};

	return names[READ_ONCE(cache->room.room)];
}

static const char *culling_name(const struct cachefiles_od_cache *cache)
{
	return READ_ONCE(cache->room.culling) ? "yes" : "no";
}

static void show_limits(struct seq_file *m, char what, const struct od_limit *limit)
{
	seq_printf(m, "%crun\t%u\n%ccull\t%u\n%cstop\t%u\n", what, limit->run, what,
		   limit->cull, what, limit->stop);
}

static void show_room(struct seq_file *m, struct cachefiles_od_cache *cache)
{
	show_named(m, "room", room_name(cache));
	show_named(m, "culling", culling_name(cache));
	show_limits(m, 'b', &cache->blocks);
	show_limits(m, 'f', &cache->files);
}

/* Before the mutex is taken: a file system may take its time. */
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

/* The cache that a mount without cache= joins. */
static int show_cache(struct seq_file *m, void *unused)
{
	struct cachefiles_od_cache *cache;
	unsigned int volumes = 0, blobs = 0;

	seq_puts(m, "name\tvalue\n");
	look_up_rooms();
	mutex_lock(&cachefiles_od_mutex);
	cache = cachefiles_od_cache_find(NULL);
	if (!cache) {
		show_named(m, "daemon", "none");
	} else {
		count_users(cache, &volumes, &blobs);
		show_named(m, "daemon", daemon_name(cache));
		show_named(m, "dir", cache->dir);
		show_named(m, "tag", cache->tag);
		seq_printf(m, "volumes\t%u\nblobs\t%u\n", volumes, blobs);
		seq_printf(m, "requests\t%u\n", READ_ONCE(cache->queue.nr_requests));
		show_counter(m, "opens", &cache->stats.opens);
		show_counter(m, "reads_sent", &cache->stats.reads);
		show_counter(m, "closes", &cache->stats.closes);
		show_counter(m, "bytes_filled", &cache->stats.filled);
		show_counter(m, "bytes_served", &cache->stats.served);
		show_counter(m, "failures", &cache->stats.failed);
		show_counter(m, "commits", &cache->stats.commits);
		show_room(m, cache);
		show_counter(m, "bytes_passed", &cache->stats.passed);
		show_counter(m, "bytes_punched", &cache->stats.punched);
		show_counter(m, "culled", &cache->stats.culled);
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
	struct cachefiles_od_cache *cache = list_entry(v, struct cachefiles_od_cache, link);
	unsigned int volumes = 0, blobs = 0;

	if (v == &cachefiles_od_caches) {
		seq_puts(m, "cache\ttag\tdevice\tdaemon\tdir\tvolumes\tblobs\trequests\topens\treads_sent\tcloses\tbytes_filled\tbytes_served\tfailures\tcommits\t"
			 "room\tculling\tbrun\tbcull\tbstop\tfrun\tfcull\tfstop\t"
			 "bytes_passed\tbytes_punched\tculled\n");
		return 0;
	}
	count_users(cache, &volumes, &blobs);
	seq_printf(m, "%u\t", cache->id);
	show_string(m, cache->tag);
	seq_printf(m, "\t%u\t%s\t", cache->device, daemon_name(cache));
	show_string(m, cache->dir);
	seq_printf(m, "\t%u\t%u\t%u", volumes, blobs, READ_ONCE(cache->queue.nr_requests));
	show_count(m, &cache->stats.opens);
	show_count(m, &cache->stats.reads);
	show_count(m, &cache->stats.closes);
	show_count(m, &cache->stats.filled);
	show_count(m, &cache->stats.served);
	show_count(m, &cache->stats.failed);
	show_count(m, &cache->stats.commits);
	seq_printf(m, "\t%s\t%s", room_name(cache), culling_name(cache));
	seq_printf(m, "\t%u\t%u\t%u", cache->blocks.run, cache->blocks.cull, cache->blocks.stop);
	seq_printf(m, "\t%u\t%u\t%u", cache->files.run, cache->files.cull, cache->files.stop);
	show_count(m, &cache->stats.passed);
	show_count(m, &cache->stats.punched);
	show_count(m, &cache->stats.culled);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations caches_ops = {
	.start	= caches_start,
	.next	= caches_next,
	.stop	= caches_stop,
	.show	= caches_show,
};

/* --- blobs: under cachefiles_od_mutex, too --- */

/* The first blob of this cache and those after it. */
static struct cachefiles_od_cookie *first_cookie_of_caches(struct cachefiles_od_cache *cache)
{
	struct cachefiles_od_volume *volume;

	list_for_each_entry_from(cache, &cachefiles_od_caches, link)
		list_for_each_entry(volume, &cache->volumes, link)
			if (!list_empty(&volume->cookies))
				return list_first_entry(&volume->cookies,
							struct cachefiles_od_cookie, link);
	return NULL;
}

static struct cachefiles_od_cookie *first_cookie(void)
{
	return first_cookie_of_caches(list_first_entry(&cachefiles_od_caches,
						       struct cachefiles_od_cache, link));
}

static struct cachefiles_od_cookie *next_cookie(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_volume *volume = cookie->volume;
	struct cachefiles_od_cache *cache = volume->cache;

	if (!list_is_last(&cookie->link, &volume->cookies))
		return list_next_entry(cookie, link);
	list_for_each_entry_continue(volume, &cache->volumes, link)
		if (!list_empty(&volume->cookies))
			return list_first_entry(&volume->cookies, struct cachefiles_od_cookie,
						link);
	return first_cookie_of_caches(list_next_entry(cache, link));
}

static void *blobs_start(struct seq_file *m, loff_t *pos)
{
	struct cachefiles_od_cookie *cookie;
	loff_t left = *pos;

	mutex_lock(&cachefiles_od_mutex);
	if (!left)
		return SEQ_START_TOKEN;
	cookie = first_cookie();
	while (cookie && --left)
		cookie = next_cookie(cookie);
	return cookie;
}

static void *blobs_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return v == SEQ_START_TOKEN ? first_cookie() : next_cookie(v);
}

static void blobs_stop(struct seq_file *m, void *v)
{
	mutex_unlock(&cachefiles_od_mutex);
}

static const char *state_name(enum od_obj_state state)
{
	static const char * const names[] = {
		[OD_OBJ_CLOSED]		= "closed",
		[OD_OBJ_OPENING]	= "opening",
		[OD_OBJ_OPEN]		= "open",
		[OD_OBJ_REOPENING]	= "reopening",
		[OD_OBJ_DROPPING]	= "dropping",
	};

	return names[state];
}

/* Past the end of the blob there is nothing to be present. */
static u64 without_tail(u64 bytes, u64 size)
{
	u64 tail = cachefiles_od_file_length(size) - size;

	return bytes > tail ? bytes - tail : 0;
}

static int blobs_show(struct seq_file *m, void *v)
{
	struct cachefiles_od_cookie *cookie = v;
	unsigned int waiting = 0;
	enum od_obj_state state;
	struct rb_node *node;
	u64 present, size;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "volume\tblob\tsize\tpresent\tstate\twaiting\tcommitted\tcache\tused\n");
		return 0;
	}
	spin_lock(&cookie->lock);
	size = cookie->size;
	present = cookie->present.bytes;
	state = cookie->state;
	for (node = rb_first(&cookie->reads); node; node = rb_next(node))
		waiting += rb_entry(node, struct cachefiles_od_request, node)->nr_waits;
	spin_unlock(&cookie->lock);

	show_string(m, cookie->volume->key);
	seq_putc(m, '\t');
	show_key(m, cookie->key, cookie->key_len);
	seq_printf(m, "\t%llu\t%llu\t%s\t%u\t%llu\t%u\t%llu\n", size,
		   without_tail(present, size), state_name(state), waiting,
		   without_tail(READ_ONCE(cookie->committed), size),
		   cookie->volume->cache->id, READ_ONCE(cookie->used));
	return 0;
}

static const struct seq_operations blobs_ops = {
	.start	= blobs_start,
	.next	= blobs_next,
	.stop	= blobs_stop,
	.show	= blobs_show,
};

/* --- regions: when each part of an open blob was last read --- */

static int regions_show(struct seq_file *m, void *v)
{
	struct cachefiles_od_cookie *cookie = v;
	unsigned int shift, i;
	u64 ino, size;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "inode\tsize\tregion\tused\tcache\n");
		return 0;
	}
	spin_lock(&cookie->lock);
	ino = cookie->file ? file_inode(cookie->file)->i_ino : 0;
	size = cookie->size;
	shift = cookie->region_shift;
	spin_unlock(&cookie->lock);
	if (!ino)
		return 0;
	seq_printf(m, "%llu\t%llu\t%llu\t", ino, size, 1ULL << shift);
	for (i = 0; i < OD_REGIONS && (u64)i << shift < size; i++)
		seq_printf(m, "%s%u", i ? "," : "", READ_ONCE(cookie->region_used[i]));
	seq_printf(m, "\t%u\n", cookie->volume->cache->id);
	return 0;
}

static const struct seq_operations regions_ops = {
	.start	= blobs_start,
	.next	= blobs_next,
	.stop	= blobs_stop,
	.show	= regions_show,
};

/*
 * --- requests: each row holds its own; the position is the id of its cache and, in
 * the lower 32 bits, its msg_id ---
 */

/* The first request at or after a position, which becomes its own. */
static void *requests_find(loff_t *pos)
{
	unsigned int cache_id = max_t(unsigned int, *pos >> 32, 1);
	unsigned long msg_id = (u32)*pos;
	struct cachefiles_od_cache *cache;
	struct cachefiles_od_request *req;

	while ((cache = cachefiles_od_cache_get_after(cache_id - 1))) {
		if (cache->id != cache_id)
			msg_id = 0;
		cache_id = cache->id;
		req = cachefiles_od_request_next(&cache->queue, &msg_id);
		cachefiles_od_cache_put(cache);
		if (req) {
			*pos = (loff_t)cache_id << 32 | req->msg_id;
			return req;
		}
		cache_id++;
		msg_id = 0;
	}
	return NULL;
}

static void *requests_start(struct seq_file *m, loff_t *pos)
{
	return *pos ? requests_find(pos) : SEQ_START_TOKEN;
}

static void requests_put(void *v)
{
	if (v && v != SEQ_START_TOKEN)
		cachefiles_od_request_put(v);
}

static void *requests_next(struct seq_file *m, void *v, loff_t *pos)
{
	requests_put(v);
	++*pos;
	return requests_find(pos);
}

static void requests_stop(struct seq_file *m, void *v)
{
	requests_put(v);
}

static int requests_show(struct seq_file *m, void *v)
{
	static const char * const opcodes[] = {
		[CACHEFILES_OD_OP_OPEN]		= "OPEN",
		[CACHEFILES_OD_OP_CLOSE]	= "CLOSE",
		[CACHEFILES_OD_OP_READ]		= "READ",
		[CACHEFILES_OD_OP_CULLED]	= "CULLED",
	};
	struct cachefiles_od_request *req = v;
	enum od_req_state state;
	unsigned int nr_waits;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "msg_id\topcode\tstate\tvolume\tblob\toffset\tlength\twaiters\tage_ms\tcache\n");
		return 0;
	}
	spin_lock(&req->cookie->lock);
	state = req->state;
	nr_waits = req->nr_waits;
	spin_unlock(&req->cookie->lock);

	seq_printf(m, "%u\t%s\t%s\t", req->msg_id, opcodes[req->opcode],
		   state == OD_REQ_SENT ? "sent" : "queued");
	show_string(m, req->cookie->volume->key);
	seq_putc(m, '\t');
	show_key(m, req->cookie->key, req->cookie->key_len);
	seq_printf(m, "\t%llu\t%llu\t%u\t%u\t%u\n", req->range.start,
		   req->range.end - req->range.start, nr_waits,
		   jiffies_to_msecs(jiffies - req->born), req->cookie->volume->cache->id);
	return 0;
}

static const struct seq_operations requests_ops = {
	.start	= requests_start,
	.next	= requests_next,
	.stop	= requests_stop,
	.show	= requests_show,
};

int cachefiles_od_stats_register(void)
{
	struct proc_dir_entry *dir = proc_mkdir(PROC_DIR, NULL);

	if (!dir)
		return -ENOMEM;
	if (proc_create_single("cache", 0400, dir, show_cache) &&
	    proc_create_seq("caches", 0400, dir, &caches_ops) &&
	    proc_create_seq("blobs", 0400, dir, &blobs_ops) &&
	    proc_create_seq("regions", 0400, dir, &regions_ops) &&
	    proc_create_seq("requests", 0400, dir, &requests_ops) &&
	    proc_create("control", 0200, dir, &cachefiles_od_control_ops))
		return 0;
	cachefiles_od_stats_unregister();
	return -ENOMEM;
}

void cachefiles_od_stats_unregister(void)
{
	remove_proc_subtree(PROC_DIR, NULL);
}
