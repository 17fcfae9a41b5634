// SPDX-License-Identifier: GPL-2.0-only
/*
 * readways: read a file through one of the interfaces of user space, and write the
 * data to standard output, to be compared with the source.
 *
 *	readways WAY FILE                  see ways[] below
 *	readways handle FILE HANDLE        write the file's handle to another file
 *	readways open-handle MOUNT HANDLE  read the file by its handle
 *	readways peek FILE OFFSET          print a byte, read by mmap; SIGBUS on errors
 *	readways fault FILE OFFSET         the same without any readahead
 *	readways sector FILE OFFSET        print 512 bytes, read with O_DIRECT
 *	readways apart FILE OFFSET OTHER   read 4 KiB at both, which must succeed
 *	readways again FILE SECONDS        read it with O_DIRECT for that long: always the same
 *	readways refuses-unaligned FILE    unaligned O_DIRECT reads must fail with EINVAL
 *	readways seek FILE                 print "data|hole FROM TO" lines
 *	readways fiemap FILE               print "LOGICAL PHYSICAL LENGTH FLAGS" lines
 *	readways locks FILE                flock and OFD locks, inotify
 *	readways statx FILE                print mask, size, attributes and direct I/O alignment
 *	readways label FILE                print the label of its file system
 *	readways resident FILE             print how many of its pages are in memory
 *	readways dontneed FILE             drop its pages
 *	readways huge FILE                 mappings have the file's alignment to huge pages
 *
 * Exit status 77: the kernel does not support the interface.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define CHUNK	(256U << 10)
#define UNSUPPORTED	77

static char *buf;

static void put(const void *p, size_t len)
{
	if (fwrite(p, 1, len, stdout) != len)
		err(1, "standard output");
}

static off_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		err(1, "fstat");
	return st.st_size;
}

static void by_read(int fd)
{
	ssize_t n;

	while ((n = read(fd, buf, CHUNK)) > 0)
		put(buf, n);
	if (n < 0)
		err(1, "read");
}

/* Backwards, with an odd length. */
static void by_pread(int fd)
{
	off_t size = size_of(fd), at = size;
	char *all = malloc(size + 1);

	while (at > 0) {
		off_t len = at < 12345 ? at : 12345;

		at -= len;
		if (pread(fd, all + at, len, at) != len)
			err(1, "pread at %lld", (long long)at);
	}
	put(all, size);
	free(all);
}

/*
 * Blocks of 64 KiB in no order, each backwards in pieces of one length: whole folios, pages, and
 * unaligned ones.
 */
static void by_random(int fd)
{
	static const off_t lens[] = { 65536, 4096, 16384, 1000 };
	off_t size = size_of(fd), first, block, at, len;
	char *all = malloc(size + 1);

	for (first = 6; first >= 0; first--) {
		for (block = first; block * 65536 < size; block += 7) {
			at = size - block * 65536 < 65536 ? size : (block + 1) * 65536;
			for (; at > block * 65536; at -= len) {
				len = lens[block % 4];
				len = (at - block * 65536 - 1) % len + 1;
				if (pread(fd, all + at - len, len, at - len) != len)
					err(1, "pread at %lld", (long long)(at - len));
			}
		}
	}
	put(all, size);
	free(all);
}

static void by_readv(int fd)
{
	struct iovec iov[3] = {
		{ buf, 1 }, { buf + 1, 4095 }, { buf + 4096, CHUNK - 4096 },
	};
	ssize_t n;

	while ((n = readv(fd, iov, 3)) > 0)
		put(buf, n);
	if (n < 0)
		err(1, "readv");
}

