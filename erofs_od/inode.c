// SPDX-License-Identifier: GPL-2.0-only
/* Reading inodes from the image into the inode cache. */
#include "internal.h"

#include <linux/kdev_t.h>
#include <linux/posix_acl.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/xattr.h>

static struct kmem_cache *inode_cache;

static void init_once(void *p)
{
	struct erofs_od_inode_info *inode = p;

	inode_init_once(&inode->vfs);
}

int erofs_od_inode_cache_init(void)
{
	inode_cache =
		kmem_cache_create("erofs_od_inode", sizeof(struct erofs_od_inode_info), 0,
				  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
				  init_once);
	return inode_cache ? 0 : -ENOMEM;
}

void erofs_od_inode_cache_exit(void)
{
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}

struct inode *erofs_od_alloc_inode(struct super_block *sb)
{
	struct erofs_od_inode_info *inode = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!inode)
		return NULL;
	/* For inodes that are freed before they are filled in. */
	inode->od.z.sums = NULL;
	inode->settled = false;
	return &inode->vfs;
}

/* Called after a grace period: RCU path walks may still use the link. */
OD_COMPAT_FREE_INODE(erofs_od_free_inode, inode)
{
	if (inode->i_op == &erofs_od_fast_symlink_iops)
		kfree(inode->i_link);
	erofs_od_zsums_free(&EROFS_OD_I(inode)->od.z);
	kmem_cache_free(inode_cache, EROFS_OD_I(inode));
}

/**
 * erofs_od_evict_inode - drop the pages of an unused inode
 * @inode: inode
 *
 * Cancels its reads: neither unmount nor reclaim waits for the daemon.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_evict_inode(struct inode *inode)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(inode->i_sb);

	erofs_od_share_leave(inode);
	erofs_od_io_end_reads(inode, sbi->blobs, sbi->nr_blobs, inode);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
}

/**
 * erofs_od_read_inode - read an inode from the image
 * @sbi: mount
 * @nid: its nid
 * @od: the result
 *
 * Context: sleeps, killably.
 * Return: 0; -EUCLEAN and -EOPNOTSUPP with a log line; -EINTR; -EIO.
 */
int erofs_od_read_inode(struct erofs_od_sb_info *sbi, u64 nid, struct od_inode *od)
{
	struct erofs_od_blob *home = erofs_od_home(sbi, nid);
	const char *why = "outside the image";
	u8 p[sizeof(struct od_disk_inode_extended)];
	u64 end = home ? erofs_od_blob_end(home) : 0, off;
	size_t len;
	int err;

	err = od_inode_offset(&sbi->od, nid, end, &off);
	if (!err) {
		len = min_t(u64, sizeof(p), end - off);
		err = erofs_od_meta_copy(sbi, home, off, p, len);
		if (err)
			return err;
		err = od_inode_parse(&sbi->od, nid, off, p, len, od, &why);
	}
	if (!err && od_inode_is_compressed(od) && od->size) {
		err = erofs_od_read_zinode(sbi, od, &why);
		if (err != -EOPNOTSUPP && err != -EUCLEAN)
			return err;
	}
	if (err == -EOPNOTSUPP)
		erofs_od_err_ratelimited(sbi, "inode %llu: unsupported feature: %s",
					 nid, why);
	else if (err)
		erofs_od_err_ratelimited(sbi, "inode %llu: corrupt: %s", nid, why);
	return err;
}

/*
 * Reads an inode if that takes no more than a page of metadata that is in memory. Errors are left
 * to erofs_od_read_inode().
 */
static bool peek_inode(struct erofs_od_sb_info *sbi, u64 nid, struct od_inode *od)
{
	struct erofs_od_blob *home = erofs_od_home(sbi, nid);
	u64 end = home ? erofs_od_blob_end(home) : 0, off;
	struct erofs_od_meta meta;
	const char *why;
	size_t len;
	int err;

	if (od_inode_offset(&sbi->od, nid, end, &off) || !erofs_od_meta_try_map(home, off, &meta))
		return false;
	len = min_t(u64, PAGE_SIZE - offset_in_page(off), end - off);
	err = od_inode_parse(&sbi->od, nid, off, meta.p, len, od, &why);
	erofs_od_meta_unmap(&meta);
	/* More has to be read for these. */
	return !err && !od_inode_is_compressed(od) && !S_ISLNK(od->mode);
}

