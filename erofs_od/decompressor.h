/* SPDX-License-Identifier: GPL-2.0-only */
/* Decompressors: one table, by algorithm, over what the kernel has of its own. */
#ifndef EROFS_OD_DECOMPRESSOR_H
#define EROFS_OD_DECOMPRESSOR_H

#include "core/zinode.h"

/**
 * struct erofs_od_stream - compressed data and where to put what comes out of it
 * @in: compressed data, without padding in front
 * @in_len: bytes
 * @out: where to
 * @out_len: bytes wanted, all of which have to come
 * @partial: the data goes on after these; otherwise both ends have to be met
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
 * @memory: bytes that one of its contexts takes, in proportion at least; larger ones do
 *	for what smaller ones do
 * @alloc: makes a context for streams of images with these settings; NULL: none needed
 * @free: undoes it
 * @decompress: gives 0; -EUCLEAN for whatever is no such data
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

/* decompressor.c */
bool erofs_od_can_decompress(unsigned int alg);
int erofs_od_decompressor_get(unsigned int alg, const struct od_zconfig *config);
void erofs_od_decompressor_put(unsigned int alg);
int erofs_od_decompress(unsigned int alg, const struct erofs_od_stream *stream);
void erofs_od_decompressor_init(void);

#endif /* EROFS_OD_DECOMPRESSOR_H */
