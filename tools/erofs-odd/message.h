/* SPDX-License-Identifier: GPL-2.0-only */
/* Parses and checks messages from the kernel. */
#ifndef ODD_MESSAGE_H
#define ODD_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct message - one message of the device, checked
 * @msg_id: names the message in its reply
 * @object_id: names the blob
 * @opcode: enum cachefiles_od_opcode
 * @fd: OPEN: the blob's fd; -1 for the others. Set as soon as the message is
 *	long enough to hold it, so that a malformed OPEN can still be failed.
 * @volume: OPEN: the volume key, ends with a NUL; points into the buffer
 * @cookie: OPEN: the cookie key, no NUL; points into the buffer
 * @cookie_len: OPEN: bytes of @cookie, at least 1
 * @off: READ: first byte requested
 * @len: READ: bytes requested, at least 1; @off + @len does not wrap
 */
struct message {
	uint32_t msg_id;
	uint32_t object_id;
	uint32_t opcode;
	int fd;
	const char *volume;
	const uint8_t *cookie;
	size_t cookie_len;
	uint64_t off;
	uint64_t len;
};

int message_parse(const void *buf, size_t size, struct message *msg);

#endif
