// SPDX-License-Identifier: GPL-2.0-only
/*
 * oddimage: images that mkfs.erofs cannot create.
 *
 * Modified copies of images, with the checksum updated:
 *
 *	copies IMAGE PREFIX NR    PREFIX0, PREFIX1, ...: with other UUIDs and volume names
 *	compat IMAGE OUT BITS     with these compatible features added
 *	nul IMAGE OUT TEXT        with a NUL in the middle of a text that must occur once
 *	tag IMAGE OUT SLOT TAG    with another tag in the device table; at most 64 bytes
 *	twice IMAGE OUT SLOT      every other chunk through a second slot with the same tag
 *	boxed IMAGE OUT           of one with a plain metabox: shared xattrs in the metabox, and
 *	                          not where they were
 *	over IMAGE OUT TAG        metadata with IMAGE as its data blob: blocks of files are
 *	                          at addresses of the flattened image
 *
 * A new image, of metadata only, with files of five chunks, for each chunk size from
 * one block to 1 GiB, whose first, middle and last chunks are holes; with 4 KiB blocks
 * also files of 2^63-1 bytes: one without data, and one with data in its first, middle
 * and last chunk. The directory has no ".". With blocks of 512 bytes it is a 48BIT
 * image, with a 64-bit root nid and 48-bit chunk addresses, and has a file with a block
 * number of more than 32 bits.
 *
 *	chunks OUT BLKBITS        the image; its blobs are odd-a, odd-b and odd-c
 *	blobs DIR                 those blobs, sparse
 *	check DIR                 compare the files of the mounted image
 */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define GIB_BITS	30
/* The largest chunk size of the format with 4 KiB blocks. */
#define HUGE_BITS	43
#define HUGE_SIZE	INT64_MAX
#define BLOBS		3
/* Block 2^33, with blocks of 512 bytes */
#define FAR_BITS	9
#define FAR		(1ULL << 42)
#define CHUNKS		5
#define MARK_SIZE	32

static const char *const blob_names[BLOBS] = { "odd-a", "odd-b", "odd-c" };

/* --- modified copies --- */

static int copies(char **arg)
{
	struct image img = read_image(arg[0]);
	unsigned int i, nr = strtoul(arg[2], NULL, 0);
	uint8_t *sb = superblock(&img);
	char path[4096];

	for (i = 0; i < nr; i++) {
		put32(sb + 48, i);
		memset(sb + 64, 0, 16);
		snprintf((char *)sb + 64, 16, "copy %u", i);
		snprintf(path, sizeof(path), "%s%u", arg[1], i);
		write_image(&img, path);
	}
	return 0;
}

static int compat(char **arg)
{
	struct image img = read_image(arg[0]);
	uint8_t *sb = superblock(&img);

	put32(sb + 8, get32(sb + 8) | strtoul(arg[2], NULL, 0));
	write_image(&img, arg[1]);
	return 0;
}

static int nul(char **arg)
{
	struct image img = read_image(arg[0]);
	size_t len = strlen(arg[2]);
	uint8_t *found = memmem(img.data, img.size, arg[2], len);

	if (!found || memmem(found + 1, img.data + img.size - found - 1, arg[2], len))
		errx(1, "%s: \"%s\" does not occur exactly once", arg[0], arg[2]);
	found[len / 2] = 0;
	write_image(&img, arg[1]);
	return 0;
}

static int tag(char **arg)
{
	struct image img = read_image(arg[0]);

	put_tag(slot(&img, strtoul(arg[2], NULL, 0)), arg[3]);
	write_image(&img, arg[1]);
	return 0;
}

struct twice {
	unsigned int from, to;
	bool other;
};

static void through_two(const struct image *img, const struct inode *in, void *data)
{
	struct twice *twice = data;
	uint64_t nr = 0;
	uint8_t *entry = chunks(img, in, &nr);

	for (; nr; nr--, entry += 8) {
		if (get32(entry + 4) == HOLE || get16(entry + 2) != twice->from)
			continue;
		if (twice->other)
			put16(entry + 2, twice->to);
		twice->other = !twice->other;
	}
}

