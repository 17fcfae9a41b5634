// SPDX-License-Identifier: GPL-2.0-only
/*
 * manyreads: reads that wait, and how long others take meanwhile.
 *
 *	ahead FILE START STEP NR	start to read NR blocks that are STEP bytes apart
 *	hits FILE NR			read the first block NR times, past the page cache;
 *					prints the longest time, in microseconds
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096

static int open_file(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | flags);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void ahead(char **arg)
{
	long long start = atoll(arg[1]), step = atoll(arg[2]), nr = atoll(arg[3]), i;
	int fd = open_file(arg[0], 0);

	for (i = 0; i < nr; i++) {
		errno = posix_fadvise(fd, start + i * step, BLOCK, POSIX_FADV_WILLNEED);
		if (errno)
			err(1, "posix_fadvise");
	}
}

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void hits(char **arg)
{
	int fd = open_file(arg[0], O_DIRECT), nr = atoi(arg[1]);
	long long began, took, longest = 0;
	void *block;

	if (posix_memalign(&block, BLOCK, BLOCK))
		errx(1, "out of memory");
	while (nr--) {
		began = now_us();
		if (pread(fd, block, BLOCK, 0) != BLOCK)
			err(1, "pread");
		took = now_us() - began;
		if (took > longest)
			longest = took;
	}
	printf("%lld\n", longest);
}

int main(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "ahead"))
		ahead(argv + 2);
	else if (argc == 4 && !strcmp(argv[1], "hits"))
		hits(argv + 2);
	else
		errx(2, "usage: manyreads ahead FILE START STEP NR | hits FILE NR");
	return 0;
}
