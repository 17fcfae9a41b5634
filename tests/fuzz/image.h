/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the fuzzers of parts of images: superblocks from a few fields. */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include "fuzz.h"
#include "erofs_od/core/inode.h"

#define FUZZ_SB_BYTES	17

/* Fields that od_sb_parse() accepts, from FUZZ_SB_BYTES bytes. There is a metabox. */
static inline struct od_sb feed_sb(struct feed *feed)
{
	struct od_sb sb = {
		.blkbits = (u8)(OD_BLKBITS_MIN +
				feed8(feed) % (OD_BLKBITS_MAX - OD_BLKBITS_MIN + 1)),
		.epoch = feed64(feed),
		.fixed_nsec = feed32(feed) % 1000000000U,
		.metabox = true,
	};

	sb.meta_off = (u64)feed32(feed) << sb.blkbits;
	return sb;
}

static inline bool has_data(const struct od_inode *inode)
{
	u16 type = inode->mode & OD_S_IFMT;

	return type == OD_S_IFREG || type == OD_S_IFDIR || type == OD_S_IFLNK;
}

#endif /* TESTS_FUZZ_IMAGE_H */