static int twice(char **arg)
{
	struct image img = read_image(arg[0]);
	unsigned int from = strtoul(arg[2], NULL, 0), nr = nr_slots(&img);
	struct twice to = { .from = from + 1, .to = nr + 1 };
	uint8_t *old = malloc(nr * SLOT_SIZE);

	memcpy(old, slot(&img, 0), nr * SLOT_SIZE);
	new_table(&img, nr + 1);
	memcpy(slot(&img, 0), old, nr * SLOT_SIZE);
	memcpy(slot(&img, nr), old + from * SLOT_SIZE, SLOT_SIZE);
	walk_image(&img, through_two, &to);
	write_image(&img, arg[1]);
	return 0;
}

/* The bytes of a file that is not compressed, to @to. */
static void copy_flat(const struct image *img, const struct inode *in, uint8_t *to)
{
	size_t blk = (size_t)1 << img->blkbits;
	size_t tail = in->layout == LAYOUT_INLINE ? in->size % blk : 0, head = in->size - tail;

	if (in->layout != LAYOUT_PLAIN && in->layout != LAYOUT_INLINE)
		errx(1, "the metabox is compressed");
	memcpy(to, at(img, (size_t)in->u << img->blkbits, head), head);
	memcpy(to + head, at(img, in->body, tail), tail);
}

/*
 * The metabox moves to the end of the image, followed by a copy of the block that ids of shared
 * xattrs count from. They are between the superblock and the metabox inode, in that block.
 */
static int boxed(char **arg)
{
	struct image img = read_image(arg[0]);
	size_t blk = (size_t)1 << img.blkbits, len, end = (img.size + blk - 1) & ~(blk - 1);
	uint8_t *sb = superblock(&img);
	const uint8_t *shared = at(&img, (size_t)get32(sb + 44) << img.blkbits, blk);
	size_t old = SB_OFFSET + SB_SIZE + 16 * sb[13];
	struct inode in = get_inode(&img, get32(sb + 128));
	uint8_t *inode = at(&img, in.offset, 64);

	len = (in.size + blk - 1) & ~(blk - 1);
	if (!(get32(sb + 80) & INCOMPAT_METABOX) || in.offset <= old || in.offset > blk ||
	    end + len + blk - img.size > ROOM)
		errx(1, "%s: no metabox, or not where it is expected", arg[0]);
	copy_flat(&img, &in, img.data + end);
	memcpy(img.data + end + len, shared, blk);
	memset(img.data + old, 0xff, in.offset - old);
	img.size = end + len + blk;
	put16(inode, get16(inode) & ~0xe);
	put32(inode + 8, len + blk);
	put32(inode + 16, end >> img.blkbits);
	put32(sb + 8, get32(sb + 8) | COMPAT_SHARED_EA_IN_METABOX);
	put32(sb + 36, img.size >> img.blkbits);
	put32(sb + 44, len >> img.blkbits);
	write_image(&img, arg[1]);
	return 0;
}

static void move_away(const struct image *img, const struct inode *in, void *data)
{
	size_t blk = (size_t)1 << img->blkbits;
	bool has_data = S_ISREG(in->mode) || S_ISDIR(in->mode) || S_ISLNK(in->mode);

	if (has_data && (in->layout == LAYOUT_PLAIN ? in->size > 0 :
			 in->layout == LAYOUT_INLINE && in->size >= blk))
		put32(at(img, in->offset + 16, 4), in->u + *(uint32_t *)data);
}

static int over(char **arg)
{
	struct image img = read_image(arg[0]);
	uint32_t blocks = img.size >> img.blkbits, uniaddr;

	new_table(&img, 1);
	uniaddr = img.size >> img.blkbits;
	put_tag(slot(&img, 0), arg[2]);
	put32(slot(&img, 0) + 64, blocks);
	put32(slot(&img, 0) + 68, uniaddr);
	put32(superblock(&img) + 36, uniaddr + blocks);
	walk_image(&img, move_away, &uniaddr);
	write_image(&img, arg[1]);
	return 0;
}

/* --- new images --- */

/* Blob and offset of a chunk; blob -1: a hole. */
struct place {
	int blob;
	uint64_t from;
};

struct file {
	char name[32];
	unsigned int chunkbits;
	uint64_t size;
	uint64_t nid;
};

