// SPDX-License-Identifier: GPL-2.0-only
/*
 * fakedaemon: a minimal daemon for the on-demand protocol that misbehaves on
 * request. It shares no code with erofs-odd.
 *
 * It writes "ready" to standard output when the cache is bound, then one line
 * per message, and a line for each failed call. After SIGUSR1 it writes only half
 * of each READ, up to the middle of a block, and does not complete it. With --hole
 * it leaves out bytes of each blob, until SIGUSR2.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OBJECTS	65536

struct object {
	bool used;
	__u32 id;
	int fd;
	int source;
};

static const char *device, *cache, *blobs, *copen, *mute_name;
static bool mute_open, mute_read, leave_hole, close_first, restore, sync_fd, wide;
static unsigned int delay_ms, piece;
static size_t burst;
static long long lie;
static unsigned long long hole_off, hole_len;
static volatile sig_atomic_t halves, healed;
static struct object objects[MAX_OBJECTS];

static void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int command(int dev, const char *format, ...)
{
	char buf[4096];
	va_list ap;
	int len, error;

	va_start(ap, format);
	len = vsnprintf(buf, sizeof(buf), format, ap);
	va_end(ap);
	error = daemon_command_bytes(dev, buf, len);
	if (error)
		say("rejected: %s: %s", buf, strerror(-error));
	return error;
}

static struct object *object_of(__u32 id)
{
	int i;

	for (i = 0; i < MAX_OBJECTS; i++)
		if (objects[i].used && objects[i].id == id)
			return &objects[i];
	return NULL;
}

static struct object *new_object(__u32 id)
{
	int i;

	for (i = 0; i < MAX_OBJECTS; i++)
		if (!objects[i].used) {
			objects[i] = (struct object){ .used = true, .id = id };
			return &objects[i];
		}
	abort();
}

static void drop_object(struct object *obj)
{
	if (obj->source >= 0)
		close(obj->source);
	if (obj->fd >= 0)
		close(obj->fd);
	obj->used = false;
}

static void on_open(int dev, const struct message *msg)
{
	struct object *obj = new_object(msg->head.object_id);
	char name[256], path[4096];
	struct stat st;

	daemon_blob_name(msg, name, sizeof(name));
	snprintf(path, sizeof(path), "%s/%s", blobs, name);
	say("OPEN %s %s", (const char *)msg->open.data, name);
	obj->fd = msg->open.fd;
	obj->source = open(path, O_RDONLY | O_CLOEXEC);
	if (mute_open || (mute_name && !strcmp(name, mute_name)))
		return;
	if (copen) {
		if (close_first)
			close(obj->fd), obj->fd = -1;
		command(dev, "copen %u,%s", msg->head.msg_id, copen);
		drop_object(obj);
	} else if (obj->source < 0 || fstat(obj->source, &st)) {
		command(dev, "copen %u,%d", msg->head.msg_id, -errno);
		drop_object(obj);
	} else {
		command(dev, "copen %u,%lld", msg->head.msg_id, (long long)st.st_size + lie);
	}
}

static void fill_all(struct object *obj, __u64 off, __u64 len)
{
	static char buf[CACHEFILES_OD_READ_MAX];
	ssize_t n = pread(obj->source, buf, len, off), at, now;

	for (at = 0; at < n; at += now) {
		now = piece && piece < n - at ? piece : n - at;
		if (pwrite(obj->fd, buf + at, now, off + at) != now)
			say("pwrite of %zd at %llu: %s", now, (unsigned long long)off + at,
			    strerror(errno));
	}
}

/* Fills a READ, except for the hole. */
static void fill(struct object *obj, __u64 off, __u64 len)
{
	__u64 end = off + len, hole_end = hole_off + hole_len;

	if (!hole_len || healed || end <= hole_off || off >= hole_end) {
		fill_all(obj, off, len);
		return;
	}
	if (off < hole_off)
		fill_all(obj, off, hole_off - off);
	if (end > hole_end)
		fill_all(obj, hole_end, end - hole_end);
}

/* One write(2) of that many zeroes, past the real end of the blob, see --lie. */
static void write_burst(struct object *obj)
{
	off_t end = (lseek(obj->source, 0, SEEK_END) + 4095) & ~4095LL;
	void *zeroes = mmap(NULL, burst, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);
	ssize_t n = zeroes == MAP_FAILED ? -1 : pwrite(obj->fd, zeroes, burst, end);

	say("pwrite of %zu: %zd %s", burst, n, n < 0 ? strerror(errno) : "");
}

