// SPDX-License-Identifier: GPL-2.0-only
/* The anonymous fd of a blob, through which the daemon fills it. */
#include "internal.h"
#include "fillbuf.h"

#include <linux/anon_inodes.h>
#include <linux/bvec.h>
#include <linux/errseq.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/**
 * struct cachefiles_od_fd - one fd, from its OPEN to its last close
 * @cookie: the blob
 * @object_id: ID of this fd; differs from the cookie's once the fd is stale
 */
struct cachefiles_od_fd {
	struct cachefiles_od_cookie *cookie;
	u32 object_id;
};

/*
 * Pins the cookie's cache file for a call on the fd. -ENOBUFS before copen or if the fd is
 * stale; -EIO if the blob was withdrawn.
 */
static int fd_begin(const struct cachefiles_od_fd *fd)
{
	struct cachefiles_od_cookie *cookie = fd->cookie;
	bool open;

	if (!cachefiles_od_begin_operation(cookie))
		return -EIO;
	spin_lock(&cookie->lock);
	open = cookie->state == OD_OBJ_OPEN && cookie->object_id == fd->object_id;
	spin_unlock(&cookie->lock);
	if (open)
		return 0;
	cachefiles_od_end_operation(cookie);
	return -ENOBUFS;
}

static void fd_end(const struct cachefiles_od_fd *fd)
{
	cachefiles_od_end_operation(fd->cookie);
}

/*
 * Number of bytes that direct I/O can write: whole blocks. The rest of the last block goes
 * through the page cache.
 */
static size_t direct_part(const struct cachefiles_od_cookie *cookie, u64 pos, size_t skip,
			  size_t len)
{
	size_t mask = cachefiles_od_cookie_cache(cookie)->block_size - 1;

	if (!cookie->dio_align || (pos & mask) || (skip & (cookie->dio_align - 1)))
		return 0;
	return len & ~mask;
}

/*
 * Samples write-back errors. One that was never seen would be reported for every sample: it is
 * marked seen here, and by the fsync of a commit.
 */
static errseq_t wb_errors(struct address_space *mapping)
{
	errseq_t since = filemap_sample_wb_err(mapping);

	errseq_check_and_advance(&mapping->wb_err, &since);
	return since;
}

/*
 * Data that went through the page cache, as intended or because the file system does that
 * (data=journal, encryption), has to reach the device, too. Write-back errors are those since a
 * sample: the mapping's flags may concern another range, and are cleared by the first
 * test of them.
 */
static int write_back(struct address_space *mapping, u64 pos, size_t len, errseq_t since)
{
	u64 last = pos + len - 1;
	int err = filemap_fdatawrite_range(mapping, pos, last);

	filemap_fdatawait_range_keep_errors(mapping, pos, last);
	err = err ?: filemap_check_wb_err(mapping, since);
	/* Remaining pages would only take up memory: reads do not use them. */
	invalidate_mapping_pages(mapping, pos >> PAGE_SHIFT, last >> PAGE_SHIFT);
	return err;
}

static ssize_t write_file(struct file *file, const struct cachefiles_od_fillbuf *buf,
			  size_t skip, size_t len, u64 pos, bool direct)
{
	struct address_space *mapping = file->f_mapping;
	errseq_t since = wb_errors(mapping);
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t n;
	int err = 0;

	iov_iter_bvec(&iter, ITER_SOURCE, buf->bvec, CACHEFILES_OD_FILLBUF_PAGES, buf->len);
	iov_iter_advance(&iter, skip);
	iov_iter_truncate(&iter, len);
	init_sync_kiocb(&iocb, file);
	iocb.ki_pos = pos;
	/* Not vfs_iocb_iter_write(): kernels differ in who protects against freezing. */
	n = file->f_op->write_iter(&iocb, &iter);
	if (n > 0 && (!direct || filemap_range_has_page(mapping, pos, pos + n - 1)))
		err = write_back(mapping, pos, n, since);
	return err ?: n;
}

