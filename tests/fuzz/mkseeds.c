// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkseeds IMAGE DIR: cut an image into inputs of the fuzzers, DIR/TARGET/NAME-N
 *
 * The heads of the fuzz_*.c describe the inputs.
 */
#include "../images/image.h"

#define UNIT_MAX	8000
#define DEVICES_MAX	7

struct unit {
	uint8_t data[UNIT_MAX];
	size_t len;
};

struct cutting {
	const char *dir, *name;
	unsigned int nr;
};

static void add(struct unit *unit, const void *data, size_t len)
{
	if (len > UNIT_MAX - unit->len)
		len = UNIT_MAX - unit->len;
	memcpy(unit->data + unit->len, data, len);
	unit->len += len;
}

static void add8(struct unit *unit, uint8_t v)
{
	add(unit, &v, 1);
}

static void add16(struct unit *unit, uint16_t v)
{
	add8(unit, (uint8_t)v);
	add8(unit, v >> 8);
}

static void add32(struct unit *unit, uint32_t v)
{
	add16(unit, (uint16_t)v);
	add16(unit, v >> 16);
}

static void add64(struct unit *unit, uint64_t v)
{
	add32(unit, (uint32_t)v);
	add32(unit, v >> 32);
}

static void keep(struct cutting *cut, const char *target, const struct unit *unit)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s-%u", cut->dir, target, cut->name, cut->nr++);
	write_file(path, unit->data, unit->len);
}

static void add_facts(struct unit *unit, const struct image *img, const struct inode *in)
{
	const uint8_t *sb = superblock(img);

	add8(unit, img->blkbits - 9);
	add(unit, sb + 24, 8);
	add(unit, sb + 32, 4);
	add(unit, sb + 40, 4);
	add64(unit, in->nid);
}

static size_t inode_size(const struct image *img, const struct inode *in)
{
	return get16(at(img, in->offset, 2)) & 1 ? 64 : 32;
}

static void cut_inode(struct cutting *cut, const struct image *img, const struct inode *in)
{
	size_t size = inode_size(img, in);
	struct unit unit = { .len = 0 };

	add_facts(&unit, img, in);
	add(&unit, at(img, in->offset, size), size);
	keep(cut, "inode", &unit);
}

static unsigned int devices(const struct image *img)
{
	const uint8_t *sb = superblock(img);
	unsigned int nr = get32(sb + 80) & INCOMPAT_DEVICES ? get16(sb + 86) : 0;

	return nr < DEVICES_MAX ? nr : DEVICES_MAX;
}

static void cut_map(struct cutting *cut, const struct image *img, const struct inode *in)
{
	size_t size = inode_size(img, in), array = in->body;
	struct unit unit = { .len = 0 };
	uint8_t inode[64] = { 0 };
	unsigned int i;

	if (!in->size)
		return;
	add_facts(&unit, img, in);
	memcpy(inode, at(img, in->offset, size), size);
	add(&unit, inode, sizeof(inode));
	add64(&unit, img->size);
	add8(&unit, devices(img));
	for (i = 0; i < devices(img); i++) {
		add(&unit, slot(img, i) + 68, 4);
		add(&unit, slot(img, i) + 64, 4);
		add64(&unit, (uint64_t)get32(slot(img, i) + 64) << img->blkbits);
	}
	add64(&unit, 0);
	if (in->layout == LAYOUT_CHUNK) {
		array = (array + 7) & ~(size_t)7;
		add(&unit, at(img, array, 0), img->size - array < 256 ? img->size - array : 256);
	}
	keep(cut, "chunkmap", &unit);
}

/* From the map's header to its entries, or to records of encoded extents */
static size_t map_gap(const struct image *img, const struct inode *in, size_t header)
{
	uint16_t advise = get16(at(img, header, 8) + 4);
	size_t record = (size_t)4 << (advise >> 1 & 3);

	if (in->layout == LAYOUT_COMPACT)
		return 8;
	if (!(advise & 1))
		return 16;
	return ((header + 8 + record - 1) & ~(record - 1)) - header;
}

