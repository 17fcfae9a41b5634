// SPDX-License-Identifier: GPL-2.0-only
/*
 * splitblob: cut the data blob of a chunk-based image in two.
 *
 * mkfs.erofs makes one data blob at most, and its way to merge two images
 * turns holes into data (1.9.4) or damages its heap (1.8.6). So the image is
 * made with one blob, and this program cuts the blob between two chunks, gives
 * the chunks behind the cut to a second device, and writes a new device table
 * with a tag for each blob. tests/images/mkimage.sh lets fsck.erofs extract
 * the outcome and compares it with the source.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SB_OFFSET	1024
#define SLOT_SIZE	128
#define HOLE		0xffffffffU
#define LAYOUT_PLAIN	0
#define LAYOUT_INLINE	2
#define LAYOUT_CHUNK	4
#define CHUNK_INDEXES	0x20

struct image {
	uint8_t *data;
	size_t size;
	unsigned int blkbits;
	uint64_t meta;
};

struct inode {
	size_t offset;
	size_t body;	/* behind the inode and its xattrs */
	uint16_t mode;
	unsigned int layout;
	uint64_t size;
	uint32_t u;
};

/* What is done with each chunk entry: the first walk looks, the second changes. */
struct cut {
	bool change;
	uint32_t wanted;
	uint32_t at;
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static uint8_t *at(const struct image *img, size_t offset, size_t len)
{
	if (offset > img->size || len > img->size - offset)
		errx(1, "the image ends before byte %zu", offset + len);
	return img->data + offset;
}

static struct inode get_inode(const struct image *img, uint64_t nid)
{
	struct inode in = { .offset = img->meta + nid * 32 };
	const uint8_t *p = at(img, in.offset, 32);
	uint16_t format = get16(p), icount = get16(p + 2);
	bool extended = format & 1;

	in.mode = get16(p + 4);
	in.layout = format >> 1 & 7;
	in.size = get32(p + 8) | (extended ? (uint64_t)get32(p + 12) << 32 : 0);
	in.u = get32(p + 16);
	in.body = in.offset + (extended ? 64 : 32) + (icount ? 12 + 4 * (icount - 1) : 0);
	return in;
}

static void visit_chunks(const struct image *img, const struct inode *in, struct cut *cut)
{
	unsigned int bits = img->blkbits + (in->u & 0x1f);
	uint64_t nr = (in->size + (1ULL << bits) - 1) >> bits;
	size_t offset = (in->body + 7) & ~(size_t)7;
	uint64_t i;

	if (!(in->u & CHUNK_INDEXES))
		errx(1, "chunks without device ids: is there a data blob?");
	for (i = 0; i < nr; i++, offset += 8) {
		uint8_t *entry = at(img, offset, 8);
		uint32_t block = get32(entry + 4);

		/* A file with several names comes by several times. */
		if (block == HOLE || get16(entry + 2) != 1)
			continue;
		if (!cut->change) {
			if (block >= cut->wanted && block < cut->at)
				cut->at = block;
		} else if (block >= cut->at) {
			put16(entry + 2, 2);
			put32(entry + 4, block - cut->at);
		}
	}
}

static void visit(const struct image *img, uint64_t nid, uint64_t parent, struct cut *cut);

static void visit_dirents(const struct image *img, size_t offset, size_t len, uint64_t nid,
			  uint64_t parent, struct cut *cut)
{
	const uint8_t *block = at(img, offset, len);
	unsigned int nr = get16(block + 8) / 12, i;

	for (i = 0; i < nr; i++) {
		const uint8_t *dirent = block + 12 * i;
		uint64_t child = get32(dirent) | (uint64_t)get32(dirent + 4) << 32;

		if (child != nid && child != parent)
			visit(img, child, nid, cut);
	}
}

static void visit_dir(const struct image *img, const struct inode *in, uint64_t nid,
		      uint64_t parent, struct cut *cut)
{
	size_t blk = (size_t)1 << img->blkbits, left = in->size;
	size_t offset = (size_t)in->u << img->blkbits;

	for (; left >= blk; left -= blk, offset += blk)
		visit_dirents(img, offset, blk, nid, parent, cut);
	if (left)
		visit_dirents(img, in->layout == LAYOUT_INLINE ? in->body : offset, left, nid,
			      parent, cut);
}

static void visit(const struct image *img, uint64_t nid, uint64_t parent, struct cut *cut)
{
	struct inode in = get_inode(img, nid);

	if (S_ISDIR(in.mode))
		visit_dir(img, &in, nid, parent, cut);
	else if (S_ISREG(in.mode) && in.layout == LAYOUT_CHUNK)
		visit_chunks(img, &in, cut);
}

static uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return crc;
}

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!f || fstat(fileno(f), &st))
		err(1, "%s", path);
	/* room for the new device table */
	data = calloc(1, st.st_size + 65536);
	if (!data || fread(data, 1, st.st_size, f) != (size_t)st.st_size)
		err(1, "%s", path);
	fclose(f);
	*size = st.st_size;
	return data;
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		err(1, "%s", path);
}

