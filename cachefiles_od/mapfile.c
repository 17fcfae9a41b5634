// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map files: <dir>/maps has a committed presence map for each cache file.
 *
 * A map file is named after the inode number of its cache file, and identifies that by inode
 * number and generation, names, size, and after a clean close the modification time. A copied,
 * restored or replaced file is another file, which no map covers.
 */
#include "internal.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/workqueue.h>

#include "../compat/dirops.h"
#include "../compat/fileuse.h"

/* "%llx" of an inode number */
#define MAP_NAME_LEN	16

/* Runs encoded or decoded at once. */
#define CHUNK_RUNS	(PAGE_SIZE / OD_MAPFILE_RUN)

static void map_name(u64 ino, char name[MAP_NAME_LEN + 1])
{
	snprintf(name, MAP_NAME_LEN + 1, "%llx", ino);
}

static int stat_file(struct file *file, struct kstat *st)
{
	return vfs_getattr(&file->f_path, st, STATX_INO | STATX_MTIME, AT_STATX_SYNC_AS_STAT);
}

static int read_exactly(struct file *map, void *buf, size_t len, loff_t pos)
{
	ssize_t n = kernel_read(map, buf, len, &pos);

	return n == (ssize_t)len ? 0 : n < 0 ? n : -EUCLEAN;
}

static int write_exactly(struct file *map, const void *buf, size_t len, loff_t pos)
{
	ssize_t n = kernel_write(map, buf, len, &pos);

	return n == (ssize_t)len ? 0 : n < 0 ? n : -EIO;
}

/* --- reading --- */

/* Whether the map describes this file in its current state. */
static bool is_about(const struct od_mapfile *m, const struct cachefiles_od_cookie *cookie,
		     struct file *file, const struct kstat *st, u64 size)
{
	if (m->ino != st->ino || m->generation != file_inode(file)->i_generation ||
	    m->size != size || strcmp(m->volume, cookie->volume->name) != 0 ||
	    strcmp(m->name, cookie->name) != 0)
		return false;
	return !(m->flags & OD_MAPFILE_CLOSED) ||
	       (m->mtime_sec == st->mtime.tv_sec && m->mtime_nsec == st->mtime.tv_nsec);
}

static int read_runs(struct file *map, const struct od_mapfile *m, struct od_extents *runs)
{
	u64 limit = cachefiles_od_file_length(m->size), prev_end = 0;
	u32 crc = ~0U, done, n;
	u8 *buf;
	int err = 0;

	runs->e = kvmalloc_array(max(m->nr_runs, 1U), sizeof(*runs->e), GFP_KERNEL);
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!runs->e || !buf)
		err = -ENOMEM;
	for (done = 0; !err && done < m->nr_runs; done += n) {
		n = min_t(u32, m->nr_runs - done, CHUNK_RUNS);
		err = read_exactly(map, buf, n * OD_MAPFILE_RUN,
				   m->runs_off + (u64)done * OD_MAPFILE_RUN) ?:
		      od_mapfile_decode_runs(buf, n, limit, prev_end, runs->e + done);
		if (err)
			break;
		crc = od_crc32c(crc, buf, n * OD_MAPFILE_RUN);
		prev_end = runs->e[done + n - 1].end;
	}
	kfree(buf);
	if (!err && crc != m->runs_crc)
		err = -EUCLEAN;
	if (err) {
		kvfree(runs->e);
		memset(runs, 0, sizeof(*runs));
		return err;
	}
	runs->cap = max(m->nr_runs, 1U);
	runs->nr = m->nr_runs;
	return 0;
}

/* Reads the newer of two versions if its runs are intact, otherwise the other one. */
static int read_newest(struct file *map, struct od_mapfile slots[2], const bool valid[2],
		       struct od_extents *runs, struct od_mapfile **newest)
{
	int first = valid[1] && (!valid[0] || slots[1].seq > slots[0].seq);
	int i, err = -EUCLEAN;

	for (i = 0; i < 2 && err == -EUCLEAN; i++) {
		*newest = &slots[i ? !first : first];
		if (valid[i ? !first : first])
			err = read_runs(map, *newest, runs);
	}
	return err;
}

static int read_slots(struct file *map, struct od_mapfile slots[2], bool valid[2])
{
	u8 *buf = kmalloc(OD_MAPFILE_SLOT, GFP_KERNEL);
	int i;

	if (!buf)
		return -ENOMEM;
	for (i = 0; i < 2; i++)
		valid[i] = read_exactly(map, buf, OD_MAPFILE_SLOT, i * OD_MAPFILE_SLOT) == 0 &&
			   od_mapfile_decode(buf, &slots[i]) == 0;
	kfree(buf);
	return 0;
}

/* Records that the map file holds this version. */
static void set_stored(struct cachefiles_od_cookie *cookie, const struct od_mapfile *m)
{
	cookie->map_seq = m->seq;
	cookie->map_runs_off = m->runs_off;
	cookie->map_nr_runs = m->nr_runs;
	cookie->map_closed = m->flags & OD_MAPFILE_CLOSED;
	cookie->map_stale = false;
	cookie->map_used = m->used;
}

