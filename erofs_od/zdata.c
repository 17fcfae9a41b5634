// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed data: from folios to pclusters, and back.
 *
 * A pcluster is always read as a whole, and pclusters that are adjacent in a blob are read
 * together, into one buffer. Once the last byte of a pcluster has been read, a work item
 * decompresses it into the folios of the batch and accounts for its part of the batch, whether
 * that succeeded or not. Data that a reader waits for takes precedence over readahead.
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

/* Limit on a mount's compressed bytes in memory. */
#define ENCODED_MAX	(32L << 20)
/* Pclusters in a read for a batch of many folios, and for one folio. */
#define PARTS_MAX	64U
#define PARTS_FEW	4U
/* Decompressors may read this many bytes past their input. */
#define SLACK		16U

/**
 * struct part - the part of a batch that comes from a pcluster
 * @work: decompresses it
 * @zread: read that it belongs to
 * @out: bytes needed from the pcluster
 * @at: where the pcluster starts in the read
 * @left: bytes of it not yet reported
 * @error: errno of a failed read
 */
struct part {
	struct work_struct work;
	struct zread *zread;
	struct erofs_od_zout out;
	u32 at;
	atomic_t left;
	int error;
};

/**
 * struct zread - adjacent pclusters of a blob, being read
 * @read: the read
 * @batch: batch that is read
 * @blob: blob
 * @pinned: blob whose operation count keeps the mount; @blob unless that is the metabox
 * @buf: destination of the read
 * @bvec: its pages
 * @encoded: parts that still need @buf
 * @refs: parts not yet accounted for
 * @max: parts allocated
 * @nr: parts
 * @part: parts, in the order of the blob
 */
struct zread {
	struct cachefiles_od_read read;
	struct erofs_od_batch *batch;
	struct erofs_od_blob *blob;
	struct erofs_od_blob *pinned;
	u8 *buf;
	struct bio_vec *bvec;
	atomic_t encoded;
	atomic_t refs;
	unsigned int max;
	unsigned int nr;
	struct part part[];
};

/* Workqueues that complete the first folio of a batch, and the rest of readahead. */
static struct workqueue_struct *first_wq, *rest_wq;

/**
 * erofs_od_zdata_is_full - whether a mount's compressed data in memory has reached the limit
 * @sbi: mount
 */
bool erofs_od_zdata_is_full(const struct erofs_od_sb_info *sbi)
{
	return atomic_long_read(&sbi->encoded) >= ENCODED_MAX;
}

/* The only read in flight is always allowed. */
static bool charge(struct erofs_od_sb_info *sbi, long len)
{
	long encoded = atomic_long_read(&sbi->encoded);

	do {
		if (encoded && encoded + len > ENCODED_MAX)
			return false;
	} while (!atomic_long_try_cmpxchg(&sbi->encoded, &encoded, encoded + len));
	return true;
}

/* The barrier pairs with that of a task that starts to wait, then checks the counter. */
static void uncharge(struct erofs_od_sb_info *sbi, long len)
{
	atomic_long_sub(len, &sbi->encoded);
	smp_mb__after_atomic();
	if (waitqueue_active(&sbi->encoded_wait))
		wake_up_all(&sbi->encoded_wait);
}

/* Waits, killably, for reads that have a deadline or are being decompressed. */
static int charge_wait(struct erofs_od_batch *batch, long len)
{
	struct erofs_od_sb_info *sbi = batch->source.sbi;

	if (charge(sbi, len))
		return 0;
	if (!batch->may_wait)
		return -EAGAIN;
	if (od_compat_wait_event_killable(sbi->encoded_wait, charge(sbi, len),
					  MAX_SCHEDULE_TIMEOUT) < 0)
		return -EINTR;
	return 0;
}

static void report_part(const struct part *part, int err)
{
	const struct erofs_od_source *source = &part->zread->batch->source;
	const char *name = part->zread->blob->name;

	erofs_od_err_ratelimited(source->sbi, "inode %llu: pcluster of %u bytes for byte %llu, blob %*pE, offset %llu: %s: %d",
				 source->od->nid, part->out.x.encoded_len, part->out.from,
				 (int)strlen(name), name, part->out.x.off,
				 err == -EUCLEAN ? "corrupt" : "failed to decompress", err);
}

/* Frees the buffer as early as possible. A folio is still locked, so the mount exists. */
static void part_decoded(struct part *part)
{
	struct zread *zread = part->zread;

	if (!atomic_dec_and_test(&zread->encoded))
		return;
	kvfree(zread->buf);
	uncharge(zread->batch->source.sbi, (long)zread->read.len);
}

static void zread_put(struct zread *zread)
{
	struct erofs_od_blob *pinned = zread->pinned;

	if (!atomic_dec_and_test(&zread->refs))
		return;
	erofs_od_batch_put(zread->batch);
	kvfree(zread->bvec);
	kfree(zread);
	/* Last: once the blob has no operations left, it and then the mount may be freed. */
	pinned->backend->end(pinned);
}