static ssize_t write_buffered(struct cachefiles_od_cookie *cookie,
			      const struct cachefiles_od_fillbuf *buf, size_t skip, size_t len,
			      u64 pos)
{
	struct file *file = cachefiles_od_file_buffered(cookie);

	if (IS_ERR(file))
		return PTR_ERR(file);
	return write_file(file, buf, skip, len, pos, false);
}

/* What readers took from memory was used. */
static void use_served(struct cachefiles_od_cookie *cookie,
		       const struct cachefiles_od_fillbuf *buf, u64 start, u64 end)
{
	const struct od_range *run = buf->runs;

	for (; run < buf->runs + buf->served.nr; run++)
		if (run->start < end && run->end > start)
			cachefiles_od_unused_read(cookie, max(start, run->start),
						  min(end, run->end));
}

/*
 * Writes to the cache file and marks exactly the bytes that reached its device without an
 * error. Returns their number.
 */
static ssize_t store(struct cachefiles_od_cookie *cookie,
		     const struct cachefiles_od_fillbuf *buf, size_t skip, size_t len, u64 pos)
{
	size_t direct = direct_part(cookie, pos, skip, len);
	ssize_t n = 0;
	int err;

	if (direct)
		n = write_file(cookie->file, buf, skip, direct, pos, true);
	/* Falls back to buffered I/O if direct I/O is not supported here. */
	if (n == 0 || n == -EINVAL || n == -EOPNOTSUPP || n == -ENOTBLK)
		n = write_buffered(cookie, buf, skip, len, pos);
	if (n <= 0)
		return n ?: -EIO;
	cachefiles_od_unused_filled(cookie, pos, pos + n);
	use_served(cookie, buf, pos, pos + n);
	err = cachefiles_od_presence_filled(cookie, pos, pos + n);
	return err ?: n;
}

/* Data that there is no space for goes to the readers that wait for it, and is not kept. */
static ssize_t pass(struct cachefiles_od_cookie *cookie, const struct cachefiles_od_fillbuf *buf,
		    size_t skip, size_t len, u64 pos)
{
	const struct cachefiles_od_bytes bytes = {
		.start = pos,
		.end = pos + len,
		.bvec = buf->bvec,
		.skip = skip,
	};

	atomic64_add(len - od_extents_missing(&buf->served, pos, pos + len),
		     &cachefiles_od_cookie_cache(cookie)->stats.passed);
	cachefiles_od_serve_unkept(cookie, &bytes);
	return len;
}

/*
 * Whether the cache file may be written to: not without free space, and not while the map on
 * disk still describes the file as closed, for lack of space to update it.
 */
static bool may_keep(struct cachefiles_od_cookie *cookie)
{
	return cachefiles_od_room(cachefiles_od_cookie_cache(cookie)) != OD_ROOM_NONE &&
	       !READ_ONCE(cookie->map_closed);
}

static ssize_t store_or_pass(struct cachefiles_od_cookie *cookie,
			     const struct cachefiles_od_fillbuf *buf, size_t skip, size_t len,
			     u64 pos)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	ssize_t n;

	if (!may_keep(cookie) || !cachefiles_od_room_claim(cache, len))
		return pass(cookie, buf, skip, len, pos);
	lockdep_assert_held(&cookie->fill_sem);
	n = store(cookie, buf, skip, len, pos);
	cachefiles_od_room_settle(cache, len, n > 0 ? n : 0);
	if (cachefiles_od_room_refused(cache, n))
		return pass(cookie, buf, skip, len, pos);
	if (n > 0) {
		atomic64_add(n, &cache->stats.filled);
		atomic64_add(n, &cookie->filled);
	}
	return n;
}

/* Stores as much as belongs to the blob; short only after an error. */
static ssize_t store_all(struct cachefiles_od_cookie *cookie,
			 const struct cachefiles_od_fillbuf *buf, u64 pos)
{
	u64 limit = cachefiles_od_file_length(cookie->size);
	size_t len, done = 0;
	ssize_t n = 0;

	if (pos >= limit)
		return -EFBIG;
	len = min_t(u64, buf->len, limit - pos);
	while (done < len) {
		n = store_or_pass(cookie, buf, done, len - done, pos + done);
		if (n < 0)
			break;
		done += n;
	}
	return done ?: n;
}