/**
 * erofs_od_ino - map a nid to an inode number
 * @nid: node ID
 *
 * Overlayfs uses the top bits. The nid is folded where long has 32 bits.
 */
unsigned long erofs_od_ino(u64 nid)
{
	if (nid & OD_NID_METABOX)
		nid ^= OD_NID_METABOX | 1ULL << 48;
	if (sizeof(unsigned long) < sizeof(nid))
		return (unsigned long)(nid ^ nid >> 32);
	return (unsigned long)nid;
}

static int inode_test(struct inode *inode, void *nid)
{
	return EROFS_OD_I(inode)->od.nid == *(u64 *)nid;
}

static int inode_set(struct inode *inode, void *nid)
{
	EROFS_OD_I(inode)->od.nid = *(u64 *)nid;
	inode->i_ino = erofs_od_ino(*(u64 *)nid);
	return 0;
}

static void set_ops(struct inode *inode, char *link)
{
	const struct od_inode *od = &EROFS_OD_I(inode)->od;

	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &erofs_od_file_iops;
		inode->i_fop = &erofs_od_file_fops;
		inode->i_mapping->a_ops = &erofs_od_data_aops;
		mapping_set_folio_order_range(inode->i_mapping, 0,
					      get_order(erofs_od_folio_max(inode)));
		break;
	case S_IFDIR:
		inode->i_op = &erofs_od_dir_iops;
		inode->i_fop = &erofs_od_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = link ? &erofs_od_fast_symlink_iops : &erofs_od_symlink_iops;
		inode->i_link = link;
		inode_nohighmem(inode);
		break;
	default:
		inode->i_op = &erofs_od_special_iops;
		init_special_inode(inode, inode->i_mode, new_decode_dev(od->rdev));
	}
}

/* At least one block unless empty: st_blocks of 0 would suggest a hole. */
static u64 stored_bytes(const struct super_block *sb, const struct od_inode *od)
{
	if (od_inode_is_compressed(od) && od->size)
		return max_t(u64, od->encoded_size, sb->s_blocksize);
	return round_up(od->size, (u64)sb->s_blocksize);
}

static void fill_inode(struct inode *inode, const struct od_inode *od, char *link)
{
	EROFS_OD_I(inode)->od = *od;
	erofs_od_zsums_new(&EROFS_OD_I(inode)->od.z);
	inode->i_mode = od->mode;
	/* A new inode belongs to 0:0. */
	if (od->uid)
		i_uid_write(inode, od->uid);
	if (od->gid)
		i_gid_write(inode, od->gid);
	inode->i_generation = EROFS_OD_SB(inode->i_sb)->generation;
	set_nlink(inode, od->nlink);
	inode_set_mtime(inode, od->mtime, od->mtime_nsec);
	inode_set_atime(inode, od->mtime, od->mtime_nsec);
	inode_set_ctime(inode, od->mtime, od->mtime_nsec);
	i_size_write(inode, (loff_t)od->size);
	inode->i_blocks = stored_bytes(inode->i_sb, od) >> 9;
	/* Saves reading the xattrs at every permission check. */
	if (!od->xattr_size)
		cache_no_acl(inode);
	set_ops(inode, link);
}

/**
 * erofs_od_iget - get an inode
 * @sb: superblock
 * @nid: its nid
 *
 * All waiting for the daemon happens before the inode is hashed: once it is, other tasks wait
 * unkillably for it to be filled in.
 *
 * Context: sleeps, killably.
 * Return: the inode or an ERR_PTR.
 */
struct inode *erofs_od_iget(struct super_block *sb, u64 nid)
{
	struct erofs_od_sb_info *sbi = EROFS_OD_SB(sb);
	struct od_inode od;
	struct inode *inode;
	char *link = NULL;
	int err;

	if (!peek_inode(sbi, nid, &od)) {
		inode = ilookup5(sb, erofs_od_ino(nid), inode_test, &nid);
		if (inode)
			return inode;
		err = erofs_od_read_inode(sbi, nid, &od);
		if (!err && S_ISLNK(od.mode))
			err = erofs_od_read_fast_link(sbi, &od, &link);
		if (err)
			return ERR_PTR(err);
	}
	inode = iget5_locked(sb, erofs_od_ino(nid), inode_test, inode_set,
			     &nid);
	if (inode && (inode_state_read_once(inode) & I_NEW)) {
		fill_inode(inode, &od, link);
		unlock_new_inode(inode);
		return inode;
	}
	kfree(link);
	return inode ?: ERR_PTR(-ENOMEM);
}
