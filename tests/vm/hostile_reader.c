// SPDX-License-Identifier: GPL-2.0-only
/* Readers: processes that mount, read at random, compare, and unmount. */
#include "hostile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE		(256 << 10)

struct reader {
	struct dice dice;
	unsigned int slot;
	char path[256];
	const struct tree *tree;
};

/* In mode "any" all data is accepted. */
static void wrong(const struct tree *tree, const char *file, const char *what, long long at)
{
	if (!options.right)
		return;
	count(NR_wrong);
	say("wrong: %s: %s: %s at %lld", tree->fsid, file, what, at);
}

static void checked(size_t bytes)
{
	count(NR_checked);
	count_by(NR_bytes, bytes);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* In a corrupt image a file may be a FIFO. */
	return open(path, flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static void compare(const struct tree *tree, const char *file, const void *got,
		    const void *truth, ssize_t len, off_t at)
{
	const unsigned char *a = got, *b = truth;
	ssize_t i;

	for (i = 0; i < len && a[i] == b[i]; i++)
		;
	if (i < len)
		wrong(tree, file, "wrong data", at + i);
	else
		checked(len);
}

/* Return: bytes compared, 0 at the end of the file, or -1 on error. */
static ssize_t read_piece(const struct tree *tree, const char *file, int fd, int truth,
			  size_t len, off_t at)
{
	static char got[PIECE] __attribute__((aligned(4096))), wanted[PIECE];
	ssize_t n = pread(fd, got, len, at), m;

	if (n < 0)
		return -1;
	m = pread(truth, wanted, len, at);
	if (n > m || (n == 0 && m > 0)) {
		wrong(tree, file, "wrong length", at);
		return 0;
	}
	compare(tree, file, got, wanted, n, at);
	return n;
}

static sigjmp_buf no_page;

static void on_bus_error(int sig)
{
	(void)sig;
	siglongjmp(no_page, 1);
}

/* Return: false if the page cannot be read. */
static bool read_page(void *to, const char *page, size_t len)
{
	if (sigsetjmp(no_page, 1))
		return false;
	memcpy(to, page, len);
	return true;
}

/* Touches random pages of a mapping. */
static void read_mapped(struct reader *r, const char *file, int fd, int truth, size_t size)
{
	static char got[4096], wanted[4096];
	int tries = 4;
	char *map;

	if (!size)
		return;
	map = mmap(NULL, size, PROT_READ, one_in(&r->dice, 2) ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED) {
		count(NR_read_errors);
		return;
	}
	while (tries-- > 0) {
		size_t at = any64(&r->dice) % size & ~4095UL;
		size_t len = size - at < 4096 ? size - at : 4096;

		if (!read_page(got, map + at, len))
			count(NR_read_errors);
		else if (pread(truth, wanted, len, at) == (ssize_t)len)
			compare(r->tree, file, got, wanted, len, at);
	}
	munmap(map, size);
}

static void read_whole(struct reader *r, const char *file, int fd, int truth)
{
	off_t at = 0;
	ssize_t n;

	while ((n = read_piece(r->tree, file, fd, truth, 65536, at)) > 0)
		at += n;
	if (n < 0)
		count(NR_read_errors);
}

static void read_file(struct reader *r)
{
	const char *file = r->tree->files[any(&r->dice, r->tree->nr_files)];
	bool direct = one_in(&r->dice, 4);
	int truth = open_in(r->tree->path, file, 0);
	int fd = open_in(r->path, file, direct ? O_DIRECT : 0);
	struct stat st, wanted;

	if (fd < 0 || fstat(fd, &st) || fstat(truth, &wanted)) {
		count(NR_read_errors);
	} else if (st.st_size != wanted.st_size) {
		wrong(r->tree, file, "wrong size", st.st_size);
	} else if (one_in(&r->dice, 3)) {
		read_mapped(r, file, fd, truth, st.st_size);
	} else if (one_in(&r->dice, 3)) {
		read_whole(r, file, fd, truth);
	} else if (st.st_size) {
		off_t at = any64(&r->dice) % st.st_size & (direct ? ~4095LL : ~0LL);

		if (read_piece(r->tree, file, fd, truth,
			       direct ? 16384 : 1 + any(&r->dice, PIECE), at) < 0)
			count(NR_read_errors);
	}
	if (fd >= 0)
		close(fd);
	close(truth);
}

/* Return: number of names, or -1 if the listing failed. */
static int list(const struct tree *tree, const char *root, const char *dir, bool judge)
{
	char path[4096], truth[4096];
	struct dirent *ent;
	struct stat st;
	int names = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", root, dir);
	d = opendir(path);
	if (!d)
		return -1;
	while ((errno = 0, ent = readdir(d))) {
		snprintf(truth, sizeof(truth), "%s/%s/%s", tree->path, dir, ent->d_name);
		if (judge && lstat(truth, &st))
			wrong(tree, truth, "unexpected name", names);
		names++;
	}
	if (errno)
		names = -1;
	closedir(d);
	return names;
}

static void list_dir(const struct tree *tree, const char *root, const char *dir)
{
	int names = list(tree, root, dir, true);

	if (names < 0)
		count(NR_read_errors);
	else if (names != list(tree, tree->path, dir, false))
		wrong(tree, dir, "wrong number of names", names);
	else
		checked(0);
}

static void try_mount(struct reader *r)
{
	static const char * const domains[] = { "", "", "domain_id=h1,", "domain_id=h2," };
	const struct tree *tree = &trees[any(&r->dice, nr_trees)];
	char text[512], timeout[32] = "";

	/* Without a deadline the mount waits until the daemon or this process is killed. */
	if (!one_in(&r->dice, 3))
		snprintf(timeout, sizeof(timeout), ",timeout=%u", 50 + any(&r->dice, 2000));
	snprintf(text, sizeof(text), "%sfsid=%s%s", domains[any(&r->dice, 4)], tree->fsid, timeout);
	/* In a corrupt image a file may be a device. */
	if (mount("none", r->path, "erofs_od", MS_RDONLY | MS_NODEV, text)) {
		count(NR_mount_errors);
		usleep(any(&r->dice, 20000));
		return;
	}
	count(NR_mounts);
	r->tree = tree;
}

static void leave(struct reader *r)
{
	if (umount2(r->path, one_in(&r->dice, 4) ? MNT_DETACH : 0) == 0)
		r->tree = NULL;
}

static void step(struct reader *r)
{
	if (!r->tree)
		try_mount(r);
	else if (one_in(&r->dice, 24))
		leave(r);
	else if (one_in(&r->dice, 6))
		list_dir(r->tree, r->path, r->tree->dirs[any(&r->dice, r->tree->nr_dirs)]);
	else
		read_file(r);
}

void reader_main(unsigned int slot, unsigned int life)
{
	struct reader r = { .slot = slot, .dice = new_dice(life, 1000 + slot) };

	signal(SIGBUS, on_bus_error);
	slot_path(r.path, slot);
	if (!clear_slot(slot, 5))
		umount2(r.path, MNT_DETACH);
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED))
		step(&r);
	_exit(0);
}

/* Unmounts all. A slow thread of the daemon may still use the mount. */
bool clear_slot(unsigned int slot, double seconds)
{
	double until = now() + seconds;
	char path[256];

	slot_path(path, slot);
	for (;;) {
		if (umount(path) == 0)
			continue;
		if (errno == EINVAL || errno == ENOENT)
			return true;
		if (now() > until)
			return false;
		usleep(10000);
	}
}

/* Reads the whole tree; the caller distinguishes errors and wrong data by the counts. */
int check_tree(const char *path, const struct tree *tree)
{
	unsigned int i;
	ssize_t n;
	off_t at;

	for (i = 0; i < tree->nr_dirs; i++)
		list_dir(tree, path, tree->dirs[i]);
	for (i = 0; i < tree->nr_files; i++) {
		int fd = open_in(path, tree->files[i], 0);
		int truth = open_in(tree->path, tree->files[i], 0);

		for (at = 0, n = fd; n >= 0; at += n) {
			n = read_piece(tree, tree->files[i], fd, truth, PIECE, at);
			if (n == 0)
				break;
		}
		if (n < 0)
			count(NR_read_errors);
		close(fd);
		close(truth);
	}
	return shared->count[NR_wrong] != 0;
}
