// SPDX-License-Identifier: GPL-2.0-only
/*
 * mutate: mount randomly changed images, and use everything in them.
 *
 *	mutate SEED FIRST STRIDE NR BLOBS DIR IMAGE...
 *
 * Runs NR steps FIRST, FIRST + STRIDE, ...: each changes 1 to 16 bytes of the next
 * image, most of them metadata, writes it to the directory BLOBS that a daemon serves,
 * and mounts it on DIR in its own domain. Then it walks the tree: listings, xattrs,
 * data, holes, extents, symlink targets; and file handles for arbitrary inode numbers.
 * Any error and any data are accepted. Crashes and hangs are reported with their step,
 * which SEED and FIRST repeat.
 *
 *	mutate make SEED STEP IMAGE OUT    only write the image of that step
 */
#include "../images/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define IMAGES_MAX	32
#define BYTES_MAX	16
/*
 * Time limits in seconds, for the walk of one image, and after which it hangs. fts(3)
 * lists a directory completely, with a stat of each entry, before the first is used: ten
 * thousand entries may exceed the limit of the walk on slow hosts.
 */
#define WALK_TIME	4
#define HANG_TIME	300
/* Limits of data to read, for a file and for an image. */
#define FILE_MAX	(128U << 10)
#define DATA_MAX	(1U << 20)
#define CHUNK		16384
/* Number of file handles for an image. */
#define HANDLES		40

/* --- regions of metadata --- */

enum kind { SUPERBLOCK, TABLE, INODES, XATTRS, SHARED, CHUNKS, DIRENTS, KINDS };

struct region {
	size_t offset, len;
};

struct regions {
	struct region *r[KINDS];
	size_t nr[KINDS];
};

struct source {
	struct image img;
	struct regions regions;
};

static void add_region(struct regions *all, enum kind kind, size_t offset, size_t len)
{
	size_t nr = all->nr[kind];

	if (!len)
		return;
	if (!(nr & (nr - 1))) {
		all->r[kind] = realloc(all->r[kind], (nr ? 2 * nr : 1) * sizeof(*all->r[kind]));
		if (!all->r[kind])
			err(1, NULL);
	}
	all->r[kind][all->nr[kind]++] = (struct region) { offset, len };
}

static void add_inode(const struct image *img, const struct inode *in, void *data)
{
	size_t size = get16(at(img, in->offset, 2)) & 1 ? 64 : 32;
	size_t blocks = (size_t)in->u << img->blkbits;
	struct regions *all = data;

	add_region(all, INODES, in->offset, size);
	add_region(all, XATTRS, in->offset + size, in->body - in->offset - size);
	if (in->layout == LAYOUT_CHUNK)
		/* An array of one or more entries, of a few in most cases. */
		add_region(all, CHUNKS, (in->body + 7) & ~(size_t)7, 32);
	else if (in->layout == LAYOUT_FULL || in->layout == LAYOUT_COMPACT)
		/* The map's header, its entries, and often some bytes after them. */
		add_region(all, CHUNKS, (in->body + 7) & ~(size_t)7,
			   24 + 4 * (size_t)(in->size >> img->blkbits));
	else if (S_ISDIR(in->mode) && in->layout == LAYOUT_INLINE && in->size >> img->blkbits == 0)
		add_region(all, DIRENTS, in->body, in->size);
	else if (S_ISDIR(in->mode))
		add_region(all, DIRENTS, blocks, in->size >> img->blkbits << img->blkbits);
}

static struct source read_source(const char *path)
{
	struct source src = { .img = read_image(path) };
	const uint8_t *sb = superblock(&src.img);

	add_region(&src.regions, SUPERBLOCK, SB_OFFSET, SB_SIZE);
	if (get32(sb + 80) & INCOMPAT_DEVICES)
		add_region(&src.regions, TABLE, get16(sb + 88) * SLOT_SIZE,
			   nr_slots(&src.img) * SLOT_SIZE);
	add_region(&src.regions, SHARED, (size_t)get32(sb + 44) << src.img.blkbits, 1024);
	walk_image(&src.img, add_inode, &src.regions);
	return src;
}

/* --- the changes --- */

static uint64_t state;

