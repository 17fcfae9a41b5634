// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an operator wants to see at a glance, under /proc/fs/cachefiles_od:
 * the cache, its blobs and what waits for the daemon. Columns are separated by
 * tabs, the first line names them.
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

static unsigned int count_requests(struct cachefiles_od_queue *queue)
{
	struct cachefiles_od_request *req;
	unsigned int n = 0;
	unsigned long id;

	xa_lock(&queue->requests);
	xa_for_each(&queue->requests, id, req)
		n++;
	xa_unlock(&queue->requests);
	return n;
}

static int cachefiles_od_show_cache(struct seq_file *m, void *unused)
{
	struct cachefiles_od_cache *cache;
	unsigned int volumes = 0, blobs = 0;

	seq_puts(m, "name\tvalue\n");
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
		seq_printf(m, "requests\t%u\n", count_requests(&cache->queue));
		show_counter(m, "opens", &cache->stats.opens);
		show_counter(m, "reads_sent", &cache->stats.reads);
		show_counter(m, "closes", &cache->stats.closes);
		show_counter(m, "bytes_filled", &cache->stats.filled);
		show_counter(m, "bytes_served", &cache->stats.served);
		show_counter(m, "failures", &cache->stats.failed);
	}
	mutex_unlock(&cachefiles_od_mutex);
	return 0;
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

static unsigned int count_waits(const struct cachefiles_od_request *req)
{
	const struct list_head *pos;
	unsigned int n = 0;

	list_for_each(pos, &req->waits)
		n++;
	return n;
}

static void show_blob(struct seq_file *m, struct cachefiles_od_cookie *cookie)
{
	struct xarray *queue = &cachefiles_od_cookie_cache(cookie)->queue.requests;
	struct cachefiles_od_request *req;
	unsigned int waiting = 0;
	enum od_obj_state state;
	u64 missing, size;

	spin_lock(&cookie->lock);
	size = cookie->size;
	missing = od_extents_missing(&cookie->present, 0, size);
	spin_unlock(&cookie->lock);
	xa_lock(queue);
	state = cookie->state;
	list_for_each_entry(req, &cookie->reads, link)
		waiting += count_waits(req);
	xa_unlock(queue);

	show_string(m, cookie->volume->key);
	seq_putc(m, '\t');
	show_key(m, cookie->key, cookie->key_len);
	seq_printf(m, "\t%llu\t%llu\t%s\t%u\n", size, size - missing, state_name(state), waiting);
}

static int cachefiles_od_show_blobs(struct seq_file *m, void *unused)
{
	struct cachefiles_od_volume *volume;
	struct cachefiles_od_cookie *cookie;

	seq_puts(m, "volume\tblob\tsize\tpresent\tstate\twaiting\n");
	mutex_lock(&cachefiles_od_mutex);
	if (cachefiles_od_bound)
		list_for_each_entry(volume, &cachefiles_od_bound->volumes, link)
			list_for_each_entry(cookie, &volume->cookies, link)
				show_blob(m, cookie);
	mutex_unlock(&cachefiles_od_mutex);
	return 0;
}

static void show_request(struct seq_file *m, const struct cachefiles_od_request *req)
{
	static const char * const opcodes[] = {
		[CACHEFILES_OD_OP_OPEN]		= "OPEN",
		[CACHEFILES_OD_OP_CLOSE]	= "CLOSE",
		[CACHEFILES_OD_OP_READ]		= "READ",
	};

	seq_printf(m, "%u\t%s\t%s\t", req->msg_id, opcodes[req->opcode],
		   req->state == OD_REQ_SENT ? "sent" : "queued");
	show_string(m, req->cookie->volume->key);
	seq_putc(m, '\t');
	show_key(m, req->cookie->key, req->cookie->key_len);
	seq_printf(m, "\t%llu\t%llu\t%u\t%u\n", req->range.start,
		   req->range.end - req->range.start, count_waits(req),
		   jiffies_to_msecs(jiffies - req->born));
}

static int cachefiles_od_show_requests(struct seq_file *m, void *unused)
{
	struct cachefiles_od_request *req;
	struct xarray *queue;
	unsigned long id;

	seq_puts(m, "msg_id\topcode\tstate\tvolume\tblob\toffset\tlength\twaiters\tage_ms\n");
	mutex_lock(&cachefiles_od_mutex);
	if (cachefiles_od_bound) {
		queue = &cachefiles_od_bound->queue.requests;
		xa_lock(queue);
		xa_for_each(queue, id, req)
			show_request(m, req);
		xa_unlock(queue);
	}
	mutex_unlock(&cachefiles_od_mutex);
	return 0;
}

int cachefiles_od_stats_register(void)
{
	struct proc_dir_entry *dir = proc_mkdir(PROC_DIR, NULL);

	if (!dir)
		return -ENOMEM;
	if (proc_create_single("cache", 0444, dir, cachefiles_od_show_cache) &&
	    proc_create_single("blobs", 0444, dir, cachefiles_od_show_blobs) &&
	    proc_create_single("requests", 0444, dir, cachefiles_od_show_requests))
		return 0;
	cachefiles_od_stats_unregister();
	return -ENOMEM;
}

void cachefiles_od_stats_unregister(void)
{
	remove_proc_subtree(PROC_DIR, NULL);
}
