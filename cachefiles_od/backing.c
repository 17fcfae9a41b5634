// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cache file of a blob: found and validated, or created.
 *
 * An existing file is trusted only where its presence map (mapfile.c) and the file system agree
 * that there is data. SEEK_DATA alone does not show what was written: it reports clean pages
 * over unwritten extents as data.
 */
#include "internal.h"

#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "../compat/dirops.h"

/*
 * Culling looks up the files of cookies that are being opened or closed. Without memory for the
 * last use of its regions, no range of the blob is punched while it is in use.
 */
static void set_file(struct cachefiles_od_cookie *cookie, struct file *file, u64 size)
{
	unsigned int shift = od_region_shift(size), nr = size ? ((size - 1) >> shift) + 1 : 0;
	u32 *used = kcalloc(nr, sizeof(*used), GFP_KERNEL), *old;

	spin_lock(&cookie->lock);
	cookie->file = file;
	cookie->size = size;
	old = cookie->region_used;
	cookie->region_shift = shift;
	cookie->nr_regions = ZERO_OR_NULL_PTR(used) ? 0 : nr;
	cookie->region_used = used;
	spin_unlock(&cookie->lock);
	kfree(old);
}

/* Bytes between the end of the blob and the end of its last grain need no fetching. */
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
	/* Punching changes the file's times. */
	err = cachefiles_od_presence_begin_fill(cookie);
	return err ?: vfs_fallocate(cookie->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    start, end - start);
}

/*
 * Handles a range the file system reports as data: present if the map lists it, otherwise
 * punched. Failure to punch is harmless.
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
			pr_warn_limited(cookie->volume,
					"volume %s: cache file %s: failed to punch uncommitted data\n",
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
 * Checks whether the file still has everything the map lists. If not, a new map has to be
 * stored before any data: after a crash with some of that written, the old map would be trusted
 * again.
 */
static void check_map(struct cachefiles_od_cookie *cookie, const struct od_extents *runs)
{
	size_t i;

	/* Nothing else changes the presence map while the object is being opened. */
	for (i = 0; i < runs->nr; i++)
		if (!od_extents_covers(&cookie->present, runs->e[i].start, runs->e[i].end))
			break;
	if (i == runs->nr)
		return;
	mutex_lock(&cookie->commit_mutex);
	cookie->map_closed = true;
	mutex_unlock(&cookie->commit_mutex);
}

/* Builds the presence map from what was committed and still exists. */
static int scan_file(struct cachefiles_od_cookie *cookie, const struct od_extents *runs)
{
	int err = walk_data(cookie, runs, true) ?: add_tail(cookie);

	if (err)
		return err;
	check_map(cookie, runs);
	WRITE_ONCE(cookie->committed, cookie->present.bytes);
	/* Only now is everything present known: if this changes the file, it commits that. */
	return walk_data(cookie, runs, false);
}

/* Only regular files are opened: opening a device or a pipe has side effects. */
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

/* Checks an existing file and loads the runs of its map, which the caller frees. */
static int check_file(struct cachefiles_od_cookie *cookie, struct file *file, u64 *size,
		      struct od_extents *runs)
{
	int err;

	if (!S_ISREG(file_inode(file)->i_mode) || !cachefiles_od_file_is_valid(file, size))
		return -ENOENT;
	err = cachefiles_od_mapfile_load(cookie, file, *size, runs);
	/* These errors are not the file's: do not replace it. */
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
	file = cachefiles_od_file_open(cookie, dir, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = check_file(cookie, file, &size, runs);
	if (err)
		cachefiles_od_file_close(file);
	else
		set_file(cookie, file, size);
	return err;
}

/*
 * Looks for a cache file that can be trusted, and leaves it open with its size and presence
 * map. -ENOENT if there is none, or if the name belongs to something else.
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
	err = cachefiles_od_tree_enter(cookie, false, &place);
	if (!err) {
		err = adopt_file(cookie, &place.fanout, &runs);
		cachefiles_od_tree_leave(&place);
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

/*
 * Removes whatever has the new file's name. The caller puts @victim without holding locks:
 * dropping the last reference to a large file takes long.
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
		err = cachefiles_od_tree_bury(cache, dir, victim->dentry);
	else
		err = cachefiles_od_tree_unlink(cache, dir, victim->dentry);
	return err == -ENOENT ? 0 : err;
}

/*
 * The xattr comes last: a file without one is not trusted. From then on the file is found by
 * name, so that a crash keeps what was committed. Before that, a stale map of an earlier file
 * with this inode number is removed.
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
	return err ?: cachefiles_od_file_set_mark(cookie);
}

static int create_file(struct cachefiles_od_cookie *cookie, const struct path *dir, u64 size)
{
	struct file *file = cachefiles_od_file_open(cookie, dir, O_CREAT | O_EXCL);
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
 * Waits until the file system is thawed. -EINTR if the daemon was killed; -EIO if the blob is
 * withdrawn, by a task that waits for the operation held by the reply.
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
	err = cachefiles_od_tree_enter(cookie, true, &place);
	if (!err) {
		err = remove_stale(cookie, &place.fanout, victim) ?:
		      create_file(cookie, &place.fanout, size);
		cachefiles_od_tree_leave(&place);
	}
	mutex_unlock(&cache->names_mutex);
	return err;
}

/* Creates an empty object for a blob of this size and version. */
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

/* From now on, no version is recorded for the data on disk. */
static void forget_version(struct cachefiles_od_cookie *cookie)
{
	if (cookie->unversioned)
		return;
	cookie->unversioned = true;
	cachefiles_od_presence_changed(cookie);
}

/* Records the first version named for an object in use; later ones must match. */
static int hold_version(struct cachefiles_od_cookie *cookie, const char *validator)
{
	cookie->validator = kstrdup(validator, GFP_KERNEL);
	return cookie->validator ? 0 : -ENOMEM;
}

/*
 * Checks whether a blob of this size and version may keep the cache file: 0, -ESTALE or
 * -ENOMEM. A daemon that names no version vouches for the file by size alone, and the map
 * records none from then on. A daemon that names a version requires a match. If none was ever
 * named, an object in use is checked by size only, but the first version named then becomes
 * binding.
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
 * Handles the size, and perhaps version, in the daemon's reply. At the first OPEN, keeps the
 * existing file if it belongs to that blob, and creates a new one otherwise. Later, a blob that
 * has changed is refused with -ESTALE: bytes of two versions never mix.
 */
int cachefiles_od_backing_settle(struct cachefiles_od_cookie *cookie, u64 size,
				 const char *validator, bool first)
{
	int err = cookie->file ? check_same_blob(cookie, size, validator, first) : -ESTALE;

	if (err != -ESTALE)
		return err;
	if (!first) {
		pr_err("volume %s: blob %s has changed at its source while in use: missing data cannot be read\n",
		       cookie->volume->key, cookie->name);
		return -ESTALE;
	}
	if (cookie->file)
		pr_info("volume %s: blob %s has changed: recreating its cache file\n",
			cookie->volume->key, cookie->name);
	return start_anew(cookie, size, validator);
}

/*
 * The caller has the only operation, or is opening the object: then a commit by name may be
 * running, and is waited for.
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
	cachefiles_od_file_close(file);
}
