// SPDX-License-Identifier: GPL-2.0-only
/* The page cache of regular files. */
#include "internal.h"

#include <linux/err.h>
#include <linux/mm.h>

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
	struct address_space *mapping = folio_inode(folio)->i_mapping;
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

OD_COMPAT_READ_FOLIO(data_read_folio, folio)
{
	struct erofs_od_source source = erofs_od_data_source(folio_inode(folio));

	if (folio_size(folio) > PAGE_SIZE)
		return data_split(folio);
	return erofs_od_io_read_folios(&source, &folio, 1, folio_pos(folio));
}

/* How many bytes a readahead can start to read without waiting. */
static u64 data_ready(const struct erofs_od_source *source, u64 pos, u64 len)
{
	if (!source->submit)
		return erofs_od_map_ready(source->inode, pos, len);
	if (erofs_od_zdata_is_full(source->sbi))
		return 0;
	return erofs_od_zmap_ready(source->inode, pos, len);
}

static void data_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	struct erofs_od_source source = erofs_od_data_source(inode);
	u64 pos = readahead_pos(rac);

	erofs_od_io_readahead(&source, rac,
			      pos + data_ready(&source, pos, readahead_length(rac)));
}

const struct address_space_operations erofs_od_data_aops = {
	.read_folio = data_read_folio,
	.readahead = data_readahead,
	/* Allows O_DIRECT; file.c handles it. */
	.direct_IO = noop_direct_IO,
};
