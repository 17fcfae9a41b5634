// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blobs that are local files or block devices, without a cache or a daemon.
 *
 * A read is a read of the file with the credentials it was opened with: direct I/O into the
 * caller's pages where possible, otherwise buffered I/O. Data that the file lacks is an error:
 * only past its end, up to a multiple of CACHEFILES_OD_GRAIN, is it zeroed, as the cache does.
 */
#include "internal.h"

#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

/**
 * struct erofs_od_local - the file of a blob
 * @file: opened by the mounting task
 * @claim: claim on the block device, or NULL
 * @start: first byte of the blob in the file
 * @align: alignment that direct I/O requires, or 0 if there is none
 * @wq: workqueue for reads that the caller cannot do itself
 * @stacked: the file may be on a file system whose locks the caller already holds for
 *	another file, such as one of this module: reads are buffered by @wq
 * @ops: reads in flight, plus one until the blob is closed
 * @idle: completed when @ops becomes 0
 * @log_limit: limits log lines about the file
 */
struct erofs_od_local {
	struct file *file;
	struct erofs_od_claim *claim;
	u64 start;
	unsigned int align;
	struct workqueue_struct *wq;
	bool stacked;
	atomic_t ops;
	struct completion idle;
	struct ratelimit_state log_limit;
};

/**
 * struct local_read - a read in flight
 * @iocb: direct I/O
 * @work: buffered I/O, if the caller cannot do it
 * @refs: for direct I/O: its completion, and the submitting task
 * @ret: what direct I/O returned
 * @local: file
 * @blob: blob
 * @read: the request
 * @len: bytes that the file has; the rest is zeroed
 */
struct local_read {
	struct kiocb iocb;
	struct work_struct work;
	refcount_t refs;
	long ret;
	struct erofs_od_local *local;
	struct erofs_od_blob *blob;
	struct cachefiles_od_read *read;
	size_t len;
};

/* --- opening and closing --- */

/*
 * A workqueue per mount: its work may wait for that of lower mounts, which must not wait for a
 * slot in the same queue. With loop devices the stacking depth is unknown.
 */
static int need_wq(struct erofs_od_sb_info *sbi)
{
	if (!sbi->wq)
		sbi->wq = alloc_workqueue("erofs_od_file", WQ_UNBOUND, 0);
	return sbi->wq ? 0 : -ENOMEM;
}

static struct erofs_od_local *new_local(struct file *file, u64 start, struct workqueue_struct *wq)
{
	struct erofs_od_local *local = kzalloc(sizeof(*local), GFP_KERNEL);

