// SPDX-License-Identifier: GPL-2.0-only
/*
 * failnth: repeat a call with its first, second, third, ... allocation failing,
 * until it has no more. Needs a kernel with CONFIG_FAULT_INJECTION.
 *
 *	bind CACHE              open the device, set the directory, bind, close
 *	mount OPTIONS DIR       mount, and unmount on success
 *	read FILE               open and read a file, with cold caches
 *	list DIR                list and stat(2) all names, with cold caches
 *	serve CACHE BLOBS FSID DIR
 *	                        act as the daemon of a mount on DIR: read a message,
 *	                        copen, write and complete, each with failures
 *
 * A call must only fail with an errno that a lack of memory explains, and data
 * read without an error must equal that of the first read. Prints
 * "CALL: N allocations failed, E calls did", or an error.
 */
#include "daemon.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than any of the calls needs, so that a loop fails the test. */
#define MAX_STEPS	2000

static int nth_fd;

static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(nth_fd, text, len, 0) != len)
		err(1, "fail-nth");
}

/* Whether the call made fewer allocations. */
static bool none_failed(void)
{
	char text[16] = "";

	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0)
		err(1, "fail-nth");
	return atoi(text) != 0;
}

/* A call: 0 or -errno. Undone by undo() on success. */
struct call {
	const char *name;
	int (*prepare)(char **argv);
	int (*run)(char **argv);
	void (*undo)(char **argv);
};

static bool is_excused(int error)
{
	switch (error) {
	case -ENOMEM:
	case -ENOBUFS:
	case -EIO:
	case -EAGAIN:
	case -EINTR:
	case -ENFILE:
	case -EMFILE:
	case -ENODEV:
		return true;
	}
	return false;
}

static void each_allocation(const struct call *call, char **argv)
{
	int step, failed = 0, error;
	bool ended;

	for (step = 1; step < MAX_STEPS; step++) {
		if (call->prepare)
			call->prepare(argv);
		fail_nth(step);
		error = call->run(argv);
		ended = none_failed();
		fail_nth(0);
		if (error > 0)
			errx(1, "%s: allocation %d failed: wrong data", call->name, step);
		if (error && (ended || !is_excused(error)))
			errx(1, "%s: allocation %d failed: %s", call->name, step, strerror(-error));
		if (!error && call->undo)
			call->undo(argv);
		failed += error != 0;
		if (ended)
			break;
	}
	if (!ended)
		errx(1, "%s: no end after %d allocations", call->name, step);
	printf("%s: %d allocations failed, %d calls did\n", call->name, step - 1, failed);
}

/* --- bind --- */

static int run_bind(char **argv)
{
	int fd = daemon_open(NULL, 0), error;

	if (fd < 0)
		return fd;
	error = daemon_command(fd, "tag failnth");
	if (!error)
		error = daemon_bind(fd, argv[0]);
	close(fd);
	return error;
}

/* --- mount --- */

static int run_mount(char **argv)
{
	return mount("none", argv[1], "erofs_od", MS_RDONLY, argv[0]) ? -errno : 0;
}

static void undo_mount(char **argv)
{
	if (umount(argv[1]))
		err(1, "umount %s", argv[1]);
}

/* --- read, list --- */

static int drop_caches(char **argv)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	(void)argv;
	if (fd < 0 || write(fd, "3", 1) != 1)
		err(1, "drop_caches");
	close(fd);
	return 0;
}

static uint64_t sum_of(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		sum = (sum ^ *p++) * 0x100000001b3ULL;
	return sum;
}

/* 0 if equal to the first sum, 1 otherwise */
static int same_as_first(uint64_t sum)
{
	static uint64_t first;

	if (!first)
		first = sum;
	return sum != first;
}

static int run_read(char **argv)
{
	static char buf[65536];
	uint64_t sum = 1;
	ssize_t n;
	int fd = open(argv[0], O_RDONLY), error = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum = sum_of(sum, buf, n);
	if (n < 0)
		error = -errno;
	close(fd);
	return error ?: same_as_first(sum);
}

static int run_list(char **argv)
{
	uint64_t sum = 1;
	struct dirent *entry;
	struct stat st;
	int error = 0;
	DIR *dir = opendir(argv[0]);

	if (!dir)
		return -errno;
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) {
			error = -errno;
			break;
		}
		sum = sum_of(sum, entry->d_name, strlen(entry->d_name));
		sum = sum_of(sum, &st.st_size, sizeof(st.st_size));
	}
	if (!entry && errno)
		error = -errno;
	closedir(dir);
	return error ?: same_as_first(sum);
}

/* --- serve --- */

