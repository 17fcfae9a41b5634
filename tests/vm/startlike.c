// SPDX-License-Identifier: GPL-2.0-only
/*
 * startlike FILE... <LIST read pieces of files in sequence, like a program that starts: each
 * only after the previous one has arrived, and without readahead. LIST has lines "NR OFFSET
 * LENGTH", NR from 0. Prints the total time, that of the slowest piece, a sum of the bytes, and
 * the median time of a piece; times are in milliseconds.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX	1024
#define PIECES_MAX	4096

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* FNV-1a */
static uint64_t sum(uint64_t so_far, const unsigned char *data, size_t len)
{
	while (len--)
		so_far = (so_far ^ *data++) * 0x100000001b3ULL;
	return so_far;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	double start = now_ms(), since;
	static double took[PIECES_MAX];
	uint64_t bytes = 0xcbf29ce484222325ULL;
	static unsigned char buf[1 << 20];
	static int fds[FILES_MAX];
	long long off;
	size_t len;
	ssize_t n;
	int nr, count = 0;

	while (count < PIECES_MAX && scanf("%d %lld %zu", &nr, &off, &len) == 3) {
		if (nr < 0 || nr >= argc - 1 || nr >= FILES_MAX || len > sizeof(buf))
			errx(1, "no file %d", nr);
		if (!fds[nr]) {
			fds[nr] = open(argv[nr + 1], O_RDONLY);
			posix_fadvise(fds[nr], 0, 0, POSIX_FADV_RANDOM);
		}
		since = now_ms();
		n = pread(fds[nr], buf, len, off);
		if (n < 0)
			err(1, "%s at %lld", argv[nr + 1], off);
		took[count++] = now_ms() - since;
		bytes = sum(bytes, buf, (size_t)n);
	}
	start = now_ms() - start;
	qsort(took, count, sizeof(*took), by_value);
	printf("%.0f %.0f %llx %.0f\n", start, count ? took[count - 1] : 0,
	       (unsigned long long)bytes, took[count / 2]);
	return 0;
}
