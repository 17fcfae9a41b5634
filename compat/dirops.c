// SPDX-License-Identifier: GPL-2.0-only
#include "dirops.h"

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

/* A name in a locked folder; the pair of it is end(). */
static struct dentry *begin_create(const struct path *dir, const char *name)
{
#ifdef OD_HAVE_START_CREATING
	return start_creating_noperm(dir->dentry, &QSTR(name));
#else
	struct dentry *dentry;

	inode_lock_nested(d_inode(dir->dentry), I_MUTEX_PARENT);
	dentry = lookup_one_len(name, dir->dentry, strlen(name));
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
#ifdef OD_HAVE_START_CREATING
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
#ifdef OD_HAVE_START_CREATING
	end_creating(dentry);
#else
	inode_unlock(d_inode(dir->dentry));
	if (!IS_ERR(dentry))
		dput(dentry);
#endif
}

/*
 * Makes the folder and ends what begin_create() began. Where vfs_mkdir() gives
 * a dentry, that may be another one than it was given.
 */
static int make_and_end(const struct path *dir, struct dentry *dentry, umode_t mode)
{
	int err;

#if defined(OD_HAVE_MKDIR_DELEGATED)
	dentry = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode, NULL);
	err = PTR_ERR_OR_ZERO(dentry);
#elif defined(OD_HAVE_MKDIR_DENTRY)
	dentry = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode);
	err = PTR_ERR_OR_ZERO(dentry);
#elif defined(OD_HAVE_MNT_IDMAP) || defined(OD_HAVE_MNT_USERNS)
	err = vfs_mkdir(&nop_mnt_idmap, d_inode(dir->dentry), dentry, mode);
#else
	err = vfs_mkdir(d_inode(dir->dentry), dentry, mode);
#endif
	end(dir, dentry);
	return err;
}

static int unlink_locked(const struct path *dir, struct dentry *victim)
{
#if defined(OD_HAVE_MNT_IDMAP) || defined(OD_HAVE_MNT_USERNS)
	return vfs_unlink(&nop_mnt_idmap, d_inode(dir->dentry), victim, NULL);
#else
	return vfs_unlink(d_inode(dir->dentry), victim, NULL);
#endif
}

int od_compat_lookup(const struct path *dir, const char *name, struct path *child)
{
	struct dentry *dentry = lookup_unlocked(dir, name);

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
	int err = od_compat_lookup(dir, name, child);

	if (err == -ENOENT) {
		err = make(dir, name, mode);
		/* Somebody else may have been quicker, which is as well. */
		if (!err || err == -EEXIST)
			err = od_compat_lookup(dir, name, child);
	}
	if (!err && !d_is_dir(child->dentry)) {
		path_put(child);
		err = -ENOTDIR;
	}
	return err;
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

#ifdef OD_HAVE_RENAMEDATA_PARENTS
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
static int rename_locked(const struct path *dir, struct dentry *victim, const struct path *to,
			 const char *name)
{
	struct renamedata rd = {
#if defined(OD_HAVE_RENAMEDATA_IDMAPS)
		.old_mnt_idmap = &nop_mnt_idmap,
		.new_mnt_idmap = &nop_mnt_idmap,
#elif defined(OD_HAVE_RENAMEDATA_USERNS)
		.old_mnt_userns = &nop_mnt_idmap,
		.new_mnt_userns = &nop_mnt_idmap,
#endif
		.old_dir = d_inode(dir->dentry),
		.old_dentry = victim,
		.new_dir = d_inode(to->dentry),
	};
	int err;

	if (d_unhashed(victim) || victim->d_parent != dir->dentry)
		return -ENOENT;
	rd.new_dentry = lookup_one_len(name, to->dentry, strlen(name));
	if (IS_ERR(rd.new_dentry))
		return PTR_ERR(rd.new_dentry);
	err = d_is_positive(rd.new_dentry) ? -EEXIST : vfs_rename(&rd);
	dput(rd.new_dentry);
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

struct file *od_compat_open(const struct path *dir, const char *name, int flags, umode_t mode)
{
#ifdef OD_HAVE_FILE_OPEN_ROOT_PATH
	return file_open_root(dir, name, flags, mode);
#else
	return file_open_root(dir->dentry, dir->mnt, name, flags, mode);
#endif
}

bool od_compat_is_idmapped(const struct path *path)
{
#ifdef OD_HAVE_IS_IDMAPPED_MNT
	return is_idmapped_mnt(path->mnt);
#else
	return false;
#endif
}
