// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed data: from folios to pclusters, and back.
 *
 * The pclusters that a batch of folios needs are read whole, neighbours of a blob at once,
 * into memory of their own. When the last byte of a pcluster has come it is decompressed by
 * a work item, in the order in which they come, into the folios themselves as far as these
 * are wanted. A part of a pcluster is accounted for exactly once, by its work item.
 */
#include "io.h"
#include "zmap.h"
#include "zout.h"

#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "../compat/wait.h"

/* Compressed bytes that a mount may have in memory; one pcluster always may be. */
#define EROFS_OD_ENCODED_MAX	(32L << 20)
/* Pclusters in a read, of a batch with many folios and with one. */
#define EROFS_OD_PARTS_MAX	64U
#define EROFS_OD_PARTS_FEW	4U
/* Decoders may look at this many bytes beyond what they are given. */
#define EROFS_OD_ZSLACK		16U

/**
 * struct erofs_od_part - the part of a batch that comes out of one pcluster
 * @work: decompresses it
 * @zread: the read that it is of
 * @out: what to do with the pcluster
 * @at: where in the read it starts
 * @left: bytes of it that were not reported
 * @error: why one of them did not come
 */
struct erofs_od_part {
	struct work_struct work;
	struct erofs_od_zread *zread;
	struct erofs_od_zout out;
	u32 at;
	atomic_t left;
	int error;
};

/**
 * struct erofs_od_zread - pclusters that are neighbours in a blob, being read
 * @read: the read
 * @io: batch that they are for
 * @blob: which blob
 * @buf: what they are read into
 * @bvec: its pages
 * @encoded: parts that @buf is needed for
 * @refs: parts that are not accounted for
 * @max: parts allocated
 * @nr: parts
 * @part: parts, in the order of the blob
 */
struct erofs_od_zread {
	struct cachefiles_od_read read;
	struct erofs_od_io *io;
	struct erofs_od_blob *blob;
	u8 *buf;
	struct bio_vec *bvec;
	atomic_t encoded;
	atomic_t refs;
	unsigned int max;
	unsigned int nr;
	struct erofs_od_part part[];
};

static struct workqueue_struct *erofs_od_zwork;

/**
 * erofs_od_zdata_is_full - does a mount have as much compressed data in memory as it may?
 * @m: mount
 */
bool erofs_od_zdata_is_full(const struct erofs_od_mount *m)
{
	return atomic_long_read(&m->encoded) >= EROFS_OD_ENCODED_MAX;
}

static bool erofs_od_charge(struct erofs_od_mount *m, long len)
{
	if (atomic_long_add_return(len, &m->encoded) <= EROFS_OD_ENCODED_MAX)
		return true;
	/* One that is alone may be larger. */
	if (atomic_long_read(&m->encoded) == len)
		return true;
	atomic_long_sub(len, &m->encoded);
	return false;
}

/* Pairs with the barrier of the waiter, who looks at the counter once he is in the queue. */
static void erofs_od_uncharge(struct erofs_od_mount *m, long len)
{
	atomic_long_sub(len, &m->encoded);
	smp_mb__after_atomic();
	if (waitqueue_active(&m->encoded_wait))
		wake_up_all(&m->encoded_wait);
}

/* For whoever may wait, this does so killably: others decompress, or wait with a deadline. */
static int erofs_od_charge_wait(struct erofs_od_io *io, long len)
{
	struct erofs_od_mount *m = io->source.m;

	if (erofs_od_charge(m, len))
		return 0;
	if (!io->may_wait)
		return -EAGAIN;
	if (od_compat_wait_event_killable(m->encoded_wait, erofs_od_charge(m, len),
					  MAX_SCHEDULE_TIMEOUT) < 0)
		return -EINTR;
	return 0;
}

static void erofs_od_part_say(const struct erofs_od_part *part, int err)
{
	const struct erofs_od_io *io = part->zread->io;
	const char *name = part->zread->blob->name;

	erofs_od_err_ratelimited(io->source.m, "inode %llu: pcluster of %u bytes for byte %llu: blob %*pE, offset %llu: %s: %d",
				 io->source.od->nid, part->out.x.clen, part->out.from,
				 (int)strlen(name), name, part->out.x.off,
				 err == -EUCLEAN ? "corrupt" : "cannot be decompressed", err);
}

/* What was read is no longer needed: give the memory back, while there is a mount for sure. */
static void erofs_od_part_decoded(struct erofs_od_part *part)
{
	struct erofs_od_zread *zread = part->zread;

	if (!atomic_dec_and_test(&zread->encoded))
		return;
	kvfree(zread->buf);
	erofs_od_uncharge(zread->io->source.m, (long)zread->read.len);
}

