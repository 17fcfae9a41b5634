/* SPDX-License-Identifier: GPL-2.0-only */
/* Compression: algorithms, their configuration, and map headers of compressed inodes. */
#ifndef OD_CORE_ZINODE_H
#define OD_CORE_ZINODE_H

#include "od/types.h"
#include "format.h"
#include "inode.h"
#include "sb.h"

/**
 * od_algorithm_name - the name of an algorithm, for log lines
 * @algorithm: enum od_algorithm
 */
const char *od_algorithm_name(unsigned int algorithm);

/**
 * struct od_zconfig - configuration of the algorithms of an image
 * @lzma_dict: bytes of LZMA's dictionary
 * @zstd_window: bytes of ZSTD's window
 */
struct od_zconfig {
	u32 lzma_dict;
	u32 zstd_window;
};

/**
 * od_zconfig_parse - decode and check the record of an algorithm
 * @algorithm: enum od_algorithm
 * @p: the record, without its length
 * @len: bytes in @p
 * @blkbits: log2 of the block size
 * @config: the result; fields of other algorithms are left alone
 * @why: on failure, the reason, for a log line
 *
 * Return: 0; -EOPNOTSUPP for an unsupported format; -EUCLEAN.
 */
int od_zconfig_parse(unsigned int algorithm, const u8 *p, size_t len, u8 blkbits,
		     struct od_zconfig *config, const char **why);

/**
 * od_zinode_header - locate the map header of a compressed inode
 * @inode: inode of a compressed layout
 */
u64 od_zinode_header(const struct od_inode *inode);

/**
 * od_zinode_parse - decode and check the map header of a compressed inode
 * @sb: superblock
 * @inode: inode of a compressed layout, not empty
 * @disk: record at od_zinode_header()
 * @limit: size of the blob or metabox that holds the inode
 * @z: the result
 * @why: on failure, the reason, for a log line
 *
 * Return: 0; -EOPNOTSUPP for an unsupported kind of map; -EUCLEAN.
 */
int od_zinode_parse(const struct od_sb *sb, const struct od_inode *inode,
		    const struct od_disk_zheader *disk, u64 limit, struct od_zinode *z,
		    const char **why);

#endif /* OD_CORE_ZINODE_H */
