/* SPDX-License-Identifier: GPL-2.0-only */
/* The messages that a daemon reads from the device. */
#ifndef OD_CORE_MESSAGE_H
#define OD_CORE_MESSAGE_H

#include "od/types.h"

/**
 * struct od_message - one message, before it is encoded
 * @msg_id: names the message in the reply to it
 * @opcode: enum cachefiles_od_opcode
 * @object_id: names the blob
 * @open: what an OPEN adds
 * @open.volume_key: NUL-terminated
 * @open.cookie_key: any bytes
 * @open.cookie_key_len: how many
 * @open.fd: the anonymous fd
 * @read: what a READ adds
 * @read.off: first byte wanted
 * @read.len: bytes wanted
 * @culled: what a CULLED adds; its keys are those of @open
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
 * od_message_len - bytes that a message takes
 * @msg: the message; the fd of an OPEN need not be known yet
 */
size_t od_message_len(const struct od_message *msg);

/**
 * od_message_encode - write a message as the daemon reads it
 * @msg: the message
 * @buf: room for od_message_len() bytes
 */
void od_message_encode(const struct od_message *msg, u8 *buf);

#endif /* OD_CORE_MESSAGE_H */
