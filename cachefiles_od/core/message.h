/* SPDX-License-Identifier: GPL-2.0-only */
/* The messages that a daemon reads from the device. */
#ifndef OD_CORE_MESSAGE_H
#define OD_CORE_MESSAGE_H

#include "od/types.h"

/**
 * struct od_message - one message, before it is encoded
 * @msg_id: identifies the message in its reply
 * @opcode: enum cachefiles_od_opcode
 * @object_id: identifies the blob
 * @open: data of an OPEN
 * @open.volume_key: NUL-terminated
 * @open.cookie_key: any bytes
 * @open.cookie_key_len: bytes in @open.cookie_key
 * @open.fd: the anonymous fd
 * @read: data of a READ
 * @read.off: first byte requested
 * @read.len: bytes requested
 * @culled: data of a CULLED, with the keys of @open
 * @culled.bytes: bytes that were freed
 */
struct od_message {
	u32 msg_id;
	u32 opcode;
	u32 object_id;
	struct {
		const char *volume_key;
		const u8 *cookie_key;
		u32 cookie_key_len;
		u32 fd;
	} open;
	struct {
		u64 off, len;
	} read;
	struct {
		u64 bytes;
	} culled;
};

/**
 * od_message_len - length of an encoded message
 * @msg: the message; the fd of an OPEN need not be known yet
 */
size_t od_message_len(const struct od_message *msg);

/**
 * od_message_encode - encode a message for the daemon
 * @msg: the message
 * @buf: space for od_message_len() bytes
 */
void od_message_encode(const struct od_message *msg, u8 *buf);

#endif /* OD_CORE_MESSAGE_H */
