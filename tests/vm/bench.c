// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: the workloads of `make bench`, and the clock that measures them.
 *
 *	sequential FILE         read the first 48 MiB in pieces of 1 MiB
 *	random FILE SIZE NR     NR reads of SIZE bytes at multiples of SIZE, the same in each run
 *	readers FILE NR         NR processes at once, 512 random reads of 64 KiB in all
 *	walk DIR                list all directories, stat all names
 *	files DIR               same, and read all regular files
 *	mount TYPE SOURCE DIR OPTIONS
 *	first FILE STEP NR      NR reads of 4 KiB, STEP bytes apart, each after a pause
 *	sum DIR                 print a checksum of all names and bytes
 *	compare DIR OTHER       print how many blocks in OTHER differ: zeroes after zeroes, others
 *	loop FILE               print a loop device with direct I/O, for one mount
 *
 * The first five print "BUSY WALL" in nanoseconds, `mount` "BUSY WALL TOTAL", and `first` the
 * medians of these: BUSY and WALL until the call returns, TOTAL until the work that it caused has
 * ended. BUSY is the time for which the guest ran tasks; in a VM whose clock counts instructions,
 * their number.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
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

#include "loop.h"

#define MIB		(1 << 20)
#define BLOCK		4096
#define MAX_FIRST	64
#define READS		512
#define SEED		0x9e3779b97f4a7c15ULL

static char buf[MIB];

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The seventh field of each CPU; a running task is added when it is scheduled out. */
static uint64_t busy_ns(void)
{
	unsigned long long busy, sum = 0;
	char line[512];
	FILE *f = fopen("/proc/schedstat", "r");

	if (!f)
		err(1, "/proc/schedstat");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu%*d %*u %*u %*u %*u %*u %*u %llu", &busy) == 1)
			sum += busy;
	fclose(f);
	if (!sum)
		errx(1, "/proc/schedstat: no run times of tasks");
	return sum;
}

/* Waits until nothing runs, including this task. */
static void settle(void)
{
	usleep(20000);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void read_at(int fd, size_t len, off_t pos)
{
	ssize_t n = pread(fd, buf, len, pos);

	if (n < 0)
		err(1, "read of %zu at %lld", len, (long long)pos);
	if ((size_t)n != len)
		errx(1, "read of %zu at %lld: %zd", len, (long long)pos, n);
}

static void sequential(char **arg)
{
	int fd = open_file(arg[0]);
	off_t pos;

	for (pos = 0; pos < 48 * MIB; pos += MIB)
		read_at(fd, MIB, pos);
	close(fd);
}

static void read_randomly(const char *path, size_t size, long nr, uint64_t state)
{
	int fd = open_file(path);
	struct stat st;

	if (size > sizeof(buf) || fstat(fd, &st) || (size_t)st.st_size < size)
		errx(1, "%s: too short", path);
	while (nr--) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		read_at(fd, size, (state >> 33) % (st.st_size / size) * size);
	}
	close(fd);
}

static void random_reads(char **arg)
{
	read_randomly(arg[0], strtoul(arg[1], NULL, 0), atol(arg[2]), SEED);
}