/* The settings of the first algorithm. */
static void cut_zmap(struct cutting *cut, const struct image *img, const struct inode *in)
{
	size_t size = inode_size(img, in), header = (in->body + 7) & ~(size_t)7, left;
	const uint8_t *sb = superblock(img);
	struct unit unit = { .len = 0 };
	uint8_t inode[64] = { 0 };

	if (!in->size || (in->layout != LAYOUT_FULL && in->layout != LAYOUT_COMPACT))
		return;
	add8(&unit, img->blkbits - 9);
	add(&unit, sb + 24, 8);
	add(&unit, sb + 32, 4);
	add(&unit, sb + 40, 4);
	add(&unit, sb + 80, 4);
	add8(&unit, get32(sb + 80) & 2 ? get16(sb + 84) : 1);
	add(&unit, sb + 96, 8);
	add64(&unit, 1 << 20);
	add64(&unit, in->nid);
	memcpy(inode, at(img, in->offset, size), size);
	add(&unit, inode, sizeof(inode));
	add64(&unit, img->size);
	add(&unit, at(img, header, 8), 8);
	add64(&unit, 0);
	add8(&unit, 0);
	add8(&unit, 14);
	add(&unit, at(img, 1024 + SB_SIZE + 2, 14), 14);
	header += map_gap(img, in, header);
	left = img->size - header;
	add(&unit, at(img, header, 0), left < 128 ? left : 128);
	keep(cut, "zmap", &unit);
}

static void cut_dir(struct cutting *cut, const struct image *img, const struct inode *in)
{
	size_t blk = (size_t)1 << img->blkbits, len = in->size;
	size_t offset = (size_t)in->u << img->blkbits;
	struct unit unit = { .len = 0 };
	const uint8_t *block;

	/* A directory of a block and a tail would have to be reassembled. */
	if (in->layout == LAYOUT_INLINE && len >= blk)
		len = len / blk * blk;
	else if (in->layout == LAYOUT_INLINE)
		offset = in->body;
	if (len > 4 * blk)
		len = 4 * blk;
	block = at(img, offset, len);
	add8(&unit, 2);
	add(&unit, "..", 2);
	add8(&unit, blk > 4096 ? 255 : blk / 16 - 1);
	add(&unit, block, len);
	keep(cut, "dirent", &unit);
}

static void cut_xattrs(struct cutting *cut, const struct image *img, const struct inode *in)
{
	size_t body = in->offset + inode_size(img, in);
	int with_prefix;

	if (body == in->body)
		return;
	for (with_prefix = 0; with_prefix < 2; with_prefix++) {
		struct unit unit = { .len = 0 };

		add8(&unit, with_prefix);
		if (with_prefix) {
			add16(&unit, 4);
			add(&unit, "\1sha", 4);
		}
		add8(&unit, 1);
		add8(&unit, 5);
		add(&unit, "first", 5);
		add(&unit, at(img, body, in->body - body), in->body - body);
		keep(cut, "xattr", &unit);
	}
}

static void cut_all(const struct image *img, const struct inode *in, void *data)
{
	struct cutting *cut = data;

	cut_inode(cut, img, in);
	cut_xattrs(cut, img, in);
	if (S_ISREG(in->mode) || S_ISLNK(in->mode) || S_ISDIR(in->mode))
		cut_map(cut, img, in);
	cut_zmap(cut, img, in);
	if (S_ISDIR(in->mode))
		cut_dir(cut, img, in);
}

static void cut_sb(struct cutting *cut, const struct image *img)
{
	struct unit unit = { .len = 0 };

	add8(&unit, 12);
	add64(&unit, root_nid(img));
	add64(&unit, img->size);
	add(&unit, superblock(img), SB_SIZE);
	keep(cut, "sb", &unit);
}

static void cut_table(struct cutting *cut, const struct image *img)
{
	struct unit unit = { .len = 0 };
	unsigned int i;

	if (!devices(img))
		return;
	add8(&unit, img->blkbits - 9);
	add8(&unit, devices(img));
	add16(&unit, 1);
	add32(&unit, 1);
	add16(&unit, 0);
	add64(&unit, 1 << 20);
	for (i = 0; i < devices(img); i++)
		add(&unit, slot(img, i), SLOT_SIZE);
	keep(cut, "blobtab", &unit);
}

int main(int argc, char **argv)
{
	struct cutting cut;
	struct image img;

	if (argc != 3)
		errx(2, "usage: mkseeds IMAGE DIR");
	cut.name = strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1];
	cut.dir = argv[2];
	cut.nr = 0;
	img = read_image(argv[1]);
	if (root_nid(&img) & NID_METABOX && !img.box)
		errx(1, "%s: the root directory is in a compressed metabox", argv[1]);
	cut_sb(&cut, &img);
	cut_table(&cut, &img);
	walk_image(&img, cut_all, &cut);
	return 0;
}
