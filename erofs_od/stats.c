// SPDX-License-Identifier: GPL-2.0-only
/* /proc/fs/erofs_od/mounts: one line per mount and blob. */
#include "internal.h"

#include <linux/kdev_t.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define EROFS_OD_PROC_DIR	"fs/erofs_od"

static void erofs_od_stats_escape(struct seq_file *seq, const char *s)
{
	for (; *s; s++) {
		if (*s < 33 || *s > 126 || *s == '\\')
			seq_printf(seq, "\\%03o", (unsigned char)*s);
		else
			seq_putc(seq, *s);
	}
}

static void erofs_od_stats_mount(struct erofs_od_mount *m, void *data)
{
	struct seq_file *seq = data;
	unsigned int i;

	for (i = 0; i < m->nr_blobs; i++) {
		seq_printf(seq, "%u:%u\t", MAJOR(m->sb->s_dev), MINOR(m->sb->s_dev));
		erofs_od_stats_escape(seq, m->fsid);
		seq_putc(seq, '\t');
		erofs_od_stats_escape(seq, m->domain_id ?: "-");
		seq_puts(seq, "\terofs,");
		erofs_od_stats_escape(seq, m->domain_id ?: m->fsid);
		seq_putc(seq, '\t');
		erofs_od_stats_escape(seq, m->blobs[i]->name);
		seq_puts(seq, i ? "\tdevice\n" : "\tbootstrap\n");
	}
}

static int erofs_od_stats_show(struct seq_file *seq, void *unused)
{
	seq_puts(seq, "dev\tfsid\tdomain\tvolume\tblob\trole\n");
	erofs_od_for_each_mount(erofs_od_stats_mount, seq);
	return 0;
}

int erofs_od_stats_init(void)
{
	struct proc_dir_entry *dir = proc_mkdir(EROFS_OD_PROC_DIR, NULL);

	if (!dir)
		return -ENOMEM;
	if (!proc_create_single("mounts", 0444, dir, erofs_od_stats_show)) {
		proc_remove(dir);
		return -ENOMEM;
	}
	return 0;
}

void erofs_od_stats_exit(void)
{
	remove_proc_subtree(EROFS_OD_PROC_DIR, NULL);
}
