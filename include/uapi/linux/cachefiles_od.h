/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The ABI between the cachefiles_od module and a user daemon.
 *
 * A daemon opens the device, configures a cache with text commands (write),
 * goes live with "bind ondemand", and is then told by messages (read) which
 * blobs are opened and which of their ranges are wanted. Every OPEN message
 * hands it an anonymous file descriptor to write the blob's data to.
 * Documentation/protocol.rst describes the protocol in full, with a worked example.
 *
 * All fields are in host byte order.
 */
#ifndef _UAPI_LINUX_CACHEFILES_OD_H
#define _UAPI_LINUX_CACHEFILES_OD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/** CACHEFILES_OD_DEVICE - default path of the device, as existing daemons expect it */
#define CACHEFILES_OD_DEVICE	"/dev/cachefiles"

/** CACHEFILES_OD_CMD_MAX - longest command that write(2) accepts, in bytes */
#define CACHEFILES_OD_CMD_MAX	4095

/** CACHEFILES_OD_MSG_MAX - a read(2) buffer of this many bytes holds any message */
#define CACHEFILES_OD_MSG_MAX	1024

/** CACHEFILES_OD_READ_MAX - longest range that one READ message asks for, in bytes */
#define CACHEFILES_OD_READ_MAX	(2U << 20)

/**
 * enum cachefiles_od_opcode - what a message asks for
 * @CACHEFILES_OD_OP_OPEN: a blob is wanted; reply with "copen ID,SIZE" or
 *	"copen ID,SIZE,VERSION"
 * @CACHEFILES_OD_OP_CLOSE: the blob is no longer used; close its fd, no reply
 * @CACHEFILES_OD_OP_READ: a range is wanted; write it to the blob's fd and
 *	complete it with the %CACHEFILES_OD_IOC_READ_COMPLETE ioctl on that fd
 * @CACHEFILES_OD_OP_CULLED: a blob named in a "cull-deferred" command was removed from
 *	the cache; no reply. Sent only to a daemon that wrote "events"
 */
enum cachefiles_od_opcode {
	CACHEFILES_OD_OP_OPEN = 0,
	CACHEFILES_OD_OP_CLOSE = 1,
	CACHEFILES_OD_OP_READ = 2,
	CACHEFILES_OD_OP_CULLED = 3,
};

/**
 * struct cachefiles_od_msg - the head of every message
 * @msg_id: identifies the message in the reply to it
 * @opcode: enum cachefiles_od_opcode
 * @len: bytes of the whole message, this head included
 * @object_id: identifies the blob from its OPEN to its CLOSE; 0 in a CULLED only
 * @data: specific to the opcode
 */
struct cachefiles_od_msg {
	__u32 msg_id;
	__u32 opcode;
	__u32 len;
	__u32 object_id;
	__u8  data[];
};

/**
 * struct cachefiles_od_open - data of an OPEN message
 * @volume_key_size: bytes of the volume key, its NUL included
 * @cookie_key_size: bytes of the cookie key, which has no NUL
 * @fd: the anonymous fd, in the table of the process that read the message
 * @flags: 0
 * @data: the volume key, then the cookie key
 */
struct cachefiles_od_open {
	__u32 volume_key_size;
	__u32 cookie_key_size;
	__u32 fd;
	__u32 flags;
	__u8  data[];
};

/**
 * struct cachefiles_od_read_range - data of a READ message
 * @off: first byte that is wanted and missing, rounded down to a multiple of 4096
 * @len: bytes, at most %CACHEFILES_OD_READ_MAX; never beyond the blob, and not
 *	beyond what is wanted unless the daemon wrote "wide"
 */
struct cachefiles_od_read_range {
	__u64 off;
	__u64 len;
};

/**
 * struct cachefiles_od_culled - data of a CULLED message
 * @volume_key_size: bytes of the volume key, its NUL included
 * @cookie_key_size: bytes of the cookie key, which has no NUL
 * @bytes: bytes that the cache file had on disk
 * @data: the volume key, then the cookie key
 */
struct cachefiles_od_culled {
	__u32 volume_key_size;
	__u32 cookie_key_size;
	__u64 bytes;
	__u8  data[];
};

/**
 * CACHEFILES_OD_IOC_READ_COMPLETE - on the anonymous fd: a READ is complete
 *
 * The argument is the READ's msg_id, by value.
 */
#define CACHEFILES_OD_IOC_READ_COMPLETE	_IOW(0x98, 1, int)

#endif /* _UAPI_LINUX_CACHEFILES_OD_H */
