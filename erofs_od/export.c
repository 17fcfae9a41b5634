// SPDX-License-Identifier: GPL-2.0-only
/*
 * File handles, for NFS and open_by_handle_at(2): the 64-bit nid, and a generation that
 * identifies the image.
 */
#include "internal.h"
#include "core/dirent.h"

#include <linux/crc32c.h>
#include <linux/exportfs.h>

/* The kernel's FILEID_INO64_GEN and FILEID_INO64_GEN_PARENT, where defined. */
enum {
	HANDLE = 0x81,
	HANDLE_PARENT = 0x82,
};

/* Words in a handle: nid, generation, and the nid of the parent. */
enum {
	HANDLE_LEN = 3,
	HANDLE_PARENT_LEN = 5,
};

/**
 * erofs_od_generation - compute a number that identifies an image
 * @fsid: its name
 * @sb: its superblock
 *
 * Covers the whole superblock: an image may lack both a UUID and a checksum.
 */
u32 erofs_od_generation(const char *fsid, const struct od_disk_sb *sb)
{
	return crc32c(crc32c(~0U, fsid, strlen(fsid)), sb, sizeof(*sb));
}

static void put_nid(u32 *words, u64 nid)
{
	words[0] = (u32)(nid >> 32);
	words[1] = (u32)nid;
}

static u64 get_nid(const u32 *words)
{
	return (u64)words[0] << 32 | words[1];
}

static int encode_fh(struct inode *inode, u32 *words, int *max, struct inode *parent)
{
	int len = parent ? HANDLE_PARENT_LEN : HANDLE_LEN;
	bool fits = *max >= len;

	*max = len;
	if (!fits)
		return FILEID_INVALID;
	put_nid(words, EROFS_OD_I(inode)->od.nid);
	words[2] = inode->i_generation;
	if (!parent)
		return HANDLE;
	put_nid(words + 3, EROFS_OD_I(parent)->od.nid);
	return HANDLE_PARENT;
}

/* Handles come from user space: @nid may not be that of an inode. */
static struct dentry *handle_inode(struct super_block *sb, u64 nid, u32 generation)
{
	struct inode *inode;

	if (generation != EROFS_OD_SB(sb)->generation)
		return ERR_PTR(-ESTALE);
	inode = erofs_od_iget(sb, nid);
	if (IS_ERR(inode) && (PTR_ERR(inode) == -EUCLEAN || PTR_ERR(inode) == -EOPNOTSUPP))
		return ERR_PTR(-ESTALE);
	return d_obtain_alias(inode);
}

static struct dentry *fh_to_dentry(struct super_block *sb, struct fid *fid, int len,
				   int type)
{
	if ((type != HANDLE && type != HANDLE_PARENT) ||
	    len < HANDLE_LEN)
		return NULL;
	return handle_inode(sb, get_nid(fid->raw), fid->raw[2]);
}

static struct dentry *fh_to_parent(struct super_block *sb, struct fid *fid, int len,
				   int type)
{
	if (type != HANDLE_PARENT || len < HANDLE_PARENT_LEN)
		return NULL;
	return handle_inode(sb, get_nid(fid->raw + 3), fid->raw[2]);
}

static struct dentry *get_parent(struct dentry *child)
{
	const struct qstr dotdot = QSTR_INIT("..", 2);
	u64 nid;
	int err = erofs_od_find(d_inode(child), &dotdot, &nid);

	/* If the image stores no "..", only paths lead to the parent. */
	if (err)
		return ERR_PTR(err == -ENOENT ? -ESTALE : err);
	return d_obtain_alias(erofs_od_iget(child->d_sb, nid));
}

const struct export_operations erofs_od_export_ops = {
	.encode_fh = encode_fh,
	.fh_to_dentry = fh_to_dentry,
	.fh_to_parent = fh_to_parent,
	.get_parent = get_parent,
};
