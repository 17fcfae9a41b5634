// SPDX-License-Identifier: GPL-2.0-only
/* Regular files: the kernel's generic read-only operations, with some replaced. */
#include "internal.h"

#include <linux/backing-dev.h>
#include <linux/compiler.h>
#include <linux/huge_mm.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/swap.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/xattr.h>

/* Largest folio, in bytes, for a random read. */
#define RANDOM_MAX	(64U << 10)

/* Whether a read at @pos does not go on from one that ended at @prev. */
static bool is_apart(loff_t prev, loff_t pos)
{
	return pos < prev || pos - prev > PAGE_SIZE;
}

/*
 * Largest window, in pages, that the VFS may read ahead for this read. It grows only after
 * sequential reads have filled the usual one: reads of a few headers, followed by mmap(), do
 * not widen it.
 */
static unsigned int readahead_window(const struct file *file, loff_t pos, unsigned int usual)
{
	const struct file_ra_state *ra = &file->f_ra;
	unsigned int stream = max_t(unsigned int, EROFS_OD_STREAM_BYTES >> PAGE_SHIFT, usual);
	unsigned int now = data_race(ra->ra_pages), last = data_race(ra->size);
	loff_t prev = data_race(ra->prev_pos);
	/* Set by POSIX_FADV_SEQUENTIAL; a window that has grown is at least four times as large. */
	bool advised = now == 2 * usual;

	now = max(now, usual);
	if (file->f_mode & FMODE_RANDOM)
		return usual;
	/* Nothing was read yet; from here on kernels differ by up to a page. */
	if (prev < 0)
		return advised ? stream : now;
	if (is_apart(prev, pos))
		return usual;
	if (advised)
		return stream;
	if (last < usual)
		return now;
	return max(now, min(stream, max(2 * last, 4 * usual)));
}

/*
 * A stream needs a large window to keep a distant source busy. For other access patterns, such
 * as faults and random reads that happen to be adjacent, it would fetch data that is not read.
 * Tasks that share the file may race, as in the VFS: the window is a hint.
 */
static void adapt_readahead(struct file *file, loff_t pos)
{
	const struct super_block *sb = file->f_mapping->host->i_sb;
	unsigned int usual = (unsigned int)sb->s_bdi->ra_pages, window;

	/* The administrator has turned readahead off. */
	if (!usual)
		return;
	window = readahead_window(file, pos, usual);
	if (data_race(file->f_ra.ra_pages) != window)
		data_race(file->f_ra.ra_pages = window);
}

static int file_open(struct inode *inode, struct file *file)
{
	file->f_mapping = erofs_od_share_mapping(inode);
	return 0;
}

/*
 * Size of the folio that holds what is read, and nothing else; 0 if there is none. From the
 * start of a file, the VFS reads ahead.
 */
static size_t read_folio_size(const struct kiocb *iocb, const struct iov_iter *to)
{
	struct address_space *mapping = iocb->ki_filp->f_mapping;
	u64 pos = iocb->ki_pos, size = i_size_read(mapping->host);
	u64 start, len;

	if (pos < PAGE_SIZE || pos >= size)
		return 0;
	start = round_down(pos, PAGE_SIZE);
	len = round_up(min(pos + iov_iter_count(to), size), PAGE_SIZE) - start;
	if (len > (mapping_large_folio_support(mapping) ? RANDOM_MAX : PAGE_SIZE))
		return 0;
	return is_power_of_2(len) && !(start & (len - 1)) ? len : 0;
}

/* Neither the first read of an open file nor one that goes on from the last. */
static bool is_random(const struct kiocb *iocb)
{
	loff_t prev = data_race(iocb->ki_filp->f_ra.prev_pos);

	return prev >= 0 && is_apart(prev, iocb->ki_pos);
}

/*
 * Reads from the folio that holds all that a random read needs. Returns the bytes read; the VFS
 * reads the rest, and reports what went wrong.
 */
static size_t random_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	size_t len = is_random(iocb) ? read_folio_size(iocb, to) : 0, at, done = 0;
	loff_t size = i_size_read(file->f_mapping->host);
	struct folio *folio;

	if (!len || iocb->ki_flags & (IOCB_NOWAIT | IOCB_WAITQ))
		return 0;
	folio = erofs_od_data_folio(file->f_mapping, round_down((u64)iocb->ki_pos, len), len);
	if (IS_ERR_OR_NULL(folio))
		return 0;
	if (!folio_wait_locked_killable(folio) && folio_test_uptodate(folio)) {
		at = offset_in_folio(folio, iocb->ki_pos);
		len = min_t(u64, folio_size(folio) - at, size - iocb->ki_pos);
		done = copy_page_to_iter(folio_page(folio, 0), at, len, to);
		folio_mark_accessed(folio);
		iocb->ki_pos += done;
		data_race(file->f_ra.prev_pos = iocb->ki_pos);
	}
	folio_put(folio);
	return done;
}

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t done, more;

	if (iocb->ki_flags & IOCB_DIRECT)
		return erofs_od_direct_read(iocb, to);
	if (erofs_od_small_read(iocb, to, &done))
		return done;
	adapt_readahead(iocb->ki_filp, iocb->ki_pos);
	done += random_read(iocb, to);
	if (done && !iov_iter_count(to))
		return done;
	more = generic_file_read_iter(iocb, to);
	if (!done)
		return more;
	return more > 0 ? done + more : done;
}

static ssize_t file_splice_read(struct file *file, loff_t *pos, struct pipe_inode_info *pipe,
				size_t len, unsigned int flags)
{
	adapt_readahead(file, *pos);
	return generic_ro_fops.splice_read(file, pos, pipe, len, flags);
}

/**
 * erofs_od_ioctl - ioctl(2) of files and directories: FS_IOC_GETFSLABEL
 * @file: file
 * @cmd: command
 * @arg: its argument
 *
 * Return: 0; -ENOTTY for other commands; -EFAULT
 */
long erofs_od_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(file_inode(file)->i_sb);
	char label[FSLABEL_MAX] = "";

	if (cmd != FS_IOC_GETFSLABEL)
		return -ENOTTY;
	strscpy(label, sbi->od.volume_name, sizeof(label));
	return copy_to_user((void __user *)arg, label, sizeof(label)) ? -EFAULT : 0;
}

struct file_operations erofs_od_file_fops __ro_after_init;

const struct inode_operations erofs_od_file_iops = {
	.getattr = erofs_od_getattr,
	.listxattr = erofs_od_listxattr,
	.get_inode_acl = erofs_od_get_acl,
	.fiemap = erofs_od_fiemap,
};

const struct inode_operations erofs_od_special_iops = {
	.getattr = erofs_od_getattr,
	.listxattr = erofs_od_listxattr,
	.get_inode_acl = erofs_od_get_acl,
};

/* Copied from the kernel's at run time, since its mmap and splice operations changed often. */
void __init erofs_od_file_init(void)
{
	erofs_od_file_fops = generic_ro_fops;
	erofs_od_file_fops.owner = THIS_MODULE;
	erofs_od_file_fops.open = file_open;
	erofs_od_file_fops.llseek = erofs_od_llseek;
	erofs_od_file_fops.read_iter = file_read_iter;
	erofs_od_file_fops.splice_read = file_splice_read;
	erofs_od_file_fops.unlocked_ioctl = erofs_od_ioctl;
	erofs_od_file_fops.compat_ioctl = erofs_od_ioctl;
	/* Folios may be as large as a huge page. */
	erofs_od_file_fops.get_unmapped_area = thp_get_unmapped_area;
}
