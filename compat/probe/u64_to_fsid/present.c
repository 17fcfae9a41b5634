// SPDX-License-Identifier: GPL-2.0-only
/* u64_to_fsid(): since v5.10; drop when RHEL 8 is. */
#include <linux/statfs.h>

__kernel_fsid_t probe(u64 id);
__kernel_fsid_t probe(u64 id)
{
	return u64_to_fsid(id);
}
