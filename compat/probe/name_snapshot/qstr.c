// SPDX-License-Identifier: GPL-2.0-only
/* A snapshot of a dentry's name has a struct qstr: since v5.3; drop when RHEL 8 is. */
#include <linux/dcache.h>

const unsigned char *probe(struct name_snapshot *snapshot);
const unsigned char *probe(struct name_snapshot *snapshot)
{
	return snapshot->name.name;
}