/* Copies what the cookie keeps of a version just read. */
static int keep_version(struct cachefiles_od_cookie *cookie, const struct od_mapfile *m)
{
	char *validator = NULL;

	if (*m->validator) {
		validator = kstrdup(m->validator, GFP_KERNEL);
		if (!validator)
			return -ENOMEM;
	}
	mutex_lock(&cookie->commit_mutex);
	kfree(cookie->validator);
	cookie->validator = validator;
	cookie->unversioned = !validator;
	set_stored(cookie, m);
	mutex_unlock(&cookie->commit_mutex);
	return 0;
}

static int load_from(struct cachefiles_od_cookie *cookie, struct file *map, struct file *file,
		     u64 size, struct od_extents *runs, struct od_mapfile slots[2])
{
	struct od_mapfile *newest;
	struct kstat st;
	bool valid[2];
	int err;

	/* Emptied on a full disk, see cachefiles_od_mapfile_empty(). */
	if (!i_size_read(file_inode(map)))
		return -ENOENT;
	err = stat_file(file, &st) ?: read_slots(map, slots, valid);
	if (!err)
		err = read_newest(map, slots, valid, runs, &newest);
	if (err)
		return err;
	err = is_about(newest, cookie, file, &st, size) ? keep_version(cookie, newest) : -ESTALE;
	if (err) {
		kvfree(runs->e);
		memset(runs, 0, sizeof(*runs));
	}
	return err;
}

static struct file *open_map(struct cachefiles_od_cache *cache, struct file *file, int flags)
{
	char name[MAP_NAME_LEN + 1];
	struct file *map;
	struct kstat st;
	int err = stat_file(file, &st);

	if (err)
		return ERR_PTR(err);
	map_name(st.ino, name);
	map = od_compat_open(&cache->maps, name, flags | O_LARGEFILE | O_NOFOLLOW | O_NONBLOCK,
			     0600);
	/* As for cache files: an fanotify listener must not hold up a commit, or names_mutex. */
	if (!IS_ERR(map))
		od_compat_hide_file(map);
	return map;
}

/*
 * Loads what was committed for a cache file. -ENOENT if there is no map; -ESTALE if it is for
 * another file; -EUCLEAN if it is damaged; or why it cannot be read. The caller frees @runs->e.
 */
int cachefiles_od_mapfile_load(struct cachefiles_od_cookie *cookie, struct file *file, u64 size,
			       struct od_extents *runs)
{
	struct cachefiles_od_cache *cache = cachefiles_od_cookie_cache(cookie);
	struct od_mapfile *slots;
	struct file *map;
	int err;

	memset(runs, 0, sizeof(*runs));
	map = open_map(cache, file, O_RDONLY);
	if (IS_ERR(map))
		return PTR_ERR(map);
	slots = kmalloc_array(2, sizeof(*slots), GFP_KERNEL);
	err = slots ? load_from(cookie, map, file, size, runs, slots) : -ENOMEM;
	kfree(slots);
	fput(map);
	return err;
}

/* --- writing --- */

static int write_runs(struct file *map, const struct od_range *runs, struct od_mapfile *m)
{
	u8 *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u32 done, n;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	m->runs_crc = ~0U;
	for (done = 0; !err && done < m->nr_runs; done += n) {
		n = min_t(u32, m->nr_runs - done, CHUNK_RUNS);
		od_mapfile_encode_runs(runs + done, n, buf);
		m->runs_crc = od_crc32c(m->runs_crc, buf, n * OD_MAPFILE_RUN);
		err = write_exactly(map, buf, n * OD_MAPFILE_RUN,
				    m->runs_off + (u64)done * OD_MAPFILE_RUN);
	}
	kfree(buf);
	return err;
}

static int write_slot(struct file *map, const struct od_mapfile *m)
{
	u8 *buf = kmalloc(OD_MAPFILE_SLOT, GFP_KERNEL);
	int err;

	if (!buf)
		return -ENOMEM;
	od_mapfile_encode(m, buf);
	err = write_exactly(map, buf, OD_MAPFILE_SLOT, (m->seq & 1) * OD_MAPFILE_SLOT);
	kfree(buf);
	return err;
}

/* Fills in the next version of a cookie's map, except for its runs. */
static int describe(const struct cachefiles_od_cookie *cookie, u32 nr_runs, bool closed,
		    struct od_mapfile *m)
{
	struct kstat st;
	int err = stat_file(cookie->file, &st);

	if (err)
		return err;
	m->runs_off = cookie->map_runs_off;
	m->nr_runs = cookie->map_nr_runs;
	m->runs_off = od_mapfile_next_off(cookie->map_seq ? m : NULL, nr_runs);
	m->nr_runs = nr_runs;
	m->seq = cookie->map_seq + 1;
	m->size = cookie->size;
	m->used = READ_ONCE(cookie->used);
	m->ino = st.ino;
	m->generation = file_inode(cookie->file)->i_generation;
	if (closed) {
		m->flags = OD_MAPFILE_CLOSED;
		m->mtime_sec = st.mtime.tv_sec;
		m->mtime_nsec = st.mtime.tv_nsec;
	}
	strscpy(m->volume, cookie->volume->name, sizeof(m->volume));
	strscpy(m->name, cookie->name, sizeof(m->name));
	strscpy(m->validator, cookie->unversioned ? "" : cookie->validator, sizeof(m->validator));
	return 0;
}

