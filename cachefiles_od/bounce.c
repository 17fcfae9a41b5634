// SPDX-License-Identifier: GPL-2.0-only
/* Direct reads of whole blocks of a cache file into a bounce buffer. */
#include "internal.h"

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

static void free_pages_of(struct bio_vec *bvec, unsigned int nr)
{
	while (nr)
		__free_page(bvec[--nr].bv_page);
	kvfree(bvec);
}

static struct bio_vec *alloc_pages_for(unsigned int nr)
{
	struct bio_vec *bvec = kvmalloc_array(nr, sizeof(*bvec), GFP_NOFS);
	unsigned int i;

	if (!bvec)
		return NULL;
	for (i = 0; i < nr; i++) {
		bvec[i] = (struct bio_vec) { .bv_page = alloc_page(GFP_NOFS), .bv_len = PAGE_SIZE };
		if (!bvec[i].bv_page) {
			free_pages_of(bvec, i);
			return NULL;
		}
	}
	return bvec;
}

/* Copies out of whole pages; returns 0 or -EFAULT. */
static int copy_out(const struct bio_vec *bvec, size_t skip, size_t len, struct iov_iter *to)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(skip));

		if (copy_page_to_iter(bvec[skip >> PAGE_SHIFT].bv_page, offset_in_page(skip),
				      part, to) != part)
			return -EFAULT;
		skip += part;
		len -= part;
	}
	return 0;
}

/*
 * Copies what a piece needs of the daemon's bytes, which include all of it, to its reader's
 * pages.
 */
int cachefiles_od_copy_bytes(const struct cachefiles_od_bytes *bytes,
			     const struct cachefiles_od_piece *piece)
{
	struct iov_iter iter;

	cachefiles_od_piece_iter(piece, 0, &iter);
	return copy_out(bytes->bvec,
			bytes->skip + (cachefiles_od_piece_start(piece) - bytes->start),
			piece->len, &iter);
}

static ssize_t read_blocks(struct file *file, const struct bio_vec *bvec, unsigned int nr,
			   u64 start, size_t len)
{
	struct iov_iter iter;
	struct kiocb iocb;

	iov_iter_bvec(&iter, ITER_DEST, bvec, nr, len);
	init_sync_kiocb(&iocb, file);
	iocb.ki_flags |= IOCB_DIRECT;
	iocb.ki_pos = start;
	return vfs_iocb_iter_read(file, &iocb, &iter);
}

/*
 * Reads @len bytes at @from by reading the blocks that contain them; the last block may end
 * with the file. @ret gets @len, 0 for a short read, or the file system's errno. Returns 0, or
 * -ENOMEM or -EFAULT for failures that are not the file system's.
 */
int cachefiles_od_bounce_read(struct cachefiles_od_cookie *cookie, u64 from, size_t len,
			      struct iov_iter *to, ssize_t *ret)
{
	u64 start = round_down(from, (u64)cookie->dio_align);
	size_t whole = round_up(from + len, (u64)cookie->dio_align) - start;
	unsigned int nr = DIV_ROUND_UP(whole, PAGE_SIZE);
	struct bio_vec *bvec = alloc_pages_for(nr);
	size_t skip = from - start;
	int err = 0;

	if (!bvec)
		return -ENOMEM;
	*ret = read_blocks(cookie->file, bvec, nr, start, whole);
	if (*ret >= (ssize_t)(skip + len)) {
		*ret = len;
		err = copy_out(bvec, skip, len, to);
	} else if (*ret > 0) {
		*ret = 0;
	}
	free_pages_of(bvec, nr);
	return err;
}
