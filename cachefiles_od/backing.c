// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache files: finding, checking, making and marking them.
 *
 * The file system's own record of holes is what says after a restart which
 * data is present. It knows blocks, not bytes: while a file's presence map has
 * edges inside a block, the file is marked dirty, and a dirty file is thrown
 * away when it is found again.
 */
#include "internal.h"

#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "../compat/dirops.h"

#define XATTR_NAME		XATTR_USER_PREFIX "CacheFiles.cache"

/* The xattr of a cache file: size be64, 0 be64, type u8, content u8. */
#define FILE_XATTR_LEN		18
#define FILE_XATTR_TYPE_DATA	1
#define FILE_CONTENT_CLEAN	0
#define FILE_CONTENT_DIRTY	4

/* The xattr of a volume folder: four zero bytes, and no coherency data. */
#define VOLUME_XATTR_LEN	4

/* Where a cookie's file lies; both folders, or none. */
struct cachefiles_od_place {
	struct path volume, fanout;
};

static u64 file_length(u64 size)
{
	return round_up(size, CACHEFILES_OD_GRAIN);
}

static int get_xattr(struct dentry *dentry, void *value, size_t len)
{
	/* One byte more shows that an attribute is too long. */
	return vfs_getxattr(&nop_mnt_idmap, dentry, XATTR_NAME, value, len);
}

static int set_xattr(const struct path *path, const void *value, size_t len)
{
	int err = mnt_want_write(path->mnt);

	if (err)
		return err;
	err = vfs_setxattr(&nop_mnt_idmap, path->dentry, XATTR_NAME, value, len, 0);
	mnt_drop_write(path->mnt);
	return err;
}

/* What cannot be deleted at once is moved out of the way; the daemon cleans up. */
int cachefiles_od_backing_bury(struct cachefiles_od_cache *cache, const struct path *dir,
			       struct dentry *victim)
{
	char name[24];
	int err, tries;

	for (tries = 0; tries < 100; tries++) {
		snprintf(name, sizeof(name), "%08x%08x", (u32)ktime_get_real_seconds(),
			 (u32)atomic_inc_return(&cache->nr_buried));
		err = od_compat_move(dir, victim, &cache->graveyard, name);
		if (err != -EEXIST)
			return err;
	}
	return err;
}

static bool volume_is_valid(struct cachefiles_od_cache *cache, const struct path *dir)
{
	static const u8 expected[VOLUME_XATTR_LEN];
	u8 found[VOLUME_XATTR_LEN + 1];

	if (!cache->has_xattrs)
		return true;
	return get_xattr(dir->dentry, found, sizeof(found)) == VOLUME_XATTR_LEN &&
	       memcmp(found, expected, VOLUME_XATTR_LEN) == 0;
}

static int make_volume(struct cachefiles_od_cache *cache, const char *name, struct path *dir)
{
	static const u8 fresh[VOLUME_XATTR_LEN];
	int err = od_compat_mkdir(&cache->store, name, 0700, dir);

	if (err || !cache->has_xattrs)
		return err;
	err = set_xattr(dir, fresh, sizeof(fresh));
	if (err)
		path_put(dir);
	return err;
}

/* Finds a volume's folder; one that is not valid is put aside. */
static int find_volume(struct cachefiles_od_cache *cache, const char *name, struct path *dir)
{
	int err = od_compat_lookup(&cache->store, name, dir);

	if (err)
		return err;
	if (d_is_dir(dir->dentry) && volume_is_valid(cache, dir))
		return 0;
	pr_warn("volume %s: its folder is stale, starting afresh\n", name);
	err = cachefiles_od_backing_bury(cache, &cache->store, dir->dentry);
	path_put(dir);
	return err ?: -ENOENT;
}

/* Finds a cookie's folders, makes them where wanted; -ENOENT when they are missing. */
static int enter_place(struct cachefiles_od_cookie *cookie, bool make,
		       struct cachefiles_od_place *place)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	char fanout[OD_FANOUT_LEN + 1];
	int err;

	lockdep_assert_held(&cache->names_mutex);
	od_key_fanout_name(cookie->hash, fanout);
	err = find_volume(cache, cookie->volume->name, &place->volume);
	if (err == -ENOENT && make)
		err = make_volume(cache, cookie->volume->name, &place->volume);
	if (err)
		return err;
	err = make ? od_compat_mkdir(&place->volume, fanout, 0700, &place->fanout) :
		     od_compat_lookup(&place->volume, fanout, &place->fanout);
	if (err)
		path_put(&place->volume);
	return err;
}

static void leave_place(struct cachefiles_od_place *place)
{
	path_put(&place->fanout);
	path_put(&place->volume);
}

/* Culling looks at the files of cookies that are just being opened or closed. */
static struct file *set_file(struct cachefiles_od_cookie *cookie, struct file *file)
{
	struct file *old;

