// SPDX-License-Identifier: GPL-2.0-only
/* The page cache of regular files. */
#include "internal.h"

/**
 * erofs_od_data_source - where the bytes of a regular file come from
 * @inode: regular file
 */
struct erofs_od_source erofs_od_data_source(struct inode *inode)
{
	return (struct erofs_od_source) {
		.inode = inode,
		.map = erofs_od_map,
		.owner = inode,
		.timeout_ms = erofs_od_mount(inode->i_sb)->timeout_ms,
		.size = i_size_read(inode),
	};
}

OD_COMPAT_READ_FOLIO(erofs_od_data_read_folio, folio)
{
	struct erofs_od_source source = erofs_od_data_source(folio_inode(folio));

	return erofs_od_io_read_folios(&source, &folio, 1, folio_pos(folio));
}

static void erofs_od_data_readahead(struct readahead_control *rac)
{
	struct inode *inode = rac->mapping->host;
	struct erofs_od_source source = erofs_od_data_source(inode);
	u64 pos = readahead_pos(rac);

	erofs_od_io_readahead(&source, rac,
			      pos + erofs_od_map_ready(inode, pos, readahead_length(rac)));
}

const struct address_space_operations erofs_od_data_aops = {
	.read_folio = erofs_od_data_read_folio,
	.readahead = erofs_od_data_readahead,
	/* Says that O_DIRECT is welcome; it never comes this way. */
	.direct_IO = noop_direct_IO,
};
