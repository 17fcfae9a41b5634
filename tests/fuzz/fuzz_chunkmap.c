// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map of a chunk-based file. The input: fields of the superblock (image.h), the inode's
 * number, the inode, the size of the primary blob, half of which is that of the metabox, the
 * number of further blobs, uniaddr, blocks and size of each, a position, then entries of the
 * chunk array.
 */
#include "image.h"
#include "erofs_od/core/chunkmap.h"

#define BLOBS_MAX	8
#define STEPS		64

static unsigned __int128 ceil_to(unsigned __int128 v, u64 to)
{
	return (v + to - 1) / to * to;
}

static void check_entry(const struct od_inode *inode, u64 pos, u64 off)
{
	u64 body = od_inode_body_end(inode);
	u64 array = (u64)ceil_to(body, inode->entry_size);

	must(inode->layout == OD_LAYOUT_CHUNK_BASED);
	must(off >= array && off % inode->entry_size == 0);
	must((off - array) / inode->entry_size == pos >> inode->chunkbits);
}

static void check_place(const struct od_blobtab *tab, const struct od_inode *inode, u64 pos,
			const struct od_extent *x)
{
	u64 blk = 1ULL << tab->blkbits, size, left;

	must(!(x->flags & OD_EXTENT_ENCODED));
	if (!(x->flags & OD_EXTENT_MAPPED))
		return;
	must(x->encoded_len == x->len);
	must(x->blob < tab->count);
	size = x->flags & OD_EXTENT_INLINE && inode->nid >> 63 ? tab->metabox_size
							       : tab->blob[x->blob].size;
	must(x->off < size);
	must((unsigned __int128)x->off + x->len <= ceil_to(size, 4096));
	/* Every byte of the file is within the blob, not a zero from past its end. */
	left = inode->size - pos;
	must((x->len < left ? x->len : left) <= size - x->off);
	if (x->flags & OD_EXTENT_INLINE) {
		must(x->blob == 0 && inode->layout == OD_LAYOUT_FLAT_INLINE);
		must(x->off >= od_inode_body_end(inode));
		must(x->off / blk == (x->off + x->len - 1) / blk);
	}
}

static void check_extent(const struct od_blobtab *tab, const struct od_inode *inode, u64 pos,
			 const struct od_extent *x)
{
	u64 blk = 1ULL << tab->blkbits, chunk = 1ULL << inode->chunkbits;

	must(x->len >= 1);
	must((unsigned __int128)pos + x->len <= ceil_to(inode->size, blk));
	if (inode->hole)
		must(!(x->flags & OD_EXTENT_MAPPED));
	if (inode->layout == OD_LAYOUT_CHUNK_BASED)
		must(pos / chunk == (pos + x->len - 1) / chunk);
	check_place(tab, inode, pos, x);
}

/* Returns the next position, or the file's end. */
static u64 step(const struct od_blobtab *tab, const struct od_inode *inode, u64 pos,
		struct feed *feed)
{
	struct od_extent x;
	u8 *entry = NULL;
	u64 off = 0;
	int need = od_chunkmap_entry(inode, pos, &off), err;

	must(need == 0 || need == 1 || need == -EUCLEAN);
	if (need < 0)
		return inode->size;
	if (need) {
		check_entry(inode, pos, off);
		entry = feed_bytes(feed, inode->entry_size);
	} else {
		must(inode->layout != OD_LAYOUT_CHUNK_BASED);
	}
	err = od_chunkmap(tab, inode, pos, entry, &x);
	free(entry);
	must(!err || err == -EUCLEAN);
	must(err || !od_inode_is_compressed(inode));
	if (err)
		return inode->layout == OD_LAYOUT_CHUNK_BASED ?
		       ((pos >> inode->chunkbits) + 1) << inode->chunkbits : inode->size;
	check_extent(tab, inode, pos, &x);
	return pos + x.len;
}

static void feed_blobs(struct feed *feed, struct od_blobtab *tab, struct od_blob *blob)
{
	u32 i;

	/* Less than 2^63, as sizes are rounded up; copen does not allow more. */
	blob[0] = (struct od_blob) { .size = feed64(feed) % ((u64)S64_MAX - 0xffff) };
	tab->count = 1U + feed8(feed) % BLOBS_MAX;
	for (i = 1; i < tab->count; i++) {
		blob[i].uniaddr = (u64)feed32(feed) << tab->blkbits;
		blob[i].unilen = (u64)feed32(feed) << tab->blkbits;
		blob[i].size = feed64(feed) % ((u64)S64_MAX - 0xffff);
	}
	tab->blob = blob;
	tab->metabox_size = blob[0].size / 2;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct feed feed = { data, size };
	struct od_sb sb = feed_sb(&feed);
	struct od_blob blob[BLOBS_MAX];
	struct od_blobtab tab = { .blkbits = sb.blkbits };
	u64 nid = feed64(&feed), off = 0, pos;
	u8 *p = feed_bytes(&feed, sizeof(struct od_disk_inode_extended));
	struct od_extent none;
	struct od_inode inode;
	const char *why;
	int i;

	feed_blobs(&feed, &tab, blob);
	pos = feed64(&feed);
	if (!od_inode_offset(&sb, nid, od_blobtab_meta_size(&tab, nid), &off) &&
	    !od_inode_parse(&sb, nid, off, p, sizeof(struct od_disk_inode_extended), &inode,
			    &why) &&
	    has_data(&inode) && inode.size) {
		must(od_chunkmap(&tab, &inode, inode.size, p, &none) == -EUCLEAN);
		pos %= inode.size;
		for (i = 0; i < STEPS && pos < inode.size; i++)
			pos = step(&tab, &inode, pos, &feed);
		step(&tab, &inode, inode.size - 1, &feed);
	}
	free(p);
	return 0;
}
