/* SPDX-License-Identifier: GPL-2.0-only */
/* Log lines about a mount: the faults of one must not hide those of others. */
#ifndef EROFS_OD_LOG_H
#define EROFS_OD_LOG_H

#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/string.h>

/* What log lines call a mount, escaped: a path may have line breaks. */
#define erofs_od_name(sbi)	((const char *)((sbi)->fsid ?: (sbi)->source))

#define erofs_od_err(sbi, fmt, ...) \
	pr_err("%*pE: " fmt "\n", (int)strlen(erofs_od_name(sbi)), erofs_od_name(sbi), \
	       ##__VA_ARGS__)

#define erofs_od_err_ratelimited(sbi, fmt, ...) \
do { \
	if (__ratelimit(&(sbi)->log_limit)) \
		erofs_od_err(sbi, fmt, ##__VA_ARGS__); \
} while (0)

#endif /* EROFS_OD_LOG_H */
