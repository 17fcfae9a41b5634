// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the file system of a cache: data that is flushed before its map must stay in that
 * order through a power cut.
 */
#include "internal.h"

#include <linux/buffer_head.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "../compat/dirops.h"

#define FUSE_MAGIC	0x65735546

/* ext2, ext3 and ext4: offset of the superblock, and of s_feature_compat in it */
#define EXT_SB_OFFSET		1024
#define EXT_FEATURE_COMPAT	0x5c
#define EXT_HAS_JOURNAL		0x4

static int refuse(const struct cachefiles_od_cache *cache, int err, const char *why)
{
	pr_err("dir %s: file system \"%s\" is not supported: %s\n", cache->dir,
	       cache->root.dentry->d_sb->s_type->name, why);
	return err;
}

/* Matches whole options in a list: ",a,b=c". */
static bool has_option(const char *options, const char *option)
{
	size_t len = strlen(option);
	const char *at = options;

	while ((at = strstr(at, option))) {
		if ((at == options || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

/*
 * Whether it is mounted so that the device's write cache is never flushed: 1, 0, or an errno if
 * that is unknown. Some file systems print IDs in the user namespace of the seq_file's opener,
 * so it needs a file.
 */
static int is_without_barriers(const struct path *root)
{
	static const char *const words[] = {
		"nobarrier", "barrier=0", "barrier=none", "barrier=off", "fsync_mode=nobarrier",
	};
	struct super_block *sb = root->dentry->d_sb;
	struct file *file = od_compat_open_path(root, O_RDONLY | O_DIRECTORY);
	struct seq_file seq = { .size = PAGE_SIZE, .file = file };
	bool found = false;
	unsigned int i;

	if (IS_ERR(file))
		return PTR_ERR(file);
	seq.buf = kzalloc(PAGE_SIZE + 1, GFP_KERNEL);
	if (!seq.buf) {
		fput(file);
		return -ENOMEM;
	}
	mutex_init(&seq.lock);
	if (sb->s_op->show_options)
		sb->s_op->show_options(&seq, sb->s_root);
	seq.buf[min_t(size_t, seq.count, PAGE_SIZE)] = '\0';
	for (i = 0; i < ARRAY_SIZE(words); i++)
		found = found || has_option(seq.buf, words[i]);
	mutex_destroy(&seq.lock);
	kfree(seq.buf);
	fput(file);
	return found;
}

/* Without a journal, blocks may belong to two files after a crash. Returns 1, 0 or an errno. */
static int is_ext_without_journal(struct super_block *sb)
{
	struct buffer_head *bh;
	u32 features;

	if (sb->s_magic != EXT4_SUPER_MAGIC || !sb->s_bdev)
		return 0;
	bh = sb_bread(sb, EXT_SB_OFFSET / sb->s_blocksize);
	if (!bh)
		return -EIO;
	features = le32_to_cpup((__le32 *)(bh->b_data + EXT_SB_OFFSET % sb->s_blocksize +
					   EXT_FEATURE_COMPAT));
	brelse(bh);
	return !(features & EXT_HAS_JOURNAL);
}

/* Contents that do not survive a power cut need no ordering. */
static bool is_volatile(const struct super_block *sb)
{
	return sb->s_magic == TMPFS_MAGIC || sb->s_magic == RAMFS_MAGIC;
}

/* Whether a cache can be on the file system of its directory: 0, or an errno and a log line. */
int cachefiles_od_check_fs(const struct cachefiles_od_cache *cache)
{
	struct super_block *sb = cache->root.dentry->d_sb;
	int err;

	if (od_compat_is_idmapped(&cache->root)) {
		pr_err("dir %s: idmapped mounts are not supported\n", cache->dir);
		return -EPERM;
	}
	if (sb_rdonly(sb)) {
		pr_err("dir %s: read-only file system\n", cache->dir);
		return -EROFS;
	}
	if (sb->s_stack_depth > 0)
		return refuse(cache, -EOPNOTSUPP, "it is stacked on another one");
	if (sb->s_magic == FUSE_MAGIC)
		return refuse(cache, -EOPNOTSUPP, "a user process decides what reaches its disk");
	err = is_ext_without_journal(sb);
	if (err > 0)
		return refuse(cache, -EOPNOTSUPP, "it has no journal");
	if (!err)
		err = is_without_barriers(&cache->root);
	if (err > 0)
		return refuse(cache, -EOPNOTSUPP, "it is mounted without write barriers");
	if (err)
		pr_err("dir %s: failed to stat the file system: %d\n", cache->dir, err);
	return err;
}

/* Same, for a file created in it. */
int cachefiles_od_check_file(const struct cachefiles_od_cache *cache, const struct file *file)
{
	if (IS_DAX(file_inode(file)))
		return refuse(cache, -EOPNOTSUPP, "DAX is in use");
	if (!file->f_op->read_iter || !file->f_op->write_iter)
		return refuse(cache, -EOPNOTSUPP, "it has no asynchronous I/O");
	if (is_volatile(cache->root.dentry->d_sb))
		return 0;
	if (!file->f_op->fsync || file->f_op->fsync == noop_fsync)
		return refuse(cache, -EOPNOTSUPP, "it has no fsync");
	return 0;
}
