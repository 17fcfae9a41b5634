/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's side of the on-demand protocol, for guest programs that act as a daemon. It
 * shares no code with erofs-odd. Errors are returned as -errno.
 */
#ifndef TEST_DAEMON_H
#define TEST_DAEMON_H

#include <linux/cachefiles_od.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** struct message - what a daemon reads from the device */
struct message {
	struct cachefiles_od_msg head;
	union {
		struct cachefiles_od_open open;
		struct cachefiles_od_read_range range;
		char bytes[CACHEFILES_OD_MSG_MAX];
	};
};

/* @path: NULL for the default device; @flags: O_NONBLOCK or 0 */
int daemon_open(const char *path, int flags);

int daemon_command_bytes(int dev, const void *text, size_t len);
int daemon_command(int dev, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sends "dir" and "bind". */
int daemon_bind(int dev, const char *cache);

/* Whether a message arrives within @ms. */
bool daemon_readable(int dev, int ms);

/* The cookie key of an OPEN, as a string. */
void daemon_blob_name(const struct message *m, char *name, size_t size);

/* Fills @len bytes at @off, or as many as @source has; returns the number of bytes. */
ssize_t daemon_copy(int fd, int source, uint64_t off, uint64_t len);

int daemon_complete(int fd, uint32_t msg_id);

#endif
