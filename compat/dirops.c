// SPDX-License-Identifier: GPL-2.0-only
#include "dirops.h"

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mnt_idmapping.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include "od_probes.h"

static struct dentry *lookup_unlocked(const struct path *dir, const char *name)
{
#ifdef OD_HAVE_LOOKUP_NOPERM_QSTR
	return lookup_noperm_unlocked(&QSTR(name), dir->dentry);
#else
	return lookup_one_len_unlocked(name, dir->dentry, strlen(name));
#endif
}

#if defined(OD_HAVE_DIR_LOCKS_INODE_LOCK) || defined(OD_HAVE_RENAME_LOCKS_LOCK_RENAME)
static struct dentry *lookup_locked(const struct path *dir, const char *name)
{
#ifdef OD_HAVE_LOOKUP_NOPERM_QSTR
	return lookup_noperm(&QSTR(name), dir->dentry);
#else
	return lookup_one_len(name, dir->dentry, strlen(name));
#endif
}
#endif

/* Looks up a name in a locked directory; paired with end(). */
static struct dentry *begin_create(const struct path *dir, const char *name)
{
#ifdef OD_HAVE_DIR_LOCKS_START_CREATING
	return start_creating_noperm(dir->dentry, &QSTR(name));
#else
	struct dentry *dentry;

	inode_lock_nested(d_inode(dir->dentry), I_MUTEX_PARENT);
	dentry = lookup_locked(dir, name);
	if (!IS_ERR(dentry) && d_is_positive(dentry)) {
		dput(dentry);
		dentry = ERR_PTR(-EEXIST);
	}
	if (IS_ERR(dentry))
		inode_unlock(d_inode(dir->dentry));
	return dentry;
#endif
}

static int begin_remove(const struct path *dir, struct dentry *victim)
{
#ifdef OD_HAVE_DIR_LOCKS_START_CREATING
	return PTR_ERR_OR_ZERO(start_removing_dentry(dir->dentry, victim));
#else
	inode_lock_nested(d_inode(dir->dentry), I_MUTEX_PARENT);
	if (d_is_positive(victim) && !d_unhashed(victim) && victim->d_parent == dir->dentry) {
		dget(victim);
		return 0;
	}
	inode_unlock(d_inode(dir->dentry));
	return -ENOENT;
#endif
}

static void end(const struct path *dir, struct dentry *dentry)
{
#ifdef OD_HAVE_DIR_LOCKS_START_CREATING
	end_creating(dentry);
#else
	inode_unlock(d_inode(dir->dentry));
	if (!IS_ERR(dentry))
		dput(dentry);
#endif
}

/*
 * Creates the directory and ends what begin_create() began. If vfs_mkdir() returns a dentry, it
 * may differ from the one passed in.
 */
static int make_and_end(const struct path *dir, struct dentry *dentry, umode_t mode)
{
	int err;

#if defined(OD_HAVE_VFS_MKDIR_DELEGATED)
	dentry = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode, NULL);
	err = PTR_ERR_OR_ZERO(dentry);
#elif defined(OD_HAVE_VFS_MKDIR_DENTRY)
	dentry = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode);
	err = PTR_ERR_OR_ZERO(dentry);
#elif defined(OD_HAVE_VFS_MKDIR_IDMAP)
	err = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode);
#elif defined(OD_HAVE_VFS_MKDIR_USERNS)
	err = vfs_mkdir(&init_user_ns, d_inode(dir->dentry), dentry, mode);
#elif defined(OD_HAVE_VFS_MKDIR_PLAIN)
	err = vfs_mkdir(d_inode(dir->dentry), dentry, mode);
#endif
	end(dir, dentry);
	return err;
}

static int unlink_locked(const struct path *dir, struct dentry *victim)
{
#if defined(OD_HAVE_VFS_UNLINK_IDMAP)
	return vfs_unlink(&nop_mnt_idmap, d_inode(dir->dentry), victim, NULL);
#elif defined(OD_HAVE_VFS_UNLINK_USERNS)
	return vfs_unlink(&init_user_ns, d_inode(dir->dentry), victim, NULL);
#elif defined(OD_HAVE_VFS_UNLINK_PLAIN)
	return vfs_unlink(d_inode(dir->dentry), victim, NULL);
#endif
}