	spin_lock(&cookie->lock);
	old = cookie->file;
	cookie->file = file;
	spin_unlock(&cookie->lock);
	return old;
}

/* With direct I/O where the file system has it: then dio_align is not 0. */
static struct file *open_file(struct cachefiles_od_cookie *cookie, const struct path *dir,
			      int flags)
{
	struct block_device *bdev = dir->dentry->d_sb->s_bdev;
	struct file *file;

	flags |= O_RDWR | O_LARGEFILE | O_NOFOLLOW | O_NOATIME;
	file = od_compat_open(dir, cookie->name, flags | O_DIRECT, 0600);
	if (!IS_ERR(file)) {
		cookie->dio_align = bdev ? bdev_logical_block_size(bdev) : PAGE_SIZE;
		return file;
	}
	if (PTR_ERR(file) != -EINVAL)
		return file;
	cookie->dio_align = 0;
	/* An O_EXCL attempt may have made the file before it failed. */
	return od_compat_open(dir, cookie->name, flags & ~O_EXCL, 0600);
}

/* Reads the xattr of a file; false when it is missing, odd or says dirty. */
static bool file_is_valid(struct file *file, u64 *size)
{
	u8 value[FILE_XATTR_LEN + 1];

	if (get_xattr(file_dentry(file), value, sizeof(value)) != FILE_XATTR_LEN)
		return false;
	*size = od_be64(value);
	return od_be64(value + 8) == 0 && value[16] == FILE_XATTR_TYPE_DATA &&
	       value[17] == FILE_CONTENT_CLEAN && *size <= S64_MAX - CACHEFILES_OD_GRAIN &&
	       i_size_read(file_inode(file)) == file_length(*size);
}

static int write_file_xattr(struct cachefiles_od_cookie *cookie, u8 content)
{
	u8 value[FILE_XATTR_LEN] = { 0 };

	if (!cachefiles_od_cookie_cache(cookie)->has_xattrs)
		return 0;
	od_put_be64(value, cookie->size);
	value[16] = FILE_XATTR_TYPE_DATA;
	value[17] = content;
	return set_xattr(&cookie->file->f_path, value, sizeof(value));
}

/* Between the end of the blob and the end of its last grain there is nothing to fetch. */
static int add_tail(struct cachefiles_od_cookie *cookie)
{
	return cachefiles_od_cookie_mark_present(cookie, cookie->size, file_length(cookie->size));
}

/* Builds the presence map from the file's holes. */
static int scan_file(struct cachefiles_od_cookie *cookie)
{
	u64 length = file_length(cookie->size);
	loff_t data = 0, hole;
	int err;

	while (data < length) {
		data = vfs_llseek(cookie->file, data, SEEK_DATA);
		if (data == -ENXIO)
			break;
		if (data < 0)
			return data;
		hole = vfs_llseek(cookie->file, data, SEEK_HOLE);
		if (hole < 0)
			return hole;
		err = cachefiles_od_cookie_mark_present(cookie, data, min_t(u64, hole, length));
		if (err)
			return err;
		data = hole;
	}
	return add_tail(cookie);
}

/* What is no file is not opened either: opening a device or a pipe does things. */
static int look_for_file(struct cachefiles_od_cookie *cookie, const struct path *dir)
{
	struct path path;
	int err = od_compat_lookup(dir, cookie->name, &path);

	if (err)
		return err;
	if (!d_is_reg(path.dentry))
		err = -ENOENT;
	path_put(&path);
	return err;
}

static int adopt_file(struct cachefiles_od_cookie *cookie, const struct path *dir)
{
	struct file *file;
	int err;

	err = look_for_file(cookie, dir);
	if (err)
		return err;
	file = open_file(cookie, dir, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (!S_ISREG(file_inode(file)->i_mode) || !file_is_valid(file, &cookie->size)) {
		fput(file);
		return -ENOENT;
	}
	set_file(cookie, file);
	return 0;
}

/*
 * Looks for a cache file that can be trusted. Leaves it open with its size and
 * presence map; -ENOENT when there is none, whatever is there instead.
 */
int cachefiles_od_backing_find(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	const struct cred *saved;
	struct cachefiles_od_place place;
	int err;

	if (!cache->has_xattrs)
		return -ENOENT;
	err = mutex_lock_killable(&cache->names_mutex);
	if (err)
		return err;
	saved = override_creds(cache->cred);
	err = enter_place(cookie, false, &place);
	if (!err) {
		err = adopt_file(cookie, &place.fanout);
		leave_place(&place);
	}
	revert_creds(saved);
	mutex_unlock(&cache->names_mutex);
	if (err)
		return err;
	err = scan_file(cookie);
	if (err)
		cachefiles_od_backing_close(cookie);
	return err;
}

static int remove_stale(struct cachefiles_od_cookie *cookie, const struct path *dir)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct path victim;
	int err = od_compat_lookup(dir, cookie->name, &victim);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (d_is_dir(victim.dentry))
		err = cachefiles_od_backing_bury(cache, dir, victim.dentry);
	else
		err = od_compat_unlink(dir, victim.dentry);
	path_put(&victim);
	return err == -ENOENT ? 0 : err;
}

