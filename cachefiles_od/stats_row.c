// SPDX-License-Identifier: GPL-2.0-only
/* Columns under /proc/fs, for stats.c, stats_cache.c, and erofs_od. */
#include "internal.h"
#include "stats.h"

#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/seq_file.h>

/* Escapes blanks and unprintable bytes in octal: columns are separated by tabs. */
void cachefiles_od_stats_key(struct seq_file *m, const u8 *key, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (key[i] > 32 && key[i] < 127 && key[i] != '\\')
			seq_putc(m, key[i]);
		else
			seq_printf(m, "\\%03o", key[i]);
	}
}

void cachefiles_od_stats_string(struct seq_file *m, const char *s)
{
	cachefiles_od_stats_key(m, (const u8 *)s, strlen(s));
}
EXPORT_SYMBOL_GPL(cachefiles_od_stats_string);

/* Adds the pieces that wait for a blob, and the age of its oldest request. */
void cachefiles_od_stats_waiting(struct cachefiles_od_cookie *cookie, unsigned int *waiting,
				 unsigned int *oldest_ms)
{
	struct cachefiles_od_request *oldest;

	lockdep_assert_held(&cookie->lock);
	*waiting += cookie->nr_waiting;
	oldest = list_first_entry_or_null(&cookie->reads_by_age, struct cachefiles_od_request,
					  link);
	if (oldest)
		*oldest_ms = max(*oldest_ms, jiffies_to_msecs(jiffies - oldest->born));
	if (cookie->open)
		*oldest_ms = max(*oldest_ms, jiffies_to_msecs(jiffies - cookie->open->born));
}
