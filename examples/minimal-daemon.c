// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that a daemon has to do: serve the blobs that lie in a folder.
 *
 * Usage: minimal-daemon CACHE_FOLDER BLOB_FOLDER
 *
 * One thread, one message at a time. Documentation/protocol.rst walks through it.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/cachefiles_od.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A blob between its OPEN and its CLOSE. */
struct blob {
	__u32 object_id;
	int source, cached;
	struct blob *next;
};

static int device, folder;
static struct blob *blobs;

/* One command is one write, which is why this is no dprintf(). */
static int command(const char *format, ...)
{
	char text[CACHEFILES_OD_CMD_MAX + 1];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return write(device, text, len) == len ? 0 : -1;
}

/* The name comes from an image or a mount option: it has to stay in the folder. */
static int open_source(const char *name)
{
	if (!*name || *name == '.' || strchr(name, '/')) {
		errno = EINVAL;
		return -1;
	}
	return openat(folder, name, O_RDONLY | O_CLOEXEC);
}

/* Puts a blob away that is in no list. */
static void put_away(struct blob *blob)
{
	if (blob->source >= 0)
		close(blob->source);
	close(blob->cached);
	free(blob);
}

static void on_open(const struct cachefiles_od_msg *msg)
{
	const struct cachefiles_od_open *open_msg = (const void *)msg->data;
	char name[CACHEFILES_OD_MSG_MAX] = "";
	struct blob *blob = malloc(sizeof(*blob));
	long long size;

	if (!blob)
		err(1, "malloc");
	/* The cookie key has no NUL; the array has. */
	memcpy(name, open_msg->data + open_msg->volume_key_size, open_msg->cookie_key_size);
	*blob = (struct blob){ msg->object_id, open_source(name), open_msg->fd, blobs };
	size = blob->source < 0 ? -errno : lseek(blob->source, 0, SEEK_END);
	/* The answer is refused where nobody waits for it any more: no CLOSE comes then. */
	if (command("copen %u,%lld", msg->msg_id, size) || size < 0)
		put_away(blob);
	else
		blobs = blob;
}

/* find() - where the list points to the blob, or its end */
static struct blob **find(__u32 object_id)
{
	struct blob **place = &blobs;

	while (*place && (*place)->object_id != object_id)
		place = &(*place)->next;
	return place;
}

static void on_read(const struct cachefiles_od_msg *msg)
{
	static char data[CACHEFILES_OD_READ_MAX];
	const struct cachefiles_od_read_range *range = (const void *)msg->data;
	struct blob *blob = *find(msg->object_id);
	__u64 at = range->off, end = range->off + range->len;
	ssize_t n;

	if (!blob)
		return;
	for (; at < end; at += n) {
		n = pread(blob->source, data, end - at, at);
		if (n <= 0 || pwrite(blob->cached, data, n, at) != n)
			break;
	}
	/* Also where it broke off: those who wait for what is missing get EIO. */
	ioctl(blob->cached, CACHEFILES_OD_IOC_READ_COMPLETE, msg->msg_id);
}

static void on_close(const struct cachefiles_od_msg *msg)
{
	struct blob **place = find(msg->object_id), *blob = *place;

	if (!blob)
		return;
	*place = blob->next;
	put_away(blob);
}

static void on_message(const struct cachefiles_od_msg *msg)
{
	switch (msg->opcode) {
	case CACHEFILES_OD_OP_OPEN:
		on_open(msg);
		break;
	case CACHEFILES_OD_OP_READ:
		on_read(msg);
		break;
	case CACHEFILES_OD_OP_CLOSE:
		on_close(msg);
		break;
	}
}

int main(int argc, char **argv)
{
	static union {
		struct cachefiles_od_msg msg;
		char bytes[CACHEFILES_OD_MSG_MAX];
	} in;
	struct pollfd wait = { .events = POLLIN };
	ssize_t n;

	if (argc != 3)
		errx(2, "usage: minimal-daemon CACHE_FOLDER BLOB_FOLDER");
	folder = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		err(1, "%s", argv[2]);
	device = wait.fd = open(CACHEFILES_OD_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(1, CACHEFILES_OD_DEVICE);
	if (command("dir %s", argv[1]) || command("bind ondemand"))
		err(1, "the cache in %s", argv[1]);
	while (poll(&wait, 1, -1) == 1) {
		/* 0: there is no further message; poll() says when there is. */
		while ((n = read(device, &in, sizeof(in))) > 0)
			on_message(&in.msg);
		if (n < 0)
			break;
	}
	err(1, CACHEFILES_OD_DEVICE);
}
