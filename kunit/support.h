/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by several suites: writers of little-endian fields, random numbers. */
#ifndef KUNIT_SUPPORT_H
#define KUNIT_SUPPORT_H

#include <kunit/test.h>

#include "od/types.h"

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

/* Differs in each run and is logged, unless the module parameter sets it. */
u32 od_test_seed(struct kunit *test);

/* xorshift: the same numbers everywhere for the same nonzero seed. */
static inline u32 od_test_random(u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif /* KUNIT_SUPPORT_H */
