// SPDX-License-Identifier: GPL-2.0-only
/* The table of compression algorithms. No decompressor is implemented. */
#include "decompressor.h"

#include <linux/kernel.h>

static const struct erofs_od_algorithm table[] = {
	[OD_ALGORITHM_LZ4] = { .name = "LZ4" },
	[OD_ALGORITHM_LZMA] = { .name = "LZMA" },
	[OD_ALGORITHM_DEFLATE] = { .name = "DEFLATE" },
	[OD_ALGORITHM_ZSTD] = { .name = "ZSTD" },
};

/**
 * erofs_od_undecodable - find an algorithm without a decompressor
 * @algorithms: bit N is set for algorithm N
 *
 * Return: the name of the first one, or NULL.
 */
const char *erofs_od_undecodable(u16 algorithms)
{
	unsigned int nr;

	for (nr = 0; algorithms >> nr; nr++) {
		if (!(algorithms >> nr & 1))
			continue;
		if (nr >= ARRAY_SIZE(table))
			return "an unknown algorithm";
		if (!table[nr].decompress)
			return table[nr].name;
	}
	return NULL;
}