static uint64_t next(void)
{
	uint64_t v = state += 0x9e3779b97f4a7c15ULL;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ULL;
	v = (v ^ v >> 27) * 0x94d049bb133111ebULL;
	return v ^ v >> 31;
}

static uint64_t below(uint64_t limit)
{
	return limit ? next() % limit : 0;
}

/*
 * Most changes are of metadata, in inodes and dirents in particular. A change of the
 * superblock usually fails the mount, and hides the effect of the others: make it rare.
 */
static size_t place(const struct source *src)
{
	enum kind kind = below(KINDS + 2);
	const struct region *r;

	if (kind >= KINDS || (kind == SUPERBLOCK && below(4)))
		kind = below(2) ? INODES : DIRENTS;
	if (!below(8) || !src->regions.nr[kind])
		return below(src->img.size);
	r = &src->regions.r[kind][below(src->regions.nr[kind])];
	return r->offset + below(r->len);
}

static void change_byte(uint8_t *p)
{
	switch (below(5)) {
	case 0:
		*p ^= 1 << below(8);
		break;
	case 1:
		*p = below(256);
		break;
	case 2:
		*p += below(2) ? 1 : -1;
		break;
	case 3:
		*p = 0;
		break;
	default:
		*p = 0xff;
	}
}

/* One byte, or a field of several bytes that get the same value. */
static unsigned int change(const struct source *src, struct image *img)
{
	size_t offset = place(src), len = below(4) ? 1 : 2 << below(3);

	if (offset >= img->size)
		return 1;
	if (len > img->size - offset)
		len = 1;
	if (len == 1)
		change_byte(img->data + offset);
	else
		memset(img->data + offset, below(2) ? 0xff : below(256), len);
	return len;
}

/* A pure function of the seed and the step. The checksum is updated in most cases. */
static void make_mutant(const struct source *src, uint64_t seed, uint64_t step, const char *path)
{
	struct image img = src->img;
	unsigned int left;

	state = seed * 0x2545f4914f6cdd1dULL ^ step;
	img.data = malloc(img.size + ROOM);
	if (!img.data)
		err(1, NULL);
	memcpy(img.data, src->img.data, img.size);
	left = 1 + below(1 + below(BYTES_MAX));
	while (left) {
		unsigned int done = change(src, &img);

		left -= done < left ? done : left;
	}
	if (!below(32))
		img.size = SB_OFFSET + SB_SIZE + below(img.size - SB_OFFSET - SB_SIZE);
	/* The checksum covers the first block, which must be complete. */
	if (below(8) && img.size >= SB_OFFSET + ((size_t)1 << img.blkbits))
		write_image(&img, path);
	else
		write_file(path, img.data, img.size);
	free(img.data);
}

/* --- the use of a mounted image --- */

struct counts {
	unsigned long mounted, rejected, entries, errors, bytes, values, handles, unfinished;
};

static struct counts *counts;	/* shared with the children */
static unsigned long data_read;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Counts a failed call; returns its result. */
static ssize_t got(ssize_t n)
{
	counts->errors += n < 0;
	return n;
}

static void use_xattrs(const char *path)
{
	static char names[65536], value[65536];
	ssize_t len = got(llistxattr(path, names, sizeof(names))), at;

	for (at = 0; at < len; at += strlen(names + at) + 1) {
		got(lgetxattr(path, names + at, value, sizeof(value)));
		counts->values++;
	}
	lgetxattr(path, "user.no-such", value, sizeof(value));
	lgetxattr(path, "system.posix_acl_access", value, sizeof(value));
}

static void read_at(int fd, off_t pos)
{
	static char buf[CHUNK];
	ssize_t n = got(pread(fd, buf, sizeof(buf), pos));

	if (n > 0) {
		counts->bytes += n;
		data_read += n;
	}
}

static void use_data(int fd, off_t size)
{
	off_t pos;
	int i;

	for (pos = 0; pos < size && pos < FILE_MAX && data_read < DATA_MAX; pos += CHUNK)
		read_at(fd, pos);
	read_at(fd, size > CHUNK ? size - CHUNK : 0);
	for (i = 0; i < 3; i++)
		read_at(fd, below(size + 1));
}

