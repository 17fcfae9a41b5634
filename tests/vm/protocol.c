// SPDX-License-Identifier: GPL-2.0-only
/*
 * protocol: a daemon that checks the protocol.
 *
 *	protocol CACHE BLOBS FSID FILE
 *
 * Binds CACHE, mounts BLOBS/FSID on /mnt/a and reads FILE there, acting as the
 * daemon. Prints "pass NAME" or "fail NAME: why" for each check.
 */
#include "daemon.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNT_POINT	"/mnt/a"
#define GRAIN		4096
/* For expected events; hosts may be slow. */
#define WAIT_MS		30000

static int dev, watch;
static const unsigned char *blob;
static uint64_t blob_size;
static const char *fsid;

static void result(bool passed, const char *name, long got, long wanted)
{
	if (passed)
		printf("pass %s\n", name);
	else
		printf("fail %s: got %ld, wanted %ld\n", name, got, wanted);
	fflush(stdout);
}

static void is(const char *name, long got, long wanted)
{
	result(got == wanted, name, got, wanted);
}

/* The result of a system call, or -errno */
static long code(long ret)
{
	return ret < 0 ? -errno : ret;
}

static long command_bytes(const void *text, size_t len)
{
	return daemon_command_bytes(dev, text, len);
}

#define command(...) ((long)daemon_command(dev, __VA_ARGS__))

static bool readable(int ms)
{
	return daemon_readable(dev, ms);
}

/* Some daemons register only once, before bind, and edge-triggered. */
static int start_watching(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	watch = epoll_create1(EPOLL_CLOEXEC);
	return code(epoll_ctl(watch, EPOLL_CTL_ADD, dev, &event));
}

static int watched(int ms)
{
	struct epoll_event event;

	return code(epoll_wait(watch, &event, 1, ms));
}

/* Reads the next message: its opcode, or -1 if there is none. */
static int next(struct message *m, int ms)
{
	ssize_t n;

	if (!readable(ms))
		return -1;
	n = read(dev, m, sizeof(*m));
	if (n <= 0)
		return -1;
	if (m->head.len != n)
		errx(1, "read returns %zd for a message of %u bytes", n, m->head.len);
	return m->head.opcode;
}

/* A child without the fds of the device and of blobs. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid)
		close_range(3, ~0U, 0);
	return pid;
}

/* In a child, whose exit status is the errno. */
static pid_t start_mount(const char *options)
{
	pid_t pid = start_child();

	if (pid)
		return pid;
	_exit(mount("none", MOUNT_POINT, "erofs_od", MS_RDONLY, options) ? errno : 0);
}

static pid_t start_read(const char *file)
{
	static char buf[1 << 20];
	pid_t pid = start_child();
	ssize_t n;
	int fd;

	if (pid)
		return pid;
	fd = open(file, O_RDONLY);
	if (fd < 0)
		_exit(errno);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	_exit(n ? errno : 0);
}

static bool has_ended(pid_t pid, int *status)
{
	if (waitpid(pid, status, WNOHANG) != pid)
		return false;
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	return true;
}

static int kill_late(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -ETIME;
}

/* Waits for a child; returns its status. */
static int wait_child(pid_t pid)
{
	int status, tries;

	for (tries = 0; tries < WAIT_MS / 10; tries++) {
		if (has_ended(pid, &status))
			return status;
		usleep(10000);
	}
	return kill_late(pid);
}

static long complete(int fd, uint32_t msg_id)
{
	return daemon_complete(fd, msg_id);
}

static bool fill(int fd, uint64_t off, uint64_t len)
{
	while (len) {
		ssize_t n = pwrite(fd, blob + off, len, off);

		if (n <= 0)
			return false;
		off += n;
		len -= n;
	}
	return true;
}

/* Replies to one message; return false on failure. */
static bool serve_read(int fd, const struct message *m)
{
	return m->head.opcode == CACHEFILES_OD_OP_READ && fill(fd, m->range.off, m->range.len) &&
	       !complete(fd, m->head.msg_id);
}

