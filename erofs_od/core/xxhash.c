// SPDX-License-Identifier: GPL-2.0-only
#include "xxhash.h"

#define OD_XXH_PRIME_1	0x9E3779B1U
#define OD_XXH_PRIME_2	0x85EBCA77U
#define OD_XXH_PRIME_3	0xC2B2AE3DU
#define OD_XXH_PRIME_4	0x27D4EB2FU
#define OD_XXH_PRIME_5	0x165667B1U
#define OD_XXH_STRIPE	16

static u32 od_xxh_round(u32 acc, u32 lane)
{
	return rol32(acc + lane * OD_XXH_PRIME_2, 13) * OD_XXH_PRIME_1;
}

static u32 od_xxh_stripes(const u8 **p, size_t *len, u32 seed)
{
	u32 acc[4] = {
		seed + OD_XXH_PRIME_1 + OD_XXH_PRIME_2,
		seed + OD_XXH_PRIME_2,
		seed,
		seed - OD_XXH_PRIME_1,
	};
	int i;

	for (; *len >= OD_XXH_STRIPE; *p += OD_XXH_STRIPE, *len -= OD_XXH_STRIPE)
		for (i = 0; i < 4; i++)
			acc[i] = od_xxh_round(acc[i], get_unaligned_le32(*p + 4 * i));
	return rol32(acc[0], 1) + rol32(acc[1], 7) +
	       rol32(acc[2], 12) + rol32(acc[3], 18);
}

u32 od_xxh32(const u8 *p, size_t len, u32 seed)
{
	u32 total = (u32)len;
	u32 h;

	if (len >= OD_XXH_STRIPE)
		h = od_xxh_stripes(&p, &len, seed);
	else
		h = seed + OD_XXH_PRIME_5;
	h += total;
	for (; len >= 4; p += 4, len -= 4)
		h = rol32(h + get_unaligned_le32(p) * OD_XXH_PRIME_3, 17) * OD_XXH_PRIME_4;
	for (; len; p++, len--)
		h = rol32(h + *p * OD_XXH_PRIME_5, 11) * OD_XXH_PRIME_1;
	h = (h ^ h >> 15) * OD_XXH_PRIME_2;
	h = (h ^ h >> 13) * OD_XXH_PRIME_3;
	return h ^ h >> 16;
}