int od_compat_lookup(const struct path *dir, const char *name, struct path *child)
{
	struct dentry *dentry;

	/* Not every kernel checks before it calls operations that only directories have. */
	if (!d_can_lookup(dir->dentry))
		return -ENOTDIR;
	dentry = lookup_unlocked(dir, name);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	if (d_really_is_negative(dentry)) {
		dput(dentry);
		return -ENOENT;
	}
	child->mnt = mntget(dir->mnt);
	child->dentry = dentry;
	return 0;
}

static int make(const struct path *dir, const char *name, umode_t mode)
{
	struct dentry *dentry;
	int err = mnt_want_write(dir->mnt);

	if (err)
		return err;
	dentry = begin_create(dir, name);
	err = IS_ERR(dentry) ? PTR_ERR(dentry) : make_and_end(dir, dentry, mode);
	mnt_drop_write(dir->mnt);
	return err;
}

int od_compat_mkdir(const struct path *dir, const char *name, umode_t mode, struct path *child)
{
	struct path found;
	int err = od_compat_lookup(dir, name, &found);

	if (err == -ENOENT) {
		err = make(dir, name, mode);
		/* Another task may have created it first, which is fine. */
		if (!err || err == -EEXIST)
			err = od_compat_lookup(dir, name, &found);
	}
	if (err)
		return err;
	if (!d_is_dir(found.dentry)) {
		path_put(&found);
		return -ENOTDIR;
	}
	*child = found;
	return 0;
}

int od_compat_unlink(const struct path *dir, struct dentry *victim)
{
	int err = mnt_want_write(dir->mnt);

	if (err)
		return err;
	err = begin_remove(dir, victim);
	if (!err) {
		err = unlink_locked(dir, victim);
		end(dir, victim);
	}
	mnt_drop_write(dir->mnt);
	return err;
}

#ifdef OD_HAVE_RENAME_LOCKS_START_RENAMING
static int rename(const struct path *dir, struct dentry *victim, const struct path *to,
		  const char *name)
{
	struct renamedata rd = {
		.mnt_idmap = &nop_mnt_idmap,
		.old_parent = dir->dentry,
		.new_parent = to->dentry,
	};
	int err = start_renaming_dentry(&rd, 0, victim, &QSTR(name));

	if (err)
		return err;
	err = d_is_positive(rd.new_dentry) ? -EEXIST : vfs_rename(&rd);
	end_renaming(&rd);
	return err;
}
#else
static int call_rename(const struct path *dir, struct dentry *victim, const struct path *to,
		       struct dentry *target)
{
#ifdef OD_HAVE_VFS_RENAME_SIX
	return vfs_rename(d_inode(dir->dentry), victim, d_inode(to->dentry), target, NULL, 0);
#else
	struct renamedata rd = {
#if defined(OD_HAVE_VFS_RENAME_PARENTS)
		.mnt_idmap = &nop_mnt_idmap,
#elif defined(OD_HAVE_VFS_RENAME_IDMAPS) || defined(OD_HAVE_VFS_RENAME_IDMAPS_PARENTS)
		.old_mnt_idmap = &nop_mnt_idmap,
		.new_mnt_idmap = &nop_mnt_idmap,
#elif defined(OD_HAVE_VFS_RENAME_USERNS)
		.old_mnt_userns = &init_user_ns,
		.new_mnt_userns = &init_user_ns,
#endif
#if defined(OD_HAVE_VFS_RENAME_PARENTS) || defined(OD_HAVE_VFS_RENAME_IDMAPS_PARENTS)
		.old_parent = dir->dentry,
		.new_parent = to->dentry,
#else
		.old_dir = d_inode(dir->dentry),
		.new_dir = d_inode(to->dentry),
#endif
		.old_dentry = victim,
		.new_dentry = target,
	};

	return vfs_rename(&rd);
#endif
}

