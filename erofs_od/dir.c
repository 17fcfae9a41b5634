// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listing directories. A position is the place of an entry in the directory,
 * so it is good for as long as the image is.
 */
#include "internal.h"
#include "core/dirent.h"

/* Emit the entries of a block from number *nr on; false: the caller has enough. */
static int erofs_od_emit_block(struct dir_context *ctx, const struct od_dirblock *block,
			       u32 *nr, bool *more)
{
	struct od_dirent entry;

	for (; *nr < block->count; ++*nr) {
		int err = od_dirblock_entry(block, *nr, &entry);

		if (err)
			return err;
		*more = dir_emit(ctx, entry.name, entry.name_len, erofs_od_ino(entry.nid),
				 fs_ftype_to_dtype(entry.type));
		if (!*more)
			return 0;
	}
	return 0;
}

static int erofs_od_iterate_block(struct inode *dir, struct dir_context *ctx, u64 *pos,
				  bool *more)
{
	u64 blk = dir->i_sb->s_blocksize;
	u64 start = *pos & ~(blk - 1);
	u32 nr = DIV_ROUND_UP((u32)(*pos - start), OD_DIRENT_SIZE);
	struct erofs_od_meta meta;
	struct od_dirblock block;
	u32 len;
	int err;

	err = erofs_od_dir_block(dir, start >> dir->i_sb->s_blocksize_bits, &meta, &len);
	if (err)
		return err;
	err = od_dirblock_parse(meta.p, len, &block);
	if (!err) {
		err = erofs_od_emit_block(ctx, &block, &nr, more);
		/*
		 * On failure, too: the caller gets what was good, and the error
		 * when it asks for what comes next, not the same again for ever.
		 */
		*pos = err || !*more ? start + (u64)nr * OD_DIRENT_SIZE : start + blk;
	}
	erofs_od_meta_unmap(&meta);
	if (err)
		erofs_od_err_ratelimited(erofs_od_mount(dir->i_sb),
					 "inode %llu: directory block at %llu is corrupt or not supported: %d",
					 erofs_od_inode(dir)->od.nid, start, err);
	return err;
}

static int erofs_od_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	/* Where the image has no "." and "..", they have the first positions. */
	unsigned int dots = erofs_od_inode(dir)->od.dot_omitted ? 2 : 0;
	bool more = true;
	int err = 0;

	if (dots && !dir_emit_dots(file, ctx))
		return 0;
	while (!err && more && ctx->pos - dots < i_size_read(dir)) {
		u64 pos = ctx->pos - dots;

		err = fatal_signal_pending(current) ? -EINTR : 0;
		if (!err)
			err = erofs_od_iterate_block(dir, ctx, &pos, &more);
		ctx->pos = pos + dots;
		cond_resched();
	}
	return err;
}

const struct file_operations erofs_od_dir_fops = {
	.llseek = generic_file_llseek,
	.read = generic_read_dir,
	.iterate_shared = erofs_od_iterate,
};
