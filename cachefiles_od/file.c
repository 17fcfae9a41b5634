// SPDX-License-Identifier: GPL-2.0-only
/* Cache files: how they are opened, and the xattr that identifies them. */
#include "internal.h"

#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/mm.h>

#include "../compat/dirops.h"
#include "../compat/fileuse.h"

/*
 * Opens with direct I/O if the file system supports it; dio_align is nonzero then. The file is
 * internal to the kernel, and hidden from fanotify: a listener could hold up I/O that it
 * depends on itself.
 */
struct file *cachefiles_od_file_open(struct cachefiles_od_cookie *cookie, const struct path *dir,
			      int flags)
{
	struct block_device *bdev = dir->dentry->d_sb->s_bdev;
	struct file *file;

	flags |= O_RDWR | O_LARGEFILE | O_NOFOLLOW | O_NOATIME;
	file = od_compat_open(dir, cookie->name, flags | O_DIRECT, 0600);
	cookie->dio_align = bdev ? bdev_logical_block_size(bdev) : PAGE_SIZE;
	if (IS_ERR(file) && PTR_ERR(file) == -EINVAL) {
		cookie->dio_align = 0;
		/* The failed O_EXCL attempt may have created the file. */
		file = od_compat_open(dir, cookie->name, flags & ~O_EXCL, 0600);
	}
	if (IS_ERR(file))
		return file;
	od_compat_hide_file(file);
	if (!S_ISREG(file_inode(file)->i_mode) || od_compat_begin_use(file_inode(file)) == 0)
		return file;
	fput(file);
	pr_err("volume %s: cache file %s is in use by another cache\n", cookie->volume->key,
	       cookie->name);
	return ERR_PTR(-EBUSY);
}

void cachefiles_od_file_close(struct file *file)
{
	if (S_ISREG(file_inode(file)->i_mode))
		od_compat_end_use(file_inode(file));
	fput(file);
}

/*
 * Opens the cache file a second time without O_DIRECT, whose flag must not change on an open
 * file in use. The caller has an operation, and the cache's credentials.
 */
struct file *cachefiles_od_file_buffered(struct cachefiles_od_cookie *cookie)
{
	struct file *file = READ_ONCE(cookie->buffered), *mine;

	if (!cookie->dio_align)
		return cookie->file;
	if (file)
		return file;
	mine = od_compat_open_path(&cookie->file->f_path, O_RDWR | O_LARGEFILE | O_NOATIME);
	if (IS_ERR(mine))
		return mine;
	od_compat_hide_file(mine);
	file = cmpxchg(&cookie->buffered, NULL, mine);
	if (!file)
		return mine;
	fput(mine);
	return file;
}

/* Reads the xattr of a file; false if it is missing, invalid or not clean. */
bool cachefiles_od_file_is_valid(struct file *file, u64 *size)
{
	/* One more byte, to detect a mark that is too long. */
	u8 value[sizeof(struct od_disk_object) + 1];
	const struct od_disk_object *found = (const void *)value;

	if (cachefiles_od_tree_get_mark(file_dentry(file), value, sizeof(value)) != sizeof(*found))
		return false;
	*size = be64_to_cpu(found->size);
	return !found->zero && found->type == OD_OBJECT_DATA &&
	       found->content == OD_OBJECT_CLEAN && *size <= S64_MAX - CACHEFILES_OD_GRAIN &&
	       i_size_read(file_inode(file)) == cachefiles_od_file_length(*size);
}

int cachefiles_od_file_set_mark(struct cachefiles_od_cookie *cookie)
{
	const struct od_disk_object value = {
		.size = cpu_to_be64(cookie->size),
		.type = OD_OBJECT_DATA,
		.content = OD_OBJECT_CLEAN,
	};

	if (!cachefiles_od_cookie_cache(cookie)->has_xattrs)
		return 0;
	return cachefiles_od_tree_set_mark(&cookie->file->f_path, &value, sizeof(value));
}
