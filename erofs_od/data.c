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
	return (struct erofs_od_source) {
		.inode = inode,
		.map = erofs_od_map,
		.peek = erofs_od_meta_peek,
		.owner = inode,
		.group = inode->i_sb,
		.timeout_ms = READ_ONCE(EROFS_OD_SB(inode->i_sb)->timeout_ms),
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

static void data_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	struct erofs_od_source source = erofs_od_data_source(inode);
	u64 pos = readahead_pos(rac);

	erofs_od_io_readahead(&source, rac,
			      pos + erofs_od_map_ready(inode, pos, readahead_length(rac)));
}

const struct address_space_operations erofs_od_data_aops = {
	.read_folio = data_read_folio,
	.readahead = data_readahead,
	/* Allows O_DIRECT; file.c handles it. */
	.direct_IO = noop_direct_IO,
};
