// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages, decoded by the structs of the ABI. The input: msg_id, opcode, object_id,
 * fd, range, length of the volume key, that key, the cookie key.
 */
#include "fuzz.h"
#include "cachefiles_od/core/key.h"
#include "cachefiles_od/core/message.h"

#include <linux/cachefiles_od.h>

static void check_open(const struct od_message *msg, const u8 *buf, size_t len)
{
	struct cachefiles_od_open open;
	size_t volume = strlen(msg->open.volume_key) + 1;

	must(len == 32 + volume + msg->open.cookie_key_len);
	memcpy(&open, buf + 16, sizeof(open));
	must(open.volume_key_size == volume);
	must(open.cookie_key_size == msg->open.cookie_key_len);
	must(open.fd == msg->open.fd && !open.flags);
	must(!memcmp(buf + 32, msg->open.volume_key, volume));
	must(!memcmp(buf + 32 + volume, msg->open.cookie_key, open.cookie_key_size));
}

static void check_read(const struct od_message *msg, const u8 *buf, size_t len)
{
	struct cachefiles_od_read_range range;

	must(len == 32);
	memcpy(&range, buf + 16, sizeof(range));
	must(range.off == msg->read.off && range.len == msg->read.len);
}

static void check_culled(const struct od_message *msg, const u8 *buf, size_t len)
{
	struct cachefiles_od_culled culled;
	size_t volume = strlen(msg->open.volume_key) + 1;

	must(len == 32 + volume + msg->open.cookie_key_len);
	memcpy(&culled, buf + 16, sizeof(culled));
	must(culled.volume_key_size == volume);
	must(culled.cookie_key_size == msg->open.cookie_key_len);
	must(culled.bytes == msg->culled.bytes);
	must(!memcmp(buf + 32, msg->open.volume_key, volume));
	must(!memcmp(buf + 32 + volume, msg->open.cookie_key, culled.cookie_key_size));
}

static void check(const struct od_message *msg)
{
	struct cachefiles_od_msg head;
	size_t len = od_message_len(msg);
	u8 *buf;

	must(len <= CACHEFILES_OD_MSG_MAX);
	buf = malloc(len);
	memset(buf, 0xa5, len);
	od_message_encode(msg, buf);
	memcpy(&head, buf, sizeof(head));
	must(head.msg_id == msg->msg_id && head.opcode == msg->opcode);
	must(head.len == len && head.object_id == msg->object_id);
	if (msg->opcode == CACHEFILES_OD_OP_OPEN)
		check_open(msg, buf, len);
	else if (msg->opcode == CACHEFILES_OD_OP_READ)
		check_read(msg, buf, len);
	else if (msg->opcode == CACHEFILES_OD_OP_CULLED)
		check_culled(msg, buf, len);
	else
		must(len == sizeof(head));
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_message msg = { .msg_id = feed32(&feed), .opcode = feed8(&feed) % 4 };
	size_t volume_len, cookie_len;
	u8 *cookie;
	char *volume;

	msg.object_id = feed32(&feed);
	msg.open.fd = feed32(&feed);
	msg.read.off = feed64(&feed);
	msg.read.len = feed64(&feed);
	msg.culled.bytes = msg.read.len;
	volume_len = feed8(&feed) % (OD_KEY_MAX + 1);
	volume = (char *)feed_bytes(&feed, volume_len + 1);
	volume[volume_len] = '\0';
	cookie = feed_rest(&feed, OD_KEY_MAX, &cookie_len);
	msg.open.volume_key = volume;
	msg.open.cookie_key = cookie;
	msg.open.cookie_key_len = (u32)cookie_len;
	check(&msg);
	free(volume);
	free(cookie);
	return 0;
}
