// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables under /proc/fs/cachefiles_od: caches (stats_cache.c), blobs, and requests that wait
 * for the daemon. Columns are separated by tabs and named in the first line. Only root may read
 * them; no spinlock is held while formatting a row.
 */
#include "internal.h"
#include "stats.h"

#include <linux/jiffies.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define PROC_DIR	"fs/cachefiles_od"

/* --- blobs: under cachefiles_od_mutex --- */

/* The first blob of this cache or a later one. */
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

/* Bytes past the end of the blob do not count as present. */
static u64 without_tail(u64 bytes, u64 size)
{
	u64 tail = cachefiles_od_file_length(size) - size;

	return bytes > tail ? bytes - tail : 0;
}

static int blobs_show(struct seq_file *m, void *v)
{
	struct cachefiles_od_cookie *cookie = v;
	unsigned int waiting = 0, oldest_ms = 0;
	enum od_obj_state state;
	u64 present, size, unused;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "volume\tblob\tsize\tpresent\tstate\twaiting\tcommitted\tcache\tused\t"
			 "oldest_ms\treads_sent\tbytes_filled\tbytes_widened\tbytes_unused");
		seq_puts(m, cachefiles_od_use_head());
		seq_putc(m, '\n');
		return 0;
	}
	spin_lock(&cookie->lock);
	size = cookie->size;
	present = cookie->present.bytes;
	unused = cookie->unused.bytes + cookie->never_used;
	state = cookie->state;
	cachefiles_od_stats_waiting(cookie, &waiting, &oldest_ms);
	spin_unlock(&cookie->lock);

	cachefiles_od_stats_string(m, cookie->volume->key);
	seq_putc(m, '\t');
	cachefiles_od_stats_key(m, cookie->key, cookie->key_len);
	seq_printf(m, "\t%llu\t%llu\t%s\t%u\t%llu\t%u\t%llu", size,
		   without_tail(present, size), state_name(state), waiting,
		   without_tail(READ_ONCE(cookie->committed), size),
		   cookie->volume->cache->id, READ_ONCE(cookie->used));
	seq_printf(m, "\t%u\t%lld\t%lld\t%lld\t%llu", oldest_ms, atomic64_read(&cookie->sent),
		   atomic64_read(&cookie->filled), atomic64_read(&cookie->widened), unused);
	cachefiles_od_use_show(m, &cookie->use);
	seq_putc(m, '\n');
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
	unsigned int shift, nr, i;
	u32 used[OD_REGIONS];
	u64 ino, size;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "inode\tsize\tregion\tused\tcache\n");
		return 0;
	}
	spin_lock(&cookie->lock);
	ino = cookie->file ? file_inode(cookie->file)->i_ino : 0;
	size = cookie->size;
	shift = cookie->region_shift;
	nr = cookie->nr_regions;
	memcpy(used, cookie->region_used, nr * sizeof(*used));
	spin_unlock(&cookie->lock);
	if (!ino)
		return 0;
	seq_printf(m, "%llu\t%llu\t%llu\t", ino, size, 1ULL << shift);
	for (i = 0; i < nr; i++)
		seq_printf(m, "%s%u", i ? "," : "", used[i]);
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

/* Finds the first request at or after a position and takes its position. */
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
	cachefiles_od_stats_string(m, req->cookie->volume->key);
	seq_putc(m, '\t');
	cachefiles_od_stats_key(m, req->cookie->key, req->cookie->key_len);
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
	if (cachefiles_od_stats_register_caches(dir) &&
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
