/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields at any alignment. */
#ifndef SHIM_LINUX_UNALIGNED_H
#define SHIM_LINUX_UNALIGNED_H

#include <asm/byteorder.h>
#include <linux/types.h>
#include <string.h>

#define SHIM_UNALIGNED(bits, order)						\
	static inline u##bits get_unaligned_##order##bits(const void *p)	\
	{									\
		__##order##bits v;						\
										\
		memcpy(&v, p, sizeof(v));					\
		return order##bits##_to_cpu(v);					\
	}									\
	static inline void put_unaligned_##order##bits(u##bits v, void *p)	\
	{									\
		const __##order##bits stored = cpu_to_##order##bits(v);		\
										\
		memcpy(p, &stored, sizeof(stored));				\
	}

SHIM_UNALIGNED(16, le)
SHIM_UNALIGNED(32, le)
SHIM_UNALIGNED(64, le)
SHIM_UNALIGNED(64, be)

#undef SHIM_UNALIGNED

#endif /* SHIM_LINUX_UNALIGNED_H */