static bool complete_without_data(int fd, const struct message *m)
{
	return m->head.opcode == CACHEFILES_OD_OP_READ && !complete(fd, m->head.msg_id);
}

static bool fail_open(int fd, const struct message *m)
{
	bool ok;

	(void)fd;
	if (m->head.opcode != CACHEFILES_OD_OP_OPEN)
		return false;
	ok = !command("copen %u,-5", m->head.msg_id);
	close(m->open.fd);
	return ok;
}

/* Replies to every message until the child exits; returns its status. */
static int serve_until_exit(bool (*reply)(int fd, const struct message *m), int fd, pid_t pid)
{
	struct message m;
	int status, tries;

	for (tries = 0; tries < WAIT_MS / 10; tries++) {
		if (next(&m, 10) >= 0 && !reply(fd, &m))
			return -EPROTO;
		if (has_ended(pid, &status))
			return status;
	}
	return kill_late(pid);
}

static void check_commands(const char *cache)
{
	static char big[CACHEFILES_OD_CMD_MAX + 2];
	char buf[CACHEFILES_OD_MSG_MAX];

	is("a second opener", code(open(CACHEFILES_OD_DEVICE, O_RDWR)), -EBUSY);
	is("nothing to read before bind", read(dev, buf, sizeof(buf)), 0);
	is("nothing to poll for before bind", readable(0), false);
	is("epoll before bind", start_watching(), 0);
	memset(big, 'x', sizeof(big));
	is("a command of 4096 bytes", command_bytes(big, CACHEFILES_OD_CMD_MAX + 1), -EOPNOTSUPP);
	is("an unknown command", command("nonsense"), -EOPNOTSUPP);
	is("a leading newline", command("\ndir /"), -EINVAL);
	is("an embedded NUL", command_bytes("tag a\0b", 7), -EINVAL);
	is("bind without dir", command("bind ondemand"), -EINVAL);
	is("dir without a path", command("dir"), -EINVAL);
	is("dir", command("dir %s\nrest", cache), 0);
	is("dir twice", command("dir %s", cache), -EEXIST);
	is("tag", command("tag test"), 0);
	is("tag twice", command("tag test"), -EEXIST);
	is("an invalid limit", command("brun 100%%"), -EINVAL);
	is("limits out of order", command("bcull 50%%"), 0);
	is("fail at bind", command("bind ondemand"), -ERANGE);
	is("limits in order", command("bcull 0%%") ?: command("bstop 0%%"), 0);
	is("equal limits", command("bind ondemand"), -ERANGE);
	is("the default limits", command("bcull 5%%") ?: command("bstop 1%%"), 0);
	is("debug", command("debug 3"), 0);
	is("plain bind", command("bind"), -EOPNOTSUPP);
	is("copen before bind", command("copen 1,0"), -EINVAL);
	is("bind ondemand", command("bind ondemand"), 0);
	is("bind twice", command("bind ondemand"), -EBUSY);
	is("dir after bind", command("dir /"), -EEXIST);
	is("nothing to read", read(dev, buf, sizeof(buf)), 0);
	is("restore without requests", command("restore"), 0);
}

static void check_open_message(const struct message *m)
{
	const struct cachefiles_od_open *o = &m->open;
	char volume[300];

	snprintf(volume, sizeof(volume), "erofs,%s", fsid);
	is("volume key size", o->volume_key_size, strlen(volume) + 1);
	is("cookie key size", o->cookie_key_size, strlen(fsid));
	is("length", m->head.len, 32 + o->volume_key_size + o->cookie_key_size);
	is("volume key", memcmp(o->data, volume, strlen(volume) + 1), 0);
	is("cookie key", memcmp(o->data + o->volume_key_size, fsid, strlen(fsid)), 0);
	is("flags", o->flags, 0);
	is("the fd closes on exec", fcntl(o->fd, F_GETFD), FD_CLOEXEC);
}

/* The fd must not be open before its message is delivered, even to a thread that guesses it. */
static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int lowest_free_fd(void)
{
	int fd = dup(dev);

	close(fd);
	return fd;
}