/* Called with the cache's credentials, the file pinned and protected against freezing. */
static ssize_t store_here(const struct cachefiles_od_fd *fd,
			  const struct cachefiles_od_fillbuf *buf, u64 pos)
{
	struct cachefiles_od_cookie *cookie = fd->cookie;
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	const struct cred *saved;
	ssize_t n;

	saved = override_creds(cache->cred);
	n = store_all(cookie, buf, pos);
	revert_creds(saved);
	if (n > 0)
		cachefiles_od_wait_filled(cookie, pos, pos + n);
	return n;
}

/* Logs failed writes to blobs in use only: daemons write to withdrawn ones, too. */
static ssize_t store_pinned(const struct cachefiles_od_fd *fd,
			    const struct cachefiles_od_fillbuf *buf, u64 pos)
{
	ssize_t n = store_here(fd, buf, pos);

	if (n < 0)
		pr_warn_limited(fd->cookie->volume,
				"volume %s: blob %s: write of %zu bytes at %llu rejected: %zd\n",
				fd->cookie->volume->key, fd->cookie->name, buf->len, pos, n);
	return n;
}

/* Without space for that map, nothing is kept. */
static bool wants_map(struct cachefiles_od_cookie *cookie)
{
	return READ_ONCE(cookie->map_closed) &&
	       cachefiles_od_room(cachefiles_od_cookie_cache(cookie)) != OD_ROOM_NONE;
}

static int try_prepare(const struct cachefiles_od_fd *fd)
{
	int err = fd_begin(fd);

	if (err)
		return err;
	err = cachefiles_od_presence_begin_fill(fd->cookie);
	fd_end(fd);
	return err;
}

/* From now on the map on disk must not describe the file as closed. */
static int prepare(const struct cachefiles_od_fd *fd)
{
	int err;

	while ((err = try_prepare(fd)) == -EBUSY) {
		err = cachefiles_od_wait_frozen();
		if (err)
			break;
	}
	return err;
}

/* Without waiting for a thaw: false if that, or an errno, is left to store_later(). */
static bool try_begin_fill(struct cachefiles_od_cookie *cookie)
{
	if (wants_map(cookie) && cachefiles_od_presence_begin_fill(cookie))
		return false;
	return cachefiles_od_try_begin_fill(cookie);
}

/*
 * Readers come first. Those on this CPU run now; the daemon's own yield would come after the
 * store.
 */
static void serve(struct cachefiles_od_cookie *cookie, struct cachefiles_od_fillbuf *buf, u64 pos)
{
	const struct cachefiles_od_bytes bytes = {
		.start = pos,
		.end = pos + buf->len,
		.bvec = buf->bvec,
		.kept = true,
	};

	if (cachefiles_od_serve(cookie, &bytes, &buf->served))
		yield();
}

/* A frozen file system must not keep the blob from being closed: nothing is pinned meanwhile. */
static ssize_t store_later(const struct cachefiles_od_fd *fd,
			   const struct cachefiles_od_fillbuf *buf, u64 pos)
{
	ssize_t n = wants_map(fd->cookie) ? prepare(fd) : 0;

	if (n && !cachefiles_od_room_refused(cachefiles_od_cookie_cache(fd->cookie), n))
		return n;
	n = cachefiles_od_begin_fill(fd->cookie);
	if (n)
		return n;
	n = fd_begin(fd);
	if (!n) {
		n = store_pinned(fd, buf, pos);
		fd_end(fd);
	}
	cachefiles_od_end_fill(fd->cookie);
	return n;
}

/* The blob stays pinned from serving its readers on: what they have is kept if they close it. */
static ssize_t store_chunk(const struct cachefiles_od_fd *fd,
			   struct cachefiles_od_fillbuf *buf, u64 pos)
{
	ssize_t n = fd_begin(fd);
	bool stored;

	if (n)
		return n;
	serve(fd->cookie, buf, pos);
	stored = try_begin_fill(fd->cookie);
	if (stored) {
		n = store_pinned(fd, buf, pos);
		cachefiles_od_end_fill(fd->cookie);
	}
	fd_end(fd);
	return stored ? n : store_later(fd, buf, pos);
}

