/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/highmem.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_HIGHMEM_H
#define OD_COMPAT_LINUX_HIGHMEM_H

#include_next <linux/highmem.h>
#include "od_folio.h"

#ifdef OD_HAVE_KMAP_LOCAL_PAGE_ABSENT
/* Users of local mappings may sleep, so kmap_atomic() would not do. */
static inline void *kmap_local_page(struct page *page)
{
	return kmap(page);
}

#define kunmap_local(addr)	kunmap(kmap_to_page((void *)(addr)))
#endif

#ifdef OD_HAVE_KMAP_LOCAL_FOLIO_ABSENT
static inline void *kmap_local_folio(struct folio *folio, size_t offset)
{
	return kmap_local_page(folio_page(folio, offset >> PAGE_SHIFT)) + offset_in_page(offset);
}
#endif

#ifdef OD_HAVE_FOLIO_ZERO_SEGMENT_ABSENT
static inline void folio_zero_segment(struct folio *folio, size_t start, size_t end)
{
	while (start < end) {
		size_t stop = min_t(size_t, end, round_down(start, PAGE_SIZE) + PAGE_SIZE);

		zero_user_segment(folio_page(folio, start >> PAGE_SHIFT), offset_in_page(start),
				  stop - round_down(start, PAGE_SIZE));
		start = stop;
	}
}
#endif

#endif /* OD_COMPAT_LINUX_HIGHMEM_H */
