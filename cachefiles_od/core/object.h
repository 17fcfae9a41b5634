/* SPDX-License-Identifier: GPL-2.0-only */
/* The extended attribute user.CacheFiles.cache of a cache file. */
#ifndef OD_CORE_OBJECT_H
#define OD_CORE_OBJECT_H

#include "od/types.h"

/**
 * struct od_disk_object - the value of the attribute
 * @size: bytes of the blob
 * @zero: 0
 * @type: %OD_OBJECT_DATA
 * @content: %OD_OBJECT_CLEAN
 */
struct od_disk_object {
	__be64 size;
	__be64 zero;
	u8 type;
	u8 content;
} __packed;

static_assert(sizeof(struct od_disk_object) == 18);
static_assert(offsetof(struct od_disk_object, zero) == 8);
static_assert(offsetof(struct od_disk_object, type) == 16);

enum od_object_type {
	OD_OBJECT_DATA = 1,
};

enum od_object_content {
	OD_OBJECT_CLEAN = 0,
};

#endif /* OD_CORE_OBJECT_H */
