// SPDX-License-Identifier: GPL-2.0-only
/* Directory lookups. */
#include "internal.h"
#include "core/dirent.h"

#include <linux/ratelimit.h>

/**
 * erofs_od_dir_block - map a block of a directory into memory
 * @dir: directory
 * @nr: index of a block within the directory's size
 * @meta: the result, for erofs_od_meta_unmap()
 * @len: bytes in the block
 *
 * Context: sleeps, killably.
 */
int erofs_od_dir_block(struct inode *dir, u64 nr, struct erofs_od_meta *meta, u32 *len)
{
	u64 pos = nr << dir->i_sb->s_blocksize_bits;

	*len = (u32)min_t(u64, dir->i_sb->s_blocksize, i_size_read(dir) - pos);
	return erofs_od_map_bytes(dir, pos, *len, meta);
}

static int search_block(struct inode *dir, struct od_dirsearch *search, u64 nr,
			const struct qstr *name, struct od_dirent *found)
{
	struct erofs_od_meta meta;
	struct od_dirblock block;
	u32 len;
	int err;

	err = erofs_od_dir_block(dir, nr, &meta, &len);
	if (err)
		return err;
	err = od_dirblock_parse(meta.p, len, &block);
	if (!err)
		err = od_dirsearch_step(search, nr, &block, name->name, name->len, found);
	erofs_od_meta_unmap(&meta);
	if (err == -EUCLEAN || err == -EOPNOTSUPP)
		erofs_od_err_ratelimited(EROFS_OD_SB(dir->i_sb),
					 "inode %llu: directory block %llu: corrupt or unsupported: %d",
					 EROFS_OD_I(dir)->od.nid, nr, err);
	return err;
}

/**
 * erofs_od_find - look up a name in the image
 * @dir: directory
 * @name: any name, including "." and ".." if the image has them
 * @nid: gets the inode's number
 *
 * Context: sleeps, killably.
 * Return: 0; -ENOENT; -EUCLEAN and -EOPNOTSUPP with a log line; -EINTR; -EIO.
 */
int erofs_od_find(struct inode *dir, const struct qstr *name, u64 *nid)
{
	struct od_dirsearch search;
	struct od_dirent found;
	u64 nr;

	od_dirsearch_init(&search, DIV_ROUND_UP_ULL(i_size_read(dir), dir->i_sb->s_blocksize));
	while (od_dirsearch_next(&search, &nr)) {
		int err = search_block(dir, &search, nr, name, &found);

		if (!err)
			*nid = found.nid;
		if (err != -EAGAIN)
			return err;
	}
	return -ENOENT;
}

static struct dentry *dir_lookup(struct inode *dir, struct dentry *dentry,
				 unsigned int flags)
{
	struct inode *inode = NULL;
	u64 nid;
	int err;

	if (dentry->d_name.len > OD_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = erofs_od_find(dir, &dentry->d_name, &nid);
	if (!err)
		inode = erofs_od_iget(dir->i_sb, nid);
	else if (err != -ENOENT)
		return ERR_PTR(err);
	return d_splice_alias(inode, dentry);
}

const struct inode_operations erofs_od_dir_iops = {
	.lookup = dir_lookup,
	.getattr = erofs_od_getattr,
	.listxattr = erofs_od_listxattr,
	.get_inode_acl = erofs_od_get_acl,
};