static void erofs_od_zread_put(struct erofs_od_zread *zread)
{
	struct cachefiles_od_cookie *cookie = zread->read.cookie;

	if (!atomic_dec_and_test(&zread->refs))
		return;
	erofs_od_io_put(zread->io);
	kvfree(zread->bvec);
	kfree(zread);
	/* Last: once no operation is left the blob, and then we, may go away. */
	cachefiles_od_end_operation(cookie);
}

static void erofs_od_part_work(struct work_struct *work)
{
	struct erofs_od_part *part = container_of(work, struct erofs_od_part, work);
	struct erofs_od_zread *zread = part->zread;
	int err = part->error;

	if (!err) {
		err = erofs_od_zout(zread->io, &part->out, zread->buf + part->at);
		if (err)
			erofs_od_part_say(part, err);
	}
	erofs_od_part_decoded(part);
	erofs_od_io_account(zread->io, part->out.from, part->out.to - part->out.from, err);
	erofs_od_zread_put(zread);
}

static void erofs_od_part_report(struct erofs_od_part *part, u32 len, int error)
{
	if (error)
		WRITE_ONCE(part->error, error);
	/* Full barrier: whoever takes the last byte sees the error. */
	if (atomic_sub_and_test((int)len, &part->left))
		queue_work(erofs_od_zwork, &part->work);
}

static void erofs_od_zread_done(struct cachefiles_od_read *read, size_t from, size_t len, int error)
{
	struct erofs_od_zread *zread = container_of(read, struct erofs_od_zread, read);
	size_t to = from + len;
	unsigned int i = 0, nr = zread->nr;

	while (i < nr && zread->part[i].at + zread->part[i].out.x.clen <= from)
		i++;
	/* With its last byte a part, and all of this with the last part, may be gone. */
	while (len) {
		struct erofs_od_part *part = &zread->part[i++];
		size_t end = min_t(size_t, part->at + part->out.x.clen, to);

		len -= end - from;
		erofs_od_part_report(part, end - from, error);
		from = end;
	}
}

