/* SPDX-License-Identifier: GPL-2.0-only */
/* What <linux/pagemap.h> does not have yet on older kernels. */
#ifndef OD_COMPAT_LINUX_PAGEMAP_H
#define OD_COMPAT_LINUX_PAGEMAP_H

#include_next <linux/pagemap.h>
#include "od_probes.h"

#ifndef OD_HAVE_FOLIO_END_READ
static inline void folio_end_read(struct folio *folio, bool success)
{
	if (success)
		folio_mark_uptodate(folio);
	folio_unlock(folio);
}
#endif

#endif /* OD_COMPAT_LINUX_PAGEMAP_H */