/* The files of an image with this block size, sorted by name. */
static unsigned int list_files(unsigned int blkbits, struct file *files)
{
	unsigned int bits, nr = 0;

	for (bits = blkbits; bits <= GIB_BITS; bits++, nr++) {
		snprintf(files[nr].name, sizeof(files[nr].name), "chunk-%02u", bits);
		files[nr].chunkbits = bits;
		files[nr].size = ((uint64_t)CHUNKS << bits) - 100;
	}
	if (blkbits == 12) {
		files[nr++] = (struct file){ "max-ends", HUGE_BITS, HUGE_SIZE, 0 };
		files[nr++] = (struct file){ "max-hole", HUGE_BITS, HUGE_SIZE, 0 };
	}
	if (blkbits == FAR_BITS)
		files[nr++] = (struct file){ "far", GIB_BITS, (1ULL << GIB_BITS) - 100, 0 };
	return nr;
}

static uint64_t nr_chunks(const struct file *file)
{
	return ((file->size - 1) >> file->chunkbits) + 1;
}

static struct place place_of(const struct file *file, uint64_t chunk)
{
	uint64_t from = 1ULL << file->chunkbits, nr = nr_chunks(file);

	if (file->chunkbits == HUGE_BITS) {
		bool data = chunk == 0 || chunk == nr / 2 || chunk == nr - 1;

		return (struct place){ data && strcmp(file->name, "max-hole") ? 0 : -1, 0 };
	}
	if (!strcmp(file->name, "far"))
		return (struct place){ 0, FAR };
	/* Blobs in descending order, and offsets that differ from those in the file. */
	switch (chunk) {
	case 1: return (struct place){ 2, from };
	case 3: return (struct place){ 1, 0 };
	default: return (struct place){ -1, 0 };
	}
}

/* Device ids are 1-based: a blob's slot plus one. */
static void put_chunks(uint8_t *p, unsigned int blkbits, const struct file *file)
{
	uint64_t i, nr = nr_chunks(file);

	for (i = 0; i < nr; i++, p += 8) {
		struct place place = place_of(file, i);

		put32(p, place.blob < 0 ? 0 : (place.blob + 1) << 16);
		put32(p + 4, place.blob < 0 ? HOLE : place.from >> blkbits);
		if (blkbits == FAR_BITS)
			put16(p, place.blob < 0 ? 0xffff : place.from >> blkbits >> 32);
	}
}

static void put_inode(uint8_t *p, uint16_t format, uint16_t mode, uint64_t size, uint32_t u)
{
	put16(p, format);
	put16(p + 4, mode);
	put64(p + 8, size);
	put32(p + 16, u);
	put32(p + 44, S_ISDIR(mode) ? 2 : 1);
}

/* Return: number of names that fit a block; their bytes in *len. */
static unsigned int fill_dirents(uint8_t *p, size_t blk, const struct file *files,
				 unsigned int nr, size_t *len)
{
	unsigned int fit, i;
	size_t nameoff;

	*len = 0;
	for (fit = 0; fit < nr && *len + 12 + strlen(files[fit].name) <= blk; fit++)
		*len += 12 + strlen(files[fit].name);
	nameoff = 12 * fit;
	for (i = 0; i < fit; i++, p += 12) {
		put64(p, files[i].nid);
		put16(p + 8, nameoff);
		p[10] = strcmp(files[i].name, "..") ? 1 : 2;
		memcpy(p - 12 * i + nameoff, files[i].name, strlen(files[i].name));
		nameoff += strlen(files[i].name);
	}
	return fit;
}

static uint64_t put_dir(struct image *img, size_t offset, const struct file *files,
			unsigned int nr)
{
	size_t blk = (size_t)1 << img->blkbits, len = 0, size = 0;

	while (nr) {
		unsigned int fit = fill_dirents(img->data + offset, blk, files, nr, &len);

		size += nr > fit ? blk : len;
		offset += blk;
		files += fit;
		nr -= fit;
	}
	return size;
}

