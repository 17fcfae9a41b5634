// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directory listing. A position is an entry's offset in the directory, so it stays valid as
 * long as the image does.
 */
#include "internal.h"
#include "core/dirent.h"

#include <linux/ratelimit.h>
#include <linux/sched/signal.h>

/*
 * Emits the entries of a block at position @start, from number *nr on; *more becomes false when
 * the caller's buffer is full. ctx->pos is that of the entry being emitted, from which
 * seekdir(3) and NFS clients continue.
 */
static int emit_block(struct dir_context *ctx, const struct od_dirblock *block,
		      u64 start, u32 *nr, bool *more)
{
	struct od_dirent entry;

	for (; *nr < block->count; ++*nr) {
		int err = od_dirblock_entry(block, *nr, &entry);

		ctx->pos = start + (u64)*nr * sizeof(struct od_disk_dirent);
		if (err)
			return err;
		*more = dir_emit(ctx, entry.name, entry.name_len, erofs_od_ino(entry.nid),
				 fs_ftype_to_dtype(entry.type));
		if (!*more)
			return 0;
	}
	return 0;
}

/* @dots: offset added to positions for a synthesized ".". */
static int iterate_block(struct inode *dir, struct dir_context *ctx, unsigned int dots,
			 bool *more)
{
	u64 blk = dir->i_sb->s_blocksize;
	u64 start = (ctx->pos - dots) & ~(blk - 1);
	u32 nr = DIV_ROUND_UP((u32)(ctx->pos - dots - start), sizeof(struct od_disk_dirent));
	struct erofs_od_meta meta;
	struct od_dirblock block;
	u32 len;
	int err;

	err = erofs_od_dir_block(dir, start >> dir->i_sb->s_blocksize_bits, &meta, &len);
	if (err)
		return err;
	err = od_dirblock_parse(meta.p, len, &block);
	if (!err) {
		/*
		 * On failure the position is that of the corrupt entry: the caller gets the
		 * entries before it now, and the error with its next call.
		 */
		err = emit_block(ctx, &block, start + dots, &nr, more);
		if (!err && *more)
			ctx->pos = start + blk + dots;
	}
	erofs_od_meta_unmap(&meta);
	if (err)
		erofs_od_err_ratelimited(EROFS_OD_SB(dir->i_sb),
					 "inode %llu: directory block at %llu: corrupt or unsupported: %d",
					 EROFS_OD_I(dir)->od.nid, start, err);
	return err;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	/* A "." that the image omits takes the first position; ".." is always stored. */
	unsigned int dots = EROFS_OD_I(dir)->od.dot_omitted ? 1 : 0;
	bool more = true;
	int err = 0;

	if (dots && !ctx->pos) {
		if (!dir_emit_dot(file, ctx))
			return 0;
		ctx->pos = dots;
	}
	while (!err && more && ctx->pos - dots < i_size_read(dir)) {
		err = fatal_signal_pending(current) ? -EINTR : 0;
		if (!err)
			err = iterate_block(dir, ctx, dots, &more);
		cond_resched();
	}
	return err;
}

const struct file_operations erofs_od_dir_fops = {
	.llseek = generic_file_llseek,
	.read = generic_read_dir,
	.iterate_shared = dir_iterate,
	.unlocked_ioctl = erofs_od_ioctl,
	.compat_ioctl = erofs_od_ioctl,
};
