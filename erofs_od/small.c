// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads of small files from the page caches of blobs (meta.c), without pages of their own.
 *
 * Inline data was read along with the inode. Other small files that are read one after another,
 * such as those of a directory tree, are mostly neighbours in their blob: if they are present,
 * the cache is read for several of them at once. All other reads go through the file's own page
 * cache: those of bytes that are not present, of files that are mapped or spliced, and of single
 * files.
 */
#include "internal.h"

#include <linux/compiler.h>
#include <linux/highmem.h>
#include <linux/swap.h>
#include <linux/uio.h>

/* Largest file, in bytes. */
#define SMALL_MAX	(16U << 10)

/* Files that are at most this far apart in their blob, in pages, are neighbours. */
#define NEAR		16U

/* Largest number of pages to read at once, as a power of 2. */
#define AHEAD_SHIFT	4U

static bool is_small(const struct inode *inode)
{
	return i_size_read(inode) <= SMALL_MAX && !od_inode_is_compressed(&EROFS_OD_I(inode)->od);
}

/*
 * Notes a read of a page of a blob. Returns the number of neighbours read before, up to a limit;
 * a few files elsewhere do not reset it. Tasks may race: it is a hint.
 */
static unsigned int note_read(struct erofs_od_blob *blob, pgoff_t index)
{
	pgoff_t last = data_race(blob->small_last);
	unsigned int run = data_race(blob->small_run);

	if (index == last)
		return run;
	if (index > last && index - last <= NEAR)
		run = min(run + 1, AHEAD_SHIFT);
	else
		run /= 2;
	data_race(blob->small_last = index);
	data_race(blob->small_run = run);
	return run;
}

/* Maps the bytes of an extent that are in its first page, if that needs no READ. */
static bool small_map(const struct erofs_od_sb_info *sbi, const struct erofs_od_extent *extent,
		      bool may_wait, struct erofs_od_meta *meta)
{
	struct erofs_od_blob *blob = extent->blob;
	unsigned int run;

	if (extent->flags & OD_EXTENT_INLINE)
		return erofs_od_meta_try_map(blob, extent->off, meta);
	run = note_read(blob, extent->off >> PAGE_SHIFT);
	if (erofs_od_meta_try_map(blob, extent->off, meta))
		return true;
	/* Nobody knows whether the neighbours of the first one will be read. */
	return may_wait && run && erofs_od_meta_read_present(sbi, blob, extent->off, 1UL << run) &&
	       erofs_od_meta_try_map(blob, extent->off, meta);
}

/* Copies bytes of a file up to the end of a page of their blob; 0: not from there. */
static size_t small_copy(struct inode *inode, u64 pos, bool may_wait, struct iov_iter *to)
{
	struct erofs_od_extent extent = { };
	struct erofs_od_meta meta;
	size_t len;

	if (!erofs_od_map_peek(inode, pos, &extent) || !extent.blob ||
	    !small_map(EROFS_OD_SB(inode->i_sb), &extent, may_wait, &meta))
		return 0;
	len = min_t(u64, extent.len, i_size_read(inode) - pos);
	len = min(len, PAGE_SIZE - offset_in_page(extent.off));
	len = copy_to_iter(meta.p, len, to);
	folio_mark_accessed(meta.folio);
	erofs_od_meta_unmap(&meta);
	return len;
}

/**
 * erofs_od_small_read - read a file from the page caches of blobs
 * @iocb: the read; its position advances
 * @to: destination
 * @done: gets the number of bytes read
 *
 * Context: sleeps, killably and freezably; for the daemon only if data is lost meanwhile.
 * Return: false if the rest is to be read through the page cache of the file.
 */
bool erofs_od_small_read(struct kiocb *iocb, struct iov_iter *to, ssize_t *done)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool may_wait = !(iocb->ki_flags & IOCB_NOWAIT);
	u64 size = i_size_read(inode);
	size_t len;

	*done = 0;
	if (!is_small(inode) || data_race(iocb->ki_filp->f_mapping->nrpages))
		return false;
	while (iov_iter_count(to) && (u64)iocb->ki_pos < size) {
		len = small_copy(inode, iocb->ki_pos, may_wait, to);
		if (!len)
			return false;
		iocb->ki_pos += len;
		*done += len;
	}
	return true;
}
