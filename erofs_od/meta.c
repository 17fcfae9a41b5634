// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metadata: a page cache per blob, shared by all mounts that use the blob.
 *
 * Each blob has an inode on an internal file system that cannot be mounted; page N of the inode
 * is page N of the blob. A miss starts a read through io.c, as for data, and the task that
 * needs the page waits for it, killably and freezably.
 */
#include "internal.h"

#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "../compat/wait.h"

/*
 * Readahead after a miss: metadata of nearby inodes is stored together. It grows while misses
 * follow one another, if the bytes are present.
 */
#define META_WINDOW	(64U << 10)
#define META_WINDOW_MAX	(256U << 10)

static int meta_map(struct inode *inode, u64 pos, bool may_wait,
		    struct erofs_od_extent *extent)
{
	extent->blob = inode->i_private;
	extent->flags = OD_EXTENT_MAPPED;
	extent->off = pos;
	/* Includes the zeroes past the end of the blob, so that reads end aligned. */
	extent->len = round_up(erofs_od_blob_end(extent->blob), (u64)CACHEFILES_OD_GRAIN) - pos;
	extent->encoded_len = extent->len;
	return 0;
}

static struct erofs_od_source meta_source(struct inode *inode)
{
	struct erofs_od_blob *blob = inode->i_private;
	struct erofs_od_source source = {
		.inode = inode,
		.map = meta_map,
		.owner = blob,
		.timeout_ms = READ_ONCE(blob->timeout_ms),
		.error = &blob->error,
		.wait = &blob->wait,
		.size = erofs_od_blob_end(blob),
	};

	if (blob->backend->source)
		blob->backend->source(blob, &source);
	return source;
}

static int meta_read(struct inode *inode, struct folio *folio)
{
	struct erofs_od_source source = meta_source(inode);

	return erofs_od_io_read_folios(&source, &folio, 1, folio_pos(folio));
}

OD_COMPAT_READ_FOLIO(meta_read_folio, file, folio)
{
	return meta_read(folio_inode(folio), folio);
}

static void meta_readahead(struct readahead_control *rac)
{
	struct erofs_od_source source = meta_source(rac->mapping->host);

	erofs_od_io_readahead(&source, rac, U64_MAX);
}

static const struct address_space_operations meta_aops = {
	.read_folio = meta_read_folio,
	.readahead = meta_readahead,
};

/* GFP_NOFS: reclaim must not enter files that may be waiting for this metadata. */
static struct inode *new_meta_inode(struct erofs_od_blob *blob)
{
	unsigned int flags = memalloc_nofs_save();
	struct inode *inode = new_inode(erofs_od_meta_sb());

	memalloc_nofs_restore(flags);
	if (!inode)
		return NULL;
	inode->i_mode = S_IFREG;
	inode->i_private = blob;
	inode->i_mapping->a_ops = &meta_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_NOFS | __GFP_HIGHMEM | __GFP_MOVABLE);
	i_size_write(inode, erofs_od_blob_end(blob));
	return inode;
}

/* Created on first use: most blobs have no metadata. NULL if out of memory. */
static struct inode *meta_inode(struct erofs_od_blob *blob)
{
	struct inode *inode = READ_ONCE(blob->meta), *other;

	if (inode)
		return inode;
	inode = new_meta_inode(blob);
	if (!inode)
		return NULL;
	/* Orders the initialization of the inode before the pointer to it. */
	other = cmpxchg(&blob->meta, NULL, inode);
	if (!other)
		return inode;
	iput(inode);
	return other;
}

/* Clips the pages to the blob. */
static bool meta_present(struct erofs_od_blob *blob, pgoff_t index, pgoff_t nr)
{
	u64 start = (u64)index << PAGE_SHIFT, end = erofs_od_blob_end(blob);

	return start < end &&
	       blob->backend->is_present(blob, start, min((u64)nr << PAGE_SHIFT, end - start));
}

/*
 * Twice the last window if that ended at @index, but not less than @window: it may have been cut
 * short, and there may have been none. The fields are hints: tasks may race.
 */