static void by_mmap(int fd, int flags)
{
	off_t size = size_of(fd);
	void *p = mmap(NULL, size, PROT_READ, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	put(p, size);
	munmap(p, size);
}

static void by_mmap_private(int fd)
{
	by_mmap(fd, MAP_PRIVATE);
}

static void by_mmap_shared(int fd)
{
	by_mmap(fd, MAP_SHARED);
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		errx(1, "a writable shared mapping of a read-only file");
}

static void by_sendfile(int fd)
{
	fflush(stdout);
	for (;;) {
		ssize_t n = sendfile(STDOUT_FILENO, fd, NULL, CHUNK);

		if (n < 0)
			err(1, "sendfile");
		if (!n)
			return;
	}
}

static void by_splice(int fd)
{
	int pipes[2];
	ssize_t n, m;

	if (pipe(pipes))
		err(1, "pipe");
	while ((n = splice(fd, NULL, pipes[1], NULL, 65536, 0)) > 0)
		for (; n; n -= m) {
			m = read(pipes[0], buf, n);
			if (m <= 0)
				err(1, "read of the pipe");
			put(buf, m);
		}
	if (n < 0)
		err(1, "splice");
}

static void by_copy_file_range(int fd)
{
	int copy = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	off_t left = size_of(fd);

	if (copy < 0)
		err(1, "/tmp");
	while (left > 0) {
		ssize_t n = copy_file_range(fd, NULL, copy, NULL, left, 0);

		/* Across file systems: v5.12 to v5.18 fail with EXDEV or copy. */
		if (n < 0 && (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP))
			exit(UNSUPPORTED);
		if (n <= 0)
			err(1, "copy_file_range");
		left -= n;
	}
	if (lseek(copy, 0, SEEK_SET))
		err(1, "lseek");
	by_read(copy);
}

static int reopen_direct(int fd)
{
	char path[64];
	int direct;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDONLY | O_DIRECT);
	if (direct < 0)
		err(1, "O_DIRECT");
	return direct;
}

/* At the end of the file, which may be in the middle of a sector, and beyond. */
static void check_end(int direct, off_t size)
{
	if (pread(direct, buf, 4096, size) != 0)
		err(1, "O_DIRECT at the end");
	if (pread(direct, buf, 512, (size + 1023) & ~511) != 0)
		err(1, "O_DIRECT past the end");
}

static void by_direct(int fd)
{
	/* An odd number of blocks, so that reads begin and end within large folios. */
	int direct = reopen_direct(fd);
	off_t size = size_of(fd), at = 0;

	while (at < size) {
		ssize_t n = pread(direct, buf, 20480, at);

		if (n <= 0)
			err(1, "O_DIRECT at %lld: %zd", (long long)at, n);
		put(buf, n);
		at += n;
	}
	check_end(direct, size);
}

/* Sectors at all offsets in a page, of lengths up to some pages, to unaligned pages. */
static void by_direct_sectors(int fd)
{
	static const size_t lengths[] = { 512, 3584, 512, 5632, 20480 - 512, 4096 };
	int direct = reopen_direct(fd);
	off_t size = size_of(fd), at = 0;

	for (unsigned int i = 0; at < size; i++) {
		char *to = buf + (i % 8) * 512;
		size_t len = lengths[i % (sizeof(lengths) / sizeof(lengths[0]))];
		ssize_t n = pread(direct, to, len, at);

		if (n != (ssize_t)len && at + n != size)
			err(1, "O_DIRECT, %zu bytes at %lld: %zd", len, (long long)at, n);
		put(to, n);
		at += n;
	}
	check_end(direct, size);
}

/* What a loop device with direct I/O reads, and the bytes that fill no sector. */
static void by_loop(int fd)
{
	off_t sectors = size_of(fd) & ~511;
	char path[32];
	int device = loop_attach(fd, path), size = 0;
	ssize_t n;

	if (ioctl(device, BLKSSZGET, &size) || size != 512)
		errx(1, "%s: sectors of %d bytes", path, size);
	if (lseek(device, 0, SEEK_END) != sectors || lseek(device, 0, SEEK_SET))
		errx(1, "%s: not %lld bytes", path, (long long)sectors);
	by_read(device);
	n = pread(fd, buf, 512, sectors);
	if (n < 0)
		err(1, "read");
	put(buf, n);
}

static void by_willneed(int fd)
{
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED))
		err(1, "POSIX_FADV_WILLNEED");
	by_read(fd);
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		err(1, "POSIX_FADV_DONTNEED");
}