	if (!local)
		return NULL;
	local->file = file;
	local->start = start;
	local->wq = wq;
	atomic_set(&local->ops, 1);
	init_completion(&local->idle);
	ratelimit_state_init(&local->log_limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	return local;
}

static void free_local(struct erofs_od_local *local)
{
	erofs_od_release_device(local->claim);
	fput(local->file);
	kfree(local);
}

static struct block_device *device_of(const struct file *file)
{
	if (!S_ISBLK(file_inode(file)->i_mode))
		return NULL;
	return I_BDEV(file->f_mapping->host);
}

/* Computes the stacking depth of a mount, as overlayfs does. */
static int stack(struct erofs_od_sb_info *sbi, struct erofs_od_local *local)
{
	const struct super_block *sb = file_inode(local->file)->i_sb;

	if (sb->s_stack_depth >= FILESYSTEM_MAX_STACK_DEPTH) {
		erofs_od_err(sbi, "too many stacked file systems: %d", -EINVAL);
		return -EINVAL;
	}
	sbi->stack_depth = max(sbi->stack_depth, sb->s_stack_depth + 1);
	local->stacked = sb->s_stack_depth || sb->s_type->owner == THIS_MODULE;
	return 0;
}

/* The first blob of a mount is its image, whose device the VFS claims. */
static int use_device(struct erofs_od_sb_info *sbi, struct erofs_od_local *local,
		      const char *path)
{
	struct erofs_od_claim *claim;

	if (!sbi->nr_blobs) {
		sbi->bdev = device_of(local->file);
		return 0;
	}
	claim = erofs_od_claim_device(path, file_inode(local->file)->i_rdev);
	if (IS_ERR(claim))
		return PTR_ERR(claim);
	local->claim = claim;
	return 0;
}

static int set_size(struct erofs_od_blob *blob, u64 start)
{
	const struct file *file = blob->local->file;
	const struct inode *inode = device_of(file) ? file->f_mapping->host : file_inode(file);
	u64 size = i_size_read(inode);

	if (start >= size)
		return -EINVAL;
	if (size > OD_BLOB_MAX)
		return -EFBIG;
	blob->size = size - start;
	return 0;
}

static unsigned int direct_align(const struct file *file)
{
	struct block_device *bdev = device_of(file) ?: file_inode(file)->i_sb->s_bdev;

	return bdev ? bdev_logical_block_size(bdev) : PAGE_SIZE;
}

static int open_local(struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob)
{
	u64 start = sbi->nr_blobs ? 0 : sbi->fsoffset;
	struct file *file;
	bool direct;
	int err = need_wq(sbi);

	if (err)
		return err;
	file = erofs_od_open_file(blob->name, sbi->directio, &direct);
	if (IS_ERR(file))
		return PTR_ERR(file);
	blob->local = new_local(file, start, sbi->wq);
	if (!blob->local) {
		fput(file);
		return -ENOMEM;
	}
	if (direct)
		blob->local->align = direct_align(file);
	err = set_size(blob, start);
	if (!err)
		err = device_of(file) ? use_device(sbi, blob->local, blob->name) :
					stack(sbi, blob->local);
	if (err)
		free_local(blob->local);
	return err;
}

/**
 * erofs_od_local_part - open a part of a blob as a separate blob
 * @blob: the part, to be opened
 * @whole: open blob
 * @start: first byte of the part
 * @len: bytes; what lies past the end of @whole is missing
 *
 * Return: 0; -EINVAL if @whole has none of it; -ENOMEM
 */
int erofs_od_local_part(struct erofs_od_blob *blob, const struct erofs_od_blob *whole, u64 start,
			u64 len)
{
	const struct erofs_od_local *from = whole->local;

	if (start >= whole->size)
		return -EINVAL;
	blob->local = new_local(get_file(from->file), from->start + start, from->wq);
	if (!blob->local) {
		fput(from->file);
		return -ENOMEM;
	}
	blob->local->align = from->align;
	blob->local->stacked = from->stacked;
	blob->size = min(len, whole->size - start);
	return 0;
}

/**
 * erofs_od_same_files - whether two mounts read the same ranges of the same files
 * @a: open mount without a cache
 * @b: another one
 *
 * Compares files, not paths: these may be relative, or lead elsewhere by now.
 */
bool erofs_od_same_files(const struct erofs_od_sb_info *a, const struct erofs_od_sb_info *b)
{
	unsigned int i;

	if (a->nr_blobs != b->nr_blobs)
		return false;
	for (i = 0; i < a->nr_blobs; i++) {
		const struct erofs_od_local *x = a->blobs[i]->local, *y = b->blobs[i]->local;

		if (x->file->f_mapping->host != y->file->f_mapping->host || x->start != y->start)
			return false;
	}
	return true;
}

static int wait_local(struct erofs_od_blob *blob)
{
	return 0;
}

static bool begin_local(struct erofs_od_blob *blob)
{
	return atomic_inc_not_zero(&blob->local->ops);
}

static void put_local(struct erofs_od_local *local)
{
	if (atomic_dec_and_test(&local->ops))
		complete(&local->idle);
}

static void end_local(struct erofs_od_blob *blob)
{
	put_local(blob->local);
}

static void close_local(struct erofs_od_blob *blob)
{
	put_local(blob->local);
	wait_for_completion(&blob->local->idle);
	free_local(blob->local);
}

/* --- reading --- */

/* The blob may be closed once this returns. */
static void request_done(struct local_read *request, int err)
{
	struct cachefiles_od_read *read = request->read;

	kfree(request);
	read->done(read, 0, read->len, err);
}

static void request_iter(const struct local_read *request, struct iov_iter *iter)
{
	const struct cachefiles_od_read *read = request->read;

	iov_iter_bvec(iter, ITER_DEST, read->bvec, read->nr_bvec, read->len);
}

static void zero_rest(const struct local_read *request)
{
	size_t rest = request->read->len - request->len;
	struct iov_iter iter;

	if (!rest)
		return;
	request_iter(request, &iter);
	iov_iter_advance(&iter, request->len);
	iov_iter_zero(rest, &iter);
}

static loff_t request_pos(const struct local_read *request)
{
	return request->local->start + request->read->start;
}

static bool is_killed(ssize_t ret)
{
	return ret == -EINTR || ret == -ERESTARTSYS;
}

/* Others may wait for the same pages, and read them again if this task was killed. */
static void request_failed(struct local_read *request, ssize_t ret)
{
	bool killed = is_killed(ret);
	const char *name = request->blob->name;

	if (!killed && __ratelimit(&request->local->log_limit))
		pr_err("%*pE: read of %zu bytes at %lld failed: %s: %zd\n", (int)strlen(name), name,
		       request->len, request_pos(request),
		       ret ? "I/O error" : "file was truncated", ret);
	request_done(request, killed ? -EINTR : -EIO);
}

static ssize_t read_file(struct file *file, struct kiocb *iocb, struct iov_iter *iter)
{
	const struct cred *saved = override_creds(file->f_cred);
	ssize_t ret = vfs_iocb_iter_read(file, iocb, iter);

	revert_creds(saved);
	return ret;
}

static void read_buffered(struct local_read *request)
{
	struct file *file = request->local->file;
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t n;

	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = request_pos(request);
	request_iter(request, &iter);
	iov_iter_truncate(&iter, request->len);
	do {
		n = read_file(file, &iocb, &iter);
	} while (n > 0 && iov_iter_count(&iter));
	if (n > 0)
		request_done(request, 0);
	else
		request_failed(request, n);
}

static void read_work(struct work_struct *work)
{
	read_buffered(container_of(work, struct local_read, work));
}

static void queue_buffered(struct local_read *request)
{
	INIT_WORK(&request->work, read_work);
	queue_work(request->local->wq, &request->work);
}

/* Any context. What direct I/O could not read is read again, buffered, unless it was killed. */
static void direct_put(struct local_read *request)
{
	if (!refcount_dec_and_test(&request->refs))
		return;
	if (request->ret == (long)request->len)
		request_done(request, 0);
	else if (is_killed(request->ret))
		request_failed(request, request->ret);
	else
		queue_buffered(request);
}

static void direct_done(struct local_read *request, long ret)
{
	request->ret = ret;
	direct_put(request);
}

OD_COMPAT_KI_COMPLETE(direct_complete, iocb, ret)
{
	direct_done(container_of(iocb, struct local_read, iocb), ret);
}

/*
 * File systems touch the iocb and its file after queueing the I/O, and some kernels the bvec,
 * which the reader frees: the read has not ended until they return.
 */
static void read_direct(struct local_read *request, struct iov_iter *iter)
{
	struct file *file = request->local->file;
	ssize_t ret;

	refcount_set(&request->refs, 2);
	init_sync_kiocb(&request->iocb, file);
	request->iocb.ki_flags |= IOCB_DIRECT;
	request->iocb.ki_pos = request_pos(request);
	request->iocb.ki_complete = direct_complete;
	ret = read_file(file, &request->iocb, iter);
	if (ret != -EIOCBQUEUED)
		direct_done(request, ret);
	direct_put(request);
}

static void request_start(struct local_read *request)
{
	const struct erofs_od_local *local = request->local;
	struct iov_iter iter;
	u64 pos = request_pos(request);

	request_iter(request, &iter);
	iov_iter_truncate(&iter, request->len);
	if (local->align && !((pos | iov_iter_alignment(&iter)) & (local->align - 1)))
		read_direct(request, &iter);
	else if (local->stacked)
		queue_buffered(request);
	else
		read_buffered(request);
}

/* Number of bytes of a read that the file has; a read past its last grain is refused. */
static int read_len(const struct erofs_od_blob *blob, const struct cachefiles_od_read *read,
		    size_t *len)
{
	u64 end, size = blob->size;

	if (check_add_overflow(read->start, (u64)read->len, &end) ||
	    end > round_up(size, (u64)CACHEFILES_OD_GRAIN))
		return -EIO;
	*len = read->start < size ? min_t(u64, read->len, size - read->start) : 0;
	return 0;
}

static void read_local(struct erofs_od_blob *blob, struct cachefiles_od_read *read)
{
	struct local_read *request = kmalloc(sizeof(*request), GFP_NOFS);
	int err = request ? read_len(blob, read, &request->len) : -ENOMEM;

	if (err == -EIO && __ratelimit(&blob->local->log_limit))
		pr_err("%*pE: read of %zu bytes at %llu is past its end (%llu bytes)\n",
		       (int)strlen(blob->name), blob->name, read->len, read->start, blob->size);
	if (err) {
		kfree(request);
		read->done(read, 0, read->len, err);
		return;
	}
	request->local = blob->local;
	request->blob = blob;
	request->read = read;
	zero_rest(request);
	if (request->len)
		request_start(request);
	else
		request_done(request, 0);
}

/* Reads of files complete by themselves. */
static void cancel_local(struct erofs_od_blob *blob, const void *owner)
{
}

static bool is_filled_local(const struct erofs_od_blob *blob)
{
	return true;
}

static bool is_present_local(const struct erofs_od_blob *blob, u64 start, u64 len)
{
	return start <= blob->size && len <= blob->size - start;
}

static bool is_wide_local(const struct erofs_od_blob *blob)
{
	return true;
}

const struct erofs_od_backend erofs_od_local_backend = {
	.open = open_local,
	.wait = wait_local,
	.close = close_local,
	.begin = begin_local,
	.end = end_local,
	.read = read_local,
	.cancel = cancel_local,
	.is_filled = is_filled_local,
	.is_present = is_present_local,
	.is_wide = is_wide_local,
};

/**
 * erofs_od_local_end - free the resources shared by the blobs of a mount
 * @sbi: mount, all its blobs closed
 */
void erofs_od_local_end(struct erofs_od_sb_info *sbi)
{
	if (sbi->wq)
		destroy_workqueue(sbi->wq);
	sbi->wq = NULL;
}
