// SPDX-License-Identifier: GPL-2.0-only
/* filemap_fdatawait_range_keep_errors(): since v5.3; drop when RHEL 8 is. */
#include <linux/fs.h>
#include <linux/pagemap.h>

void *probe(void);
void *probe(void)
{
	return filemap_fdatawait_range_keep_errors;
}