static pgoff_t meta_next_window(const struct erofs_od_blob *blob, pgoff_t index, pgoff_t window)
{
	pgoff_t twice = min_t(pgoff_t, 2 * data_race(blob->window), META_WINDOW_MAX >> PAGE_SHIFT);

	return data_race(blob->window_end) == index ? max(twice, window) : window;
}

/*
 * Pages to read if @wanted of them are needed from @index on. If these are present, includes as
 * many more as need no READ; otherwise includes more only if the daemon accepts wide READs.
 * Never includes earlier pages: a daemon may not have them.
 */
static pgoff_t meta_window(struct erofs_od_blob *blob, pgoff_t index, pgoff_t wanted)
{
	pgoff_t window = max_t(pgoff_t, META_WINDOW >> PAGE_SHIFT, 1);
	pgoff_t end = DIV_ROUND_UP(erofs_od_blob_end(blob), PAGE_SIZE);
	pgoff_t nr = wanted;

	if (meta_present(blob, index, wanted)) {
		window = meta_next_window(blob, index, window);
		while (nr < window && meta_present(blob, index + nr, nr))
			nr *= 2;
		data_race(blob->window = nr);
		data_race(blob->window_end = index + nr);
	} else if (blob->backend->is_wide(blob)) {
		nr = max(nr, window);
	}
	return min(nr, end - index);
}

/* Starts to read pages; those in memory are skipped. */
static void meta_read_pages(struct inode *inode, pgoff_t index, pgoff_t nr)
{
	struct file_ra_state ra = { };
	DEFINE_READAHEAD(rac, NULL, &ra, inode->i_mapping, index);

	page_cache_ra_unbounded(&rac, nr, 0);
}

/* Starts to read the wanted pages and some more. */
static void meta_start_pages(struct inode *inode, pgoff_t index, pgoff_t wanted)
{
	meta_read_pages(inode, index, meta_window(inode->i_private, index, wanted));
}

static struct folio *meta_find(struct erofs_od_blob *blob, pgoff_t index)
{
	struct inode *inode = READ_ONCE(blob->meta);
	struct folio *folio = inode ? filemap_get_folio(inode->i_mapping, index) : NULL;

	/* Old kernels return NULL for a miss, new ones an ERR_PTR. */
	return IS_ERR_OR_NULL(folio) ? NULL : folio;
}

/*
 * A page of metadata that is read or being read. FGP_FOR_MMAP returns it unlocked; taking the
 * lock would be unkillable.
 */
static struct folio *meta_get(struct erofs_od_blob *blob, pgoff_t index)
{
	struct folio *folio = meta_find(blob, index);
	struct inode *inode;

	if (folio)
		return folio;
	inode = meta_inode(blob);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	meta_start_pages(inode, index, 1);
	folio = __filemap_get_folio(inode->i_mapping, index, FGP_CREAT | FGP_FOR_MMAP,
				    mapping_gfp_mask(inode->i_mapping));
	if (!folio)
		return ERR_PTR(-ENOMEM);
	return folio;
}

/*
 * Waits until a page may be unlocked. There is no freezable wait for a folio lock, so a folio
 * is marked "checked" while it is being read, and @blob->wait is woken up afterwards.
 *
 * The read has the deadline of the mount that opened the blob, and other mounts may wait for it:
 * after a forced unmount of @sbi it goes on, but without this task.
 */
static int meta_sleep(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob,
		      struct folio *folio)
{
	bool forced = erofs_od_is_forced(sbi);
	long left = od_compat_wait_event_killable(blob->wait, !folio_test_checked(folio) ||
						  erofs_od_is_forced(sbi) != forced,
						  forced ? HZ : MAX_SCHEDULE_TIMEOUT);

	if (left <= 0)
		return left ? -EINTR : -ETIMEDOUT;
	/* Locked but not marked: by memory management, or by a read about to start or end. */
	if (folio_test_locked(folio))
		schedule_timeout_killable(1);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * Waits for a page, and reads it once more if the read in flight failed. Not if that read timed
 * out, or each waiter in turn would wait for another deadline.
 */
static int meta_wait(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob,
		     struct folio *folio)
{
	bool waited = false, tried = false;
	int err = 0;

