/* SPDX-License-Identifier: GPL-2.0-only */
/* Decompressors of the kernel: one table, by algorithm. */
#ifndef EROFS_OD_DECOMPRESSOR_H
#define EROFS_OD_DECOMPRESSOR_H

#include "core/zinode.h"

/**
 * struct erofs_od_stream - data to decompress, and its destination
 * @in: compressed data, without padding
 * @in_len: bytes
 * @out: destination; nothing else writes to it meanwhile
 * @out_len: bytes wanted; fewer are an error
 * @partial: the data may go on after these; otherwise both have to end together
 */
struct erofs_od_stream {
	const u8 *in;
	u32 in_len;
	u8 *out;
	u32 out_len;
	bool partial;
};

/**
 * struct erofs_od_decompressor - an algorithm
 * @available: the kernel has it
 * @memory: bytes of a context for such images; a context can be used for all images that
 *	need as much or less
 * @alloc: allocates a context; NULL: none is needed
 * @free: frees it
 * @decompress: returns 0, or -EUCLEAN for corrupt data
 */
struct erofs_od_decompressor {
	bool available;
	size_t (*memory)(const struct od_zconfig *config);
	void *(*alloc)(const struct od_zconfig *config);
	void (*free)(void *context);
	int (*decompress)(void *context, const struct erofs_od_stream *stream);
};

extern const struct erofs_od_decompressor erofs_od_lz4;
extern const struct erofs_od_decompressor erofs_od_lzma;
extern const struct erofs_od_decompressor erofs_od_deflate;
extern const struct erofs_od_decompressor erofs_od_zstd;

bool erofs_od_can_decompress(unsigned int algorithm);
int erofs_od_decompressor_get(unsigned int algorithm, const struct od_zconfig *config);
void erofs_od_decompressor_put(unsigned int algorithm);
int erofs_od_decompress(unsigned int algorithm, const struct erofs_od_stream *stream);
void erofs_od_decompressor_init(void);

#endif /* EROFS_OD_DECOMPRESSOR_H */
