/* SPDX-License-Identifier: GPL-2.0-only */
/* Page caches that several files share: for share.c, and for data.c, which fills them. */
#ifndef EROFS_OD_SHARE_H
#define EROFS_OD_SHARE_H

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

/**
 * struct erofs_od_share - the shared page caches of a domain
 * @refs: the domain, and each page cache
 * @number: unique, never reused
 * @interrupts: number of forced unmounts in the domain, each of which cancels reads of all mounts
 * @quiet: time, in jiffies, until which interrupted reads are not started again
 * @lock: protects @inodes
 * @inodes: inodes of the page caches, in use or not
 */
struct erofs_od_share {
	refcount_t refs;
	u64 number;
	atomic_t interrupts;
	atomic64_t quiet;
	spinlock_t lock;
	struct list_head inodes;
};

static inline unsigned int erofs_od_share_interrupts(const struct erofs_od_share *share)
{
	return atomic_read_acquire(&share->interrupts);
}

/* Jiffies until the end of the quiet period; usually 0 or less. */
static inline s64 erofs_od_share_quiet(const struct erofs_od_share *share)
{
	return atomic64_read(&share->quiet) - (s64)get_jiffies_64();
}

/* Of struct super_operations. */
void erofs_od_free_shared(struct inode *inode);

#endif /* EROFS_OD_SHARE_H */
