/* SPDX-License-Identifier: GPL-2.0-only */
/* Buffers into which the daemon's bytes are copied before anything is pinned. */
#ifndef CACHEFILES_OD_FILLBUF_H
#define CACHEFILES_OD_FILLBUF_H

#include <linux/bvec.h>
#include <linux/llist.h>
#include <linux/uio.h>

#include "core/extents.h"

/* Pages that are copied from the daemon at once. */
#define CACHEFILES_OD_FILLBUF_PAGES	(CACHEFILES_OD_FILLBUF >> PAGE_SHIFT)
#define CACHEFILES_OD_FILLBUF		(256UL << 10)
/* Separate ranges of them that readers have taken. */
#define CACHEFILES_OD_FILLBUF_RUNS	8U

/**
 * struct cachefiles_od_fillbuf - bytes of the daemon on their way to the cache file
 * @link: in the list of idle ones
 * @len: bytes in it
 * @served: ranges of the blob that readers took from it before it was stored
 * @runs: memory for @served
 * @bvec: its pages, all full but the last
 */
struct cachefiles_od_fillbuf {
	struct llist_node link;
	size_t len;
	struct od_extents served;
	struct od_range runs[CACHEFILES_OD_FILLBUF_RUNS];
	struct bio_vec bvec[CACHEFILES_OD_FILLBUF_PAGES];
};

struct cachefiles_od_fillbuf *cachefiles_od_fillbuf_get(void);
void cachefiles_od_fillbuf_put(struct cachefiles_od_fillbuf *buf);
size_t cachefiles_od_fillbuf_copy(struct cachefiles_od_fillbuf *buf, struct iov_iter *from);

#endif /* CACHEFILES_OD_FILLBUF_H */
