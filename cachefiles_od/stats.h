/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/fs/cachefiles_od: stats_row.c is the lowest of its files, stats.c the highest. */
#ifndef CACHEFILES_OD_STATS_H
#define CACHEFILES_OD_STATS_H

struct cachefiles_od_cookie;
struct proc_dir_entry;
struct seq_file;

/* stats_row.c */
void cachefiles_od_stats_key(struct seq_file *m, const u8 *key, size_t len);
void cachefiles_od_stats_waiting(struct cachefiles_od_cookie *cookie, unsigned int *waiting,
				 unsigned int *oldest_ms);

/* stats_cache.c */
bool cachefiles_od_stats_register_caches(struct proc_dir_entry *dir);

/* stats.c */
int cachefiles_od_stats_register(void);
void cachefiles_od_stats_unregister(void);

#endif /* CACHEFILES_OD_STATS_H */