static struct page *erofs_od_buf_page(const void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

static int erofs_od_zread_alloc(struct erofs_od_zread *zread)
{
	size_t left = zread->read.len;
	unsigned int noio, nr;
	u8 *p;

	/* Before v5.18 no other way leads to vmalloc() without a recursion into file systems. */
	noio = memalloc_nofs_save();
	zread->buf = kvmalloc(left + EROFS_OD_ZSLACK, GFP_KERNEL | __GFP_NOWARN);
	nr = zread->buf ? DIV_ROUND_UP(offset_in_page(zread->buf) + left, PAGE_SIZE) : 0;
	zread->bvec = zread->buf ? kvmalloc_array(nr, sizeof(*zread->bvec), GFP_KERNEL) : NULL;
	memalloc_nofs_restore(noio);
	if (!zread->bvec) {
		kvfree(zread->buf);
		return -ENOMEM;
	}
	for (p = zread->buf, nr = 0; left; nr++) {
		size_t part = min_t(size_t, left, PAGE_SIZE - offset_in_page(p));

		zread->bvec[nr] = (struct bio_vec) {
			.bv_page = erofs_od_buf_page(p),
			.bv_len = part,
			.bv_offset = offset_in_page(p),
		};
		p += part;
		left -= part;
	}
	zread->read.bvec = zread->bvec;
	zread->read.nr_bvec = nr;
	return 0;
}

/* Inline pclusters came with the inode: most often they need no read. */
static bool erofs_od_zread_peek(struct erofs_od_zread *zread)
{
	return (zread->part[0].out.x.flags & OD_ZEXTENT_INLINE) &&
	       erofs_od_meta_peek(zread->blob, zread->read.start, zread->buf, zread->read.len);
}

static int erofs_od_zread_start(struct erofs_od_zread *zread)
{
	struct erofs_od_io *io = zread->io;
	long len = (long)zread->read.len;
	int err = erofs_od_charge_wait(io, len);

	if (err)
		return err;
	err = erofs_od_zread_alloc(zread);
	if (err)
		goto uncharge;
	err = -EIO;
	if (!cachefiles_od_begin_operation(zread->read.cookie))
		goto free;
	refcount_inc(&io->refs);
	atomic_set(&zread->encoded, (int)zread->nr);
	atomic_set(&zread->refs, (int)zread->nr);
	if (erofs_od_zread_peek(zread))
		erofs_od_zread_done(&zread->read, 0, (size_t)len, 0);
	else
		cachefiles_od_read(&zread->read);
	return 0;
free:
	kvfree(zread->bvec);
	kvfree(zread->buf);
uncharge:
	erofs_od_uncharge(io->source.m, len);
	return err;
}

/* Read what has been gathered, and start over. */
static void erofs_od_zread_flush(struct erofs_od_zread **pzread)
{
	struct erofs_od_zread *zread = *pzread;
	unsigned int i;
	int err;

	*pzread = NULL;
	if (!zread)
		return;
	err = erofs_od_zread_start(zread);
	if (!err)
		return;
	for (i = 0; i < zread->nr; i++) {
		const struct erofs_od_zout *out = &zread->part[i].out;

		erofs_od_io_account(zread->io, out->from, out->to - out->from, err);
	}
	kfree(zread);
}

static struct erofs_od_zread *erofs_od_zread_new(struct erofs_od_io *io,
						 const struct erofs_od_zplace *zplace)
{
	unsigned int max = io->nr > 1 ? EROFS_OD_PARTS_MAX : EROFS_OD_PARTS_FEW;
	struct erofs_od_zread *zread = kmalloc(struct_size(zread, part, max), io->gfp);

	if (!zread)
		return NULL;
	zread->io = io;
	zread->blob = zplace->blob;
	zread->max = max;
	zread->nr = 0;
	zread->read = (struct cachefiles_od_read) {
		.cookie = zplace->blob->cookie,
		.owner = io->source.owner,
		.start = zplace->x.off,
		.timeout_ms = io->source.timeout_ms,
		.done = erofs_od_zread_done,
	};
	return zread;
}

static bool erofs_od_zread_fits(const struct erofs_od_zread *zread,
				const struct erofs_od_zplace *zplace)
{
	return zread && zread->nr < zread->max && zread->blob == zplace->blob &&
	       zread->read.start + zread->read.len == zplace->x.off &&
	       zread->read.len + zplace->x.clen <= OD_ZENCODED_MAX &&
	       !((zplace->x.flags | zread->part[0].out.x.flags) & OD_ZEXTENT_INLINE);
}

static int erofs_od_zread_add(struct erofs_od_io *io, struct erofs_od_zread **pzread, u64 pos, u64 to,
			      const struct erofs_od_zplace *zplace)
{
	struct erofs_od_part *part;

	if (!erofs_od_zread_fits(*pzread, zplace)) {
		erofs_od_zread_flush(pzread);
		*pzread = erofs_od_zread_new(io, zplace);
		if (!*pzread)
			return -ENOMEM;
	}
	part = &(*pzread)->part[(*pzread)->nr++];
	INIT_WORK(&part->work, erofs_od_part_work);
	part->zread = *pzread;
	part->out = (struct erofs_od_zout) {
		.x = zplace->x,
		.start = zplace->start,
		.from = pos,
		.to = to,
	};
	part->at = (u32)(*pzread)->read.len;
	atomic_set(&part->left, (int)zplace->x.clen);
	part->error = 0;
	(*pzread)->read.len += zplace->x.clen;
	return 0;
}

/* How far a failure goes: a corrupt map says nothing of other blocks, others of all. */
static u64 erofs_od_zdata_failed(const struct erofs_od_io *io, u64 pos, int err)
{
	u64 blk = 1ULL << io->source.m->od.blkbits;

	if (err != -EUCLEAN && err != -EOPNOTSUPP)
		return io->end;
	return min(io->end, (pos | (blk - 1)) + 1);
}

/**
 * erofs_od_zdata_submit - read a batch of a compressed inode
 * @io: batch; dropped
 *
 * Accounts for every byte, or starts what will.
 *
 * Context: sleeps, killably if @io may wait: for metadata, and for memory of the mount's
 * share.
 * Return: 0, or why some of it could not even be tried.
 */
int erofs_od_zdata_submit(struct erofs_od_io *io)
{
	u64 pos = io->slot[0].pos, end = min(io->end, io->source.size), to;
	struct erofs_od_zread *zread = NULL;
	int first_err = 0;

	while (pos < end) {
		struct erofs_od_zplace zplace;
		int err = erofs_od_zmap(io->source.m, io->source.od, pos, io->may_wait, &zplace);

		to = err ? erofs_od_zdata_failed(io, pos, err) : min(zplace.to, end);
		if (!err && zplace.blob)
			err = erofs_od_zread_add(io, &zread, pos, to, &zplace);
		else if (!err)
			erofs_od_io_zero(io, pos, to - pos);
		if (err) {
			first_err = first_err ?: err;
			erofs_od_io_account(io, pos, to - pos, err);
		}
		pos = to;
	}
	erofs_od_zread_flush(&zread);
	if (pos < io->end)
		erofs_od_io_account(io, pos, io->end - pos, 0);
	erofs_od_io_put(io);
	return first_err;
}

int erofs_od_zdata_init(void)
{
	erofs_od_zwork = alloc_workqueue("erofs_od_z", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return erofs_od_zwork ? 0 : -ENOMEM;
}

void erofs_od_zdata_exit(void)
{
	destroy_workqueue(erofs_od_zwork);
}