static sigjmp_buf no_page;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(no_page, 1);
}

/* One page, by a page fault: an error is a SIGBUS. */
static void use_mapping(int fd, off_t size)
{
	off_t pos = below(size + 1) & ~(off_t)(getpagesize() - 1);
	volatile char *p = mmap(NULL, getpagesize(), PROT_READ, MAP_PRIVATE, fd, pos);

	if (p == MAP_FAILED)
		return;
	if (sigsetjmp(no_page, 1))
		counts->errors += pos < size;
	else
		(void)*p;
	munmap((void *)p, getpagesize());
}

static void use_holes(int fd)
{
	off_t pos = 0;
	int i;

	for (i = 0; i < 64; i++) {
		pos = lseek(fd, pos, i % 2 ? SEEK_HOLE : SEEK_DATA);
		if (pos < 0) {
			counts->errors += errno != ENXIO;
			return;
		}
	}
}

static void use_extents(int fd)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extents[32];
	} f;

	memset(&f, 0, sizeof(f));
	f.map.fm_length = FIEMAP_MAX_OFFSET;
	f.map.fm_extent_count = 32;
	got(ioctl(fd, FS_IOC_FIEMAP, &f.map));
}

/* Closes @fd. */
static void use_fd(int fd)
{
	struct stat st;

	if (got(fd) < 0)
		return;
	if (!got(fstat(fd, &st)) && S_ISREG(st.st_mode)) {
		use_data(fd, st.st_size);
		use_mapping(fd, st.st_size);
		use_holes(fd);
		use_extents(fd);
	}
	close(fd);
}

static void use_link(const char *path)
{
	char target[8192];

	got(readlink(path, target, sizeof(target)));
}

static void use_dir(const char *path)
{
	DIR *dir = opendir(path);
	char none[8192];
	struct stat st;

	if (got(dir ? 0 : -1))
		return;
	while ((errno = 0, readdir(dir)))
		;
	got(errno ? -1 : 0);
	closedir(dir);
	snprintf(none, sizeof(none), "%s/no such name %u", path, (unsigned int)below(1000));
	lstat(none, &st);
}

