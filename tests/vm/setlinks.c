// SPDX-License-Identifier: GPL-2.0-only
/*
 * setlinks IMAGE OUT NID LINKS: copy an image and set the link count of an inode, of
 * the root if NID is "root"; the checksum is updated.
 */
#include "../images/image.h"

int main(int argc, char **argv)
{
	struct image img;
	uint8_t *inode;
	uint64_t nid;

	if (argc != 5) {
		fprintf(stderr, "usage: setlinks IMAGE OUT NID LINKS\n");
		return 2;
	}
	img = read_image(argv[1]);
	nid = strcmp(argv[3], "root") ? strtoull(argv[3], NULL, 0) : get16(superblock(&img) + 14);
	inode = at(&img, img.meta + nid * 32, 64);
	if (get16(inode) & 1)
		put32(inode + 44, strtoul(argv[4], NULL, 0));
	else
		put16(inode + 6, strtoul(argv[4], NULL, 0));
	write_image(&img, argv[2]);
	return 0;
}
