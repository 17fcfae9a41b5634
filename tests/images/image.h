/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the programs that modify images. Written from the description of
 * the format, independently of erofs_od/core, so that neither hides the other's
 * bugs; the results are checked by fsck.erofs.
 */
#ifndef TESTS_IMAGE_H
#define TESTS_IMAGE_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SB_OFFSET	1024
#define SB_SIZE		128
#define SB_MAGIC	0xe0f5e1e2U
#define SLOT_SIZE	128
#define TAG_SIZE	64
#define HOLE		0xffffffffU
#define LAYOUT_PLAIN	0
#define LAYOUT_FULL	1
#define LAYOUT_INLINE	2
#define LAYOUT_COMPACT	3
#define LAYOUT_CHUNK	4
#define CHUNK_INDEXES	0x20
#define CHUNK_48BIT	0x40
#define COMPAT_CHKSUM	0x1
#define COMPAT_SHARED_EA_IN_METABOX 0x8
#define INCOMPAT_CHUNKS	0x4
#define INCOMPAT_DEVICES 0x8
#define INCOMPAT_48BIT	0x80
#define INCOMPAT_METABOX	0x100
#define NID_METABOX	(1ULL << 63)
/* Space after an image, for a new device table. */
#define ROOM		(1 << 20)

struct image {
	uint8_t *data;
	size_t size;
	unsigned int blkbits;
	uint64_t meta;
	uint64_t box;	/* where the metabox starts; 0: none, or it is compressed */
};

struct inode {
	uint64_t nid;
	size_t offset;
	size_t body;	/* offset after the inode and its xattrs */
	uint16_t mode;
	unsigned int layout;
	uint64_t size;
	uint32_t u;
};

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static inline void put64(uint8_t *p, uint64_t v)
{
	put32(p, v);
	put32(p + 4, v >> 32);
}

static inline uint8_t *at(const struct image *img, size_t offset, size_t len)
{
	if (offset > img->size || len > img->size - offset)
		errx(1, "the image ends before byte %zu", offset + len);
	return img->data + offset;
}

static inline uint8_t *superblock(const struct image *img)
{
	return at(img, SB_OFFSET, SB_SIZE);
}

static inline uint8_t *read_file(const char *path, size_t *size, size_t room)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!f || fstat(fileno(f), &st))
		err(1, "%s", path);
	data = calloc(1, st.st_size + room + 1);
	if (!data || fread(data, 1, st.st_size, f) != (size_t)st.st_size)
		err(1, "%s", path);
	fclose(f);
	*size = st.st_size;
	return data;
}

static inline void write_file(const char *path, const uint8_t *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		err(1, "%s", path);
}

