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
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../compat/wait.h"

/**
 * struct erofs_od_claim - a block device claimed exclusively
 * @node: in the list of claims; empty if it could not be claimed
 * @dev: the device
 * @file: open exclusively for as long as the claim is held; NULL while the first user opens it,
 *        and while the last one closes it; then an ERR_PTR if that fails, or when it is closed
 * @users: blobs read from it, and mounts that wait for @file; protected by claims_lock, as is @node
 */
struct erofs_od_claim {
	struct list_head node;
	dev_t dev;
	struct file *file;
	unsigned int users;
};

static DEFINE_SPINLOCK(claims_lock);
static LIST_HEAD(claims);
static DECLARE_WAIT_QUEUE_HEAD(claims_wait);

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

/* Shares another blob's claim of a device. Sets *@first if there is none, and makes one. */
static struct erofs_od_claim *get_claim(dev_t dev, bool *first)
{
	struct erofs_od_claim *new = kzalloc(sizeof(*new), GFP_KERNEL), *claim;

	if (!new)
		return ERR_PTR(-ENOMEM);
	spin_lock(&claims_lock);
	list_for_each_entry(claim, &claims, node) {
		if (claim->dev == dev) {
			claim->users++;
			spin_unlock(&claims_lock);
			kfree(new);
			*first = false;
			return claim;
		}
	}
	new->dev = dev;
	new->users = 1;
	list_add(&new->node, &claims);
	spin_unlock(&claims_lock);
	*first = true;
	return new;
}

/* Sets the result of opening or closing a device. After a failure it is no longer listed. */
static void set_result(struct erofs_od_claim *claim, struct file *file)
{
	if (IS_ERR(file)) {
		spin_lock(&claims_lock);
		list_del_init(&claim->node);
		spin_unlock(&claims_lock);
	}
	/* Pairs with the acquire in wait_was_killed(). */
	smp_store_release(&claim->file, file);
	wake_up_all(&claims_wait);
}

/*
 * No lock is held: a path lookup may block indefinitely. The device is listed before it is opened,
 * so a mount that finds it open exclusively knows whether another mount has done that.
 */
static void open_claim(struct erofs_od_claim *claim, const char *path)
{
	struct file *file = filp_open(path, O_RDONLY | O_LARGEFILE | O_EXCL, 0);

	if (!IS_ERR(file) && file_inode(file)->i_rdev != claim->dev) {
		/* The path now leads to another file. */
		fput(file);
		file = ERR_PTR(-EBUSY);
	}
	set_result(claim, file);
}

/* Whether the task was killed while another one opens or closes the device. */
static bool wait_was_killed(struct erofs_od_claim *claim)
{
	/* Pairs with the release in set_result(). */
	return od_compat_wait_event_killable(claims_wait, smp_load_acquire(&claim->file),
					     MAX_SCHEDULE_TIMEOUT) < 0;
}

/**
 * struct closing - a file being closed
 * @work: closes it
 * @file: the file
 */
struct closing {
	struct work_struct work;
	struct file *file;
};

static void close_work(struct work_struct *work)
{
	__fput_sync(container_of(work, struct closing, work)->file);
}

/*
 * By a worker: only there can all kernels close a file at once. fput() may leave the device
 * open until the task returns to user space.
 */
static void close_now(struct file *file)
{
	struct closing closing = { .file = file };

	INIT_WORK_ONSTACK(&closing.work, close_work);
	schedule_work(&closing.work);
	flush_work(&closing.work);
	destroy_work_on_stack(&closing.work);
}

/*
 * Drops a reference. If it was the last one to an open device, returns its file, and the caller
 * keeps the reference: the claim stays listed, so that mounts wait until the device is closed
 * rather than find it open.
 */
static struct file *put_claim(struct erofs_od_claim *claim)
{
	struct file *file = NULL;
	bool last = false;

	spin_lock(&claims_lock);
	if (claim->users == 1 && !IS_ERR(claim->file)) {
		file = claim->file;
		claim->file = NULL;
	} else {
		last = !--claim->users;
	}
	spin_unlock(&claims_lock);
	if (last)
		kfree(claim);
	return file;
}

/**
 * erofs_od_claim_device - claim a block device, or share the claim of another blob
 * @path: its path, which the caller has opened before
 * @dev: the device
 *
 * Context: sleeps, killably if another mount is opening or closing the device.
 * Return: the claim, or an ERR_PTR: -EBUSY if another file system has claimed it.
 */
struct erofs_od_claim *erofs_od_claim_device(const char *path, dev_t dev)
{
	struct erofs_od_claim *claim;
	bool first;
	int err;

	do {
		claim = get_claim(dev, &first);
		if (IS_ERR(claim))
			return claim;
		if (first) {
			open_claim(claim, path);
		} else if (wait_was_killed(claim)) {
			erofs_od_release_device(claim);
			return ERR_PTR(-EINTR);
		}
		err = PTR_ERR_OR_ZERO(claim->file);
		if (!err)
			return claim;
		erofs_od_release_device(claim);
		/* The device was closed, or another mount failed, which may have been killed. */
	} while (!first);
	return ERR_PTR(err);
}

/**
 * erofs_od_release_device - undo erofs_od_claim_device()
 * @claim: claim, or NULL
 *
 * Context: sleeps until the device is closed.
 */
void erofs_od_release_device(struct erofs_od_claim *claim)
{
	struct file *file = claim ? put_claim(claim) : NULL;

	if (!file)
		return;
	close_now(file);
	set_result(claim, ERR_PTR(-EBUSY));
	put_claim(claim);
}
