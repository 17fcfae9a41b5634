// SPDX-License-Identifier: GPL-2.0-only
/*
 * filemap_fdatawait_keep_errors() waits for whole files only: v4.18 to v5.2; drop when RHEL 8
 * is.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>
#include "../absent.h"

OD_ABSENT(filemap_fdatawait_range_keep_errors);

void *probe(void);
void *probe(void)
{
	return filemap_fdatawait_keep_errors;
}
