/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct folio for kernels without it: there a folio is a page. Its functions are in the
 * mirrors of the headers that declare them; each works on the first page of the folio, which is
 * also right for kernels that have folios but not that function.
 */
#ifndef OD_FOLIO_H
#define OD_FOLIO_H

#include <linux/mm.h>
#include "od_probes.h"

#ifdef OD_HAVE_FOLIO_ABSENT

struct folio {
	struct page page;
};

static inline struct folio *page_folio(struct page *page)
{
	return container_of(compound_head(page), struct folio, page);
}

#define folio_page(folio, n)		(&(folio)->page + (n))
#define folio_put(folio)		put_page(&(folio)->page)
#define folio_mapping(folio)		page_mapping(&(folio)->page)
#define folio_inode(folio)		((folio)->page.mapping->host)
#define folio_pos(folio)		page_offset(&(folio)->page)
#define folio_size(folio)		page_size(&(folio)->page)
#define folio_lock(folio)		lock_page(&(folio)->page)
#define folio_trylock(folio)		trylock_page(&(folio)->page)
#define folio_unlock(folio)		unlock_page(&(folio)->page)
#define folio_test_locked(folio)	PageLocked(&(folio)->page)
#define folio_test_checked(folio)	PageChecked(&(folio)->page)
#define folio_set_checked(folio)	SetPageChecked(&(folio)->page)
#define folio_clear_checked(folio)	ClearPageChecked(&(folio)->page)
#define folio_test_uptodate(folio)	PageUptodate(&(folio)->page)
#define folio_mark_uptodate(folio)	SetPageUptodate(&(folio)->page)
#define folio_mark_accessed(folio)	mark_page_accessed(&(folio)->page)
#define folio_wait_locked_killable(folio)	wait_on_page_locked_killable(&(folio)->page)
#define flush_dcache_folio(folio)	flush_dcache_page(&(folio)->page)
#define offset_in_folio(folio, p)	((unsigned long)(p) & (folio_size(folio) - 1))

#endif

#endif /* OD_FOLIO_H */
