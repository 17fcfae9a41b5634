// SPDX-License-Identifier: GPL-2.0-only
/*
 * storage: query and set up the storage below a cache, or below a mount.
 *
 *	resident FILE           print the number of pages of the file in the page cache
 *	sectors DEVICE BYTES    set the sector size of a loop device
 *	mount TYPE SOURCE DIR OPTIONS    mount(2), read-only; mount(8) would put a file on a
 *				loop device
 */
#include <err.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* A mapping reads no pages until it is touched. */
static int resident(char **arg)
{
	int fd = open_file(arg[0], O_RDONLY);
	size_t nr, i, count = 0;
	unsigned char *pages;
	struct stat st;
	void *map;

	if (fstat(fd, &st) || !st.st_size)
		err(1, "%s", arg[0]);
	nr = (st.st_size + getpagesize() - 1) / getpagesize();
	pages = malloc(nr);
	map = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (!pages || map == MAP_FAILED || mincore(map, st.st_size, pages))
		err(1, "%s", arg[0]);
	for (i = 0; i < nr; i++)
		count += pages[i] & 1;
	printf("%zu\n", count);
	return 0;
}

static int sectors(char **arg)
{
	int fd = open_file(arg[0], O_RDWR);

	if (ioctl(fd, LOOP_SET_BLOCK_SIZE, strtoul(arg[1], NULL, 0)))
		err(1, "%s", arg[0]);
	return 0;
}

static int mount_on(char **arg)
{
	if (mount(arg[1], arg[2], arg[0], MS_RDONLY, arg[3]))
		err(1, "mount of %s", arg[1]);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "resident"))
		return resident(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "sectors"))
		return sectors(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "mount"))
		return mount_on(argv + 2);
	fprintf(stderr, "usage: see the head of storage.c\n");
	return 2;
}
