/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a file has data, according to its file system. */
#ifndef OD_SCAN_H
#define OD_SCAN_H

#include "core/extents.h"

int scan_data(int fd, uint64_t start, uint64_t end,
	      int (*found)(uint64_t from, uint64_t to, void *arg), void *arg);
int scan_add(struct od_extents *runs, uint64_t from, uint64_t to);
int scan_remove(struct od_extents *runs, uint64_t from, uint64_t to);

#endif
