// SPDX-License-Identifier: GPL-2.0-only
/*
 * setinode IMAGE OUT NID links|mode VALUE: copy an image and set a field of an inode, of the
 * root if NID is "root"; the checksum is updated.
 */
#include "../images/image.h"

static void set_links(uint8_t *inode, uint32_t links)
{
	if (get16(inode) & 1)
		put32(inode + 44, links);
	else
		put16(inode + 6, links);
}

int main(int argc, char **argv)
{
	struct image img;
	uint32_t value;
	uint8_t *inode;
	uint64_t nid;

	if (argc != 6 || (strcmp(argv[4], "links") && strcmp(argv[4], "mode"))) {
		fprintf(stderr, "usage: setinode IMAGE OUT NID links|mode VALUE\n");
		return 2;
	}
	img = read_image(argv[1]);
	nid = strcmp(argv[3], "root") ? strtoull(argv[3], NULL, 0) : get16(superblock(&img) + 14);
	inode = at(&img, img.meta + nid * 32, 64);
	value = strtoul(argv[5], NULL, 0);
	if (strcmp(argv[4], "mode"))
		set_links(inode, value);
	else
		put16(inode + 4, value);
	write_image(&img, argv[2]);
	return 0;
}
