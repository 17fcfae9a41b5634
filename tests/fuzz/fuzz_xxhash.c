// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash, compared with a second implementation of its specification, which takes
 * one byte at a time. The input: the seed, then the data.
 */
#include "fuzz.h"
#include "erofs_od/core/xxhash.h"

static const u64 prime[] = { 2654435761U, 2246822519U, 3266489917U, 668265263U, 374761393U };

static u64 turn(u64 v, int by)
{
	v &= U32_MAX;
	return (v << by | v >> (32 - by)) & U32_MAX;
}

static u32 slow(const u8 *p, size_t len, u32 seed)
{
	u64 acc[4] = { seed + prime[0] + prime[1], seed + prime[1], seed, seed - prime[0] };
	size_t whole = len / 16 * 16, words = len / 4 * 4, i;
	u64 h = seed + prime[4], lane = 0;

	for (i = 0; i < words; i++) {
		unsigned int nr = i / 4 % 4;

		lane = i % 4 ? lane | (u64)p[i] << 8 * (i % 4) : p[i];
		if (i == whole)
			h = whole ? turn(acc[0], 1) + turn(acc[1], 7) + turn(acc[2], 12) +
				    turn(acc[3], 18) + len : h + len;
		if (i % 4 != 3)
			continue;
		if (i < whole)
			acc[nr] = turn(acc[nr] + lane * prime[1], 13) * prime[0];
		else
			h = turn(h + lane * prime[2], 17) * prime[3];
	}
	if (words == whole)
		h = whole ? turn(acc[0], 1) + turn(acc[1], 7) + turn(acc[2], 12) +
			    turn(acc[3], 18) + len : h + len;
	for (; i < len; i++)
		h = turn(h + p[i] * prime[4], 11) * prime[0];
	h = ((h & U32_MAX) ^ (h & U32_MAX) >> 15) * prime[1];
	h = ((h & U32_MAX) ^ (h & U32_MAX) >> 13) * prime[2];
	return (u32)((h & U32_MAX) ^ (h & U32_MAX) >> 16);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	u32 seed = feed32(&feed);
	size_t len;
	u8 *p = feed_rest(&feed, 4096, &len);
	u8 *odd = malloc(len + 1);

	memcpy(odd + 1, p, len);
	must(od_xxh32(p, len, seed) == slow(p, len, seed));
	must(od_xxh32(odd + 1, len, seed) == slow(p, len, seed));
	free(p);
	free(odd);
	return 0;
}
