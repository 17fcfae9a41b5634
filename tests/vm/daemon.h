/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The on-demand protocol from the daemon's side of the device, for the guest programs that
 * play a daemon. It shares no code with the real one. Errors are returned as -errno.
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

/* @path: NULL for the device's usual one; @flags: O_NONBLOCK, or 0 */
int daemon_open(const char *path, int flags);

int daemon_command_bytes(int dev, const void *text, size_t len);
int daemon_command(int dev, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "dir" and "bind" */
int daemon_bind(int dev, const char *cache);

/* Whether a message comes within @ms. */
bool daemon_readable(int dev, int ms);

/* The key of the blob that an OPEN is about, as a string. */
void daemon_blob_name(const struct message *m, char *name, size_t size);

/* Fills @len bytes at @off, or as many as @source has; returns how many. */
ssize_t daemon_copy(int fd, int source, uint64_t off, uint64_t len);

int daemon_complete(int fd, uint32_t msg_id);

#endif