static int write_map(struct file *map, const struct od_range *runs, struct od_mapfile *m)
{
	return write_runs(map, runs, m) ?: write_slot(map, m) ?: vfs_fsync(map, 1);
}

static int write_to(struct file *map, struct cachefiles_od_cookie *cookie,
		    const struct od_range *runs, struct od_mapfile *m)
{
	int err = write_map(map, runs, m);

	if (!err)
		set_stored(cookie, m);
	return err;
}

/**
 * struct storing - a map that is being stored
 * @work: work item that stores it
 * @cookie: cookie of the map
 * @runs: what is present
 * @nr_runs: their number
 * @closed: mark the object as closed
 * @map: the map file, once open
 * @err: the result
 */
struct storing {
	struct work_struct work;
	struct cachefiles_od_cookie *cookie;
	const struct od_range *runs;
	u32 nr_runs;
	bool closed;
	struct file *map;
	int err;
};

static int store(struct storing *storing)
{
	struct cachefiles_od_cookie *cookie = storing->cookie;
	struct od_mapfile *m = kzalloc(sizeof(*m), GFP_KERNEL);
	struct file *map;
	int err;

	if (!m)
		return -ENOMEM;
	err = describe(cookie, storing->nr_runs, storing->closed, m);
	if (err)
		goto free;
	map = open_map(cachefiles_od_cookie_cache(cookie), cookie->file, O_RDWR | O_CREAT);
	err = PTR_ERR_OR_ZERO(map);
	if (!err) {
		storing->map = map;
		err = write_to(map, cookie, storing->runs, m);
	}
free:
	kfree(m);
	return err;
}

static void store_work(struct work_struct *work)
{
	struct storing *storing = container_of(work, struct storing, work);
	const struct cred *saved =
		override_creds(cachefiles_od_cookie_cache(storing->cookie)->cred);

	storing->err = store(storing);
	revert_creds(saved);
}

/*
 * A worker stores the map, since any task may be the one that closes a blob. A task that was
 * killed or has a file size limit cannot write, and an exiting task that is the last of its
 * mount namespace has no namespaces left, which AppArmor dereferences when opening files.
 */
static int store_as_worker(struct storing *storing)
{
	INIT_WORK_ONSTACK(&storing->work, store_work);
	queue_work(cachefiles_od_map_wq, &storing->work);
	flush_work(&storing->work);
	destroy_work_on_stack(&storing->work);
	return storing->err;
}

/*
 * Writes the next version of a map; it has reached the device when this returns 0. The data
 * that the runs describe must have reached it before.
 */
int cachefiles_od_mapfile_store(struct cachefiles_od_cookie *cookie, const struct od_range *runs,
				u32 nr_runs, bool closed)
{
	struct storing storing = {
		.cookie = cookie,
		.runs = runs,
		.nr_runs = nr_runs,
		.closed = closed,
	};
	int err;

	lockdep_assert_held(&cookie->commit_mutex);
	err = current->flags & PF_KTHREAD ? store(&storing) : store_as_worker(&storing);
	/* Here, since a worker's fput() would be delayed and keep the file system busy. */
	if (storing.map)
		fput(storing.map);
	return err;
}

static int make_empty(struct file *map)
{
	return vfs_truncate(&map->f_path, 0) ?: vfs_fsync(map, 0);
}

/*
 * Empties the map on disk, which takes no space there. When this returns 0, it lists nothing;
 * the next version is like the first one of a new object.
 */
int cachefiles_od_mapfile_empty(struct cachefiles_od_cookie *cookie)
{
	struct file *map = open_map(cachefiles_od_cookie_cache(cookie), cookie->file, O_RDWR);
	int err = PTR_ERR_OR_ZERO(map);

	lockdep_assert_held(&cookie->commit_mutex);
	if (!err) {
		err = make_empty(map);
		fput(map);
	}
	if (err && err != -ENOENT)
		return err;
	cookie->map_seq = 0;
	cookie->map_closed = false;
	cookie->map_stale = true;
	return 0;
}

/*
 * A cache file is removed or created: a map of an earlier file with its inode number must not
 * be taken for its own.
 */
int cachefiles_od_mapfile_remove(struct cachefiles_od_cache *cache, const struct path *file)
{
	char name[MAP_NAME_LEN + 1];
	struct path map;
	struct kstat st;
	int err;

	err = vfs_getattr(file, &st, STATX_INO, AT_STATX_SYNC_AS_STAT);
	if (err)
		return err;
	map_name(st.ino, name);
	err = od_compat_lookup(&cache->maps, name, &map);
	if (!err) {
		err = od_compat_unlink(&cache->maps, map.dentry);
		path_put(&map);
	}
	return err == -ENOENT ? 0 : err;
}
