// SPDX-License-Identifier: GPL-2.0-only
/*
 * oddriver: operations of guest tests that a shell cannot do, or only slowly.
 *
 *	cut IMAGE DIR STEP FIRST     create DIR/t0, DIR/t1, ...: the prefixes of FIRST,
 *	                        FIRST + STEP, ... bytes, less than the image; print their number
 *	flip IMAGE DIR STEP FIRST f  create DIR/f0, DIR/f1, ...: copies with the byte at FIRST,
 *	                        FIRST + STEP, ... inverted; print their number
 *	flip IMAGE DIR STEP FIRST b  create DIR/b0, DIR/b1, ...: the same with one bit of it
 *	mounts PREFIX FIRST NR OPTIONS GOOD DIR
 *	                        mount each of PREFIX<FIRST..> on DIR, read all, unmount; print
 *	                        the numbers of rejected, mounted and wrong images: those read
 *	                        without an error whose sum is not GOOD
 *	sum DIR                 print the sum of a tree, see `mounts`
 *	readers FILE OFFSET NR  NR threads read the same block at once, and must get the same
 *	sequential FILE         read it to the end, print the MB/s
 *	misses FILE STEP        read 4096 bytes every STEP bytes, each after a pause; print the
 *	                        fastest time and the median, in microseconds
 *	wait-readers FILE NR    NR processes read the file; print the result of each
 *	where FILE OFFSET       print the physical address of that byte, from FIEMAP
 *	stripes DIR STEP        read a block at every other multiple of STEP of each file, with
 *	                        direct I/O; print the number of blocks
 *	confined FILE GOOD FROM TO    FILE must equal GOOD, except for the pages of this range;
 *	                        print the state of these: same, different or an error
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		sum = (sum ^ *p++) * 0x100000001b3ULL;
	return sum;
}

static uint64_t mix_file(uint64_t sum, const char *path, int *error)
{
	char buf[16384];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_NOFOLLOW);

	if (fd < 0) {
		*error = errno;
		return sum;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum = mix(sum, buf, n);
	if (n < 0)
		*error = errno;
	close(fd);
	return sum;
}

static uint64_t mix_link(uint64_t sum, const char *path, int *error)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0) {
		*error = errno;
		return sum;
	}
	return mix(sum, target, n);
}

/* fts_read() does not distinguish a failed listing from the end. */
static void list_dir(const char *path, int *error)
{
	DIR *dir = opendir(path);

	if (!dir) {
		*error = errno;
		return;
	}
	while ((errno = 0, readdir(dir)))
		;
	if (errno)
		*error = errno;
	closedir(dir);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Sets *error to an errno, if any; otherwise equal trees have equal sums. */
static uint64_t sum_tree(char *root, int *error)
{
	char *roots[] = { root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	uint64_t sum = 0xcbf29ce484222325ULL;
	FTSENT *ent;

	if (!fts)
		err(1, "%s", root);
	while ((errno = 0, ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DP)
			continue;
		if (ent->fts_info == FTS_NS || ent->fts_info == FTS_DNR ||
		    ent->fts_info == FTS_ERR) {
			*error = ent->fts_errno;
			continue;
		}
		sum = mix(sum, ent->fts_path + strlen(root),
			  ent->fts_pathlen - strlen(root));
		sum = mix(sum, &ent->fts_statp->st_mode, sizeof(ent->fts_statp->st_mode));
		if (S_ISDIR(ent->fts_statp->st_mode))
			list_dir(ent->fts_accpath, error);
		else if (S_ISREG(ent->fts_statp->st_mode))
			sum = mix_file(sum, ent->fts_accpath, error);
		else if (S_ISLNK(ent->fts_statp->st_mode))
			sum = mix_link(sum, ent->fts_accpath, error);
	}
	if (errno)
		*error = errno;
	fts_close(fts);
	return sum;
}

static void write_file(const char *dir, char kind, size_t n, const char *data, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%c%zu", dir, kind, n);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		err(1, "%s", path);
}

static char *read_image(const char *path, size_t *size)
{
	struct stat st;
	char *data;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	data = malloc(st.st_size);
	if (!data || read(fd, data, st.st_size) != st.st_size)
		err(1, "%s", path);
	close(fd);
	*size = st.st_size;
	return data;
}

static int cut(char **arg)
{
	size_t step = strtoul(arg[2], NULL, 0), at, size, n = 0;
	char *data = read_image(arg[0], &size);

	for (at = strtoul(arg[3], NULL, 0); at < size; at += step)
		write_file(arg[1], 't', n++, data, at);
	printf("%zu\n", n);
	return 0;
}

static int flip(char **arg)
{
	size_t step = strtoul(arg[2], NULL, 0), at, size, n = 0;
	bool whole = arg[4][0] == 'f';
	char *data = read_image(arg[0], &size);

	for (at = strtoul(arg[3], NULL, 0); at < size; at += step) {
		/* A different bit than in the neighbouring bytes. */
		int mask = whole ? 0xff : 1 << at * 3 % 8;

		data[at] ^= mask;
		write_file(arg[1], arg[4][0], n++, data, size);
		data[at] ^= mask;
	}
	printf("%zu\n", n);
	return 0;
}

static int mounts(char **arg)
{
	unsigned long first = strtoul(arg[1], NULL, 0), nr = strtoul(arg[2], NULL, 0);
	uint64_t good = strtoull(arg[4], NULL, 16), sum;
	unsigned long mounted = 0, rejected = 0, wrong = 0, i;
	char *dir = arg[5];
	char options[512];
	int error;

	for (i = first; i < first + nr; i++) {
		snprintf(options, sizeof(options), "fsid=%s%lu,%s", arg[0], i, arg[3]);
		if (mount("none", dir, "erofs_od", MS_RDONLY, options)) {
			if (errno == ENOENT || errno == ENOTCONN || errno == EBUSY ||
			    errno == ENODEV)
				errx(1, "%s%lu: %s", arg[0], i, strerror(errno));
			rejected++;
			continue;
		}
		mounted++;
		error = 0;
		sum = sum_tree(dir, &error);
		if (!error && sum != good) {
			printf("wrong: %s%lu\n", arg[0], i);
			wrong++;
		}
		if (umount(dir))
			err(1, "umount of %s%lu", arg[0], i);
	}
	printf("%lu rejected, %lu mounted, %lu wrong\n", rejected, mounted, wrong);
	return 0;
}

static int sum(char **arg)
{
	int error = 0;
	uint64_t value = sum_tree(arg[0], &error);

	if (error)
		errx(1, "%s: %s", arg[0], strerror(error));
	printf("%016llx\n", (unsigned long long)value);
	return 0;
}

struct reader {
	pthread_t thread;
	pthread_barrier_t *start;
	int fd;
	off_t offset;
	ssize_t got;
	char buf[BLOCK];
};

static void *read_block(void *data)
{
	struct reader *reader = data;

	pthread_barrier_wait(reader->start);
	reader->got = pread(reader->fd, reader->buf, BLOCK, reader->offset);
	if (reader->got < 0)
		reader->got = -errno;
	return NULL;
}

static int readers(char **arg)
{
	int nr = atoi(arg[2]), i, bad = 0;
	struct reader *all = calloc(nr, sizeof(*all));
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, nr);
	for (i = 0; i < nr; i++) {
		all[i].start = &start;
		all[i].offset = strtoll(arg[1], NULL, 0);
		all[i].fd = open(arg[0], O_RDONLY);
		if (all[i].fd < 0)
			err(1, "%s", arg[0]);
		posix_fadvise(all[i].fd, 0, 0, POSIX_FADV_RANDOM);
		if (pthread_create(&all[i].thread, NULL, read_block, &all[i]))
			errx(1, "no thread");
	}
	for (i = 0; i < nr; i++) {
		pthread_join(all[i].thread, NULL);
		bad += all[i].got != BLOCK || memcmp(all[i].buf, all[0].buf, BLOCK);
	}
	printf("%d readers, %d without the block\n", nr, bad);
	return bad != 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int sequential(char **arg)
{
	static char buf[131072];
	double start = now();
	long long total = 0;
	ssize_t n;
	int fd = open(arg[0], O_RDONLY);

	if (fd < 0)
		err(1, "%s", arg[0]);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		total += n;
	if (n < 0)
		err(1, "%s at %lld", arg[0], total);
	printf("%.0f\n", total / 1e6 / (now() - start));
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int misses(char **arg)
{
	static double took[4096];
	off_t step = atoll(arg[1]), pos = 0;
	char buf[BLOCK];
	int fd = open(arg[0], O_RDONLY), nr = 0;

	if (fd < 0)
		err(1, "%s", arg[0]);
	for (; nr < 4096; pos += step, nr++) {
		double start = now();
		ssize_t n = pread(fd, buf, BLOCK, pos);

		took[nr] = now() - start;
		if (n < 0)
			err(1, "%s at %lld", arg[0], (long long)pos);
		if (n < BLOCK)
			break;
		/* Until the rest of the widened range has been filled. */
		usleep(50000);
	}
	if (!nr)
		errx(1, "%s: too short", arg[0]);
	qsort(took, nr, sizeof(*took), by_value);
	printf("%.0f %.0f\n", took[0] * 1e6, took[nr / 2] * 1e6);
	return 0;
}

static int wait_readers(char **arg)
{
	int nr = atoi(arg[1]), i, status;

	for (i = 0; i < nr; i++) {
		if (!fork()) {
			int fd = open(arg[0], O_RDONLY), error = 0;
			char c;

			/* different blocks, far apart, and not next to present data */
			if (fd < 0 || pread(fd, &c, 1, (off_t)(i + 1) << 21) < 0)
				error = errno;
			_exit(error);
		}
	}
	while (wait(&status) > 0) {
		if (WIFSIGNALED(status))
			printf("killed\n");
		else
			printf("%s\n", WEXITSTATUS(status) ? strerror(WEXITSTATUS(status)) : "read");
	}
	return 0;
}

static int where(char **arg)
{
	uint64_t pos = strtoull(arg[1], NULL, 10);
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} buf = { .map = { .fm_start = pos, .fm_length = 1, .fm_extent_count = 1 } };
	int fd = open(arg[0], O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &buf.map))
		err(1, "%s", arg[0]);
	if (buf.map.fm_mapped_extents != 1)
		errx(1, "%s: a hole", arg[0]);
	printf("%llu\n", (unsigned long long)(buf.map.fm_extents[0].fe_physical + pos -
					      buf.map.fm_extents[0].fe_logical));
	return 0;
}

static int confined(char **arg)
{
	uint64_t page = sysconf(_SC_PAGESIZE), pos;
	uint64_t from = strtoull(arg[2], NULL, 10) / page * page;
	uint64_t to = (strtoull(arg[3], NULL, 10) + page - 1) / page * page;
	int fd = open(arg[0], O_RDONLY), good = open(arg[1], O_RDONLY), error = 0;
	char buf[BLOCK], wanted[BLOCK];
	bool different = false;
	ssize_t n, m;

	if (fd < 0 || good < 0)
		err(1, "%s, %s", arg[0], arg[1]);
	for (pos = 0; (m = pread(good, wanted, BLOCK, pos)) > 0; pos += BLOCK) {
		n = pread(fd, buf, BLOCK, pos);
		if (pos >= from && pos < to) {
			error = n < 0 ? errno : error;
			different |= n != m || memcmp(buf, wanted, m);
		} else if (n < 0) {
			err(1, "%s at %llu", arg[0], (unsigned long long)pos);
		} else if (n != m || memcmp(buf, wanted, m)) {
			errx(1, "%s at %llu: wrong data", arg[0], (unsigned long long)pos);
		}
	}
	if (m < 0 || pread(fd, buf, 1, pos))
		errx(1, "%s: wrong size", arg[0]);
	printf("%s\n", error ? strerror(error) : different ? "different" : "same");
	return 0;
}

static long long read_stripes(const char *path, off_t step)
{
	static char buf[BLOCK] __attribute__((aligned(BLOCK)));
	int fd = open(path, O_RDONLY | O_DIRECT);
	long long nr = 0;
	off_t pos = 0;
	ssize_t n = 0;

	if (fd < 0)
		err(1, "%s", path);
	for (; (n = pread(fd, buf, BLOCK, pos)) > 0; pos += 2 * step)
		nr++;
	if (n < 0)
		err(1, "%s at %lld", path, (long long)pos);
	close(fd);
	return nr;
}

static int stripes(char **arg)
{
	char *roots[] = { arg[0], NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	long long nr = 0;
	FTSENT *ent;

	if (!fts)
		err(1, "%s", arg[0]);
	while ((ent = fts_read(fts)))
		if (ent->fts_info == FTS_F)
			nr += read_stripes(ent->fts_path, atoll(arg[1]));
	fts_close(fts);
	printf("%lld\n", nr);
	return nr == 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} commands[] = {
	{ "cut", 4, cut },
	{ "flip", 5, flip },
	{ "misses", 2, misses },
	{ "mounts", 6, mounts },
	{ "sum", 1, sum },
	{ "readers", 3, readers },
	{ "sequential", 1, sequential },
	{ "wait-readers", 2, wait_readers },
	{ "where", 2, where },
	{ "stripes", 2, stripes },
	{ "confined", 4, confined },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc == commands[i].args + 2 && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	fprintf(stderr, "usage: see the head of oddriver.c\n");
	return 2;
}
