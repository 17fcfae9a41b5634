/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handling names in a directory from inside the kernel. Locks, arguments and results of these
 * VFS calls differ most between kernels, so they get a small interface of their own. The caller
 * has assumed the credentials to act with; every function may sleep and gets write access to
 * the mount itself.
 */
#ifndef OD_COMPAT_DIROPS_H
#define OD_COMPAT_DIROPS_H

#include <linux/fs.h>
#include <linux/path.h>

/**
 * od_compat_lookup - find a name
 * @dir: directory
 * @name: name without '/'
 * @child: gets the result; path_put() it
 *
 * Return: 0, -ENOENT or another errno.
 */
int od_compat_lookup(const struct path *dir, const char *name, struct path *child);

/**
 * od_compat_mkdir - find a directory, or create it
 * @dir: parent directory
 * @name: name without '/'
 * @mode: permissions of a new one
 * @child: gets the directory; path_put() it
 *
 * Return: 0, -ENOTDIR if something else has the name, or another errno.
 */
int od_compat_mkdir(const struct path *dir, const char *name, umode_t mode, struct path *child);

/**
 * od_compat_unlink - remove a file
 * @dir: directory
 * @victim: file to remove; a child of @dir, not a directory
 *
 * Return: 0, -ENOENT if it no longer exists, or another errno.
 */
int od_compat_unlink(const struct path *dir, struct dentry *victim);

/**
 * od_compat_move - rename into another directory on the same mount
 * @dir: directory
 * @victim: file to move; a child of @dir
 * @to: directory to move it to
 * @name: its name there, not taken yet
 *
 * Return: 0, -ENOENT if @victim no longer exists, -EEXIST if @name is taken, or another errno.
 */
int od_compat_move(const struct path *dir, struct dentry *victim, const struct path *to,
		   const char *name);

/**
 * od_compat_open - open or create a regular file
 * @dir: directory
 * @name: name without '/'
 * @flags: as for open(2), with O_NOFOLLOW
 * @mode: permissions of a new file
 *
 * Bypasses fanotify listeners, which might never reply, where the kernel supports that: not
 * since v6.14.
 *
 * Return: the file or an ERR_PTR.
 */
struct file *od_compat_open(const struct path *dir, const char *name, int flags, umode_t mode);

/**
 * od_compat_open_path - open a file in the same way
 * @path: a regular file or a directory
 * @flags: as for open(2)
 *
 * Return: the file or an ERR_PTR.
 */
struct file *od_compat_open_path(const struct path *path, int flags);

/**
 * od_compat_is_idmapped - whether a mount maps owners
 * @path: anything on the mount
 */
bool od_compat_is_idmapped(const struct path *path);

#endif /* OD_COMPAT_DIROPS_H */
