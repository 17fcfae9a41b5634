// SPDX-License-Identifier: GPL-2.0-only
/* Only <asm/unaligned.h>: v5.10 to v6.11; drop when the minimum is v6.12. */
#if __has_include(<linux/unaligned.h>)
#error "there is another one"
#endif
#include <asm/unaligned.h>

u32 probe(const void *p);
u32 probe(const void *p)
{
	return get_unaligned_le32(p);
}
