// SPDX-License-Identifier: GPL-2.0-only
/* Buffers that the daemon's bytes are copied into before anything is pinned. */
#include "internal.h"
#include "fillbuf.h"

#include <linux/mm.h>
#include <linux/slab.h>

/* Maximum number of idle buffers: 8 MiB. */
#define FILLBUFS_IDLE	32

/*
 * Buffers are kept for the next writer: many kernels clear each page they allocate, which would
 * cost as much as the copy itself.
 */
static LLIST_HEAD(idle);
static DEFINE_SPINLOCK(idle_lock);
static atomic_t nr_idle;

static void fillbuf_free(struct cachefiles_od_fillbuf *buf)
{
	unsigned int i;

	for (i = 0; i < CACHEFILES_OD_FILLBUF_PAGES && buf->bvec[i].bv_page; i++)
		__free_page(buf->bvec[i].bv_page);
	kfree(buf);
}

static struct cachefiles_od_fillbuf *fillbuf_alloc(void)
{
	struct cachefiles_od_fillbuf *buf = kzalloc(sizeof(*buf), GFP_KERNEL);
	unsigned int i;

	if (!buf)
		return NULL;
	for (i = 0; i < CACHEFILES_OD_FILLBUF_PAGES; i++) {
		buf->bvec[i].bv_page = alloc_page(GFP_KERNEL);
		if (!buf->bvec[i].bv_page) {
			fillbuf_free(buf);
			return NULL;
		}
		buf->bvec[i].bv_len = PAGE_SIZE;
	}
	return buf;
}

struct cachefiles_od_fillbuf *cachefiles_od_fillbuf_get(void)
{
	struct llist_node *node;

	/* llist_del_first() requires consumers to be serialized. */
	spin_lock(&idle_lock);
	node = llist_del_first(&idle);
	spin_unlock(&idle_lock);
	if (!node)
		return fillbuf_alloc();
	atomic_dec(&nr_idle);
	return llist_entry(node, struct cachefiles_od_fillbuf, link);
}

void cachefiles_od_fillbuf_put(struct cachefiles_od_fillbuf *buf)
{
	if (atomic_inc_return(&nr_idle) > FILLBUFS_IDLE) {
		atomic_dec(&nr_idle);
		fillbuf_free(buf);
		return;
	}
	llist_add(&buf->link, &idle);
}

/* At module exit: no fds are left. */
void cachefiles_od_fillbuf_exit(void)
{
	struct cachefiles_od_fillbuf *buf, *next;

	llist_for_each_entry_safe(buf, next, llist_del_all(&idle), link)
		fillbuf_free(buf);
}

/* Copies as much as fits; 0 if the daemon's memory cannot be read. */
size_t cachefiles_od_fillbuf_copy(struct cachefiles_od_fillbuf *buf, struct iov_iter *from)
{
	size_t want = min_t(size_t, iov_iter_count(from), CACHEFILES_OD_FILLBUF), n = 1;

	buf->served = (struct od_extents) { .e = buf->runs, .cap = CACHEFILES_OD_FILLBUF_RUNS };
	for (buf->len = 0; n && buf->len < want; buf->len += n)
		n = copy_page_from_iter(buf->bvec[buf->len >> PAGE_SHIFT].bv_page,
					offset_in_page(buf->len),
					min(want - buf->len,
					    PAGE_SIZE - offset_in_page(buf->len)), from);
	return buf->len;
}
