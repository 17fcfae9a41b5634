// SPDX-License-Identifier: GPL-2.0-only
/* /proc/fs/erofs_od: mounts, with a line per mount and blob; stats, with a line per mount. */
#include "internal.h"

#include <linux/kdev_t.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define PROC_DIR	"fs/erofs_od"

static void stats_mount(struct erofs_od_sb_info *sbi, void *data)
{
	struct seq_file *seq = data;
	unsigned int i;

	for (i = 0; i < sbi->nr_blobs; i++) {
		seq_printf(seq, "%u:%u\t", MAJOR(sbi->sb->s_dev), MINOR(sbi->sb->s_dev));
		cachefiles_od_stats_string(seq, sbi->fsid);
		seq_putc(seq, '\t');
		cachefiles_od_stats_string(seq, sbi->domain_id ?: "-");
		seq_puts(seq, "\terofs,");
		cachefiles_od_stats_string(seq, sbi->domain_id ?: sbi->fsid);
		seq_putc(seq, '\t');
		cachefiles_od_stats_string(seq, sbi->blobs[i]->name);
		seq_printf(seq, "\t%s\t%u\n", i ? "device" : "bootstrap", erofs_od_cache_of(sbi));
	}
}

static int stats_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "dev\tfsid\tdomain\tvolume\tblob\trole\tcache\n");
	erofs_od_for_each_mount(stats_mount, seq);
	return 0;
}

static void stats_use(struct erofs_od_sb_info *sbi, void *data)
{
	struct seq_file *seq = data;

	seq_printf(seq, "%u:%u\t", MAJOR(sbi->sb->s_dev), MINOR(sbi->sb->s_dev));
	cachefiles_od_stats_string(seq, sbi->fsid);
	seq_putc(seq, '\t');
	cachefiles_od_stats_string(seq, sbi->domain_id ?: "-");
	seq_printf(seq, "\t%u", erofs_od_cache_of(sbi));
	cachefiles_od_use_show(seq, &sbi->use);
	seq_printf(seq, "\t%ld\n", atomic_long_read(&sbi->encoded));
}

/* Counts file data only: metadata is read for all mounts of a blob. */
static int stats_show_uses(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "dev\tfsid\tdomain\tcache");
	seq_puts(seq, cachefiles_od_use_head());
	seq_puts(seq, "\tencoded_bytes\n");
	erofs_od_for_each_mount(stats_use, seq);
	return 0;
}

int erofs_od_stats_init(void)
{
	struct proc_dir_entry *dir = proc_mkdir(PROC_DIR, NULL);

	if (!dir)
		return -ENOMEM;
	if (proc_create_single("mounts", 0400, dir, stats_show) &&
	    proc_create_single("stats", 0400, dir, stats_show_uses))
		return 0;
	erofs_od_stats_exit();
	return -ENOMEM;
}

void erofs_od_stats_exit(void)
{
	remove_proc_subtree(PROC_DIR, NULL);
}
