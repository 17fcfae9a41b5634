// SPDX-License-Identifier: GPL-2.0-only
/*
 * readways: read a file through one of the interfaces of user space, and write the
 * data to standard output, to be compared with the source.
 *
 *	readways WAY FILE                  see ways[] below
 *	readways handle FILE HANDLE        write the file's handle to another file
 *	readways open-handle MOUNT HANDLE  read the file by its handle
 *	readways peek FILE OFFSET          print a byte, read by mmap; SIGBUS on errors
 *	readways refuses-unaligned FILE    unaligned O_DIRECT reads must fail with EINVAL
 *	readways seek FILE                 print "data|hole FROM TO" lines
 *	readways fiemap FILE               print "LOGICAL PHYSICAL LENGTH FLAGS" lines
 *	readways locks FILE                flock and OFD locks, inotify
 *	readways statx FILE                print mask, attributes and size
 *	readways label FILE                print the label of its file system
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
#include <unistd.h>

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
	if (pread(direct, buf, 4096, (size + 8191) & ~4095) != 0)
		errx(1, "O_DIRECT past the end");
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

static void show_statx(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st))
		err(1, "statx");
	/* The mount has no atime. */
	printf("basic=%d btime=%d size=%llu blksize=%u\n",
	       (~st.stx_mask & STATX_BASIC_STATS & ~STATX_ATIME) == 0,
	       !!(st.stx_mask & STATX_BTIME), (unsigned long long)st.stx_size, st.stx_blksize);
}

static void show_label(int fd)
{
	char label[FSLABEL_MAX];

	if (ioctl(fd, FS_IOC_GETFSLABEL, label))
		err(1, "FS_IOC_GETFSLABEL");
	puts(label);
}

static const struct {
	const char *name;
	void (*run)(int fd);
} ways[] = {
	{ "read", by_read },
	{ "pread", by_pread },
	{ "readv", by_readv },
	{ "mmap-private", by_mmap_private },
	{ "mmap-shared", by_mmap_shared },
	{ "sendfile", by_sendfile },
	{ "splice", by_splice },
	{ "copy_file_range", by_copy_file_range },
	{ "direct", by_direct },
	{ "io_uring", by_io_uring },
	{ "willneed", by_willneed },
	{ "readahead", by_readahead },
	{ "seek", seek },
	{ "fiemap", fiemap },
	{ "refuses-unaligned", refuses_unaligned },
	{ "locks", locks },
	{ "statx", show_statx },
	{ "label", show_label },
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

static void peek(const char *path, off_t offset)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = open(path, O_RDONLY);
	const char *p;

	if (fd < 0)
		err(1, "%s", path);
	p = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, offset / page * page);
	if (p == MAP_FAILED)
		err(1, "mmap");
	putchar(p[offset % page]);
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
	if (argc == 4 && !strcmp(argv[1], "peek")) {
		peek(argv[2], strtoll(argv[3], NULL, 0));
		return 0;
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
