/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/pagemap.h> does not have yet on older kernels. */
#ifndef OD_COMPAT_LINUX_PAGEMAP_H
#define OD_COMPAT_LINUX_PAGEMAP_H

#include_next <linux/pagemap.h>
#include "od_folio.h"

#ifdef OD_HAVE_READAHEAD_FOLIO_ABSENT
/* The page's lock keeps it where it is, as it does the folio. */
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

#ifdef OD_HAVE_MAPPING_SET_LARGE_FOLIOS_ABSENT
/* A hint; there are no large folios to be had. */
static inline void mapping_set_large_folios(struct address_space *mapping)
{
}
#endif

#ifdef OD_HAVE_DEFINE_READAHEAD_PLAIN
#undef DEFINE_READAHEAD
#define DEFINE_READAHEAD(ractl, f, ra, m, i)		\
	struct readahead_control ractl = {		\
		.file = ((void)(ra), (f)),		\
		.mapping = (m),				\
		._index = (i),				\
	}
#endif

#endif /* OD_COMPAT_LINUX_PAGEMAP_H */