static void put_slot(uint8_t *slot, const char *tag, uint32_t blocks, uint32_t uniaddr)
{
	memcpy(slot, tag, strnlen(tag, 64));
	put32(slot + 64, blocks);
	put32(slot + 68, uniaddr);
}

/* The old table has one slot and inodes behind it: the new one goes to the end. */
static void put_table(struct image *img, const char *tag_a, uint32_t blocks_a,
		      const char *tag_b, uint32_t blocks_b)
{
	size_t blk = (size_t)1 << img->blkbits;
	size_t table = (img->size + blk - 1) & ~(blk - 1);
	uint8_t *sb = img->data + SB_OFFSET;
	uint32_t own;

	if (table / SLOT_SIZE > UINT16_MAX)
		errx(1, "the metadata is too long for a table behind it");
	img->size = table + blk;
	own = img->size >> img->blkbits;
	put_slot(img->data + table, tag_a, blocks_a, own);
	put_slot(img->data + table + SLOT_SIZE, tag_b, blocks_b, own + blocks_a);
	put16(sb + 86, 2);
	put16(sb + 88, table / SLOT_SIZE);
	put32(sb + 36, own + blocks_a + blocks_b);
	if (get32(sb + 8) & 1) {
		put32(sb + 4, 0);
		put32(sb + 4, crc32c(sb, blk > SB_OFFSET ? blk - SB_OFFSET : blk));
	}
}

int main(int argc, char **argv)
{
	struct cut cut = { .at = HOLE };
	struct image img;
	size_t blob_size, cut_bytes;
	uint32_t blocks;
	uint8_t *blob, *sb;

	if (argc != 7) {
		fprintf(stderr, "usage: splitblob IMAGE BLOB OUT-A OUT-B TAG-A TAG-B\n");
		return 2;
	}
	img.data = read_file(argv[1], &img.size);
	blob = read_file(argv[2], &blob_size);
	sb = at(&img, SB_OFFSET, 128);
	img.blkbits = sb[12];
	img.meta = (uint64_t)get32(sb + 40) << img.blkbits;
	if (get32(sb) != 0xe0f5e1e2U || get16(sb + 86) != 1)
		errx(1, "%s: no image with one data blob", argv[1]);

	blocks = blob_size >> img.blkbits;
	cut.wanted = blocks / 2;
	visit(&img, get16(sb + 14), get16(sb + 14), &cut);
	if (cut.at >= blocks)
		errx(1, "%s: no chunk begins in its second half", argv[2]);
	cut.change = true;
	visit(&img, get16(sb + 14), get16(sb + 14), &cut);

	put_table(&img, argv[5], cut.at, argv[6], blocks - cut.at);
	cut_bytes = (size_t)cut.at << img.blkbits;
	write_file(argv[3], blob, cut_bytes);
	write_file(argv[4], blob + cut_bytes, blob_size - cut_bytes);
	write_file(argv[1], img.data, img.size);
	return 0;
}
