/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log lines about a volume, a mount's own or a domain's: the faults of one must not hide those
 * of others.
 */
#ifndef CACHEFILES_OD_LOG_H
#define CACHEFILES_OD_LOG_H

#include <linux/printk.h>
#include <linux/ratelimit.h>

#define pr_err_limited(volume, fmt, ...)			\
do {								\
	if (__ratelimit(&(volume)->log_limit))			\
		pr_err(fmt, ##__VA_ARGS__);			\
} while (0)

#define pr_warn_limited(volume, fmt, ...)			\
do {								\
	if (__ratelimit(&(volume)->log_limit))			\
		pr_warn(fmt, ##__VA_ARGS__);			\
} while (0)

#endif /* CACHEFILES_OD_LOG_H */
