/* SPDX-License-Identifier: GPL-2.0-only */
/* Compression algorithms of images, by their number in the format. */
#ifndef EROFS_OD_DECOMPRESSOR_H
#define EROFS_OD_DECOMPRESSOR_H

#include "core/format.h"

/**
 * struct erofs_od_algorithm - a compression algorithm
 * @name: for log lines
 * @decompress: decodes one extent; NULL: there is no decompressor
 *
 * The table is in decompressor.c. A mount that is refused for its compression names the
 * first algorithm that has no decompressor.
 */
struct erofs_od_algorithm {
	const char *name;
	int (*decompress)(const void *from, size_t from_len, void *to, size_t to_len);
};

const char *erofs_od_undecodable(u16 algorithms);

#endif /* EROFS_OD_DECOMPRESSOR_H */