static void by_readahead(int fd)
{
	if (readahead(fd, 0, size_of(fd)))
		err(1, "readahead");
	by_read(fd);
}

/* One ring, one request at a time, without liburing. */
static void by_io_uring(int fd)
{
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 2, &p);
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	uint32_t *array, *tail, *head;
	char *sq, *cq;
	off_t at = 0;

	if (ring < 0 && (errno == ENOSYS || errno == EPERM))
		exit(UNSUPPORTED);
	if (ring < 0)
		err(1, "io_uring_setup");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED,
		  ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, p.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		    IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		err(1, "mmap of the ring");
	array = (uint32_t *)(sq + p.sq_off.array);
	tail = (uint32_t *)(sq + p.sq_off.tail);
	head = (uint32_t *)(cq + p.cq_off.head);
	cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	for (;;) {
		uint32_t slot = *tail & (p.sq_entries - 1);
		int n;

		sqes[slot] = (struct io_uring_sqe) {
			.opcode = IORING_OP_READ,
			.fd = fd,
			.off = at,
			.addr = (uintptr_t)buf,
			.len = CHUNK,
		};
		array[slot] = slot;
		__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
		if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
			err(1, "io_uring_enter");
		n = cqes[*head & (p.cq_entries - 1)].res;
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		if (n < 0)
			errx(1, "io_uring read: %s", strerror(-n));
		if (!n)
			return;
		put(buf, n);
		at += n;
	}
}

static void seek(int fd)
{
	off_t size = size_of(fd), at = 0, end;

	while (at < size) {
		off_t data = lseek(fd, at, SEEK_DATA);

		if (data < 0 && errno != ENXIO)
			err(1, "SEEK_DATA");
		if (data < 0)
			data = size;
		if (data > at)
			printf("hole %lld %lld\n", (long long)at, (long long)data);
		if (data == size)
			break;
		end = lseek(fd, data, SEEK_HOLE);
		if (end <= data)
			err(1, "SEEK_HOLE: %lld", (long long)end);
		printf("data %lld %lld\n", (long long)data, (long long)end);
		at = end;
	}
	if (lseek(fd, size, SEEK_DATA) != -1 || errno != ENXIO)
		errx(1, "SEEK_DATA at the end");
}

static void fiemap(int fd)
{
	struct fiemap *map = calloc(1, sizeof(*map) + 4 * sizeof(map->fm_extents[0]));
	uint64_t at = 0;
	bool last = false;

	/* A few extents per call, so that the walk has to resume. */
	while (!last) {
		map->fm_start = at;
		map->fm_length = FIEMAP_MAX_OFFSET - at;
		map->fm_flags = 0;
		map->fm_extent_count = 4;
		if (ioctl(fd, FS_IOC_FIEMAP, map))
			err(1, "FIEMAP");
		if (!map->fm_mapped_extents)
			break;
		for (uint32_t i = 0; i < map->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &map->fm_extents[i];

			printf("%llu %llu %llu %x\n", e->fe_logical, e->fe_physical, e->fe_length,
			       e->fe_flags);
			at = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	free(map);
}

static void refuses_unaligned(int fd)
{
	static const struct { off_t at; size_t len; size_t shift; } cases[] = {
		{ 1, 4096, 0 }, { 0, 4095, 0 }, { 0, 4096, 1 }, { 100, 100, 100 },
	};
	int direct = reopen_direct(fd);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (pread(direct, buf + cases[i].shift, cases[i].len, cases[i].at) != -1 ||
		    errno != EINVAL)
			errx(1, "unaligned direct read %zu is not EINVAL", i);
}

static void locks(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 10 };
	struct inotify_event event;
	char path[64];
	int notify = inotify_init1(IN_NONBLOCK);

	if (flock(fd, LOCK_SH | LOCK_NB) || flock(fd, LOCK_EX | LOCK_NB) || flock(fd, LOCK_UN))
		err(1, "flock");
	if (fcntl(fd, F_OFD_SETLK, &lock))
		err(1, "OFD lock");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (notify < 0 || inotify_add_watch(notify, path, IN_ACCESS) < 0)
		err(1, "inotify");
	by_read(fd);
	if (read(notify, &event, sizeof(event)) != sizeof(event) || event.mask != IN_ACCESS)
		err(1, "no event for the read");
}

/* "VALUE/KNOWN" */
static void show_attribute(const struct statx *st, const char *name, uint64_t bit)
{
	printf(" %s=%d/%d", name, !!(st->stx_attributes & bit), !!(st->stx_attributes_mask & bit));
}

static void show_statx(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME | STATX_DIOALIGN, &st))
		err(1, "statx");
	/* The mount has no atime. */
	printf("basic=%d btime=%d size=%llu",
	       (~st.stx_mask & STATX_BASIC_STATS & ~STATX_ATIME) == 0,
	       !!(st.stx_mask & STATX_BTIME), (unsigned long long)st.stx_size);
	show_attribute(&st, "immutable", STATX_ATTR_IMMUTABLE);
	show_attribute(&st, "compressed", STATX_ATTR_COMPRESSED);
	/* "none" also if the kernel does not report it. */
	if (st.stx_mask & STATX_DIOALIGN)
		printf(" dio=%u/%u\n", st.stx_dio_mem_align, st.stx_dio_offset_align);
	else
		printf(" dio=none\n");
}