static void readers(char **arg)
{
	int nr = atoi(arg[1]), i, status;

	if (nr < 1 || nr > READS)
		errx(1, "invalid number of readers: %d", nr);
	for (i = 0; i < nr; i++) {
		switch (fork()) {
		case -1:
			err(1, "fork");
		case 0:
			read_randomly(arg[0], 65536, READS / nr, SEED + i);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		if (status)
			errx(1, "a reader failed");
}

static void read_all(const char *path, uint64_t *sum)
{
	int fd = open_file(path);
	ssize_t n, i;

	while ((n = read(fd, buf, 65536)) > 0) {
		if (!sum)
			continue;
		memset(buf + n, 0, sizeof(*sum));
		for (i = 0; i < n; i += sizeof(*sum))
			*sum = *sum * 31 + *(uint64_t *)(buf + i);
	}
	if (n < 0)
		err(1, "%s", path);
	close(fd);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static long visit(char *root, int read_files, uint64_t *sum)
{
	char *roots[] = { root, NULL };
	FTS *fts = fts_open(roots, FTS_PHYSICAL, sum ? by_name : NULL);
	FTSENT *ent;
	long nr = 0;
	char *p;

	if (!fts)
		err(1, "%s", root);
	while ((errno = 0, ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR || ent->fts_info == FTS_NS)
			errx(1, "%s: %s", ent->fts_path, strerror(ent->fts_errno));
		if (ent->fts_info == FTS_DP)
			continue;
		nr++;
		for (p = ent->fts_path + strlen(root); sum && *p; p++)
			*sum = *sum * 31 + *p;
		if (read_files && ent->fts_info == FTS_F)
			read_all(ent->fts_accpath, sum);
	}
	if (errno)
		err(1, "%s", root);
	fts_close(fts);
	return nr;
}

static void walk(char **arg)
{
	visit(arg[0], 0, NULL);
}

static void files(char **arg)
{
	visit(arg[0], 1, NULL);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * struct cost - of one call
 * @busy, @wall: until it returned
 * @total: as @busy, until the work that it caused had ended
 */
struct cost {
	uint64_t busy, wall, total;
};

static void begin(struct cost *cost)
{
	settle();
	cost->busy = busy_ns();
	cost->wall = wall_ns();
}

static void end(struct cost *cost)
{
	uint64_t since = cost->busy;

	cost->wall = wall_ns() - cost->wall;
	cost->busy = busy_ns() - since;
	settle();
	cost->total = busy_ns() - since;
}

static void print_cost(const struct cost *cost)
{
	printf("%llu %llu %llu\n", (unsigned long long)cost->busy,
	       (unsigned long long)cost->wall, (unsigned long long)cost->total);
}

static void first(char **arg)
{
	static uint64_t busy[MAX_FIRST], wall[MAX_FIRST], total[MAX_FIRST];
	off_t step = atoll(arg[1]);
	int nr = atoi(arg[2]), fd = open_file(arg[0]), i;

	if (nr < 1 || nr > MAX_FIRST)
		errx(1, "invalid number of reads: %d", nr);
	for (i = 0; i < nr; i++) {
		struct cost cost;

		begin(&cost);
		read_at(fd, 4096, i * step);
		end(&cost);
		busy[i] = cost.busy;
		wall[i] = cost.wall;
		total[i] = cost.total;
	}
	qsort(busy, nr, sizeof(*busy), by_value);
	qsort(wall, nr, sizeof(*wall), by_value);
	qsort(total, nr, sizeof(*total), by_value);
	print_cost(&(struct cost) { busy[nr / 2], wall[nr / 2], total[nr / 2] });
}

static void sum(char **arg)
{
	uint64_t value = 0;
	long nr = visit(arg[0], 1, &value);

	printf("%ld names, %016llx\n", nr, (unsigned long long)value);
}

static void mount_plain(char **arg)
{
	struct cost cost;

	begin(&cost);
	if (mount(arg[1], arg[2], arg[0], MS_RDONLY, arg[3]))
		err(1, "mount of %s on %s as %s", arg[1], arg[2], arg[0]);
	end(&cost);
	print_cost(&cost);
}

static int is_zero(const char *p, size_t len)
{
	return !*p && !memcmp(p, p + 1, len - 1);
}

static void compare_files(const char *path, const char *other, unsigned long nr[2])
{
	static char mine[BLOCK], theirs[BLOCK];
	int fd = open_file(path), fd2 = open_file(other), after_zeroes = 0;
	ssize_t n, n2;

	while ((n = read(fd, mine, BLOCK)) > 0) {
		n2 = read(fd2, theirs, BLOCK);
		if (n2 != n)
			errx(1, "%s: read of %zd: %zd", other, n, n2);
		if (memcmp(mine, theirs, n))
			nr[after_zeroes && is_zero(theirs, n)]++;
		after_zeroes = is_zero(theirs, n);
	}
	if (n < 0)
		err(1, "%s", path);
	close(fd);
	close(fd2);
}

static void compare(char **arg)
{
	char *roots[] = { arg[0], NULL }, other[4096];
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	unsigned long nr[2] = { 0, 0 };
	FTSENT *ent;

	if (!fts)
		err(1, "%s", arg[0]);
	while ((errno = 0, ent = fts_read(fts))) {
		if (ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR || ent->fts_info == FTS_NS)
			errx(1, "%s: %s", ent->fts_path, strerror(ent->fts_errno));
		if (ent->fts_info != FTS_F)
			continue;
		snprintf(other, sizeof(other), "%s%s", arg[1], ent->fts_path + strlen(arg[0]));
		compare_files(ent->fts_path, other, nr);
	}
	if (errno)
		err(1, "%s", arg[0]);
	fts_close(fts);
	printf("%lu zeroes after zeroes, %lu others\n", nr[1], nr[0]);
}

static void loop(char **arg)
{
	char path[32];

	loop_attach(open_file(arg[0]), path);
	printf("%s\n", path);
	fflush(stdout);
	/* AUTOCLEAR detaches it on the last close: keep it open until it is mounted. */
	if (daemon(0, 0))
		err(1, "daemon");
	sleep(5);
}

static const struct {
	const char *name;
	int args;
	void (*run)(char **arg);
	int timed;
} commands[] = {
	{ "sequential", 1, sequential, 1 },
	{ "random", 3, random_reads, 1 },
	{ "readers", 2, readers, 1 },
	{ "walk", 1, walk, 1 },
	{ "files", 1, files, 1 },
	{ "mount", 4, mount_plain, 0 },
	{ "first", 3, first, 0 },
	{ "sum", 1, sum, 0 },
	{ "compare", 2, compare, 0 },
	{ "loop", 1, loop, 0 },
};

static void timed(void (*run)(char **arg), char **arg)
{
	uint64_t busy, wall;

	settle();
	busy = busy_ns();
	wall = wall_ns();
	run(arg);
	wall = wall_ns() - wall;
	settle();
	busy = busy_ns() - busy;
	printf("%llu %llu\n", (unsigned long long)busy, (unsigned long long)wall);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (argc != commands[i].args + 2 || strcmp(argv[1], commands[i].name))
			continue;
		if (commands[i].timed)
			timed(commands[i].run, argv + 2);
		else
			commands[i].run(argv + 2);
		return 0;
	}
	fprintf(stderr, "usage: see the head of bench.c\n");
	return 2;
}
