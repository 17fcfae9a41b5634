/* SPDX-License-Identifier: GPL-2.0-only */
/* State of the running kernel. */
#ifndef OD_KERNEL_H
#define OD_KERNEL_H

#include <stdbool.h>

/** enum kernel_daemon - whether a daemon serves the cache */
enum kernel_daemon {
	KERNEL_NO_MODULE,
	KERNEL_DAEMON_GONE,
	KERNEL_DAEMON_BOUND,
};

bool kernel_has_type(const char *type);
enum kernel_daemon kernel_daemon(void);

#endif