static void show_label(int fd)
{
	char label[FSLABEL_MAX];

	if (ioctl(fd, FS_IOC_GETFSLABEL, label))
		err(1, "FS_IOC_GETFSLABEL");
	puts(label);
}

static void show_resident(int fd)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t size = size_of(fd), nr = (size + page - 1) / page, i, in = 0;
	unsigned char *vec = calloc(nr, 1);
	void *p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (!vec || p == MAP_FAILED || mincore(p, size, vec))
		err(1, "mincore");
	for (i = 0; i < nr; i++)
		in += vec[i] & 1;
	printf("%zu\n", in);
}

static void dontneed(int fd)
{
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (errno)
		err(1, "posix_fadvise");
}

static size_t huge_page(void)
{
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "r");
	size_t size = 0;

	if (f && fscanf(f, "%zu", &size) != 1)
		errx(1, "hpage_pmd_size: no number");
	return size;
}

static void maps_huge(int fd)
{
	size_t huge = huge_page(), size = size_of(fd), page = sysconf(_SC_PAGESIZE), at;

	if (!huge || size < 2 * huge)
		exit(UNSUPPORTED);
	for (at = 0; at < 4 * page; at += page) {
		void *p = mmap(NULL, size - at, PROT_READ, MAP_SHARED, fd, at);

		if (p == MAP_FAILED)
			err(1, "mmap");
		if (((uintptr_t)p - at) % huge)
			errx(1, "byte %zu is mapped at %p", at, p);
	}
}

static const struct {
	const char *name;
	void (*run)(int fd);
} ways[] = {
	{ "read", by_read },
	{ "pread", by_pread },
	{ "random", by_random },
	{ "readv", by_readv },
	{ "mmap-private", by_mmap_private },
	{ "mmap-shared", by_mmap_shared },
	{ "sendfile", by_sendfile },
	{ "splice", by_splice },
	{ "copy_file_range", by_copy_file_range },
	{ "direct", by_direct },
	{ "direct-sectors", by_direct_sectors },
	{ "loop", by_loop },
	{ "io_uring", by_io_uring },
	{ "willneed", by_willneed },
	{ "readahead", by_readahead },
	{ "seek", seek },
	{ "fiemap", fiemap },
	{ "refuses-unaligned", refuses_unaligned },
	{ "locks", locks },
	{ "statx", show_statx },
	{ "label", show_label },
	{ "resident", show_resident },
	{ "dontneed", dontneed },
	{ "huge", maps_huge },
};

union handle {
	struct file_handle fh;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static void write_handle(const char *path, const char *where)
{
	union handle h = { .fh.handle_bytes = MAX_HANDLE_SZ };
	FILE *f = fopen(where, "w");
	int mount;