static void part_work(struct work_struct *work)
{
	struct part *part = container_of(work, struct part, work);
	struct zread *zread = part->zread;
	u64 from = part->out.from, len = part->out.to - from;
	int err = READ_ONCE(part->error);

	if (!err) {
		err = erofs_od_zout(zread->batch, &part->out, zread->buf + part->at);
		if (err)
			report_part(part, err);
	}
	part_decoded(part);
	erofs_od_batch_account(zread->batch, from, len, err);
	zread_put(zread);
}

/* A reader waits for the first folio of its batch, not for all of its readahead. */
static bool part_is_first(const struct part *part)
{
	const struct erofs_od_batch *batch = part->zread->batch;

	return part->out.from < (batch->nr > 1 ? batch->slot[1].pos : batch->end);
}

static void part_report(struct part *part, u32 len, int error)
{
	if (error)
		WRITE_ONCE(part->error, error);
	/* Full barrier: the work item sees the error and the data. */
	if (atomic_sub_and_test((int)len, &part->left))
		queue_work(part_is_first(part) ? first_wq : rest_wq, &part->work);
}

static void zread_done(struct cachefiles_od_read *read, size_t from, size_t len, int error)
{
	struct zread *zread = container_of(read, struct zread, read);
	size_t to = from + len;
	unsigned int i = 0;

	while (zread->part[i].at + zread->part[i].out.x.encoded_len <= from)
		i++;
	/* @zread may be freed once the last byte of its last part is reported. */
	while (from < to) {
		struct part *part = &zread->part[i++];
		size_t end = min_t(size_t, part->at + part->out.x.encoded_len, to);

		part_report(part, end - from, error);
		from = end;
	}
}

static int zread_alloc(struct zread *zread)
{
	size_t left = zread->read.len;
	unsigned int nofs, nr = 0;
	u8 *p;

	/* Before v5.18 kvmalloc() does not accept GFP_NOFS. */
	nofs = memalloc_nofs_save();
	zread->buf = kvmalloc(left + SLACK, GFP_KERNEL | __GFP_NOWARN);
	if (zread->buf)
		nr = DIV_ROUND_UP(offset_in_page(zread->buf) + left, PAGE_SIZE);
	zread->bvec = nr ? kvmalloc_array(nr, sizeof(*zread->bvec), GFP_KERNEL) : NULL;
	memalloc_nofs_restore(nofs);
	if (!zread->bvec) {
		kvfree(zread->buf);
		return -ENOMEM;
	}
	for (p = zread->buf, nr = 0; left; nr++) {
		size_t len = min_t(size_t, left, PAGE_SIZE - offset_in_page(p));

		zread->bvec[nr] = (struct bio_vec) {
			.bv_page = is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p),
			.bv_len = len,
			.bv_offset = offset_in_page(p),
		};
		p += len;
		left -= len;
	}
	zread->read.bvec = zread->bvec;
	zread->read.nr_bvec = nr;
	return 0;
}

/* An inline pcluster was read along with its inode, so it seldom needs another read. */
static bool zread_peek(struct zread *zread)
{
	return (zread->part[0].out.x.flags & OD_ZEXTENT_INLINE) &&
	       erofs_od_meta_peek(zread->blob, zread->read.start, zread->buf, zread->read.len);
}

static bool zread_is_boxed(const struct zread *zread)
{
	return !zread->blob->backend->read;
}

/* Returns -EAGAIN if part of it is in the metabox and not in memory. */
static int zread_try(struct zread *zread)
{
	struct erofs_od_batch *batch = zread->batch;
	long len = (long)zread->read.len;
	int err = charge_wait(batch, len);
	bool peeked;

	if (err)
		return err;
	err = zread_alloc(zread);
	if (err)
		goto uncharge;
	peeked = zread_peek(zread);
	err = -EAGAIN;
	if (!peeked && zread_is_boxed(zread))
		goto free;
	err = -EIO;
	if (!zread->pinned->backend->begin(zread->pinned))
		goto free;
	refcount_inc(&batch->refs);
	atomic_set(&zread->encoded, (int)zread->nr);
	atomic_set(&zread->refs, (int)zread->nr);
	if (peeked)
		zread_done(&zread->read, 0, (size_t)len, 0);
	else
		zread->blob->backend->read(zread->blob, &zread->read);
	return 0;
free:
	kvfree(zread->bvec);
	kvfree(zread->buf);
uncharge:
	uncharge(batch->source.sbi, len);
	return err;
}

/*
 * The metabox has to be in memory first. Nothing is charged meanwhile: reading the metabox may
 * itself wait for other reads to be uncharged.
 */
static int zread_start(struct zread *zread)
{
	bool wait = zread->batch->may_wait && zread_is_boxed(zread);
	int err;

	do {
		err = wait ? erofs_od_meta_fetch(zread->blob, zread->read.start, zread->read.len)
			   : 0;
		if (!err)
			err = zread_try(zread);
	} while (wait && err == -EAGAIN);
	return err;
}