	while (!err && !folio_test_uptodate(folio)) {
		if (!folio_trylock(folio)) {
			waited |= folio_test_checked(folio);
			err = meta_sleep(sbi, blob, folio);
		} else if (!folio_mapping(folio)) {
			folio_unlock(folio);
			err = -EAGAIN;
		} else if (folio_test_uptodate(folio)) {
			folio_unlock(folio);
		} else if (tried || (waited && READ_ONCE(blob->error) == -ETIMEDOUT)) {
			folio_unlock(folio);
			/* Folios carry no errno: use that of the blob's last failed read. */
			err = READ_ONCE(blob->error) ?: -EIO;
		} else {
			tried = true;
			err = meta_read(blob->meta, folio);
		}
	}
	return err;
}

static struct folio *meta_folio(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob,
				pgoff_t index)
{
	struct folio *folio;
	int err;

	do {
		folio = meta_get(blob, index);
		if (IS_ERR(folio))
			return folio;
		err = meta_wait(sbi, blob, folio);
		if (err)
			folio_put(folio);
	} while (err == -EAGAIN);
	return err ? ERR_PTR(err) : folio;
}

/**
 * erofs_od_meta_try_map - map metadata into memory, if it is there
 * @blob: blob
 * @off: first byte; the caller has checked it, and those it uses, against the end of the blob
 * @meta: the result, for erofs_od_meta_unmap(): the bytes up to the end of the page
 *
 * Context: does not sleep.
 */
bool erofs_od_meta_try_map(struct erofs_od_blob *blob, u64 off, struct erofs_od_meta *meta)
{
	struct folio *folio = meta_find(blob, off >> PAGE_SHIFT);

	if (!folio)
		return false;
	if (!folio_test_uptodate(folio)) {
		folio_put(folio);
		return false;
	}
	meta->folio = folio;
	meta->p = kmap_local_folio(folio, offset_in_page(off));
	return true;
}

/**
 * erofs_od_meta_map - map metadata into memory
 * @sbi: mount whose forced unmount ends the wait; NULL: of a metabox, whose reads are cancelled
 * @blob: blob
 * @off: first byte
 * @len: bytes, all in one page
 * @meta: the result, for erofs_od_meta_unmap()
 *
 * Context: sleeps, killably and freezably.
 * Return: 0; -EUCLEAN past the end of the blob or across pages; -EINTR; -ETIMEDOUT; -EIO.
 */
int erofs_od_meta_map(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob, u64 off,
		      size_t len, struct erofs_od_meta *meta)
{
	struct folio *folio;

	if (!erofs_od_blob_has(blob, off, len) || offset_in_page(off) + len > PAGE_SIZE)
		return -EUCLEAN;
	if (erofs_od_meta_try_map(blob, off, meta))
		return 0;
	folio = meta_folio(sbi, blob, off >> PAGE_SHIFT);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	meta->folio = folio;
	meta->p = kmap_local_folio(folio, offset_in_page(off));
	return 0;
}

/**
 * erofs_od_meta_unmap - undo erofs_od_meta_map()
 * @meta: its result
 */
void erofs_od_meta_unmap(struct erofs_od_meta *meta)
{
	/* Some kernels take no const pointer. */
	kunmap_local((void *)meta->p);
	folio_put(meta->folio);
}

/* Waits until metadata is in memory, and copies it unless @to is NULL. */
static int meta_walk(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob, u64 off,
		     void *to, size_t len)
{
	if (!erofs_od_blob_has(blob, off, len))
		return -EUCLEAN;
	/* Start all pages at once rather than one after the other. */
	if (offset_in_page(off) + len > PAGE_SIZE)
		erofs_od_meta_start(blob, off, len);
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(off));
		struct erofs_od_meta meta;
		int err = erofs_od_meta_map(sbi, blob, off, part, &meta);

		if (err)
			return err;
		if (to) {
			memcpy(to, meta.p, part);
			to += part;
		}
		erofs_od_meta_unmap(&meta);
		off += part;
		len -= part;
	}
	return 0;
}

/**
 * erofs_od_meta_copy - copy metadata
 * @sbi: mount, as for erofs_od_meta_map()
 * @blob: blob
 * @off: first byte
 * @to: destination
 * @len: bytes
 *
 * Context: sleeps, killably and freezably.
 * Return: as erofs_od_meta_map().
 */