static int device;
static struct message message;
static int blob_fd;
static const char *blob;
static size_t blob_size;

static void open_blob(const char *dir, const char *name)
{
	char path[512];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	blob_size = st.st_size;
	blob = mmap(NULL, blob_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (blob == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
}

static pid_t mounter;
static char *mount_point;
static char mount_options[256];

static void start_mount(void)
{
	mounter = fork();
	if (mounter)
		return;
	close(device);
	_exit(mount("none", mount_point, "erofs_od", MS_RDONLY, mount_options) ? errno : 0);
}

static bool has_message(int ms)
{
	struct pollfd p = { .fd = device, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* An OPEN whose delivery fails has failed, and the mount with it: start another mount. */
static void await_message(void)
{
	int status, tries;

	for (tries = 0; tries < 100; tries++) {
		if (has_message(100))
			return;
		if (waitpid(mounter, &status, WNOHANG) != mounter)
			continue;
		if (!is_excused(-WEXITSTATUS(status)))
			errx(1, "mount failed: %s", strerror(WEXITSTATUS(status)));
		start_mount();
	}
	errx(1, "no message");
}

static int run_fetch(char **argv)
{
	ssize_t n = read(device, &message, sizeof(message));

	(void)argv;
	return n < 0 ? -errno : n == 0 ? -EIO : 0;
}

static int run_copen(char **argv)
{
	(void)argv;
	return daemon_command(device, "copen %u,%zu", message.head.msg_id, blob_size);
}

static int run_write(char **argv)
{
	const struct cachefiles_od_read_range *range = &message.range;
	size_t len = range->len;
	ssize_t n;

	(void)argv;
	if (len > blob_size - range->off)
		len = blob_size - range->off;
	n = pwrite(blob_fd, blob + range->off, len, range->off);
	return n < 0 ? -errno : n == (ssize_t)len ? 0 : -ENOMEM;
}

static int run_complete(char **argv)
{
	(void)argv;
	return daemon_complete(blob_fd, message.head.msg_id);
}

/* Fails the first allocation of a call, then the second, until the call succeeds. */
static void until_done(const char *name, void (*prepare)(void), int (*run)(char **argv))
{
	int step, error;
	bool ended;

	for (step = 1; step < MAX_STEPS; step++) {
		if (prepare)
			prepare();
		fail_nth(step);
		error = run(NULL);
		ended = none_failed();
		fail_nth(0);
		if (!error) {
			printf("%s: done after %d failures\n", name, step - 1);
			return;
		}
		if (ended || !is_excused(error))
			errx(1, "%s: allocation %d failed: %s", name, step, strerror(-error));
	}
	errx(1, "%s: no end", name);
}

static void serve_messages(void)
{
	int status;

	while (waitpid(mounter, &status, WNOHANG) != mounter) {
		if (!has_message(100))
			continue;
		until_done("fetch", await_message, run_fetch);
		if (message.head.opcode == CACHEFILES_OD_OP_OPEN) {
			blob_fd = message.open.fd;
			until_done("copen", NULL, run_copen);
		} else if (message.head.opcode == CACHEFILES_OD_OP_READ) {
			until_done("write", NULL, run_write);
			until_done("complete", NULL, run_complete);
		}
	}
	if (status)
		errx(1, "mount failed: %s", strerror(WEXITSTATUS(status)));
}

static void act_as_daemon(char **argv)
{
	open_blob(argv[1], argv[2]);
	device = daemon_open(NULL, 0);
	if (device < 0 || daemon_bind(device, argv[0]))
		errx(1, "bind");
	snprintf(mount_options, sizeof(mount_options), "fsid=%s", argv[2]);
	mount_point = argv[3];
	start_mount();
	await_message();
	serve_messages();
	if (umount(mount_point))
		err(1, "umount");
	close(device);
}

int main(int argc, char **argv)
{
	static const struct call calls[] = {
		{ "bind", NULL, run_bind, NULL },
		{ "mount", NULL, run_mount, undo_mount },
		{ "read", drop_caches, run_read, NULL },
		{ "list", drop_caches, run_list, NULL },
	};
	size_t i;

	setlinebuf(stdout);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		err(1, "fail-nth");
	if (argc == 6 && strcmp(argv[1], "serve") == 0) {
		act_as_daemon(argv + 2);
		return 0;
	}
	for (i = 0; argc > 2 && i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(argv[1], calls[i].name))
			continue;
		/* The first call, without a failure, gives the right data. */
		if (calls[i].prepare && calls[i].run(argv + 2))
			errx(1, "%s failed", argv[1]);
		each_allocation(&calls[i], argv + 2);
		return 0;
	}
	errx(2, "usage: see the source");
}
