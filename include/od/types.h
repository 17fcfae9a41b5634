/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ground that every core/ file stands on: fixed-width types, readers of
 * little- and big-endian fields, errnos and memory functions, the same in the
 * kernel and in user space. A core/ file includes this and no other header of
 * the system, so that the very same file is built into the module, into the
 * unit tests and into the tools.
 */
#ifndef OD_TYPES_H
#define OD_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
#define U32_MAX UINT32_MAX
#define S64_MAX INT64_MAX
#endif

/**
 * od_le16 - read a little-endian 16-bit field at any alignment
 * @p: two readable bytes
 */
static inline u16 od_le16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

/**
 * od_le32 - read a little-endian 32-bit field at any alignment
 * @p: four readable bytes
 */
static inline u32 od_le32(const u8 *p)
{
	return od_le16(p) | (u32)od_le16(p + 2) << 16;
}

/**
 * od_le64 - read a little-endian 64-bit field at any alignment
 * @p: eight readable bytes
 */
static inline u64 od_le64(const u8 *p)
{
	return od_le32(p) | (u64)od_le32(p + 4) << 32;
}

/**
 * od_be64 - read a big-endian 64-bit field at any alignment
 * @p: eight readable bytes
 */
static inline u64 od_be64(const u8 *p)
{
	u64 v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/**
 * od_put_be64 - write a big-endian 64-bit field at any alignment
 * @p: eight writable bytes
 * @v: the value
 */
static inline void od_put_be64(u8 *p, u64 v)
{
	int i;

	for (i = 7; i >= 0; i--, v >>= 8)
		p[i] = (u8)v;
}

/**
 * od_put_le32 - write a little-endian 32-bit field at any alignment
 * @p: four writable bytes
 * @v: the value
 */
static inline void od_put_le32(u8 *p, u32 v)
{
	int i;

	for (i = 0; i < 4; i++, v >>= 8)
		p[i] = (u8)v;
}

/**
 * od_put_le64 - write a little-endian 64-bit field at any alignment
 * @p: eight writable bytes
 * @v: the value
 */
static inline void od_put_le64(u8 *p, u64 v)
{
	int i;

	for (i = 0; i < 8; i++, v >>= 8)
		p[i] = (u8)v;
}

/**
 * od_add_overflows - would a sum of two offsets or lengths wrap?
 * @a: first summand
 * @b: second summand
 */
static inline bool od_add_overflows(u64 a, u64 b)
{
	return a + b < a;
}

#endif /* OD_TYPES_H */