static ssize_t write_chunk(const struct cachefiles_od_fd *fd, struct iov_iter *from,
			   struct cachefiles_od_fillbuf *buf, u64 pos)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	return cachefiles_od_fillbuf_copy(buf, from) ? store_chunk(fd, buf, pos) : -EFAULT;
}

/*
 * Copies the daemon's bytes before pinning anything: a fault on its memory may take forever,
 * and must not block an unmount.
 */
static ssize_t fd_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	const struct cachefiles_od_fd *fd = iocb->ki_filp->private_data;
	struct cachefiles_od_fillbuf *buf;
	ssize_t written = 0, n = 0;

	if (iocb->ki_pos < 0)
		return -EINVAL;
	buf = cachefiles_od_fillbuf_get();
	if (!buf)
		return -ENOMEM;
	while (iov_iter_count(from)) {
		n = write_chunk(fd, from, buf, iocb->ki_pos);
		if (n < 0)
			break;
		iocb->ki_pos += n;
		written += n;
		if ((size_t)n < buf->len)
			break;
	}
	cachefiles_od_fillbuf_put(buf);
	return written ?: n;
}

/* Whatever was filled until now survives a power cut. */
static int fd_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	const struct cachefiles_od_fd *fd = file->private_data;
	int err = fd_begin(fd);

	if (err)
		return err;
	err = cachefiles_od_presence_commit(fd->cookie);
	fd_end(fd);
	return err;
}

static loff_t seek_data(const struct cachefiles_od_fd *fd, struct file *file, loff_t offset,
			int whence)
{
	struct cachefiles_od_cookie *cookie = fd->cookie;
	loff_t pos;

	pos = vfs_llseek(cookie->file, offset, whence);
	return pos < 0 ? pos : vfs_setpos(file, pos, S64_MAX);
}

/* Like on the cache file, but the position is the fd's own. */
static loff_t fd_llseek(struct file *file, loff_t offset, int whence)
{
	const struct cachefiles_od_fd *fd = file->private_data;
	loff_t pos = fd_begin(fd);

	if (pos)
		return pos;
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		pos = seek_data(fd, file, offset, whence);
	else
		pos = generic_file_llseek_size(file, offset, whence, S64_MAX,
					       i_size_read(file_inode(fd->cookie->file)));
	fd_end(fd);
	return pos;
}

static long fd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct cachefiles_od_fd *fd = file->private_data;

	if (cmd != CACHEFILES_OD_IOC_READ_COMPLETE || arg > U32_MAX)
		return -EINVAL;
	return cachefiles_od_wait_read_complete(fd->cookie, fd->object_id, arg);
}

static int fd_release(struct inode *inode, struct file *file)
{
	struct cachefiles_od_fd *fd = file->private_data;

	cachefiles_od_object_fd_closed(fd->cookie, fd->object_id);
	cachefiles_od_cookie_put(fd->cookie);
	kfree(fd);
	return 0;
}

static const struct file_operations cachefiles_od_fd_fops = {
	.owner		= THIS_MODULE,
	.write_iter	= fd_write_iter,
	.llseek		= fd_llseek,
	.fsync		= fd_fsync,
	.unlocked_ioctl	= fd_ioctl,
	.compat_ioctl	= fd_ioctl,
	.release	= fd_release,
};

/* Creates the file for a new fd of a blob; the caller allocates the fd. */
struct file *cachefiles_od_fd_create(struct cachefiles_od_cookie *cookie, u32 object_id)
{
	struct cachefiles_od_fd *fd = kmalloc(sizeof(*fd), GFP_KERNEL);
	struct file *file;

	if (!fd)
		return ERR_PTR(-ENOMEM);
	fd->cookie = cookie;
	fd->object_id = object_id;
	file = anon_inode_getfile("[cachefiles_od]", &cachefiles_od_fd_fops, fd, O_WRONLY);
	if (IS_ERR(file)) {
		kfree(fd);
		return file;
	}
	kref_get(&cookie->ref);
	file->f_mode |= FMODE_PWRITE | FMODE_LSEEK;
	return file;
}
