/* SPDX-License-Identifier: GPL-2.0-only */
/* The 32-bit xxHash, as in its public specification. */
#ifndef OD_CORE_XXHASH_H
#define OD_CORE_XXHASH_H

#include "od/types.h"

/**
 * od_xxh32 - hash a buffer
 * @p: bytes
 * @len: bytes in @p
 * @seed: seed
 */
u32 od_xxh32(const u8 *p, size_t len, u32 seed);

#endif /* OD_CORE_XXHASH_H */