static int chunk_image(char **arg)
{
	unsigned int blkbits = strtoul(arg[1], NULL, 0), i, nr;
	size_t blk = (size_t)1 << blkbits, offset, dir;
	struct image img = { .blkbits = blkbits };
	struct file files[64] = { 0 };
	uint8_t *sb;

	/* The root is its own parent; ".." sorts first. */
	files[0] = (struct file){ "..", 0, 0, (SB_OFFSET + SB_SIZE + BLOBS * SLOT_SIZE) / 32 };
	nr = 1 + list_files(blkbits, files + 1);
	/* Layout: superblock, table, the root's inode, the files' inodes with their chunks. */
	offset = SB_OFFSET + SB_SIZE + BLOBS * SLOT_SIZE + 64;
	for (i = 1; i < nr; i++) {
		files[i].nid = offset / 32;
		offset = (offset + 64 + nr_chunks(&files[i]) * 8 + 31) & ~(size_t)31;
	}
	dir = (offset + blk - 1) & ~(blk - 1);
	img.size = dir + nr * blk;
	img.data = calloc(1, img.size);
	if (!img.data)
		err(1, NULL);

	sb = superblock(&img);
	put32(sb, SB_MAGIC);
	put32(sb + 8, COMPAT_CHKSUM);
	sb[12] = blkbits;
	put16(sb + 14, blkbits == FAR_BITS ? 0 : files[0].nid);
	put64(sb + 112, blkbits == FAR_BITS ? files[0].nid : 0);
	put64(sb + 16, nr);
	put32(sb + 36, img.size >> blkbits);
	put32(sb + 80, INCOMPAT_CHUNKS | INCOMPAT_DEVICES |
		      (blkbits == FAR_BITS ? INCOMPAT_48BIT : 0));
	put16(sb + 86, BLOBS);
	put16(sb + 88, (SB_OFFSET + SB_SIZE) / SLOT_SIZE);
	for (i = 0; i < BLOBS; i++)
		put_tag(slot(&img, i), blob_names[i]);
	for (i = 1; i < nr; i++) {
		uint8_t *p = img.data + files[i].nid * 32;

		put_inode(p, 1 | LAYOUT_CHUNK << 1, S_IFREG | 0644, files[i].size,
			  CHUNK_INDEXES | (blkbits == FAR_BITS ? CHUNK_48BIT : 0) |
			  (files[i].chunkbits - blkbits));
		put_chunks(p + 64, blkbits, &files[i]);
	}
	/* 0x10: no "." */
	put_inode(img.data + files[0].nid * 32, 1 | LAYOUT_PLAIN << 1 | 0x10, S_IFDIR | 0755,
		  put_dir(&img, dir, files, nr), dir >> blkbits);
	write_image(&img, arg[0]);
	return 0;
}

/* --- the blobs: zeroes, except for marks with their offset --- */

static void mark(char text[MARK_SIZE + 1], int blob, uint64_t offset)
{
	snprintf(text, MARK_SIZE + 1, "%-31s", "");
	text[snprintf(text, MARK_SIZE, "%s at %llu", blob_names[blob],
		      (unsigned long long)offset)] = ' ';
	text[MARK_SIZE - 1] = '\n';
}

static void put_mark(int fd, int blob, uint64_t offset)
{
	char text[MARK_SIZE + 1];

	mark(text, blob, offset);
	if (pwrite(fd, text, MARK_SIZE, offset) != MARK_SIZE)
		err(1, "%s at %llu", blob_names[blob], (unsigned long long)offset);
}

/* Marks: at byte 0, and for each chunk size at its start and in its middle. */
static int blobs(char **arg)
{
	static const uint64_t sizes[BLOBS] = {
		1ULL << HUGE_BITS, 2ULL << GIB_BITS, 2ULL << GIB_BITS
	};
	char path[4096];
	int blob, fd, bits;

	for (blob = 0; blob < BLOBS; blob++) {
		snprintf(path, sizeof(path), "%s/%s", arg[0], blob_names[blob]);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0 || ftruncate(fd, sizes[blob]))
			err(1, "%s", path);
		put_mark(fd, blob, 0);
		for (bits = 8; bits <= GIB_BITS; bits++) {
			put_mark(fd, blob, 1ULL << bits);
			put_mark(fd, blob, 3ULL << (bits - 1));
		}
		if (!blob) {
			put_mark(fd, blob, FAR);
			put_mark(fd, blob, FAR + (1ULL << (GIB_BITS - 1)));
		}
		/* Before the last byte, as a file of 2^63-1 bytes lacks the last one. */
		put_mark(fd, blob, sizes[blob] - 2 * MARK_SIZE);
		if (close(fd))
			err(1, "%s", path);
	}
	return 0;
}