static inline struct inode get_inode(const struct image *img, uint64_t nid)
{
	struct inode in = {
		.nid = nid,
		.offset = nid & NID_METABOX ? img->box + (nid & ~NID_METABOX) * 32
					    : img->meta + nid * 32,
	};
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

/* mkfs.erofs writes a metabox that is not compressed in one piece, without a tail. */
static inline uint64_t find_box(const struct image *img)
{
	const uint8_t *sb = superblock(img);
	struct inode in;

	if (!(get32(sb + 80) & INCOMPAT_METABOX))
		return 0;
	in = get_inode(img, get32(at(img, SB_OFFSET + SB_SIZE, 4)));
	return in.layout == LAYOUT_PLAIN ? (uint64_t)in.u << img->blkbits : 0;
}

static inline struct image read_image(const char *path)
{
	struct image img = { 0 };
	const uint8_t *sb;

	img.data = read_file(path, &img.size, ROOM);
	sb = superblock(&img);
	if (get32(sb) != SB_MAGIC)
		errx(1, "%s: not an image", path);
	img.blkbits = sb[12];
	img.meta = (uint64_t)get32(sb + 40) << img.blkbits;
	img.box = find_box(&img);
	return img;
}

static inline uint32_t crc32c(const uint8_t *p, size_t len)
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

/* Updates the checksum, if there is one. */
static inline void write_image(const struct image *img, const char *path)
{
	size_t blk = (size_t)1 << img->blkbits;
	uint8_t *sb = superblock(img);

	if (get32(sb + 8) & COMPAT_CHKSUM) {
		put32(sb + 4, 0);
		put32(sb + 4, crc32c(sb, blk > SB_OFFSET ? blk - SB_OFFSET : blk));
	}
	write_file(path, img->data, img->size);
}

static inline unsigned int nr_slots(const struct image *img)
{
	return get16(superblock(img) + 86);
}

static inline uint8_t *slot(const struct image *img, unsigned int nr)
{
	if (nr >= nr_slots(img))
		errx(1, "the image has no slot %u", nr);
	return at(img, (size_t)get16(superblock(img) + 88) * SLOT_SIZE + nr * SLOT_SIZE,
		  SLOT_SIZE);
}

static inline void put_tag(uint8_t *p, const char *tag)
{
	memset(p, 0, TAG_SIZE);
	memcpy(p, tag, strnlen(tag, TAG_SIZE));
}

/*
 * Appends a device table with empty slots at the end of the image: the old one
 * cannot grow, as inodes follow it.
 */
static inline void new_table(struct image *img, unsigned int nr)
{
	size_t blk = (size_t)1 << img->blkbits;
	size_t table = (img->size + blk - 1) & ~(blk - 1);
	size_t end = (table + nr * SLOT_SIZE + blk - 1) & ~(blk - 1);
	uint8_t *sb = superblock(img);

	if (table / SLOT_SIZE > UINT16_MAX || end - img->size > ROOM)
		errx(1, "no room for a table of %u slots", nr);
	memset(img->data + table, 0, end - table);
	img->size = end;
	put16(sb + 86, nr);
	put16(sb + 88, table / SLOT_SIZE);
	put32(sb + 36, end >> img->blkbits);
	put32(sb + 80, get32(sb + 80) | INCOMPAT_DEVICES);
}

/* The 8-byte entries of a chunk-based file; NULL for other files. */
static inline uint8_t *chunks(const struct image *img, const struct inode *in, uint64_t *nr)
{
	unsigned int bits = img->blkbits + (in->u & 0x1f);

	if (!S_ISREG(in->mode) || in->layout != LAYOUT_CHUNK)
		return NULL;
	if (!(in->u & CHUNK_INDEXES))
		errx(1, "chunks without device ids: is there a data blob?");
	*nr = (in->size + (1ULL << bits) - 1) >> bits;
	return at(img, (in->body + 7) & ~(size_t)7, *nr * 8);
}

static inline uint64_t root_nid(const struct image *img)
{
	const uint8_t *sb = superblock(img);
	uint64_t nid = get32(sb + 112) | (uint64_t)get32(sb + 116) << 32;

	return get32(sb + 80) & INCOMPAT_48BIT && nid ? nid : get16(sb + 14);
}

struct walk {
	const struct image *img;
	void (*visit)(const struct image *img, const struct inode *in, void *data);
	void *data;
	bool *seen;	/* by offset: an inode with several names is visited once */
};

static inline void walk_inode(struct walk *walk, uint64_t nid);

static inline void walk_dirents(struct walk *walk, size_t offset, size_t len)
{
	const uint8_t *block = at(walk->img, offset, len);
	unsigned int nr = get16(block + 8) / 12, i;

	for (i = 0; i < nr; i++) {
		const uint8_t *dirent = block + 12 * i;

		walk_inode(walk, get32(dirent) | (uint64_t)get32(dirent + 4) << 32);
	}
}

static inline void walk_dir(struct walk *walk, const struct inode *in)
{
	size_t blk = (size_t)1 << walk->img->blkbits, left = in->size;
	size_t offset = (size_t)in->u << walk->img->blkbits;

	for (; left >= blk; left -= blk, offset += blk)
		walk_dirents(walk, offset, blk);
	if (left)
		walk_dirents(walk, in->layout == LAYOUT_INLINE ? in->body : offset, left);
}

static inline void walk_inode(struct walk *walk, uint64_t nid)
{
	struct inode in;

	if (nid & NID_METABOX && !walk->img->box)
		return;
	in = get_inode(walk->img, nid);
	if (walk->seen[in.offset / 32])
		return;
	walk->seen[in.offset / 32] = true;
	walk->visit(walk->img, &in, walk->data);
	/* @in is from before any change by the visitor. */
	if (S_ISDIR(in.mode))
		walk_dir(walk, &in);
}

/* Visits every inode once, those in a compressed metabox excepted. */
static inline void walk_image(const struct image *img,
			      void (*visit)(const struct image *img, const struct inode *in,
					    void *data), void *data)
{
	struct walk walk = { .img = img, .visit = visit, .data = data };

	walk.seen = calloc(img->size / 32 + 1, sizeof(*walk.seen));
	if (!walk.seen)
		err(1, NULL);
	walk_inode(&walk, root_nid(img));
	if (get32(superblock(img) + 80) & INCOMPAT_METABOX)
		walk_inode(&walk, get32(superblock(img) + 128));
	free(walk.seen);
}

#endif /* TESTS_IMAGE_H */
