/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of volumes and blobs: their hashes and their file names in the cache. */
#ifndef OD_CORE_KEY_H
#define OD_CORE_KEY_H

#include "od/types.h"

/** OD_KEY_MAX - longest key that has a file name, in bytes */
#define OD_KEY_MAX	252U
/** OD_FANOUT_LEN - length of a fan-out directory's name, "@39" */
#define OD_FANOUT_LEN	3U

/**
 * od_key_volume_hash - hash of a volume key
 * @key: the key's bytes, without a NUL
 * @len: bytes in @key, 1 to %OD_KEY_MAX
 */
u32 od_key_volume_hash(const u8 *key, size_t len);

/**
 * od_key_cookie_hash - hash of a blob's name
 * @key: the name's bytes
 * @len: bytes in @key, 1 to %OD_KEY_MAX
 * @volume_hash: hash of the blob's volume
 */
u32 od_key_cookie_hash(const u8 *key, size_t len, u32 volume_hash);

/**
 * od_key_file_name - file name of a blob in its fan-out directory
 * @key: the name's bytes, any values; trailing NULs do not distinguish keys
 * @len: bytes in @key
 * @name: gets the file name and a NUL
 *
 * Printable names without '/' are kept after a "D"; others become "S" or "T"
 * and hexadecimal words, or "E" and base64, whichever is shorter.
 *
 * Return: length of the file name, -EINVAL for an empty key, -ENAMETOOLONG.
 */
int od_key_file_name(const u8 *key, size_t len, char name[NAME_MAX + 1]);

/**
 * od_key_volume_name - directory name of a volume
 * @key: NUL-terminated volume key
 * @name: gets the directory name and a NUL
 *
 * Return: length of the name, -EINVAL for an empty key or one with a '/',
 * -ENAMETOOLONG.
 */
int od_key_volume_name(const char *key, char name[NAME_MAX + 1]);

/**
 * od_key_fanout_name - fan-out directory name of a blob
 * @hash: the blob's hash
 * @name: gets the directory name and a NUL
 */
void od_key_fanout_name(u32 hash, char name[OD_FANOUT_LEN + 1]);

#endif /* OD_CORE_KEY_H */
