/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/pagemap.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_PAGEMAP_H
#define OD_COMPAT_LINUX_PAGEMAP_H

#include_next <linux/pagemap.h>
#include "od_folio.h"

#ifdef OD_HAVE_READAHEAD_FOLIO_ABSENT
/* The page lock keeps it in place, as it does for a folio. */
static inline struct folio *readahead_folio(struct readahead_control *rac)
{
	struct page *page = readahead_page(rac);

	if (!page)
		return NULL;
	put_page(page);
	return page_folio(page);
}
#endif

#ifdef OD_HAVE_FILEMAP_GET_FOLIO_ABSENT
static inline struct folio *__filemap_get_folio(struct address_space *mapping, pgoff_t index,
						int fgp_flags, gfp_t gfp)
{
	struct page *page = pagecache_get_page(mapping, index, fgp_flags, gfp);

	return page ? page_folio(page) : NULL;
}

static inline struct folio *filemap_get_folio(struct address_space *mapping, pgoff_t index)
{
	return __filemap_get_folio(mapping, index, 0, 0);
}
#endif

#ifdef OD_HAVE_FOLIO_END_READ_ABSENT
static inline void folio_end_read(struct folio *folio, bool success)
{
	if (success)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}
#endif

#ifdef OD_HAVE_GENERIC_ERROR_REMOVE_FOLIO_ABSENT
static inline int generic_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	return generic_error_remove_page(mapping, folio_page(folio, 0));
}
#endif

/*
 * Single pages are used by kernels
 * - that cannot bound a folio's size (v5.16 to v6.11): folios grow to 2 MiB there, and one
 *   missing block would keep all of that from its readers;
 * - without xas_get_order(), whatever else they have: it came with a repair. Before, the page
 *   cache reads the order of an entry without the lock and splits it by that order.
 *
 * A macro hides the kernel's function where there is one.
 */
#if defined(OD_HAVE_MAPPING_SET_FOLIO_ORDER_RANGE_ABSENT) || defined(OD_HAVE_XAS_GET_ORDER_ABSENT)
static inline void od_compat_single_pages(struct address_space *mapping, unsigned int min,
					  unsigned int max)
{
}
#define mapping_set_folio_order_range	od_compat_single_pages
#undef mapping_large_folio_support
#define mapping_large_folio_support(mapping)	((void)(mapping), false)
#define fgf_set_order(size)			((void)(size), 0)
#endif

#ifdef OD_HAVE_FDATAWAIT_RANGE_KEEP_ERRORS_ABSENT
/* Waits for the whole file, which is more than requested. */
static inline void filemap_fdatawait_range_keep_errors(struct address_space *mapping,
							loff_t start, loff_t end)
{
	filemap_fdatawait_keep_errors(mapping);
}
#endif

#ifndef OD_HAVE_DEFINE_READAHEAD_RA
#undef DEFINE_READAHEAD
#define DEFINE_READAHEAD(ractl, f, ra, m, i)		\
	struct readahead_control ractl = {		\
		.file = ((void)(ra), (f)),		\
		.mapping = (m),				\
		._index = (i),				\
	}
#endif

#ifdef OD_HAVE_DEFINE_READAHEAD_MAPPING
#define page_cache_ra_unbounded(ractl, nr, lookahead)				\
	page_cache_readahead_unbounded((ractl)->mapping, (ractl)->file,		\
				       (ractl)->_index, nr, lookahead)
#endif

#endif /* OD_COMPAT_LINUX_PAGEMAP_H */
