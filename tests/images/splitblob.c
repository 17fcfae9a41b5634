// SPDX-License-Identifier: GPL-2.0-only
/*
 * splitblob: split the data blob of a chunk-based image into pieces.
 *
 * mkfs.erofs creates at most one data blob, and merging two images with it turns
 * holes into data (1.9.4) or corrupts its heap (1.8.6). So the image is created
 * with one blob, and this program splits the blob between chunks, assigns the
 * chunks of each piece to a device, and writes a new device table with a tag for
 * each blob. tests/images/mkimage.sh extracts the result with fsck.erofs and
 * compares it with the source.
 */
#include "image.h"

#define PIECES_MAX	1024

/* Start of each piece, in blocks: found by the first walk, applied by the second. */
struct cut {
	unsigned int nr;
	bool reverse;
	uint32_t wanted[PIECES_MAX];
	uint32_t start[PIECES_MAX + 1];
};

/* The device of a piece: devices may be in reverse order of the data. */
static unsigned int device_of(const struct cut *cut, unsigned int piece)
{
	return cut->reverse ? cut->nr - piece : piece + 1;
}

static void look(const struct image *img, const struct inode *in, void *data)
{
	struct cut *cut = data;
	uint64_t nr = 0, i;
	const uint8_t *entry = chunks(img, in, &nr);
	unsigned int piece;

	for (i = 0; i < nr; i++, entry += 8) {
		uint32_t block = get32(entry + 4);

		if (block == HOLE || get16(entry + 2) != 1)
			continue;
		for (piece = 1; piece < cut->nr; piece++)
			if (block >= cut->wanted[piece] && block < cut->start[piece])
				cut->start[piece] = block;
	}
}

static void change(const struct image *img, const struct inode *in, void *data)
{
	const struct cut *cut = data;
	uint64_t nr = 0, i;
	uint8_t *entry = chunks(img, in, &nr);

	for (i = 0; i < nr; i++, entry += 8) {
		uint32_t block = get32(entry + 4);
		unsigned int piece = cut->nr - 1;

		if (block == HOLE || get16(entry + 2) != 1)
			continue;
		while (block < cut->start[piece])
			piece--;
		put16(entry + 2, device_of(cut, piece));
		put32(entry + 4, block - cut->start[piece]);
	}
}

static void put_table(struct image *img, const struct cut *cut, char **tags)
{
	unsigned int piece;
	uint32_t uniaddr;

	new_table(img, cut->nr);
	uniaddr = img->size >> img->blkbits;
	for (piece = 0; piece < cut->nr; piece++) {
		uint8_t *p = slot(img, device_of(cut, piece) - 1);
		uint32_t blocks = cut->start[piece + 1] - cut->start[piece];

		put_tag(p, tags[piece]);
		put32(p + 64, blocks);
		put32(p + 68, uniaddr);
		uniaddr += blocks;
	}
	put32(superblock(img) + 36, uniaddr);
}

int main(int argc, char **argv)
{
	static struct cut cut;
	struct image img;
	size_t blob_size;
	uint32_t blocks;
	uint8_t *blob;
	unsigned int i;

	if (argc > 1 && !strcmp(argv[1], "--reverse")) {
		cut.reverse = true;
		argv++;
		argc--;
	}
	cut.nr = (argc - 3) / 2;
	if (argc < 7 || argc % 2 == 0 || cut.nr > PIECES_MAX) {
		fprintf(stderr, "usage: splitblob [--reverse] IMAGE BLOB OUT... TAG...\n");
		return 2;
	}
	img = read_image(argv[1]);
	blob = read_file(argv[2], &blob_size, 0);
	if (nr_slots(&img) != 1)
		errx(1, "%s: not an image with one data blob", argv[1]);

	blocks = blob_size >> img.blkbits;
	for (i = 1; i < cut.nr; i++) {
		cut.wanted[i] = (uint64_t)blocks * i / cut.nr;
		cut.start[i] = HOLE;
	}
	cut.start[cut.nr] = blocks;
	walk_image(&img, look, &cut);
	for (i = 0; i < cut.nr; i++)
		if (cut.start[i] >= cut.start[i + 1])
			errx(1, "%s: no chunk begins in piece %u", argv[2], i + 1);
	walk_image(&img, change, &cut);

	put_table(&img, &cut, argv + 3 + cut.nr);
	for (i = 0; i < cut.nr; i++)
		write_file(argv[3 + i], blob + ((size_t)cut.start[i] << img.blkbits),
			   (size_t)(cut.start[i + 1] - cut.start[i]) << img.blkbits);
	write_image(&img, argv[1]);
	return 0;
}
