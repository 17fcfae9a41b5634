// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache files: finding, checking, creating and marking them.
 *
 * A file that is found is trusted as far as its presence map goes (mapfile.c),
 * and where the file system still has data there. SEEK_DATA alone is no record
 * of what was written: it takes clean pages over unwritten extents for data.
 */
#include "internal.h"

#include <linux/blkdev.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/xattr.h>

#include "../compat/dirops.h"
#include "../compat/fileuse.h"

#define XATTR_NAME		XATTR_USER_PREFIX "CacheFiles.cache"

/* The xattr of a volume directory: four zero bytes, and no coherency data. */
#define VOLUME_XATTR_LEN	4

/* Where a cookie's file lies; both directories, or none. */
struct cachefiles_od_place {
	struct path volume, fanout;
};

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

/* Finds a volume's directory; one that is not valid is put aside. */
static int find_volume(struct cachefiles_od_cache *cache, const char *name, struct path *dir)
{
	int err = od_compat_lookup(&cache->store, name, dir);

	if (err)
		return err;
	if (d_is_dir(dir->dentry) && volume_is_valid(cache, dir))
		return 0;
	pr_warn("volume %s: discarding stale directory\n", name);
	err = cachefiles_od_backing_bury(cache, &cache->store, dir->dentry);
	path_put(dir);
	return err ?: -ENOENT;
}

/* Finds a cookie's directories, makes them where wanted; -ENOENT when they are missing. */
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
static void set_file(struct cachefiles_od_cookie *cookie, struct file *file, u64 size)
{
	spin_lock(&cookie->lock);
	cookie->file = file;
	cookie->size = size;
	cookie->region_shift = od_region_shift(size);
	spin_unlock(&cookie->lock);
}

/*
 * With direct I/O where the file system has it: then dio_align is not 0. The file
 * is the kernel's while it is open, and no listener of fanotify's sees I/O on it:
 * one could hold up what its own deadline depends on.
 */
