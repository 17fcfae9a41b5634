// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct I/O: reads that leave the page cache alone.
 *
 * The bytes go through pages of our own, a few at a time, by the same way as
 * those of the page cache. So nothing of the reader's memory is pinned while
 * the daemon is waited for.
 */
#include "internal.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "../compat/wait.h"

/* Pages that a read has under way: as much as a window of the cache, about. */
#define EROFS_OD_DIRECT_PAGES	64U

/**
 * struct erofs_od_direct - some bytes under way
 * @folio: pages of our own; locked until they are read
 * @nr: how many
 * @error: why one of them could not be read
 */
struct erofs_od_direct {
	struct folio *folio[EROFS_OD_DIRECT_PAGES];
	unsigned int nr;
	int error;
};

static void erofs_od_direct_free(struct erofs_od_direct *direct)
{
	while (direct->nr)
		folio_put(direct->folio[--direct->nr]);
}

static int erofs_od_direct_alloc(struct erofs_od_direct *direct, size_t len)
{
	struct page *page;

	direct->nr = 0;
	for (; len; len -= min_t(size_t, len, PAGE_SIZE)) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			erofs_od_direct_free(direct);
			return -ENOMEM;
		}
		direct->folio[direct->nr] = page_folio(page);
		folio_lock(direct->folio[direct->nr++]);
	}
	return 0;
}

/* What waits for the daemon ends now, what is being read from the cache soon. */
static void erofs_od_direct_cancel(struct erofs_od_mount *m, struct erofs_od_direct *direct)
{
	unsigned int i, nr;

	for (nr = 0; nr < direct->nr; nr++) {
		while (folio_test_locked(direct->folio[nr])) {
			for (i = 0; i < m->nr_blobs; i++)
				cachefiles_od_cancel_reads(m->blobs[i]->cookie, direct);
			schedule_timeout_uninterruptible(1);
		}
	}
}

static int erofs_od_direct_wait(struct erofs_od_mount *m, struct erofs_od_direct *direct)
{
	unsigned int i;

	for (i = 0; i < direct->nr; i++) {
		/* Private pages: only the read keeps them locked. */
		if (od_compat_wait_event_killable(m->wait, !folio_test_locked(direct->folio[i]),
						  MAX_SCHEDULE_TIMEOUT) < 0) {
			erofs_od_direct_cancel(m, direct);
			return -EINTR;
		}
	}
	return 0;
}

/* Copies what came, up to the first page that did not. */
static size_t erofs_od_direct_copy(struct erofs_od_direct *direct, size_t len,
				   struct iov_iter *to)
{
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < direct->nr && folio_test_uptodate(direct->folio[i]); i++) {
		size_t part = min_t(size_t, len - done, PAGE_SIZE);
		size_t copied = copy_page_to_iter(folio_page(direct->folio[i], 0), 0, part, to);

		done += copied;
		if (copied < part)
			break;
	}
	return done;
}

/* Have bytes in pages of our own, to be freed by erofs_od_direct_free() if this gives 0. */
static int erofs_od_direct_fetch(struct erofs_od_source *source, u64 pos, size_t len,
				 struct erofs_od_direct *direct)
{
	struct erofs_od_mount *m = source->m;
	int err = erofs_od_direct_alloc(direct, len), failed = 0;

	if (err)
		return err;
	source->owner = direct;
	source->wait = &m->wait;
	source->error = &direct->error;
	direct->error = 0;
	err = erofs_od_io_read_folios(source, direct->folio, direct->nr, pos);
	failed = erofs_od_direct_wait(m, direct);
	direct->error = failed ?: err ?: READ_ONCE(direct->error);
	return 0;
}

static ssize_t erofs_od_direct_part(struct inode *inode, u64 pos, size_t len,
				    struct erofs_od_direct *direct, struct iov_iter *to)
{
	struct erofs_od_source source = erofs_od_data_source(inode);
	int err = erofs_od_direct_fetch(&source, pos, len, direct);
	size_t done;

	if (err)
		return err;
	done = erofs_od_direct_copy(direct, len, to);
	erofs_od_direct_free(direct);
	if (done)
		return done;
	return direct->error ?: -EFAULT;
}

/**
 * erofs_od_direct_page - have some bytes in a page of their own
 * @source: where they come from
 * @pos: first byte
 * @len: how many, at most a page
 * @folio: the result, to be put
 *
 * Context: sleeps, killably and freezably.
 * Return: 0 or an errno.
 */
int erofs_od_direct_page(struct erofs_od_source *source, u64 pos, size_t len,
			 struct folio **folio)
{
	struct erofs_od_direct *direct = kmalloc(sizeof(*direct), GFP_KERNEL);
	int err;

	if (!direct)
		return -ENOMEM;
	err = erofs_od_direct_fetch(source, pos, len, direct);
	if (!err && folio_test_uptodate(direct->folio[0])) {
		*folio = direct->folio[--direct->nr];
	} else if (!err) {
		err = direct->error ?: -EIO;
		erofs_od_direct_free(direct);
	}
	kfree(direct);
	return err;
}

/**
 * erofs_od_direct_read - read around the page cache
 * @iocb: where from; whole blocks of the image
 * @to: where to; aligned to a block of the image, too
 *
 * Context: sleeps, killably and freezably.
 * Return: bytes read; -EINVAL unaligned; -EAGAIN it must not wait; -EINTR
 * killed; -ENOMEM; -EFAULT; -ETIMEDOUT, -EUCLEAN, -EIO.
 */
ssize_t erofs_od_direct_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 size = i_size_read(inode);
	struct erofs_od_direct *direct;
	ssize_t done = 0, n = 0;

	if ((iocb->ki_pos | iov_iter_alignment(to)) & (inode->i_sb->s_blocksize - 1))
		return -EINVAL;
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	direct = kmalloc(sizeof(*direct), GFP_KERNEL);
	if (!direct)
		return -ENOMEM;
	while (iocb->ki_pos < size && iov_iter_count(to)) {
		u64 len = min_t(u64, iov_iter_count(to), size - iocb->ki_pos);

		len = min_t(u64, len, EROFS_OD_DIRECT_PAGES * PAGE_SIZE);
		n = erofs_od_direct_part(inode, iocb->ki_pos, len, direct, to);
		if (n <= 0)
			break;
		iocb->ki_pos += n;
		done += n;
		if (n < len)
			break;
	}
	kfree(direct);
	return done ?: n;
}
