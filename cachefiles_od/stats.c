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

static void show_limits(struct seq_file *m, char what, const struct od_limit *limit)
{
	seq_printf(m, "%crun\t%u\n%ccull\t%u\n%cstop\t%u\n", what, limit->run, what,
		   limit->cull, what, limit->stop);
}

static void show_room(struct seq_file *m, struct cachefiles_od_cache *cache)
{
	static const char * const names[] = {
		[OD_ROOM_PLENTY]	= "plenty",
		[OD_ROOM_SOME]		= "some",
		[OD_ROOM_SCARCE]	= "scarce",
		[OD_ROOM_NONE]		= "none",
	};

	show_named(m, "room", names[READ_ONCE(cache->room.room)]);
	show_named(m, "culling", READ_ONCE(cache->room.culling) ? "yes" : "no");
	show_limits(m, 'b', &cache->blocks);
	show_limits(m, 'f', &cache->files);
}

/* Before the mutex is taken: a file system may take its time. */
static void look_up_room(void)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cache_get_bound();

	if (!cache)
		return;
	cachefiles_od_room(cache);
	cachefiles_od_cache_put(cache);
}

static int cachefiles_od_show_cache(struct seq_file *m, void *unused)
{
	struct cachefiles_od_cache *cache;
	unsigned int volumes = 0, blobs = 0;

	seq_puts(m, "name\tvalue\n");
	look_up_room();
	mutex_lock(&cachefiles_od_mutex);
	cache = cachefiles_od_bound;
	if (!cache) {
		show_named(m, "daemon", "none");
	} else {
		count_users(cache, &volumes, &blobs);
		show_named(m, "daemon", READ_ONCE(cache->queue.live) ? "bound" : "gone");
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

/* --- blobs: under cachefiles_od_mutex, which nothing that waits for a disk holds --- */

static struct cachefiles_od_cookie *first_cookie(struct cachefiles_od_cache *cache,
						 struct cachefiles_od_volume *volume)
{
	list_for_each_entry_from(volume, &cache->volumes, link)
		if (!list_empty(&volume->cookies))
			return list_first_entry(&volume->cookies, struct cachefiles_od_cookie,
						link);
	return NULL;
}

static struct cachefiles_od_cookie *next_cookie(struct cachefiles_od_cache *cache,
						struct cachefiles_od_cookie *cookie)
{
	if (!list_is_last(&cookie->link, &cookie->volume->cookies))
		return list_next_entry(cookie, link);
	return first_cookie(cache, list_next_entry(cookie->volume, link));
}

static void *blobs_start(struct seq_file *m, loff_t *pos)
{
	struct cachefiles_od_cookie *cookie = NULL;
	loff_t left = *pos;

	mutex_lock(&cachefiles_od_mutex);
	if (!left)
		return SEQ_START_TOKEN;
	if (cachefiles_od_bound)
		cookie = first_cookie(cachefiles_od_bound,
				      list_first_entry(&cachefiles_od_bound->volumes,
						       struct cachefiles_od_volume, link));
	while (cookie && --left)
		cookie = next_cookie(cachefiles_od_bound, cookie);
	return cookie;
}

static void *blobs_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	if (v != SEQ_START_TOKEN)
		return next_cookie(cachefiles_od_bound, v);
	if (!cachefiles_od_bound)
		return NULL;
	return first_cookie(cachefiles_od_bound,
			    list_first_entry(&cachefiles_od_bound->volumes,
					     struct cachefiles_od_volume, link));
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
		seq_puts(m, "volume\tblob\tsize\tpresent\tstate\twaiting\tcommitted\tused\n");
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
	seq_printf(m, "\t%llu\t%llu\t%s\t%u\t%llu\t%llu\n", size, without_tail(present, size),
		   state_name(state), waiting,
		   without_tail(READ_ONCE(cookie->committed), size), READ_ONCE(cookie->used));
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
		seq_puts(m, "inode\tsize\tregion\tused\n");
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
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations regions_ops = {
	.start	= blobs_start,
	.next	= blobs_next,
	.stop	= blobs_stop,
	.show	= regions_show,
};

/* --- requests: each row holds its own, the position is the msg_id --- */

/* The first one at or after a position, which becomes its own. */
static void *requests_find(struct seq_file *m, loff_t *pos)
{
	struct cachefiles_od_cache *cache = m->private;
	struct cachefiles_od_request *req = NULL;
	unsigned long id = *pos;

	if (cache)
		req = cachefiles_od_request_next(&cache->queue, &id);
	if (req)
		*pos = req->msg_id;
	return req;
}

static void *requests_start(struct seq_file *m, loff_t *pos)
{
	m->private = cachefiles_od_cache_get_bound();
	return *pos ? requests_find(m, pos) : SEQ_START_TOKEN;
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
	return requests_find(m, pos);
}

static void requests_stop(struct seq_file *m, void *v)
{
	requests_put(v);
	if (m->private)
		cachefiles_od_cache_put(m->private);
	m->private = NULL;
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
		seq_puts(m, "msg_id\topcode\tstate\tvolume\tblob\toffset\tlength\twaiters\tage_ms\n");
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
	seq_printf(m, "\t%llu\t%llu\t%u\t%u\n", req->range.start,
		   req->range.end - req->range.start, nr_waits,
		   jiffies_to_msecs(jiffies - req->born));
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
	if (proc_create_single("cache", 0400, dir, cachefiles_od_show_cache) &&
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
