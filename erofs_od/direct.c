// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct I/O: reads that bypass the page cache.
 *
 * The data goes through a few private pages at a time and through io.c, like that of the page
 * cache, so none of the reader's memory is pinned while it waits for the daemon.
 */
#include "internal.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "../compat/wait.h"

/* Pages in flight per read, about one window of the cache. */
#define DIRECT_PAGES	64U

/**
 * struct direct - pages in flight
 * @folio: private pages, locked until they have been read
 * @nr: how many
 * @error: errno of a page that could not be read
 */
struct direct {
	struct folio *folio[DIRECT_PAGES];
	unsigned int nr;
	int error;
};

static void direct_free(struct direct *direct)
{
	while (direct->nr)
		folio_put(direct->folio[--direct->nr]);
}

static int direct_alloc(struct direct *direct, size_t len)
{
	struct page *page;

	direct->nr = 0;
	for (; len; len -= min_t(size_t, len, PAGE_SIZE)) {
		page = alloc_page(GFP_KERNEL);
		if (!page) {
			direct_free(direct);
			return -ENOMEM;
		}
		direct->folio[direct->nr] = page_folio(page);
		folio_lock(direct->folio[direct->nr++]);
	}
	return 0;
}

/* Cancels reads that wait for the daemon; reads of files complete by themselves. */
static void direct_cancel(struct erofs_od_sb_info *sbi, struct direct *direct)
{
	unsigned int i, nr;

	for (nr = 0; nr < direct->nr; nr++) {
		while (folio_test_locked(direct->folio[nr])) {
			for (i = 0; i < sbi->nr_blobs; i++)
				sbi->blobs[i]->backend->cancel(sbi->blobs[i], direct);
			schedule_timeout_uninterruptible(1);
		}
	}
}

static int direct_wait(struct erofs_od_sb_info *sbi, struct direct *direct)
{
	unsigned int i;

	for (i = 0; i < direct->nr; i++) {
		/* Private pages: only the read keeps them locked. */
		if (od_compat_wait_event_killable(sbi->wait, !folio_test_locked(direct->folio[i]),
						  MAX_SCHEDULE_TIMEOUT) < 0) {
			direct_cancel(sbi, direct);
			return -EINTR;
		}
	}
	return 0;
}

/* Copies pages up to the first one that could not be read. */
static size_t direct_copy(struct direct *direct, size_t len,
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

/* Reads into the pages of @direct; on success the caller must call direct_free(). */
static int direct_fetch(struct erofs_od_source *source, u64 pos, size_t len,
			struct direct *direct)
{
	int err = direct_alloc(direct, len), killed;

	if (err)
		return err;
	source->owner = direct;
	source->wait = &source->sbi->wait;
	source->error = &direct->error;
	/* The rest of the last page is not needed, and may be missing. */
	if (pos + len < source->size)
		source->size = source->end = pos + len;
	direct->error = 0;
	err = erofs_od_io_read_folios(source, direct->folio, direct->nr, pos);
	killed = direct_wait(source->sbi, direct);
	direct->error = killed ?: err ?: READ_ONCE(direct->error);
	return 0;
}

static ssize_t direct_part(struct inode *inode, u64 pos, size_t len,
			   struct direct *direct, struct iov_iter *to)
{
	struct erofs_od_source source = erofs_od_data_source(inode);
	int err = direct_fetch(&source, pos, len, direct);
	size_t done;

	if (err)
		return err;
	done = direct_copy(direct, len, to);
	direct_free(direct);
	if (done)
		return done;
	return direct->error ?: -EFAULT;
}

/**
 * erofs_od_direct_page - read a range into a private page
 * @source: where the bytes come from
 * @pos: first byte
 * @len: bytes, at most a page
 * @folio: the page, for folio_put()
 *
 * Context: sleeps, killably and freezably.
 * Return: 0 or an errno.
 */
int erofs_od_direct_page(struct erofs_od_source *source, u64 pos, size_t len,
			 struct folio **folio)
{
	struct direct *direct = kmalloc(sizeof(*direct), GFP_KERNEL);
	int err;

	if (!direct)
		return -ENOMEM;
	err = direct_fetch(source, pos, len, direct);
	if (!err && folio_test_uptodate(direct->folio[0])) {
		*folio = direct->folio[--direct->nr];
	} else if (!err) {
		err = direct->error ?: -EIO;
		direct_free(direct);
	}
	kfree(direct);
	return err;
}

/**
 * erofs_od_direct_read - read, bypassing the page cache
 * @iocb: position, a multiple of %EROFS_OD_SECTOR
 * @to: destination; its addresses and lengths must be such multiples, too
 *
 * Context: sleeps, killably and freezably.
 * Return: bytes read, 0 at the end; -EINVAL if unaligned; -EAGAIN with IOCB_NOWAIT; -EINTR if
 * killed; -ENOMEM; -EFAULT; -ETIMEDOUT, -EUCLEAN, -EIO.
 */
ssize_t erofs_od_direct_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	u64 size = i_size_read(inode);
	struct direct *direct;
	ssize_t done = 0, n = 0;

	/* A reader that reached the end in the middle of a sector asks once more from there. */
	if (iocb->ki_pos >= size)
		return 0;
	if ((iocb->ki_pos | iov_iter_alignment(to)) & (EROFS_OD_SECTOR - 1))
		return -EINVAL;
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	direct = kmalloc(sizeof(*direct), GFP_KERNEL);
	if (!direct)
		return -ENOMEM;
	while (iocb->ki_pos < size && iov_iter_count(to)) {
		u64 len = min_t(u64, iov_iter_count(to), size - iocb->ki_pos);

		len = min_t(u64, len, DIRECT_PAGES * PAGE_SIZE);
		n = direct_part(inode, iocb->ki_pos, len, direct, to);
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
