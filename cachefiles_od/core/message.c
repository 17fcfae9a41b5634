// SPDX-License-Identifier: GPL-2.0-only
#include "message.h"
#include <linux/cachefiles_od.h>

size_t od_message_len(const struct od_message *msg)
{
	size_t head = sizeof(struct cachefiles_od_msg);

	switch (msg->opcode) {
	case CACHEFILES_OD_OP_OPEN:
		return head + sizeof(struct cachefiles_od_open) +
		       strlen(msg->open.volume_key) + 1 + msg->open.cookie_key_len;
	case CACHEFILES_OD_OP_READ:
		return head + sizeof(struct cachefiles_od_read_range);
	case CACHEFILES_OD_OP_CULLED:
		return head + sizeof(struct cachefiles_od_culled) +
		       strlen(msg->open.volume_key) + 1 + msg->open.cookie_key_len;
	default:
		return head;
	}
}

/* The volume's key with its NUL, then the blob's: the end of an OPEN or CULLED. */
static void od_message_encode_keys(const struct od_message *msg, u8 *buf)
{
	size_t volume_key_size = strlen(msg->open.volume_key) + 1;

	memcpy(buf, msg->open.volume_key, volume_key_size);
	memcpy(buf + volume_key_size, msg->open.cookie_key, msg->open.cookie_key_len);
}

static void od_message_encode_open(const struct od_message *msg, u8 *buf)
{
	struct cachefiles_od_open open = {
		.volume_key_size = (u32)strlen(msg->open.volume_key) + 1,
		.cookie_key_size = msg->open.cookie_key_len,
		.fd = msg->open.fd,
	};

	memcpy(buf, &open, sizeof(open));
	od_message_encode_keys(msg, buf + sizeof(open));
}

static void od_message_encode_culled(const struct od_message *msg, u8 *buf)
{
	struct cachefiles_od_culled culled = {
		.volume_key_size = (u32)strlen(msg->open.volume_key) + 1,
		.cookie_key_size = msg->open.cookie_key_len,
		.bytes = msg->culled.bytes,
	};

	memcpy(buf, &culled, sizeof(culled));
	od_message_encode_keys(msg, buf + sizeof(culled));
}

void od_message_encode(const struct od_message *msg, u8 *buf)
{
	struct cachefiles_od_msg head = {
		.msg_id = msg->msg_id,
		.opcode = msg->opcode,
		.len = (u32)od_message_len(msg),
		.object_id = msg->object_id,
	};

	memcpy(buf, &head, sizeof(head));
	buf += sizeof(head);
	if (msg->opcode == CACHEFILES_OD_OP_OPEN) {
		od_message_encode_open(msg, buf);
	} else if (msg->opcode == CACHEFILES_OD_OP_CULLED) {
		od_message_encode_culled(msg, buf);
	} else if (msg->opcode == CACHEFILES_OD_OP_READ) {
		struct cachefiles_od_read_range range = {
			.off = msg->read.off,
			.len = msg->read.len,
		};

		memcpy(buf, &range, sizeof(range));
	}
}
