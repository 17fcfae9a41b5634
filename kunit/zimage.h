/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the suites for maps of compressed files: the part of an image with the map. */
#ifndef OD_KUNIT_ZIMAGE_H
#define OD_KUNIT_ZIMAGE_H

#include <kunit/test.h>

#include "support.h"
#include "erofs_od/core/zmap.h"

#define BLK	4096ULL
#define NID	100
#define PACKED	7
#define INODE	8192ULL
#define MAP	(INODE + 64)
#define IMAGE	(64 * BLK)

static const struct od_blob blobs[] = {
	{ .size = IMAGE },
	{ .size = 16 * BLK, .uniaddr = 1000 * BLK, .unilen = 16 * BLK },
};
static const struct od_blobtab tab = { .blkbits = 12, .count = 2, .blob = blobs };

/**
 * struct image - the data that follows an inode
 * @map: header and entries, or records
 * @reads: number of reads
 * @error: errno of all reads, or 0
 * @sum_nr: record of the sum that is kept, or 0
 * @sum: the sum
 */
struct image {
	u8 map[8192];
	u64 reads;
	int error;
	u64 sum_nr;
	u64 sum;
};

static struct image *new_image(struct kunit *test)
{
	struct image *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	return image;
}

static int read_image(void *data, u64 off, void *to, u32 len)
{
	struct image *image = data;

	image->reads++;
	if (image->error)
		return image->error;
	if (off < MAP || off + len > MAP + sizeof(image->map))
		return -EIO;
	memcpy(to, image->map + off - MAP, len);
	return 0;
}

static int map_image(struct kunit *test, const struct od_sb *sb, const struct od_zmap *map,
		     struct image *image, struct od_inode *inode, u64 pos, struct od_zextent *x)
{
	const char *why = NULL;
	int err = od_zinode_parse(sb, inode, (const void *)image->map, IMAGE, &inode->z, &why);

	KUNIT_ASSERT_EQ_MSG(test, err, 0, "%s", why);
	inode->z.sums = (void *)image;
	return od_zmap(map, inode, &inode->z, pos, x);
}

#endif /* OD_KUNIT_ZIMAGE_H */