/* Reads the collected pclusters. */
static void zread_flush(struct zread **pzread)
{
	struct zread *zread = *pzread;
	unsigned int i;
	int err;

	*pzread = NULL;
	if (!zread)
		return;
	err = zread_start(zread);
	if (!err)
		return;
	for (i = 0; i < zread->nr; i++) {
		const struct erofs_od_zout *out = &zread->part[i].out;

		erofs_od_batch_account(zread->batch, out->from, out->to - out->from, err);
	}
	kfree(zread);
}

static struct zread *zread_new(struct erofs_od_batch *batch, const struct erofs_od_zplace *zplace)
{
	unsigned int max = batch->nr > 1 ? PARTS_MAX : PARTS_FEW;
	struct zread *zread = kmalloc(struct_size(zread, part, max), batch->gfp);

	if (!zread)
		return NULL;
	zread->batch = batch;
	zread->blob = zplace->blob;
	zread->pinned = zread_is_boxed(zread) ? batch->source.sbi->blobs[0] : zread->blob;
	zread->max = max;
	zread->nr = 0;
	zread->read = erofs_od_batch_read(batch, zplace->blob, zplace->x.off);
	zread->read.done = zread_done;
	return zread;
}

static bool zread_fits(const struct zread *zread, const struct erofs_od_zplace *zplace)
{
	const struct od_zextent *x = &zplace->x;
	u64 len;

	if (!zread || zread->nr == zread->max || zread->blob != zplace->blob ||
	    zread->read.start + zread->read.len != x->off)
		return false;
	if ((x->flags | zread->part[0].out.x.flags) & OD_ZEXTENT_INLINE)
		return false;
	len = zread->read.len + x->encoded_len;
	return len <= OD_ZENCODED_MAX &&
	       erofs_od_batch_may_join(zread->batch, zread->blob, zread->read.start, len);
}

static int zread_add(struct erofs_od_batch *batch, struct zread **pzread, u64 pos, u64 to,
		     const struct erofs_od_zplace *zplace)
{
	struct part *part;

	if (!zread_fits(*pzread, zplace)) {
		zread_flush(pzread);
		*pzread = zread_new(batch, zplace);
		if (!*pzread)
			return -ENOMEM;
	}
	part = &(*pzread)->part[(*pzread)->nr++];
	INIT_WORK(&part->work, part_work);
	part->zread = *pzread;
	part->out = (struct erofs_od_zout) {
		.x = zplace->x,
		.start = zplace->start,
		.from = pos,
		.to = to,
	};
	part->at = (u32)(*pzread)->read.len;
	atomic_set(&part->left, (int)zplace->x.encoded_len);
	part->error = 0;
	(*pzread)->read.len += zplace->x.encoded_len;
	return 0;
}

/* A corrupt mapping of one block leaves others readable; any other error ends the batch. */
static u64 failed_end(const struct erofs_od_batch *batch, u64 pos, int err)
{
	u64 blk = 1ULL << batch->source.sbi->od.blkbits;

	if (err != -EUCLEAN && err != -EOPNOTSUPP)
		return batch->end;
	return min(batch->end, (pos | (blk - 1)) + 1);
}

/**
 * erofs_od_zdata_submit - read a batch of a compressed inode
 * @batch: batch; the caller's reference is dropped
 *
 * Accounts for every byte, or starts the reads that will.
 *
 * Context: sleeps, killably if @batch may wait: for metadata, and for memory.
 * Return: 0, or the errno of the first part that could not be started.
 */
int erofs_od_zdata_submit(struct erofs_od_batch *batch)
{
	u64 pos = batch->slot[0].pos, end = min(batch->end, batch->source.size), to;
	const struct erofs_od_source *source = &batch->source;
	struct zread *zread = NULL;
	int first_err = 0;

	while (pos < end) {
		struct erofs_od_zplace zplace;
		int err = erofs_od_zmap(source->sbi, source->od, pos, batch->may_wait, &zplace);

		to = err ? failed_end(batch, pos, err) : min(zplace.to, end);
		if (!err && zplace.blob)
			err = zread_add(batch, &zread, pos, to, &zplace);
		else if (!err)
			erofs_od_batch_zero(batch, pos, to - pos);
		if (err) {
			first_err = first_err ?: err;
			erofs_od_batch_account(batch, pos, to - pos, err);
		}
		pos = to;
	}
	zread_flush(&zread);
	if (pos < batch->end)
		erofs_od_batch_account(batch, pos, batch->end - pos, 0);
	erofs_od_batch_put(batch);
	return first_err;
}

/* At most one work item per CPU in each, to bound temporary memory. */
static struct workqueue_struct *wq_alloc(const char *name, unsigned int flags)
{
	return alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM | flags, num_online_cpus(), name);
}

int erofs_od_zdata_init(void)
{
	first_wq = wq_alloc("erofs_od_first", WQ_HIGHPRI);
	if (!first_wq)
		return -ENOMEM;
	rest_wq = wq_alloc("erofs_od_rest", 0);
	if (!rest_wq)
		destroy_workqueue(first_wq);
	return rest_wq ? 0 : -ENOMEM;
}

void erofs_od_zdata_exit(void)
{
	destroy_workqueue(rest_wq);
	destroy_workqueue(first_wq);
}
