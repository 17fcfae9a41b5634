// SPDX-License-Identifier: GPL-2.0-only
/*
 * crossing: close a blob's fd while a READ for it is being copied to the daemon.
 *
 *	crossing CACHE BLOBS FSID FILE
 *
 * Mounts BLOBS/FSID, an image of one blob, on /mnt/a. The daemon reads a READ into
 * memory that is itself a cold page of FILE, so that the copy waits for another
 * READ. It closes the blob's only fd, and gets a new one by OPEN to complete that
 * other READ. Then the first READ is delivered, too, and must name the new object:
 * it could not be completed through the closed fd.
 */
#include "daemon.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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

#define MOUNT_POINT	"/mnt/a"
#define REQUESTS	"/proc/fs/cachefiles_od/requests"
#define WAIT_MS		30000
/* Further apart than the maximum length of a READ. */
#define WANTED		(8L << 20)
#define BUFFER		(16L << 20)

static int dev, blob;
static off_t blob_size;

/* The blob's fd and object, from the last OPEN. */
static int fd = -1;
static uint32_t object_id;

static void next(struct message *m)
{
	if (!daemon_readable(dev, WAIT_MS))
		errx(1, "no message arrives");
	if (read(dev, m, sizeof(*m)) <= 0)
		err(1, "no message");
}

static void reply(const struct message *m)
{
	if (m->head.opcode == CACHEFILES_OD_OP_OPEN) {
		fd = m->open.fd;
		object_id = m->head.object_id;
		if (daemon_command(dev, "copen %u,%lld", m->head.msg_id, (long long)blob_size))
			errx(1, "copen %u is rejected", m->head.msg_id);
		return;
	}
	if (m->head.object_id != object_id ||
	    daemon_copy(fd, blob, m->range.off, m->range.len) < 0 ||
	    daemon_complete(fd, m->head.msg_id))
		errx(1, "READ %u of object %u cannot be completed through object %u's fd",
		     m->head.msg_id, m->head.object_id, object_id);
}

/* Serves until a child exits; returns its status. */
static int serve(pid_t pid)
{
	int status, waited;
	struct message m;

	for (waited = 0; waited < WAIT_MS; waited += 10) {
		while (daemon_readable(dev, 10) && read(dev, &m, sizeof(m)) > 0)
			reply(&m);
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	errx(1, "a child waits for a request that was not delivered");
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid)
		close_range(3, ~0U, 0);
	return pid;
}

static pid_t start_mount(const char *fsid)
{
	pid_t pid = start_child();
	char options[300];

	if (pid)
		return pid;
	snprintf(options, sizeof(options), "fsid=%s", fsid);
	_exit(mount("none", MOUNT_POINT, "erofs_od", MS_RDONLY, options) ? errno : 0);
}

static int open_file(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM))
		err(1, "%s", path);
	return file;
}

/* The path has been looked up before, so that only data is missing. */
static pid_t start_read(const char *path, off_t at)
{
	pid_t pid = start_child();
	char c;

	if (pid)
		return pid;
	_exit(pread(open_file(path), &c, 1, at) == 1 ? 0 : 1);
}

static int nr_requests(void)
{
	FILE *f = fopen(REQUESTS, "r");
	char line[1024];
	int n = -1;

	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		fclose(f);
	return n;
}

static void wait_for_requests(int nr)
{
	int waited;

	for (waited = 0; nr_requests() != nr; waited += 10) {
		if (waited >= WAIT_MS)
			errx(1, "%d requests, not %d", nr_requests(), nr);
		usleep(10000);
	}
}

static void *fetch(void *buf)
{
	return (void *)(intptr_t)read(dev, buf, sizeof(struct message));
}

static void cross(const char *path)
{
	int file = open_file(path);
	struct message m, *slow;
	pthread_t fetcher;
	pid_t reader;
	void *n;

	slow = mmap(NULL, sizeof(*slow), PROT_READ | PROT_WRITE, MAP_PRIVATE, file, BUFFER);
	if (slow == MAP_FAILED || madvise(slow, sizeof(*slow), MADV_RANDOM))
		err(1, "%s", path);
	reader = start_read(path, WANTED);
	wait_for_requests(1);
	if (pthread_create(&fetcher, NULL, fetch, slow))
		errx(1, "no thread");
	wait_for_requests(2);

	next(&m);
	close(fd);
	next(&m);
	if (m.head.opcode != CACHEFILES_OD_OP_OPEN)
		errx(1, "no OPEN after the fd was closed");
	reply(&m);
	next(&m);
	reply(&m);

	pthread_join(fetcher, &n);
	if ((intptr_t)n <= 0)
		errx(1, "the READ that was being copied is lost");
	reply(slow);
	if (serve(reader))
		errx(1, "the reader fails");
	munmap(slow, sizeof(*slow));
	close(file);
}

int main(int argc, char **argv)
{
	char path[600];
	struct stat st;

	if (argc != 5)
		errx(2, "usage: crossing CACHE BLOBS FSID FILE");
	snprintf(path, sizeof(path), "%s/%s", argv[2], argv[3]);
	blob = open(path, O_RDONLY | O_CLOEXEC);
	if (blob < 0 || fstat(blob, &st))
		err(1, "%s", path);
	blob_size = st.st_size;
	dev = daemon_open(NULL, 0);
	if (dev < 0 || daemon_bind(dev, argv[1]))
		errx(1, "%s: bind failed", argv[1]);
	if (serve(start_mount(argv[3])))
		errx(1, "mount failed");
	snprintf(path, sizeof(path), MOUNT_POINT "/%s", argv[4]);
	if (serve(start_read(path, 0)))
		errx(1, "%s", path);
	cross(path);
	if (umount(MOUNT_POINT))
		err(1, "unmount");
	return 0;
}
