// SPDX-License-Identifier: GPL-2.0-only
/* The page cache of regular files. */
#include "internal.h"
#include "share.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

/**
 * erofs_od_data_source - where the bytes of a regular file come from
 * @inode: regular file
 */
struct erofs_od_source erofs_od_data_source(struct inode *inode)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);
	const struct od_inode *od = &EROFS_OD_I(inode)->od;

	return (struct erofs_od_source) {
		.inode = inode,
		.submit = od_inode_is_compressed(od) ? erofs_od_zdata_submit : NULL,
		.sbi = sbi,
		.od = od,
		.map = erofs_od_map,
		.peek = erofs_od_meta_peek,
		.fetch = erofs_od_meta_fetch,
		.owner = inode,
		.group = inode->i_sb,
		.timeout_ms = READ_ONCE(sbi->timeout_ms),
		.size = i_size_read(inode),
	};
}

/*
 * A large folio gets here only after readahead failed to fill it. It is replaced with single
 * pages, so that a missing block fails only its own readers.
 */
static int data_split(struct folio *folio)
{
	struct address_space *mapping = folio_mapping(folio);
	gfp_t gfp = mapping_gfp_constraint(mapping, GFP_NOFS);
	pgoff_t index = folio_pos(folio) >> PAGE_SHIFT;
	pgoff_t end = index + (folio_size(folio) >> PAGE_SHIFT);
	int err = generic_error_remove_folio(mapping, folio);

	folio_unlock(folio);
	if (err)
		return err;
	for (; index < end; index++) {
		struct folio *page = __filemap_get_folio(mapping, index,
							 FGP_CREAT | FGP_FOR_MMAP, gfp);

		if (!IS_ERR_OR_NULL(page))
			folio_put(page);
	}
	/* The caller looks the page up again. */
	return AOP_TRUNCATED_PAGE;
}

OD_COMPAT_READ_FOLIO(data_read_folio, file, folio)
{
	struct erofs_od_source source = erofs_od_data_source(folio_inode(folio));

	if (folio_size(folio) > PAGE_SIZE)
		return data_split(folio);
	return erofs_od_io_read_folios(&source, &folio, 1, folio_pos(folio));
}

/* How many bytes readahead can start to read without waiting, and the extent of the first. */
static u64 data_ready(struct erofs_od_source *source, u64 pos, u64 len,
		      struct erofs_od_extent *extent)
{
	u64 ready;

	if (!source->submit) {
		ready = erofs_od_map_ready(source->inode, pos, len, extent);
		source->first = extent->len ? extent : NULL;
		return ready;
	}
	if (erofs_od_zdata_is_full(source->sbi))
		return 0;
	return erofs_od_zmap_ready(source->inode, pos, len);
}

static void readahead_from(struct erofs_od_source *source, struct readahead_control *rac)
{
	struct erofs_od_extent first;
	u64 pos = readahead_pos(rac);
	u64 ready = data_ready(source, pos, readahead_length(rac), &first);

	erofs_od_io_readahead(source, rac, pos + ready);
}

static void data_readahead(struct readahead_control *rac)
{
	struct erofs_od_source source = erofs_od_data_source(rac->mapping->host);

	readahead_from(&source, rac);
}

/* Another task may have read what comes before it: a stream, which the VFS reads ahead. */
static bool is_continued(struct address_space *mapping, pgoff_t index)
{
	const void *before = xa_load(&mapping->i_pages, index - 1);

	return before && !xa_is_value(before);
}

/* Adds a folio of @len bytes and starts to read it. */
static struct folio *data_start(struct address_space *mapping, u64 pos, size_t len)
{
	struct erofs_od_source source = erofs_od_data_source(mapping->host);
	struct erofs_od_extent first;
	struct folio *folio;

	if (data_ready(&source, pos, len, &first) < len)
		return NULL;
	folio = __filemap_get_folio(mapping, pos >> PAGE_SHIFT,
				    FGP_CREAT | FGP_FOR_MMAP | fgf_set_order(len),
				    readahead_gfp_mask(mapping));
	if (IS_ERR_OR_NULL(folio) || !folio_trylock(folio))
		return folio;
	if (folio_mapping(folio) == mapping && !folio_test_uptodate(folio))
		erofs_od_io_start_folio(&source, folio);
	else
		folio_unlock(folio);
	return folio;
}