/* --- check of the mounted image --- */

static int failures;

static void bad(const char *name, const char *what, uint64_t offset)
{
	printf("%s: %s at %llu\n", name, what, (unsigned long long)offset);
	failures++;
}

/* The file has this mark at an offset; blob -1: zeroes. */
static void check_mark(int fd, const char *name, uint64_t offset, int blob, uint64_t from)
{
	char wanted[MARK_SIZE + 1] = "", got[MARK_SIZE];

	if (blob >= 0)
		mark(wanted, blob, from);
	if (pread(fd, got, MARK_SIZE, offset) != MARK_SIZE)
		bad(name, "read failed", offset);
	else if (memcmp(got, wanted, MARK_SIZE))
		bad(name, "wrong data", offset);
}

/* lseek(2) from within a chunk agrees with the chunks. */
static void check_seek(int fd, const struct file *file, uint64_t first)
{
	uint64_t nr = nr_chunks(file), i;
	off_t from = (first << file->chunkbits) + 77, data = -1, hole = -1;

	for (i = first; i < nr && (data < 0 || hole < 0); i++) {
		off_t start = i == first ? from : (off_t)(i << file->chunkbits);

		if (place_of(file, i).blob < 0 && hole < 0)
			hole = start;
		if (place_of(file, i).blob >= 0 && data < 0)
			data = start;
	}
	if (hole < 0)
		hole = file->size;
	if (lseek(fd, from, SEEK_DATA) != data || (data < 0 && errno != ENXIO))
		bad(file->name, "SEEK_DATA", from);
	if (lseek(fd, from, SEEK_HOLE) != hole)
		bad(file->name, "SEEK_HOLE", from);
}

static void check_chunk(int fd, const struct file *file, uint64_t i)
{
	uint64_t start = i << file->chunkbits, half = 1ULL << (file->chunkbits - 1);
	struct place place = place_of(file, i);

	check_mark(fd, file->name, start, place.blob, place.from);
	if (file->chunkbits <= GIB_BITS) {
		check_mark(fd, file->name, start + half, place.blob, place.from + half);
	} else {
		uint64_t end = (2 * half) - 2 * MARK_SIZE;

		check_mark(fd, file->name, start + end, place.blob, end);
	}
	check_seek(fd, file, i);
}

static void check_end(int fd, const struct file *file)
{
	uint64_t from = file->size - 10;
	char buf[100];

	/* Offsets end at 2^63-1: a longer read is not possible there. */
	if (pread(fd, buf, file->size == HUGE_SIZE ? 10 : sizeof(buf), from) != 10)
		bad(file->name, "wrong end of file", from);
	if (file->size != HUGE_SIZE && pread(fd, buf, 1, file->size) != 0)
		bad(file->name, "data past the end", file->size);
}

static void check_file(int dir, const struct file *file)
{
	uint64_t nr = nr_chunks(file), i;
	int fd = openat(dir, file->name, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", file->name);
	if ((uint64_t)st.st_size != file->size)
		bad(file->name, "wrong size", st.st_size);
	/* All chunks of a small file, or those that may have data. */
	for (i = 0; i < nr; i++)
		if (i < 2 || i + 2 >= nr || nr == CHUNKS || (i >= nr / 2 - 1 && i <= nr / 2 + 1))
			check_chunk(fd, file, i);
	check_end(fd, file);
	close(fd);
}

static int check(char **arg)
{
	int dir = open(arg[0], O_RDONLY | O_DIRECTORY);
	struct file files[64];
	unsigned int i, nr;
	struct stat st;

	if (dir < 0 || fstat(dir, &st))
		err(1, "%s", arg[0]);
	nr = list_files(__builtin_ctz(st.st_blksize), files);
	for (i = 0; i < nr; i++)
		check_file(dir, &files[i]);
	printf("%u files, %d failures\n", nr, failures);
	return failures != 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "copies", 3, copies },
	{ "compat", 3, compat },
	{ "nul", 3, nul },
	{ "tag", 4, tag },
	{ "twice", 3, twice },
	{ "boxed", 2, boxed },
	{ "over", 3, over },
	{ "chunks", 2, chunk_image },
	{ "blobs", 1, blobs },
	{ "check", 1, check },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].args + 2 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the head of oddimage.c\n");
	return 2;
}
