/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel headers that a core may use: fixed-width types, byte order, errnos,
 * arithmetic and memory functions. A core includes this header, its own and the UAPI.
 * In user space (unit tests, fuzzers, tools), shim/include provides what the system's
 * headers lack, under the kernel's names.
 */
#ifndef OD_TYPES_H
#define OD_TYPES_H

#include <asm/byteorder.h>
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/swab.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#endif /* OD_TYPES_H */
