// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local files and block devices that images are read from: how they are opened, and which of
 * them a mount claims.
 *
 * The VFS claims the block device of a superblock. Devices of other blobs are claimed here,
 * which keeps file systems from writing to them while several mounts read them. Regular files
 * are not claimed.
 */
#include "internal.h"

#include <linux/file.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/**
 * struct erofs_od_claim - a block device claimed exclusively
 * @node: in the list of claims
 * @dev: the device
 * @file: open exclusively for as long as the claim is held
 * @users: blobs read from it; protected by claims_lock, as is @node
 */
struct erofs_od_claim {
	struct list_head node;
	dev_t dev;
	struct file *file;
	unsigned int users;
};

static DEFINE_SPINLOCK(claims_lock);
static LIST_HEAD(claims);

/* Opening any other file may have side effects: a tape rewinds, a FIFO blocks. */
static int check_type(const char *name)
{
	struct path path;
	umode_t mode;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	mode = d_inode(path.dentry)->i_mode;
	path_put(&path);
	return S_ISBLK(mode) || S_ISREG(mode) ? 0 : -ENOTBLK;
}

/**
 * erofs_od_open_file - open a regular file or block device that an image is read from
 * @path: its path
 * @directio: try direct I/O, which is always tried for block devices
 * @direct: set if the file supports direct I/O
 *
 * Opened with the credentials of the mounting task; later reads use those of the file.
 *
 * Return: the file, or an ERR_PTR: -ENOTBLK if it is neither.
 */
struct file *erofs_od_open_file(const char *path, bool directio, bool *direct)
{
	struct file *file;
	int err = check_type(path);

	if (err)
		return ERR_PTR(err);
	file = filp_open(path, O_RDONLY | O_LARGEFILE, 0);
	if (IS_ERR(file))
		return file;
	*direct = S_ISBLK(file_inode(file)->i_mode);
	if (*direct)
		return file;
	if (!S_ISREG(file_inode(file)->i_mode)) {
		fput(file);
		return ERR_PTR(-ENOTBLK);
	}
	if (directio) {
		struct file *other = filp_open(path, O_RDONLY | O_LARGEFILE | O_DIRECT, 0);

		*direct = !IS_ERR(other) && file_inode(other) == file_inode(file);
		if (!IS_ERR(other))
			fput(other);
	}
	return file;
}

/* Shares another blob's claim of a device. NULL if there is none. */
static struct erofs_od_claim *share_claim(dev_t dev)
{
	struct erofs_od_claim *claim;

	spin_lock(&claims_lock);
	list_for_each_entry(claim, &claims, node) {
		if (claim->dev == dev) {
			claim->users++;
			spin_unlock(&claims_lock);
			return claim;
		}
	}
	spin_unlock(&claims_lock);
	return NULL;
}

/* No lock is held: a path lookup may block indefinitely. */
static struct erofs_od_claim *new_claim(const char *path, dev_t dev)
{
	struct erofs_od_claim *claim = kzalloc(sizeof(*claim), GFP_KERNEL);
	int err;

	if (!claim)
		return ERR_PTR(-ENOMEM);
	claim->dev = dev;
	claim->users = 1;
	claim->file = filp_open(path, O_RDONLY | O_LARGEFILE | O_EXCL, 0);
	err = PTR_ERR_OR_ZERO(claim->file);
	if (!err && file_inode(claim->file)->i_rdev != dev) {
		/* The path now leads to another file. */
		fput(claim->file);
		err = -EBUSY;
	}
	if (!err) {
		spin_lock(&claims_lock);
		list_add(&claim->node, &claims);
		spin_unlock(&claims_lock);
		return claim;
	}
	kfree(claim);
	return ERR_PTR(err);
}

/**
 * erofs_od_claim_device - claim a block device, or share the claim of another blob
 * @path: its path, which the caller has opened before
 * @dev: the device
 *
 * Return: the claim, or an ERR_PTR: -EBUSY if another file system has claimed it.
 */
struct erofs_od_claim *erofs_od_claim_device(const char *path, dev_t dev)
{
	struct erofs_od_claim *claim = share_claim(dev);

	if (claim)
		return claim;
	claim = new_claim(path, dev);
	/* Another mount may have claimed it in the meantime. */
	if (IS_ERR(claim) && PTR_ERR(claim) == -EBUSY)
		return share_claim(dev) ?: claim;
	return claim;
}

/**
 * erofs_od_release_device - undo erofs_od_claim_device()
 * @claim: claim, or NULL
 */
void erofs_od_release_device(struct erofs_od_claim *claim)
{
	bool last;

	if (!claim)
		return;
	spin_lock(&claims_lock);
	last = !--claim->users;
	if (last)
		list_del(&claim->node);
	spin_unlock(&claims_lock);
	if (!last)
		return;
	fput(claim->file);
	kfree(claim);
}
