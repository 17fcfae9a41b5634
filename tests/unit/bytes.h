/* SPDX-License-Identifier: GPL-2.0-only */
/* Writers of little-endian fields, for tests that make images. */
#ifndef TESTS_UNIT_BYTES_H
#define TESTS_UNIT_BYTES_H

#include "od/types.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static inline void put16(u8 *p, u16 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

static inline void put32(u8 *p, u32 v)
{
	put16(p, (u16)v);
	put16(p + 2, (u16)(v >> 16));
}

static inline void put64(u8 *p, u64 v)
{
	put32(p, (u32)v);
	put32(p + 4, (u32)(v >> 32));
}

#endif /* TESTS_UNIT_BYTES_H */
