// SPDX-License-Identifier: GPL-2.0-only
/* Probes the file system of a cache for what it supports, with a file in it. */
#include "internal.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/namei.h>

#include "../compat/dirops.h"

/* One block of data between holes must be reported as exactly that. */
static int probe_holes(struct cachefiles_od_cache *cache, struct file *file)
{
	unsigned int block = cache->block_size;
	loff_t data = 2 * (loff_t)block, length = 4 * (loff_t)block, pos = data;
	ssize_t n;
	int err;

	err = vfs_truncate(&file->f_path, length);
	if (err)
		return err;
	n = kernel_write(file, page_address(ZERO_PAGE(0)), min_t(size_t, block, PAGE_SIZE), &pos);
	if (n < 0)
		return n;
	if (vfs_llseek(file, 0, SEEK_DATA) == data &&
	    vfs_llseek(file, data, SEEK_HOLE) == data + block &&
	    vfs_llseek(file, data + block, SEEK_DATA) == -ENXIO)
		return 0;
	pr_err("dir %s: file system \"%s\" does not report holes (SEEK_HOLE)\n", cache->dir,
	       file_inode(file)->i_sb->s_type->name);
	return -EOPNOTSUPP;
}

static int probe_xattrs(struct cachefiles_od_cache *cache, const struct path *path)
{
	static const struct od_disk_object value;
	int err = cachefiles_od_tree_set_mark(path, &value, sizeof(value));

	cache->has_xattrs = !err;
	if (err == -EOPNOTSUPP) {
		pr_warn("dir %s: no user xattrs: cached data is lost at the last unmount\n",
			cache->dir);
		err = 0;
	}
	return err;
}

/* Probes the cache's file system; called with the cache's credentials. */
int cachefiles_od_probe(struct cachefiles_od_cache *cache)
{
	static const char name[] = "probe";
	struct file *file;
	int err;

	cache->block_size = max_t(unsigned int, cache->root.dentry->d_sb->s_blocksize,
				  OD_READ_ALIGN);
	file = od_compat_open(&cache->graveyard, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW,
			      0600);
	if (IS_ERR(file)) {
		pr_err("dir %s: failed to create a file: %ld\n", cache->dir, PTR_ERR(file));
		return PTR_ERR(file);
	}
	err = cachefiles_od_check_file(cache, file) ?: probe_holes(cache, file) ?:
	      probe_xattrs(cache, &file->f_path);
	od_compat_unlink(&cache->graveyard, file_dentry(file));
	fput(file);
	return err;
}
