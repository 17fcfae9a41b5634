// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon's device in the tests: a SOCK_SEQPACKET socket, at the other end of which a test
 * plays the kernel. Linked into the daemon instead of device.c.
 *
 * To the daemon: one message per packet, that of an OPEN with the blob's fd attached
 * (SCM_RIGHTS), whose number then replaces the fd field. From the daemon: one text per packet:
 * each command as it is; "complete INODE MSG_ID" and "close INODE" for what it does with a
 * blob's fd. The inode identifies the file that the fd really refers to.
 *
 * FAKE_REFUSE=COMMAND in the environment: commands that start with it fail with the errno
 * FAKE_ERRNO, or EINVAL. FAKE_RECEIVE_ERRNO=NUMBER: the first FAKE_RECEIVE_FAILS receives, or
 * the first one, fail with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/cachefiles_od.h>

#include "device.h"

static int tell(int dev, const char *text)
{
	return send(dev, text, strlen(text), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static uintmax_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

int device_open(const char *path, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (fd >= 0)
		return fcntl(fd, F_SETFD, FD_CLOEXEC) ? -errno : fd;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return fd;
}

static int attached_fd(struct msghdr *head)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(head);
	int fd = -1;

	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

static int receive_error(void)
{
	const char *number = getenv("FAKE_RECEIVE_ERRNO"), *times = getenv("FAKE_RECEIVE_FAILS");
	static int failed;

	if (!number || failed >= (times ? atoi(times) : 1))
		return 0;
	failed++;
	return -atoi(number);
}

ssize_t device_receive(int dev, void *buf, size_t size)
{
	size_t at = sizeof(struct cachefiles_od_msg) + offsetof(struct cachefiles_od_open, fd);
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = receive_error();
	ssize_t n;

	if (fd)
		return fd;
	n = recvmsg(dev, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == ECONNRESET ? 0 : -errno;
	fd = attached_fd(&head);
	if (fd >= 0 && (size_t)n >= at + sizeof(fd))
		memcpy((char *)buf + at, &fd, sizeof(fd));
	return n;
}

int device_command(int dev, const char *command)
{
	const char *refuse = getenv("FAKE_REFUSE"), *number = getenv("FAKE_ERRNO");

	if (refuse && !strncmp(command, refuse, strlen(refuse)))
		return number ? -atoi(number) : -EINVAL;
	return tell(dev, command);
}

int device_fill(int dev, int blob_fd, const void *buf, size_t len, uint64_t off)
{
	ssize_t n = pwrite(blob_fd, buf, len, (off_t)off);

	(void)dev;
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int device_complete(int dev, int blob_fd, uint32_t msg_id)
{
	char text[64];

	snprintf(text, sizeof(text), "complete %ju %" PRIu32, inode(blob_fd), msg_id);
	return tell(dev, text);
}

void device_close_blob(int dev, int blob_fd)
{
	char text[64];

	snprintf(text, sizeof(text), "close %ju", inode(blob_fd));
	tell(dev, text);
	close(blob_fd);
}
