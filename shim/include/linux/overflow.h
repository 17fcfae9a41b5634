/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_OVERFLOW_H
#define SHIM_LINUX_OVERFLOW_H

#define check_mul_overflow(a, b, product)	__builtin_mul_overflow(a, b, product)
#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)

#endif /* SHIM_LINUX_OVERFLOW_H */