/*
 * The xattr comes last: a file without one is not trusted. From then on the
 * file is there by its name, so that a crash keeps what was filled.
 */
static int fill_in_file(struct cachefiles_od_cookie *cookie)
{
	int err;

	err = vfs_truncate(&cookie->file->f_path, file_length(cookie->size));
	if (!err)
		err = add_tail(cookie);
	return err ?: write_file_xattr(cookie, FILE_CONTENT_CLEAN);
}

static int create_file(struct cachefiles_od_cookie *cookie, const struct path *dir, u64 size)
{
	struct file *file;
	int err;

	err = remove_stale(cookie, dir);
	if (err)
		return err;
	file = open_file(cookie, dir, O_CREAT | O_EXCL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	set_file(cookie, file);
	cookie->size = size;
	err = fill_in_file(cookie);
	if (err) {
		cachefiles_od_backing_close(cookie);
		remove_stale(cookie, dir);
	}
	return err;
}

/*
 * The daemon has told the size of the blob: keeps the file that was found if
 * it has that size, makes a new one otherwise.
 */
int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct cachefiles_od_place place;
	const struct cred *saved;
	int err;

	if (cookie->file && cookie->size == size)
		return 0;
	cachefiles_od_backing_close(cookie);
	mutex_lock(&cache->names_mutex);
	saved = override_creds(cache->cred);
	err = enter_place(cookie, true, &place);
	if (!err) {
		err = create_file(cookie, &place.fanout, size);
		leave_place(&place);
	}
	revert_creds(saved);
	mutex_unlock(&cache->names_mutex);
	if (err)
		pr_err("volume %s: cache file %s cannot be made: %d\n", cookie->volume->key,
		       cookie->name, err);
	return err;
}

/* Before a write that leaves an edge inside a block. */
int cachefiles_od_backing_mark_dirty(struct cachefiles_od_cookie *cookie)
{
	int err = 0;

	mutex_lock(&cookie->write_mutex);
	if (!cookie->dirty) {
		err = write_file_xattr(cookie, FILE_CONTENT_DIRTY);
		cookie->dirty = !err;
	}
	mutex_unlock(&cookie->write_mutex);
	return err;
}

/* Edges that have gone since make the file worth keeping again. */
static void mark_clean(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	const struct cred *saved;

	if (!od_extents_aligned(&cookie->present, cache->block_size, cookie->size))
		return;
	saved = override_creds(cache->cred);
	if (write_file_xattr(cookie, FILE_CONTENT_CLEAN) == 0)
		cookie->dirty = false;
	revert_creds(saved);
}

/* Nobody uses the file any more, or not yet. */
void cachefiles_od_backing_close(struct cachefiles_od_cookie *cookie)
{
	if (!cookie->file)
		return;
	if (cookie->dirty)
		mark_clean(cookie);
	fput(set_file(cookie, NULL));
	cookie->size = 0;
	cookie->dirty = false;
	kvfree(cookie->present.e);
	memset(&cookie->present, 0, sizeof(cookie->present));
}

/* One block of data in the middle of holes must be seen as just that. */
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
	pr_err("%s: its file system does not tell holes from data\n", cache->dir);
	return -EOPNOTSUPP;
}

static int probe_xattrs(struct cachefiles_od_cache *cache, const struct path *path)
{
	static const u8 value[FILE_XATTR_LEN];
	int err = set_xattr(path, value, sizeof(value));

	cache->has_xattrs = !err;
	if (err == -EOPNOTSUPP) {
		pr_warn("%s: its file system has no user xattrs: blobs are fetched again after each mount\n",
			cache->dir);
		err = 0;
	}
	return err;
}

/* Finds out what the cache's file system can do; the caller has its rights on. */
int cachefiles_od_backing_probe(struct cachefiles_od_cache *cache)
{
	static const char name[] = "probe";
	struct file *file;
	int err;

	cache->block_size = max_t(unsigned int, cache->root.dentry->d_sb->s_blocksize,
				  OD_READ_ALIGN);
	file = od_compat_open(&cache->graveyard, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW,
			      0600);
	if (IS_ERR(file)) {
		pr_err("%s: no file can be made in it: %ld\n", cache->dir, PTR_ERR(file));
		return PTR_ERR(file);
	}
	err = probe_holes(cache, file) ?: probe_xattrs(cache, &file->f_path);
	od_compat_unlink(&cache->graveyard, file_dentry(file));
	fput(file);
	return err;
}
