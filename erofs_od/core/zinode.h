/* SPDX-License-Identifier: GPL-2.0-only */
/* Compressed data: algorithms, their settings, and what a compressed inode says of its map. */
#ifndef OD_CORE_ZINODE_H
#define OD_CORE_ZINODE_H

#include "od/types.h"
#include "format.h"
#include "inode.h"
#include "sb.h"

/**
 * od_alg_name - the name of an algorithm, for log lines
 * @alg: enum od_alg
 */
const char *od_alg_name(unsigned int alg);

/**
 * struct od_zconfig - settings of the algorithms of an image
 * @lzma_dict: bytes of LZMA's dictionary
 * @zstd_window: bytes of ZSTD's window
 */
struct od_zconfig {
	u32 lzma_dict;
	u32 zstd_window;
};

/**
 * od_zconfig_parse - check the record that a superblock has of an algorithm
 * @alg: enum od_alg
 * @p: the record, without its length
 * @len: bytes in @p
 * @blkbits: log2 of the block size
 * @config: takes what matters
 * @why: on failure, what is wrong
 *
 * Return: 0; -EOPNOTSUPP a format that is not supported; -EUCLEAN.
 */
int od_zconfig_parse(unsigned int alg, const u8 *p, size_t len, u8 blkbits,
		     struct od_zconfig *config, const char **why);

/**
 * od_zinode_header - where the map header of a compressed inode is
 * @inode: inode of a compressed layout
 */
u64 od_zinode_header(const struct od_inode *inode);

/**
 * od_zinode_parse - check the map header of a compressed inode
 * @sb: superblock
 * @inode: inode of a compressed layout that is not empty
 * @p: %OD_ZHEADER_SIZE bytes from od_zinode_header() on
 * @blob_size: bytes in the primary blob
 * @z: the result
 * @why: on failure, what is wrong
 *
 * Return: 0; -EOPNOTSUPP a kind of map that is not supported; -EUCLEAN.
 */
int od_zinode_parse(const struct od_sb *sb, const struct od_inode *inode,
		    const u8 p[OD_ZHEADER_SIZE], u64 blob_size, struct od_zinode *z,
		    const char **why);

#endif /* OD_CORE_ZINODE_H */