static void use_entry(const FTSENT *ent)
{
	counts->entries++;
	if (ent->fts_info == FTS_NS || ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR) {
		counts->errors++;
		return;
	}
	use_xattrs(ent->fts_accpath);
	if (S_ISDIR(ent->fts_statp->st_mode))
		use_dir(ent->fts_accpath);
	else if (S_ISREG(ent->fts_statp->st_mode))
		use_fd(open(ent->fts_accpath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
	else if (S_ISLNK(ent->fts_statp->st_mode))
		use_link(ent->fts_accpath);
}

static uint64_t order_of(const char *name)
{
	uint64_t h = state;

	while (*name)
		h = (h ^ (uint8_t)*name++) * 0x100000001b3ULL;
	return h;
}

/* In a different order each time, as there may not be enough time for all. */
static int by_hash(const FTSENT **a, const FTSENT **b)
{
	uint64_t x = order_of((*a)->fts_name), y = order_of((*b)->fts_name);

	return x < y ? -1 : x > y;
}

static void use_tree(char *root)
{
	char *roots[] = { root, NULL };
	double end = now() + WALK_TIME;
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_hash);
	FTSENT *ent;

	if (!fts)
		err(1, "%s", root);
	while ((ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DP)
			continue;
		use_entry(ent);
		if (now() > end) {
			counts->unfinished++;
			break;
		}
	}
	fts_close(fts);
}

/* A handle can make anything an inode, by its number: high word, low word. */
static void use_handles(const char *root)
{
	struct {
		struct file_handle head;
		uint32_t words[32];
	} h = { .head.handle_bytes = sizeof(h.words) };
	int dir = open(root, O_RDONLY | O_DIRECTORY), id, i;
	uint32_t words[2];

	if (dir < 0 || name_to_handle_at(dir, "", &h.head, &id, AT_EMPTY_PATH)) {
		counts->errors++;
		if (dir >= 0)
			close(dir);
		return;
	}
	for (i = 0; i < HANDLES; i++) {
		words[0] = below(8) ? 0 : next();
		/* A number within the image in most cases. */
		words[1] = below(8) ? below(65536) >> below(10) : next();
		memcpy(h.head.f_handle, words, sizeof(words));
		use_fd(open_by_handle_at(dir, &h.head, O_RDONLY | O_NONBLOCK));
		counts->handles++;
	}
	close(dir);
}

/* If the kernel crashes, the console has the step. */
static void announce(uint64_t step)
{
	FILE *log = fopen("/dev/kmsg", "w");

	if (!log)
		return;
	fprintf(log, "mutate: step %llu\n", (unsigned long long)step);
	fclose(log);
}

/* In a child, which may be killed. */
static void use_image(uint64_t step, char *dir)
{
	char options[128];

	announce(step);
	snprintf(options, sizeof(options), "fsid=m%llu,domain_id=d%llu",
		 (unsigned long long)step, (unsigned long long)step);
	if (mount("none", dir, "erofs_od", MS_RDONLY | MS_NODEV | MS_NOSUID, options)) {
		/* ENOENT is expected: a changed tag may name no blob. */
		if (errno == ENOTCONN || errno == EBUSY || errno == ENODEV)
			err(1, "mount");
		counts->rejected++;
		exit(0);
	}
	counts->mounted++;
	use_tree(dir);
	use_handles(dir);
	if (umount(dir))
		err(1, "umount");
	exit(0);
}

/* --- steps --- */

static bool ended(pid_t child, int *status, double seconds)
{
	double end = now() + seconds;

	while (waitpid(child, status, WNOHANG) == 0) {
		if (now() > end)
			return false;
		usleep(2000);
	}
	return true;
}

/* Returns the kind of failure, or NULL. */
static const char *try_image(uint64_t step, char *dir)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		err(1, "fork");
	if (!child)
		use_image(step, dir);
	if (!ended(child, &status, HANG_TIME)) {
		kill(child, SIGKILL);
		return ended(child, &status, 10) ? "hangs" : "hangs, and cannot be killed";
	}
	if (WIFSIGNALED(status))
		return strsignal(WTERMSIG(status));
	return WEXITSTATUS(status) ? "cannot be used" : NULL;
}

static int run(char **arg, int images)
{
	uint64_t seed = strtoull(arg[0], NULL, 0), first = strtoull(arg[1], NULL, 0);
	uint64_t stride = strtoull(arg[2], NULL, 0), nr = strtoull(arg[3], NULL, 0), i;
	struct source sources[IMAGES_MAX];
	const char *wrong = NULL;
	char path[4096];

	signal(SIGBUS, on_sigbus);
	for (i = 0; i < (uint64_t)images; i++)
		sources[i] = read_source(arg[6 + i]);
	for (i = 0; i < nr && !wrong; i++) {
		uint64_t step = first + i * stride;
		unsigned int which = step % images;

		snprintf(path, sizeof(path), "%s/m%llu", arg[4], (unsigned long long)step);
		make_mutant(&sources[which], seed, step, path);
		wrong = try_image(step, arg[5]);
		if (wrong)
			printf("seed %llu step %llu, of %s: %s\n", (unsigned long long)seed,
			       (unsigned long long)step, arg[6 + which], wrong);
		unlink(path);
	}
	printf("%lu rejected, %lu mounted: %lu entries, %lu values, %lu handles, %lu KiB, ",
	       counts->rejected, counts->mounted, counts->entries, counts->values,
	       counts->handles, counts->bytes >> 10);
	printf("%lu errors, %lu unfinished\n", counts->errors, counts->unfinished);
	return wrong != NULL;
}

static int make(char **arg)
{
	struct source src = read_source(arg[2]);

	make_mutant(&src, strtoull(arg[0], NULL, 0), strtoull(arg[1], NULL, 0), arg[3]);
	return 0;
}

int main(int argc, char **argv)
{
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (counts == MAP_FAILED)
		err(1, "mmap");
	if (argc == 6 && !strcmp(argv[1], "make"))
		return make(argv + 2);
	if (argc < 8 || argc > 7 + IMAGES_MAX)
		errx(2, "usage: see the head of mutate.c");
	return run(argv + 1, argc - 7);
}