/* An OPEN that cannot be delivered fails with the errno, and the next one is delivered. */
static void check_fetch_to_bad_memory(pid_t mounter)
{
	void *bad_memory = mmap(NULL, GRAIN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = lowest_free_fd();

	is("read into bad memory", code(read(dev, bad_memory, GRAIN)), -EFAULT);
	is("leaks no fd", is_open(fd), false);
	is("fails the mount with EFAULT", wait_child(mounter), EFAULT);
	is("and clears POLLIN", readable(0), false);
	munmap(bad_memory, GRAIN);
}

/* Without a free fd for the OPEN, neither the daemon nor the mount may hang. */
static void check_without_fds(const char *options)
{
	pid_t mounter = start_mount(options);
	struct rlimit old, none;
	char buf[CACHEFILES_OD_MSG_MAX];

	is("an OPEN for a daemon without a free fd", readable(WAIT_MS), true);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = lowest_free_fd();
	setrlimit(RLIMIT_NOFILE, &none);
	is("cannot be read", code(read(dev, buf, sizeof(buf))), -EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	is("and the mount fails with EMFILE", wait_child(mounter), EMFILE);
	is("no POLLIN after the failed mount", readable(0), false);
}

/* The first mount, up to the reply to its OPEN; returns the fd. */
static int check_open(pid_t *mounter)
{
	struct message m, again;
	char options[300], other[310];
	uint32_t id;
	int fd, i;

	snprintf(options, sizeof(options), "fsid=%s", fsid);
	*mounter = start_mount(options);
	is("epoll registered before bind wakes", watched(WAIT_MS), 1);
	is("POLLIN", readable(WAIT_MS), true);
	is("a short buffer", code(read(dev, &m, 20)), -EMSGSIZE);
	is("POLLIN stays set", readable(0), true);
	check_fetch_to_bad_memory(*mounter);
	check_without_fds(options);
	*mounter = start_mount(options);
	is("POLLIN of the next mount", readable(WAIT_MS), true);
	for (i = 1; i < 8; i++)
		if (command("copen %d,%llu", i, (unsigned long long)blob_size) != -EINVAL)
			break;
	is("copen of an OPEN that was not read", i, 8);
	is("OPEN", next(&m, 0), CACHEFILES_OD_OP_OPEN);
	check_open_message(&m);
	fd = m.open.fd;
	id = m.head.msg_id;
	is("no POLLIN after the OPEN", readable(50), false);
	is("it is delivered only once", next(&again, 0), -1);
	snprintf(other, sizeof(other), "%s,noacl", options);
	is("a second mount of the fsid with other options", wait_child(start_mount(other)), EBUSY);
	is("write before copen", code(write(fd, blob, 1)), -ENOBUFS);
	is("lseek before copen", code(lseek(fd, 0, SEEK_END)), -ENOBUFS);
	is("READ_COMPLETE of an OPEN", complete(fd, id), -EINVAL);
	is("copen of an unknown id", command("copen %u,1", id + 100), -EINVAL);
	is("copen of a negative id", command("copen -1,1"), -EINVAL);
	is("restore by the same daemon", command("restore"), 0);
	is("sends no second OPEN", next(&again, 50), -1);
	is("copen", command("copen %u,%llu", id, (unsigned long long)blob_size), 0);
	is("copen again", command("copen %u,%llu", id, (unsigned long long)blob_size), -EINVAL);
	return fd;
}

/* As a daemon with a small unaligned buffer does, in pieces of odd lengths. */
static bool fill_oddly(int fd, uint64_t off, uint64_t len)
{
	static char buf[1001];

	if (lseek(fd, off, SEEK_SET) != (off_t)off)
		return false;
	while (len) {
		size_t n = len < 1000 ? len : 1000;

		memcpy(buf + 1, blob + off, n);
		if (write(fd, buf + 1, n) != (ssize_t)n)
			return false;
		off += n;
		len -= n;
	}
	return lseek(fd, 0, SEEK_CUR) == (off_t)off;
}

static void check_first_read(int fd)
{
	struct message m, again;
	uint64_t end;

	is("READ", next(&m, WAIT_MS), CACHEFILES_OD_OP_READ);
	end = m.range.off + m.range.len;
	is("its offset is aligned", m.range.off % GRAIN, 0);
	is("its length is valid", m.range.len > 0 && m.range.len <= CACHEFILES_OD_READ_MAX, true);
	is("it is within the blob", end <= blob_size, true);
	is("copen of a READ", command("copen %u,1", m.head.msg_id), -EINVAL);
	is("READ_COMPLETE of an unknown id", complete(fd, m.head.msg_id + 100), -EINVAL);
	is("another ioctl", code(ioctl(fd, _IOW(0x98, 2, int), 0)), -EINVAL);
	is("restore", command("restore"), 0);
	is("delivers the READ again", next(&again, WAIT_MS), CACHEFILES_OD_OP_READ);
	is("with the same id", again.head.msg_id, m.head.msg_id);
	is("1000 bytes at a time", fill_oddly(fd, m.range.off, m.range.len), true);
	is("READ_COMPLETE", complete(fd, m.head.msg_id), 0);
	is("READ_COMPLETE again", complete(fd, m.head.msg_id), -EINVAL);
}

static void check_fd(int fd)
{
	void *bad_memory = mmap(NULL, GRAIN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	off_t length = (blob_size + GRAIN - 1) / GRAIN * GRAIN;

	is("SEEK_END", lseek(fd, 0, SEEK_END), length);
	is("SEEK_DATA", lseek(fd, 0, SEEK_DATA), 0);
	is("SEEK_HOLE", lseek(fd, 0, SEEK_HOLE) <= length, true);
	is("SEEK_DATA past the end", code(lseek(fd, length, SEEK_DATA)), -ENXIO);
	is("write past the end", code(pwrite(fd, blob, 1, length)), -EFBIG);
	is("write of 0 bytes", pwrite(fd, blob, 0, 0), 0);
	is("write from bad memory", code(pwrite(fd, bad_memory, 1, 0)), -EFAULT);
	is("read", code(read(fd, &length, 1)), -EBADF);
	is("mmap", mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED, true);
}

/* Another version than the first one given, for a blob without a version before. */
static int check_another_version(int fd, const char *file)
{
	pid_t reader;
	struct message open;

	close(fd);
	reader = start_read(file);
	is("a reader's OPEN", next(&open, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	is("copen with another version", command("copen %u,%llu,B", open.head.msg_id,
						 (unsigned long long)blob_size), -ESTALE);
	close(open.open.fd);
	is("fails its reader", serve_until_exit(fail_open, -1, reader), EIO);

	reader = start_read(file);
	is("the next OPEN", next(&open, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	is("copen with the first version", command("copen %u,%llu,A", open.head.msg_id,
						    (unsigned long long)blob_size), 0);
	is("the reader succeeds", serve_until_exit(serve_read, open.open.fd, reader), 0);
	return open.open.fd;
}

/* The last close with a READ pending: it is sent again, after a new OPEN. */
static int check_reopen(int fd, uint32_t object_id, const char *file)
{
	pid_t reader = start_read(file);
	struct message m, open;
	uint32_t id;

	is("a reader's READ", next(&m, WAIT_MS), CACHEFILES_OD_OP_READ);
	id = m.head.msg_id;
	close(fd);
	is("the fd is closed: OPEN again", next(&open, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	is("with a new object id", open.head.object_id != object_id, true);
	is("the READ waits for its reply", next(&m, 50), -1);
	is("copen with another size", command("copen %u,%llu", open.head.msg_id,
					       (unsigned long long)blob_size + 1), -ESTALE);
	close(open.open.fd);
	/* After a failed readahead the reader sends a READ itself. */
	is("fails the reader", serve_until_exit(fail_open, -1, reader), EIO);

	reader = start_read(file);
	is("the next reader's OPEN", next(&open, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	is("copen with a first version", command("copen %u,%llu,A", open.head.msg_id,
							 (unsigned long long)blob_size), 0);
	is("its READ", next(&m, WAIT_MS), CACHEFILES_OD_OP_READ);
	is("has a new id", m.head.msg_id != id, true);
	is("READ_COMPLETE without data", complete(open.open.fd, m.head.msg_id), 0);
	is("fails the reader, too", serve_until_exit(complete_without_data, open.open.fd, reader), EIO);
	return check_another_version(open.open.fd, file);
}

static void check_culling(bool in_use)
{
	long busy = in_use ? -EBUSY : 0;
	char name[300];

	snprintf(name, sizeof(name), "D%s", fsid);
	is("inuse", command("inuse %s", name), busy);
	is("inuse of a missing file", command("inuse Dnothing"), -ESTALE);
	is("inuse of a path", command("inuse ../x"), -EINVAL);
	is("cull of a path", command("cull a/b"), -EINVAL);
	is("cull of ..", command("cull .."), -EINVAL);
	is("cull of a missing file", command("cull Dnothing"), -ESTALE);
	is("cull", command("cull %s", name), busy);
	if (!in_use)
		is("cull again", command("cull %s", name), -ESTALE);
}

/* Changes to the blob's fan-out directory, as a culling daemon does. */
static void enter_fanout(const char *cache)
{
	char path[600], name[300];
	int i;

	snprintf(name, sizeof(name), "D%s", fsid);
	for (i = 0; i < 256; i++) {
		snprintf(path, sizeof(path), "%s/cache/Ierofs,%s/@%02x", cache, fsid, i);
		if (chdir(path) == 0 && access(name, F_OK) == 0)
			return;
	}
	errx(1, "the blob has no cache file");
}

static void check_failed_opens(void)
{
	char options[300];
	struct message m;
	pid_t mounter;

	snprintf(options, sizeof(options), "fsid=%s", fsid);
	mounter = start_mount(options);
	is("OPEN of a new mount", next(&m, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	close(m.open.fd);
	is("fd closed before copen", command("copen %u,%llu", m.head.msg_id,
					      (unsigned long long)blob_size), 0);
	is("fails the mount", wait_child(mounter), EBADFD);

	mounter = start_mount(options);
	is("OPEN", next(&m, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	close(m.open.fd);
	is("copen with an errno after the fd was closed", command("copen %u,-13", m.head.msg_id), 0);
	is("is the errno of the mount", wait_child(mounter), EACCES);

	mounter = start_mount(options);
	is("OPEN", next(&m, WAIT_MS), CACHEFILES_OD_OP_OPEN);
	is("copen with an invalid size", command("copen %u,zork", m.head.msg_id), -EINVAL);
	is("fails the mount, too", wait_child(mounter), EINVAL);
	close(m.open.fd);
}

int main(int argc, char **argv)
{
	char path[600];
	struct message m;
	struct stat st;
	pid_t mounter;
	int fd;

	if (argc != 5)
		errx(2, "usage: protocol CACHE BLOBS FSID FILE");
	fsid = argv[3];
	snprintf(path, sizeof(path), "%s/%s", argv[2], fsid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	blob_size = st.st_size;
	blob = mmap(NULL, blob_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	dev = open(CACHEFILES_OD_DEVICE, O_RDWR | O_CLOEXEC);
	if (blob == MAP_FAILED || dev < 0)
		err(1, "%s", CACHEFILES_OD_DEVICE);

	check_commands(argv[1]);
	check_failed_opens();
	fd = check_open(&mounter);
	check_first_read(fd);
	is("the mount succeeds", serve_until_exit(serve_read, fd, mounter), 0);
	check_fd(fd);
	snprintf(path, sizeof(path), MOUNT_POINT "/%s", argv[4]);
	fd = check_reopen(fd, 0, path);
	enter_fanout(argv[1]);
	check_culling(true);
	is("unmount", code(umount(MOUNT_POINT)), 0);
	is("CLOSE", next(&m, WAIT_MS), CACHEFILES_OD_OP_CLOSE);
	is("its length", m.head.len, 16);
	is("write after CLOSE", code(pwrite(fd, blob, 1, 0)), -EIO);
	is("lseek after CLOSE", code(lseek(fd, 0, SEEK_END)), -EIO);
	check_culling(false);
	return 0;
}