static struct file *open_file(struct cachefiles_od_cookie *cookie, const struct path *dir,
			      int flags)
{
	struct block_device *bdev = dir->dentry->d_sb->s_bdev;
	struct file *file;

	flags |= O_RDWR | O_LARGEFILE | O_NOFOLLOW | O_NOATIME;
	file = od_compat_open(dir, cookie->name, flags | O_DIRECT, 0600);
	cookie->dio_align = bdev ? bdev_logical_block_size(bdev) : PAGE_SIZE;
	if (IS_ERR(file) && PTR_ERR(file) == -EINVAL) {
		cookie->dio_align = 0;
		/* An O_EXCL attempt may have created the file before it failed. */
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

static void close_file(struct file *file)
{
	if (S_ISREG(file_inode(file)->i_mode))
		od_compat_end_use(file_inode(file));
	fput(file);
}

/*
 * The cache file without O_DIRECT: an open file of its own, since the flag of
 * one that is in use is not to be flipped. The caller has an operation, and the
 * cache's credentials.
 */
struct file *cachefiles_od_backing_buffered(struct cachefiles_od_cookie *cookie)
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

/* Reads the xattr of a file; false when it is missing, odd or not clean. */
static bool file_is_valid(struct file *file, u64 *size)
{
	/* One byte more, as in get_xattr(). */
	u8 value[sizeof(struct od_disk_object) + 1];
	const struct od_disk_object *found = (const void *)value;

	if (get_xattr(file_dentry(file), value, sizeof(value)) != sizeof(*found))
		return false;
	*size = be64_to_cpu(found->size);
	return !found->zero && found->type == OD_OBJECT_DATA &&
	       found->content == OD_OBJECT_CLEAN && *size <= S64_MAX - CACHEFILES_OD_GRAIN &&
	       i_size_read(file_inode(file)) == cachefiles_od_file_length(*size);
}

static int write_file_xattr(struct cachefiles_od_cookie *cookie)
{
	const struct od_disk_object value = {
		.size = cpu_to_be64(cookie->size),
		.type = OD_OBJECT_DATA,
		.content = OD_OBJECT_CLEAN,
	};

	if (!cachefiles_od_cookie_cache(cookie)->has_xattrs)
		return 0;
	return set_xattr(&cookie->file->f_path, &value, sizeof(value));
}

/* Between the end of the blob and the end of its last grain there is nothing to fetch. */
static int add_tail(struct cachefiles_od_cookie *cookie)
{
	return cachefiles_od_presence_add(cookie, cookie->size,
					  cachefiles_od_file_length(cookie->size));
}

static int punch(struct cachefiles_od_cookie *cookie, u64 start, u64 end)
{
	u64 block = cachefiles_od_cookie_cache(cookie)->block_size;
	int err;

	start = round_up(start, block);
	end = round_down(end, block);
	if (start >= end)
		return 0;
	if (cachefiles_od_is_frozen(cachefiles_od_cookie_cache(cookie)))
		return -EBUSY;
	/* The file's times change with it. */
	err = cachefiles_od_presence_begin_fill(cookie);
	return err ?: vfs_fallocate(cookie->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    start, end - start);
}

/*
 * A range that the file system calls data: present where the map says so, and
 * given back to the file system where it does not. That may fail without harm.
 */
static int take_data(struct cachefiles_od_cookie *cookie, const struct od_extents *runs,
		     u64 start, u64 end, bool keep)
{
	u64 next;
	int err = 0;

	for (; !err && start < end; start = next) {
		bool present = od_extents_run(runs, start, &next);

		next = min(next, end);
		if (present && keep)
			err = cachefiles_od_presence_add(cookie, start, next);
		else if (!present && !keep && punch(cookie, start, next))
			pr_warn_ratelimited("volume %s: cache file %s: failed to punch what was never committed\n",
					    cookie->volume->key, cookie->name);
	}
	return err;
}

static int walk_data(struct cachefiles_od_cookie *cookie, const struct od_extents *runs, bool keep)
{
	u64 length = cachefiles_od_file_length(cookie->size);
	loff_t data = 0, hole;
	int err;

	for (; data < length; data = hole) {
		data = vfs_llseek(cookie->file, data, SEEK_DATA);
		if (data == -ENXIO)
			break;
		if (data < 0)
			return data;
		hole = vfs_llseek(cookie->file, data, SEEK_HOLE);
		if (hole < 0)
			return hole;
		err = take_data(cookie, runs, data, min_t(u64, hole, length), keep);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Does the file still have all that the map speaks of? Where it has not, a new map
 * must be there before data is: with half of that written, the old one would be
 * believed again after a crash.
 */
static void check_map(struct cachefiles_od_cookie *cookie, const struct od_extents *runs)
{
	size_t i;

	/* Nobody else changes what is present while the object is opened. */
	for (i = 0; i < runs->nr; i++)
		if (!od_extents_covers(&cookie->present, runs->e[i].start, runs->e[i].end))
			break;
	if (i == runs->nr)
		return;
	mutex_lock(&cookie->commit_mutex);
	cookie->map_closed = true;
	mutex_unlock(&cookie->commit_mutex);
}

/* Builds the presence map from what was committed and what is still there. */
static int scan_file(struct cachefiles_od_cookie *cookie, const struct od_extents *runs)
{
	int err = walk_data(cookie, runs, true) ?: add_tail(cookie);

	if (err)
		return err;
	check_map(cookie, runs);
	WRITE_ONCE(cookie->committed, cookie->present.bytes);
	/* Commits what is present if it changes the file: only now is that known. */
	return walk_data(cookie, runs, false);
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

static void say_untrusted(const struct cachefiles_od_cookie *cookie, int err)
{
	const char *why = err == -ENOENT ? "no presence map" :
			  err == -ESTALE ? "presence map of another file" :
			  err == -EUCLEAN ? "damaged presence map" : "unreadable presence map";

	pr_warn("volume %s: cache file %s is not trusted: %s (%d)\n", cookie->volume->key,
		cookie->name, why, err);
}

/* The file at hand, if it is one of ours: its map's runs, which the caller frees. */
static int check_file(struct cachefiles_od_cookie *cookie, struct file *file, u64 *size,
		      struct od_extents *runs)
{
	int err;

	if (!S_ISREG(file_inode(file)->i_mode) || !file_is_valid(file, size))
		return -ENOENT;
	err = cachefiles_od_mapfile_load(cookie, file, *size, runs);
	/* Of us, not of the file: it is not to be replaced for that. */
	if (!err || err == -ENOMEM || err == -EINTR)
		return err;
	say_untrusted(cookie, err);
	return -ENOENT;
}

static int adopt_file(struct cachefiles_od_cookie *cookie, const struct path *dir,
		      struct od_extents *runs)
{
	struct file *file;
	u64 size;
	int err;

	err = look_for_file(cookie, dir);
	if (err)
		return err;
	file = open_file(cookie, dir, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = check_file(cookie, file, &size, runs);
	if (err)
		close_file(file);
	else
		set_file(cookie, file, size);
	return err;
}

/*
 * Looks for a cache file that can be trusted. Leaves it open with its size and
 * presence map; -ENOENT when there is none, or when something else has its name.
 */
int cachefiles_od_backing_find(struct cachefiles_od_cookie *cookie)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct od_extents runs = { };
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
		err = adopt_file(cookie, &place.fanout, &runs);
		leave_place(&place);
	}
	mutex_unlock(&cache->names_mutex);
	if (!err) {
		err = scan_file(cookie, &runs);
		if (err)
			cachefiles_od_backing_close(cookie);
	}
	revert_creds(saved);
	kvfree(runs.e);
	return err;
}

/* A cache file and its map, the map first: without its file it says nothing. */
int cachefiles_od_backing_unlink(struct cachefiles_od_cache *cache, const struct path *dir,
				 struct dentry *victim)
{
	const struct path path = { .mnt = dir->mnt, .dentry = victim };
	int err = 0;

	if (d_is_reg(victim))
		err = cachefiles_od_mapfile_remove(cache, &path);
	return err ?: od_compat_unlink(dir, victim);
}

/*
 * Takes away what has a new file's name. @victim is put by the caller, without
 * locks: the last reference to a large file takes long.
 */
static int remove_stale(struct cachefiles_od_cookie *cookie, const struct path *dir,
			struct path *victim)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	int err = od_compat_lookup(dir, cookie->name, victim);

	if (err) {
		*victim = (struct path) { };
		return err == -ENOENT ? 0 : err;
	}
	if (d_is_dir(victim->dentry))
		err = cachefiles_od_backing_bury(cache, dir, victim->dentry);
	else
		err = cachefiles_od_backing_unlink(cache, dir, victim->dentry);
	return err == -ENOENT ? 0 : err;
}

/*
 * The xattr comes last: a file without one is not trusted. From then on the
 * file is there by its name, so that a crash keeps what was committed. Before
 * it, a stale map of an earlier file with this inode number is removed.
 */
static int fill_in_file(struct cachefiles_od_cookie *cookie)
{
	const struct path *path = &cookie->file->f_path;
	int err;

	err = cachefiles_od_mapfile_remove(cachefiles_od_cookie_cache(cookie), path);
	if (!err)
		err = vfs_truncate(path, cachefiles_od_file_length(cookie->size));
	if (!err)
		err = add_tail(cookie);
	return err ?: write_file_xattr(cookie);
}

static int create_file(struct cachefiles_od_cookie *cookie, const struct path *dir, u64 size)
{
	struct file *file = open_file(cookie, dir, O_CREAT | O_EXCL);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	set_file(cookie, file, size);
	err = fill_in_file(cookie);
	if (err) {
		od_compat_unlink(dir, file_dentry(file));
		cachefiles_od_backing_close(cookie);
	}
	return err;
}

static bool is_withdrawn(struct cachefiles_od_cookie *cookie)
{
	bool withdrawn;

	spin_lock(&cookie->lock);
	withdrawn = cookie->state == OD_OBJ_DROPPING;
	spin_unlock(&cookie->lock);
	return withdrawn;
}

/*
 * Until the file system is thawed: 0; -EINTR the daemon was killed; -EIO the blob is
 * withdrawn, by a task that waits for the operation which the reply holds.
 */
static int wait_thawed(struct cachefiles_od_cookie *cookie)
{
	int err = 0;

	while (!err && cachefiles_od_is_frozen(cachefiles_od_cookie_cache(cookie)))
		err = is_withdrawn(cookie) ? -EIO : cachefiles_od_wait_frozen();
	return err;
}

static int replace_file(struct cachefiles_od_cookie *cookie, u64 size, struct path *victim)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct cachefiles_od_place place;
	int err = wait_thawed(cookie) ?: mutex_lock_killable(&cache->names_mutex);

	if (err)
		return err;
	err = enter_place(cookie, true, &place);
	if (!err) {
		err = remove_stale(cookie, &place.fanout, victim) ?:
		      create_file(cookie, &place.fanout, size);
		leave_place(&place);
	}
	mutex_unlock(&cache->names_mutex);
	return err;
}

/* An object for a blob of this size and version, with nothing in it. */
static int start_anew(struct cachefiles_od_cookie *cookie, u64 size, const char *validator)
{
	const struct cred *saved = override_creds(cachefiles_od_cookie_cache(cookie)->cred);
	char *kept = *validator ? kstrdup(validator, GFP_KERNEL) : NULL;
	struct path victim = { };
	int err;

	cachefiles_od_backing_close(cookie);
	err = *validator && !kept ? -ENOMEM : replace_file(cookie, size, &victim);
	path_put(&victim);
	revert_creds(saved);
	if (err) {
		kfree(kept);
		cachefiles_od_room_refused(cachefiles_od_cookie_cache(cookie), err);
		pr_err("volume %s: cache file %s: failed to create: %d\n", cookie->volume->key,
		       cookie->name, err);
		return err;
	}
	mutex_lock(&cookie->commit_mutex);
	cookie->validator = kept;
	cookie->unversioned = !kept;
	mutex_unlock(&cookie->commit_mutex);
	return 0;
}

/* From now on, what is on disk is of no version that anybody has named. */
static void forget_version(struct cachefiles_od_cookie *cookie)
{
	if (cookie->unversioned)
		return;
	cookie->unversioned = true;
	cachefiles_od_presence_changed(cookie);
}

/* The first version that is named of an object in use: those to come must be the same. */
static int hold_version(struct cachefiles_od_cookie *cookie, const char *validator)
{
	cookie->validator = kstrdup(validator, GFP_KERNEL);
	return cookie->validator ? 0 : -ENOMEM;
}

/*
 * May a blob of this size and version keep the cache file? 0, -ESTALE, -ENOMEM.
 * A daemon that names no version takes responsibility for it with the size alone,
 * and the map names none from then on. One that names a version wants just that.
 * Where none was ever named, an object that is in use can only go by its size, but
 * the first version that is named then is held to.
 */
static int check_same_blob(struct cachefiles_od_cookie *cookie, u64 size, const char *validator,
			   bool first)
{
	int err = 0;

	if (cookie->size != size)
		return -ESTALE;
	mutex_lock(&cookie->commit_mutex);
	if (!*validator)
		forget_version(cookie);
	else if (cookie->validator)
		err = strcmp(cookie->validator, validator) == 0 ? 0 : -ESTALE;
	else
		err = first ? -ESTALE : hold_version(cookie, validator);
	mutex_unlock(&cookie->commit_mutex);
	return err;
}

/*
 * The daemon has told the size of the blob, and perhaps its version. At a first
 * OPEN, keeps the file that was found if it is of that blob, and creates a new
 * one otherwise. Later, a blob that has changed is refused with -ESTALE: bytes
 * of two versions never meet.
 */
int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size,
				 const char *validator, bool first)
{
	int err = cookie->file ? check_same_blob(cookie, size, validator, first) : -ESTALE;

	if (err != -ESTALE)
		return err;
	if (!first) {
		pr_err("volume %s: blob %s has changed at its source while in use: what is missing cannot be read\n",
		       cookie->volume->key, cookie->name);
		return -ESTALE;
	}
	if (cookie->file)
		pr_info("volume %s: blob %s has changed: recreating its cache file\n",
			cookie->volume->key, cookie->name);
	return start_anew(cookie, size, validator);
}

/*
 * The caller is the only one with an operation, or the one that opens the object:
 * then a commit by name may be under way, and is waited for.
 */
void cachefiles_od_backing_close(struct cachefiles_od_cookie *cookie)
{
	struct file *file, *buffered;

	mutex_lock(&cookie->commit_mutex);
	spin_lock(&cookie->lock);
	file = cookie->file;
	buffered = cookie->buffered;
	cookie->file = NULL;
	cookie->buffered = NULL;
	cookie->size = 0;
	spin_unlock(&cookie->lock);
	mutex_unlock(&cookie->commit_mutex);
	if (!file)
		return;
	cachefiles_od_presence_forget(cookie);
	if (buffered)
		fput(buffered);
	close_file(file);
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
	pr_err("dir %s: file system \"%s\" does not tell holes from data\n", cache->dir,
	       file_inode(file)->i_sb->s_type->name);
	return -EOPNOTSUPP;
}

static int probe_xattrs(struct cachefiles_od_cache *cache, const struct path *path)
{
	static const struct od_disk_object value;
	int err = set_xattr(path, &value, sizeof(value));

	cache->has_xattrs = !err;
	if (err == -EOPNOTSUPP) {
		pr_warn("dir %s: no user xattrs: blobs are fetched again after each mount\n",
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
		pr_err("dir %s: failed to create a file: %ld\n", cache->dir, PTR_ERR(file));
		return PTR_ERR(file);
	}
	err = cachefiles_od_check_file(cache, file) ?: probe_holes(cache, file) ?:
	      probe_xattrs(cache, &file->f_path);
	od_compat_unlink(&cache->graveyard, file_dentry(file));
	fput(file);
	return err;
}