	if (!f || name_to_handle_at(AT_FDCWD, path, &h.fh, &mount, 0))
		err(1, "handle of %s", path);
	if (fwrite(&h, sizeof(h), 1, f) != 1 || fclose(f))
		err(1, "%s", where);
}

static void read_handle(const char *mount, const char *where)
{
	int dir = open(mount, O_RDONLY | O_DIRECTORY), fd;
	FILE *f = fopen(where, "r");
	struct stat st;
	union handle h;

	if (dir < 0 || !f || fread(&h, sizeof(h), 1, f) != 1)
		err(1, "%s, %s", mount, where);
	fd = open_by_handle_at(dir, &h.fh, O_RDONLY);
	if (fd < 0)
		err(1, "open_by_handle_at");
	if (fstat(fd, &st))
		err(1, "fstat");
	if (S_ISDIR(st.st_mode)) {
		char path[64], *target = realpath((snprintf(path, sizeof(path),
							    "/proc/self/fd/%d", fd), path), NULL);

		puts(target ? target : "?");
		free(target);
		return;
	}
	by_read(fd);
}

static void peek(const char *path, off_t offset, bool alone)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDONLY);
	const char *p;

	if (fd < 0)
		err(1, "%s", path);
	p = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, offset / page * page);
	if (p == MAP_FAILED)
		err(1, "mmap");
	if (alone && madvise((void *)p, page, MADV_RANDOM))
		err(1, "madvise");
	putchar(p[offset % page]);
}

static void sector(const char *path, off_t offset)
{
	int fd = open(path, O_RDONLY | O_DIRECT);

	if (fd < 0)
		err(1, "%s", path);
	if (pread(fd, buf, 512, offset) != 512)
		err(1, "%s: sector at %lld", path, (long long)offset);
	put(buf, 512);
}

/* The second read is neither the first of an open file nor goes on from it. */
static void apart(const char *path, off_t first, off_t second)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || pread(fd, buf, 4096, first) != 4096)
		err(1, "first read of %s", path);
	if (pread(fd, buf, 4096, second) < 0)
		err(1, "second read");
}

static size_t read_direct(int fd, const char *path)
{
	ssize_t n = pread(fd, buf, CHUNK, 0);

	if (n < 0)
		err(1, "%s", path);
	return (size_t)n;
}

static void again(const char *path, long seconds)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	static char first[CHUNK];
	time_t end = time(NULL) + seconds;
	size_t len;

	if (fd < 0)
		err(1, "%s", path);
	len = read_direct(fd, path);
	memcpy(first, buf, len);
	while (time(NULL) < end)
		if (read_direct(fd, path) != len || memcmp(buf, first, len))
			errx(1, "%s: not the same", path);
}

int main(int argc, char **argv)
{
	size_t i;
	int fd;

	buf = aligned_alloc(4096, CHUNK + 4096);
	if (!buf)
		err(1, NULL);
	if (argc == 4 && !strcmp(argv[1], "handle")) {
		write_handle(argv[2], argv[3]);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "open-handle")) {
		read_handle(argv[2], argv[3]);
		return 0;
	}
	if (argc == 4 && (!strcmp(argv[1], "peek") || !strcmp(argv[1], "fault"))) {
		peek(argv[2], strtoll(argv[3], NULL, 0), !strcmp(argv[1], "fault"));
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "apart")) {
		apart(argv[2], strtoll(argv[3], NULL, 0), strtoll(argv[4], NULL, 0));
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "again")) {
		again(argv[2], strtol(argv[3], NULL, 0));
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "sector")) {
		sector(argv[2], strtoll(argv[3], NULL, 0));
		return fflush(stdout) ? 1 : 0;
	}
	for (i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name))
			continue;
		fd = open(argv[2], O_RDONLY);
		if (fd < 0)
			err(1, "%s", argv[2]);
		ways[i].run(fd);
		return fflush(stdout) ? 1 : 0;
	}
	fprintf(stderr, "usage: readways WAY FILE ...\n");
	return 2;
}
