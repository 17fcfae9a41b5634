// SPDX-License-Identifier: GPL-2.0-only
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <linux/cachefiles_od.h>

static int parse_open(const uint8_t *data, size_t size, struct message *msg)
{
	struct cachefiles_od_open open;

	if (size < sizeof(open))
		return -EBADMSG;
	memcpy(&open, data, sizeof(open));
	if (open.fd > INT_MAX)
		return -EBADMSG;
	msg->fd = (int)open.fd;

	data += sizeof(open);
	size -= sizeof(open);
	if (open.volume_key_size < 2 || open.volume_key_size > size)
		return -EBADMSG;
	if (open.cookie_key_size < 1 || open.cookie_key_size != size - open.volume_key_size)
		return -EBADMSG;
	/* The only NUL of the volume key is its last byte. */
	if (memchr(data, 0, open.volume_key_size) != data + open.volume_key_size - 1)
		return -EBADMSG;

	msg->volume = (const char *)data;
	msg->cookie = data + open.volume_key_size;
	msg->cookie_len = open.cookie_key_size;
	return 0;
}

static int parse_read(const uint8_t *data, size_t size, struct message *msg)
{
	struct cachefiles_od_read_range range;

	if (size != sizeof(range))
		return -EBADMSG;
	memcpy(&range, data, sizeof(range));
	if (!range.len || range.off > INT64_MAX || range.len > INT64_MAX - range.off)
		return -EBADMSG;
	msg->off = range.off;
	msg->len = range.len;
	return 0;
}

/**
 * message_parse - check one message
 * @buf: bytes that one read of the device returned
 * @size: number of bytes
 * @msg: filled in, on error only as far as the header is readable; fd is -1
 *	unless the message carried one
 *
 * Return: 0, or -EBADMSG for a message that no correct kernel sends.
 */
int message_parse(const void *buf, size_t size, struct message *msg)
{
	struct cachefiles_od_msg head;
	const uint8_t *data = buf;

	memset(msg, 0, sizeof(*msg));
	msg->fd = -1;
	msg->opcode = UINT32_MAX;
	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	msg->msg_id = head.msg_id;
	msg->object_id = head.object_id;
	msg->opcode = head.opcode;
	if (head.len != size)
		return -EBADMSG;

	data += sizeof(head);
	size -= sizeof(head);
	switch (head.opcode) {
	case CACHEFILES_OD_OP_OPEN:
		return parse_open(data, size, msg);
	case CACHEFILES_OD_OP_CLOSE:
		return size ? -EBADMSG : 0;
	case CACHEFILES_OD_OP_READ:
		return parse_read(data, size, msg);
	}
	return -EBADMSG;
}