static int rename_locked(const struct path *dir, struct dentry *victim, const struct path *to,
			 const char *name)
{
	struct dentry *target;
	int err;

	if (d_unhashed(victim) || victim->d_parent != dir->dentry)
		return -ENOENT;
	target = lookup_locked(to, name);
	if (IS_ERR(target))
		return PTR_ERR(target);
	err = d_is_positive(target) ? -EEXIST : call_rename(dir, victim, to, target);
	dput(target);
	return err;
}

static int rename(const struct path *dir, struct dentry *victim, const struct path *to,
		  const char *name)
{
	struct dentry *trap = lock_rename(to->dentry, dir->dentry);
	int err;

	if (IS_ERR(trap))
		return PTR_ERR(trap);
	err = trap == victim ? -EINVAL : rename_locked(dir, victim, to, name);
	unlock_rename(to->dentry, dir->dentry);
	return err;
}
#endif

int od_compat_move(const struct path *dir, struct dentry *victim, const struct path *to,
		   const char *name)
{
	int err = mnt_want_write(dir->mnt);

	if (err)
		return err;
	err = rename(dir, victim, to, name);
	mnt_drop_write(dir->mnt);
	return err;
}

#ifdef OD_HAVE_OPEN_NONOTIFY_ABSENT
struct file *od_compat_open(const struct path *dir, const char *name, int flags, umode_t mode)
{
	return file_open_root(dir, name, flags, mode);
}

struct file *od_compat_open_path(const struct path *path, int flags)
{
	return dentry_open(path, flags, current_cred());
}
#else
static int create_and_end(const struct path *dir, struct dentry *dentry, umode_t mode)
{
	int err;

#if defined(OD_HAVE_OPEN_NONOTIFY_IDMAP)
	err = vfs_create(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode, true);
#elif defined(OD_HAVE_OPEN_NONOTIFY_USERNS)
	err = vfs_create(&init_user_ns, d_inode(dir->dentry), dentry, mode, true);
#elif defined(OD_HAVE_OPEN_NONOTIFY_PLAIN)
	err = vfs_create(d_inode(dir->dentry), dentry, mode, true);
#endif
	end(dir, dentry);
	return err;
}

static int create(const struct path *dir, const char *name, umode_t mode)
{
	struct dentry *dentry;
	int err = mnt_want_write(dir->mnt);

	if (err)
		return err;
	dentry = begin_create(dir, name);
	err = IS_ERR(dentry) ? PTR_ERR(dentry) : create_and_end(dir, dentry, S_IFREG | mode);
	mnt_drop_write(dir->mnt);
	return err;
}

struct file *od_compat_open_path(const struct path *path, int flags)
{
	return dentry_open(path, flags | __FMODE_NONOTIFY, current_cred());
}

static struct file *open_found(const struct path *path, int flags)
{
	int err = d_is_reg(path->dentry) ? 0 : d_is_symlink(path->dentry) ? -ELOOP : -EISDIR;

	if (!err && (flags & O_TRUNC))
		err = vfs_truncate(path, 0);
	if (err)
		return ERR_PTR(err);
	return od_compat_open_path(path, flags & ~(O_CREAT | O_EXCL | O_TRUNC));
}

/* The kernel's open by name takes no such flag, so this does its steps one by one. */
struct file *od_compat_open(const struct path *dir, const char *name, int flags, umode_t mode)
{
	struct path path;
	struct file *file;
	int err = 0;

	if (flags & O_CREAT)
		err = create(dir, name, mode);
	if (err == -EEXIST && !(flags & O_EXCL))
		err = 0;
	err = err ?: od_compat_lookup(dir, name, &path);
	if (err)
		return ERR_PTR(err);
	file = open_found(&path, flags);
	path_put(&path);
	return file;
}
#endif

bool od_compat_is_idmapped(const struct path *path)
{
#if defined(OD_HAVE_IS_IDMAPPED_MNT_PRESENT)
	return is_idmapped_mnt(path->mnt);
#elif defined(OD_HAVE_IS_IDMAPPED_MNT_USER_NS)
	return mnt_user_ns(path->mnt) != path->mnt->mnt_sb->s_user_ns;
#elif defined(OD_HAVE_IS_IDMAPPED_MNT_ABSENT)
	return false;
#endif
}
