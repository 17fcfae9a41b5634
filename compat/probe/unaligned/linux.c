// SPDX-License-Identifier: GPL-2.0-only
/* <linux/unaligned.h>: since v6.12; drop when the minimum is v6.12. */
#include <linux/unaligned.h>

u32 probe(const void *p);
u32 probe(const void *p)
{
	return get_unaligned_le32(p);
}