int erofs_od_meta_copy(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob, u64 off,
		       void *to, size_t len)
{
	return meta_walk(sbi, blob, off, to, len);
}

/**
 * erofs_od_meta_fetch - wait until metadata is in memory, for erofs_od_meta_peek()
 * @blob: blob
 * @off: first byte
 * @len: bytes; they may be reclaimed at any time
 *
 * Context: sleeps, killably and freezably.
 * Return: as erofs_od_meta_map().
 */
int erofs_od_meta_fetch(struct erofs_od_blob *blob, u64 off, size_t len)
{
	return meta_walk(NULL, blob, off, NULL, len);
}

/**
 * erofs_od_meta_peek - copy metadata if it is in memory
 * @blob: blob
 * @off: first byte
 * @to: destination
 * @len: bytes
 *
 * Context: does not sleep.
 * Return: false if some of it is not in memory, or past the end of the blob: the last page has
 * zeroes there.
 */
bool erofs_od_meta_peek(struct erofs_od_blob *blob, u64 off, void *to, size_t len)
{
	if (!erofs_od_blob_has(blob, off, len))
		return false;
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(off));
		struct erofs_od_meta meta;

		if (!erofs_od_meta_try_map(blob, off, &meta))
			return false;
		memcpy(to, meta.p, part);
		erofs_od_meta_unmap(&meta);
		off += part;
		to += part;
		len -= part;
	}
	return true;
}

/**
 * erofs_od_meta_start - start to read metadata
 * @blob: blob
 * @off: first byte
 * @len: bytes
 *
 * Context: sleeps for memory and the cache, never for the daemon.
 * Return: bytes from @off on that are in memory.
 */
u64 erofs_od_meta_start(struct erofs_od_blob *blob, u64 off, u64 len)
{
	struct inode *inode = meta_inode(blob);
	u64 done = 0;
	bool ready = true;

	if (!inode || !erofs_od_blob_has(blob, off, len))
		return 0;
	for (u64 at = off; at < off + len; at = round_down(at, PAGE_SIZE) + PAGE_SIZE) {
		struct folio *folio = meta_find(blob, at >> PAGE_SHIFT);

		if (!folio)
			meta_start_pages(inode, at >> PAGE_SHIFT,
					 DIV_ROUND_UP(off + len, PAGE_SIZE) -
					 (at >> PAGE_SHIFT));
		/* Pages whose data is in the cache may have been read already. */
		folio = folio ?: meta_find(blob, at >> PAGE_SHIFT);
		ready = ready && folio && folio_test_uptodate(folio);
		if (folio)
			folio_put(folio);
		if (ready)
			done = min_t(u64, round_down(at, PAGE_SIZE) + PAGE_SIZE - off, len);
	}
	return done;
}

/**
 * erofs_od_meta_read_present - read pages of a blob that need no READ, and wait for the first
 * @sbi: mount, as for erofs_od_meta_map()
 * @blob: blob
 * @off: byte in the first page
 * @nr: pages, if that many are present; those past the end of the blob are left out
 *
 * Context: sleeps, killably and freezably; for the daemon only if data is lost meanwhile.
 * Return: false if the first page is not present or was found in memory, or if the task was
 * killed. Otherwise the page was read, but not necessarily with success.
 */
bool erofs_od_meta_read_present(const struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob,
				u64 off, pgoff_t nr)
{
	pgoff_t index = off >> PAGE_SHIFT, end = DIV_ROUND_UP(erofs_od_blob_end(blob), PAGE_SIZE);
	struct inode *inode = meta_inode(blob);
	struct folio *folio;
	int err = 0;

	if (!inode)
		return false;
	while (nr && !meta_present(blob, index, nr))
		nr /= 2;
	if (!nr)
		return false;
	/* It is being read, maybe along with pages that wait for the daemon. */
	folio = meta_find(blob, index);
	if (folio) {
		folio_put(folio);
		return false;
	}
	meta_read_pages(inode, index, min(nr, end - index));
	folio = meta_find(blob, index);
	if (!folio)
		return false;
	while (!err && folio_test_locked(folio))
		err = meta_sleep(sbi, blob, folio);
	folio_put(folio);
	return !err;
}