/**
 * erofs_od_data_folio - get the folio for a random read
 * @mapping: page cache of a regular file
 * @pos: first byte, a multiple of @len, not 0
 * @len: what is to be read, a power of two, at least a page
 *
 * The VFS would allocate and read it page by page.
 *
 * Context: sleeps for memory, never for the daemon or metadata.
 * Return: the folio with the first byte, read or being read, for folio_put(); NULL or an ERR_PTR if
 * the VFS should read it.
 */
struct folio *erofs_od_data_folio(struct address_space *mapping, u64 pos, size_t len)
{
	pgoff_t index = pos >> PAGE_SHIFT;
	struct folio *folio;

	if (mapping->a_ops != &erofs_od_data_aops)
		return NULL;
	folio = filemap_get_folio(mapping, index);
	if (!IS_ERR_OR_NULL(folio) || is_continued(mapping, index))
		return folio;
	return data_start(mapping, pos, len);
}

const struct address_space_operations erofs_od_data_aops = {
	.read_folio = data_read_folio,
	.readahead = data_readahead,
	/* Allows O_DIRECT; file.c handles it. */
	.direct_IO = noop_direct_IO,
};

/*
 * The file being read, of those that share the page cache: its mount maps the data, waits for
 * it and accounts for it. A stacked file system could pass a file of its own.
 */
static bool shared_source(const struct file *file, const struct address_space *mapping,
			  struct erofs_od_source *source)
{
	struct inode *inode = file ? file_inode(file) : NULL;

	if (!inode || inode->i_op != &erofs_od_file_iops || inode->i_mapping != mapping)
		return false;
	*source = erofs_od_data_source(inode);
	source->ino = inode->i_ino;
	source->owner = source->sbi;
	source->share = source->sbi->domain->share;
	return true;
}

/*
 * A read interrupted by the forced unmount of another mount is restarted; the VFS would
 * otherwise fail the task that waits for it.
 */
static int shared_read(const struct erofs_od_source *source, struct folio *folio,
		       unsigned int before)
{
	int err = erofs_od_io_read_folios(source, &folio, 1, folio_pos(folio));

	if (err || folio_wait_locked_killable(folio) || folio_test_uptodate(folio))
		return err;
	/* Read the counter after the folio state: it is incremented before the unlock. */
	smp_rmb();
	return before == erofs_od_share_interrupts(source->share) ? 0 : AOP_TRUNCATED_PAGE;
}

/* After a forced unmount, its own readers must fail before others wait for the same pages. */
static bool must_step_back(const struct erofs_od_source *source)
{
	return erofs_od_share_quiet(source->share) > 0 && source->timeout_ms != EROFS_OD_FORCED_MS;
}

static int step_back(const struct erofs_od_source *source, struct folio *folio)
{
	folio_unlock(folio);
	schedule_timeout_killable((long)max_t(s64, erofs_od_share_quiet(source->share), 1));
	return fatal_signal_pending(current) ? -EINTR : AOP_TRUNCATED_PAGE;
}

OD_COMPAT_READ_FOLIO(shared_read_folio, file, folio)
{
	struct erofs_od_source source;
	unsigned int before;

	if (folio_size(folio) > PAGE_SIZE)
		return data_split(folio);
	if (!shared_source(file, folio_mapping(folio), &source)) {
		folio_unlock(folio);
		return -EIO;
	}
	/* Sampled first, so that a forced unmount in between counts as interrupting this read. */
	before = erofs_od_share_interrupts(source.share);
	if (must_step_back(&source))
		return step_back(&source, folio);
	return shared_read(&source, folio, before);
}

static void shared_readahead(struct readahead_control *rac)
{
	struct erofs_od_source source;

	if (shared_source(rac->file, rac->mapping, &source) && !must_step_back(&source))
		readahead_from(&source, rac);
}

const struct address_space_operations erofs_od_shared_aops = {
	.read_folio = shared_read_folio,
	.readahead = shared_readahead,
	.direct_IO = noop_direct_IO,
};