static void on_read(const struct message *msg)
{
	const struct cachefiles_od_read_range *range = &msg->range;
	struct object *obj = object_of(msg->head.object_id);
	int error;

	say("READ %llu %llu", (unsigned long long)range->off, (unsigned long long)range->len);
	if (!obj || mute_read)
		return;
	if (delay_ms)
		usleep(delay_ms * 1000);
	if (halves) {
		fill(obj, range->off, range->len / 2 + 100);
		say("HALF");
		return;
	}
	if (!leave_hole)
		fill(obj, range->off, range->len);
	if (sync_fd && fsync(obj->fd))
		say("fsync: %s", strerror(errno));
	error = daemon_complete(obj->fd, msg->head.msg_id);
	if (error)
		say("read complete: %s", strerror(-error));
	if (burst)
		write_burst(obj);
}

static void on_message(int dev, const struct message *msg)
{
	struct object *obj;

	switch (msg->head.opcode) {
	case CACHEFILES_OD_OP_OPEN:
		on_open(dev, msg);
		break;
	case CACHEFILES_OD_OP_READ:
		on_read(msg);
		break;
	case CACHEFILES_OD_OP_CLOSE:
		say("CLOSE");
		obj = object_of(msg->head.object_id);
		if (obj)
			drop_object(obj);
		break;
	default:
		say("unknown opcode %u", msg->head.opcode);
	}
}

static void on_signal(int signal)
{
	if (signal == SIGUSR1)
		halves = 1;
	else
		healed = 1;
}

static void serve(int dev)
{
	static struct message buf;
	struct pollfd pfd = { .fd = dev, .events = POLLIN };
	ssize_t n;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	while (poll(&pfd, 1, -1) >= 0 || errno == EINTR) {
		while ((n = read(dev, &buf, sizeof(buf))) > 0) {
			if (n != buf.head.len)
				say("read returns %zd for a message of %u bytes", n, buf.head.len);
			on_message(dev, &buf);
		}
		if (n < 0) {
			say("read: %s", strerror(errno));
			return;
		}
	}
}

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "cache", required_argument, NULL, 'c' },
	{ "blobs", required_argument, NULL, 'b' },
	{ "copen", required_argument, NULL, 'o' },
	{ "mute-open", no_argument, NULL, 'O' },
	{ "mute-open-of", required_argument, NULL, 'N' },
	{ "mute-read", no_argument, NULL, 'R' },
	{ "leave-hole", no_argument, NULL, 'h' },
	{ "close-first", no_argument, NULL, 'C' },
	{ "delay-ms", required_argument, NULL, 'D' },
	{ "burst", required_argument, NULL, 'B' },
	{ "piece", required_argument, NULL, 'p' },
	{ "lie", required_argument, NULL, 'l' },
	{ "restore", no_argument, NULL, 'r' },
	{ "hole", required_argument, NULL, 'H' },
	{ "fsync", no_argument, NULL, 's' },
	{ "wide", no_argument, NULL, 'w' },
	{ }
};

static bool parse(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'd': device = optarg; break;
		case 'c': cache = optarg; break;
		case 'b': blobs = optarg; break;
		case 'o': copen = optarg; break;
		case 'O': mute_open = true; break;
		case 'N': mute_name = optarg; break;
		case 'R': mute_read = true; break;
		case 'h': leave_hole = true; break;
		case 'C': close_first = true; break;
		case 'D': delay_ms = atoi(optarg); break;
		case 'B': burst = strtoull(optarg, NULL, 0); break;
		case 'p': piece = atoi(optarg); break;
		case 'l': lie = atoll(optarg); break;
		case 'r': restore = true; break;
		case 'H':
			if (sscanf(optarg, "%llu,%llu", &hole_off, &hole_len) != 2)
				return false;
			break;
		case 's': sync_fd = true; break;
		case 'w': wide = true; break;
		default: return false;
		}
	}
	return cache && blobs && optind == argc;
}

int main(int argc, char **argv)
{
	int dev;

	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: fakedaemon --cache DIR --blobs DIR [--device PATH] "
			"[--copen TEXT] [--mute-open] [--mute-open-of NAME] [--mute-read] "
			"[--leave-hole] [--close-first] [--delay-ms N] [--burst BYTES] [--piece BYTES] "
			"[--lie BYTES] [--restore] [--hole OFFSET,BYTES] [--fsync] [--wide]\n");
		return 2;
	}
	dev = daemon_open(device, O_NONBLOCK);
	if (dev < 0) {
		fprintf(stderr, "%s: %s\n", device ? device : CACHEFILES_OD_DEVICE, strerror(-dev));
		return 1;
	}
	if (command(dev, "dir %s", cache) || command(dev, "bind ondemand"))
		return 1;
	if (wide)
		command(dev, "wide");
	say("ready");
	if (restore)
		command(dev, "restore");
	serve(dev);
	return 1;
}
