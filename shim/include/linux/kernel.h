/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_KERNEL_H
#define SHIM_LINUX_KERNEL_H

#include_next <linux/kernel.h>
#include <linux/limits.h>
#include <linux/types.h>

#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
#define U64_MAX		UINT64_MAX
#define S64_MAX		INT64_MAX

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Each argument is evaluated once; unlike the kernel's, of any two types. */
#define min(a, b)						\
	({							\
		__typeof__(a) shim_a = (a);			\
		__typeof__(b) shim_b = (b);			\
								\
		shim_a < shim_b ? shim_a : shim_b;		\
	})
#define max(a, b)						\
	({							\
		__typeof__(a) shim_c = (a);			\
		__typeof__(b) shim_d = (b);			\
								\
		shim_c > shim_d ? shim_c : shim_d;		\
	})
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

/* @to is a power of two. */
#define round_down(v, to)	((v) & ~((__typeof__(v))(to) - 1))
#define round_up(v, to)		((((v) - 1) | ((__typeof__(v))(to) - 1)) + 1)

#endif /* SHIM_LINUX_KERNEL_H */
