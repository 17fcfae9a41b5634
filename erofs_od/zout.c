// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a pcluster to the folios of a batch.
 *
 * Decompressors write to contiguous addresses, from the first byte of the extent to the last
 * one needed. These are the pages of the batch itself, which nothing else reads or writes
 * before they are unlocked; temporary pages stand in for those that would receive unneeded
 * bytes.
 */
#include "zout.h"
#include "decompressor.h"

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/**
 * struct window - the pages an extent is decompressed into
 * @base: first byte of the batch in the file
 * @first: first page, counted from @base
 * @nr: pages
 * @temporary: number of leading pages that are not in the batch
 * @page: pages
 * @addr: their address
 * @mapped: by vm_map_ram()
 */
struct window {
	s64 base;
	s64 first;
	unsigned int nr;
	unsigned int temporary;
	struct page **page;
	u8 *addr;
	bool mapped;
};

static void window_free(struct window *w)
{
	while (w->temporary)
		__free_page(w->page[--w->temporary]);
	kvfree(w->page);
}

/* Uses temporary pages up to the page after which all bytes are needed. */
static int window_alloc(struct erofs_od_batch *batch, const struct erofs_od_zout *out,
			struct window *w)
{
	unsigned int temporary = 0, i;

	if (out->start < (s64)out->from)
		temporary = ((s64)out->from - w->base + PAGE_SIZE - 1) / (s64)PAGE_SIZE - w->first;
	temporary = min(temporary, w->nr);
	w->page = kvmalloc_array(w->nr, sizeof(*w->page), GFP_KERNEL);
	if (!w->page)
		return -ENOMEM;
	for (i = 0; i < temporary; i++) {
		w->page[i] = alloc_page(GFP_KERNEL);
		if (!w->page[i])
			return -ENOMEM;
		w->temporary++;
	}
	for (; i < w->nr; i++)
		w->page[i] = erofs_od_batch_page(batch, w->base + (w->first + i) * (s64)PAGE_SIZE);
	return 0;
}

static int window_map(struct window *w)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		if (PageHighMem(w->page[i]) ||
		    page_to_pfn(w->page[i]) != page_to_pfn(w->page[0]) + i)
			break;
	if (i == w->nr) {
		w->addr = page_address(w->page[0]);
		return 0;
	}
	w->addr = vm_map_ram(w->page, w->nr, NUMA_NO_NODE);
	w->mapped = true;
	return w->addr ? 0 : -ENOMEM;
}

static void window_unmap(struct window *w)
{
	if (!w->mapped || !w->addr)
		return;
	flush_kernel_vmap_range(w->addr, (int)(w->nr * PAGE_SIZE));
	vm_unmap_ram(w->addr, w->nr);
}

static void copy_to_batch(struct erofs_od_batch *batch, u64 pos, const u8 *from, u64 len)
{
	u64 base = batch->slot[0].pos;

	while (len) {
		size_t at = offset_in_page(pos - base), part = min_t(u64, len, PAGE_SIZE - at);
		u8 *p = kmap_local_page(erofs_od_batch_page(batch, pos));

		memcpy(p + at, from, part);
		kunmap_local(p);
		pos += part;
		from += part;
		len -= part;
	}
}

/* The last temporary page may hold needed bytes. */
static void window_copy(struct erofs_od_batch *batch, const struct erofs_od_zout *out,
			const struct window *w)
{
	s64 start = w->base + w->first * (s64)PAGE_SIZE;
	s64 end = min(start + (s64)(w->temporary * PAGE_SIZE), (s64)out->to);

	if (end > (s64)out->from)
		copy_to_batch(batch, out->from, w->addr + ((s64)out->from - start),
			      end - (s64)out->from);
}

/* Compressed data is padded with zeroes at the front, within the first block. */
static int trim(struct erofs_od_batch *batch, const struct od_zextent *x,
		struct erofs_od_stream *stream)
{
	u32 blk = 1U << batch->source.sbi->od.blkbits;
	u32 max = min(x->encoded_len, blk - (u32)(x->off & (blk - 1))), n = 0;

	if (x->flags & OD_ZEXTENT_UNPADDED)
		return 0;
	while (n < max && !stream->in[n])
		n++;
	stream->in += n;
	stream->in_len -= n;
	return n < max ? 0 : -EUCLEAN;
}

static int decompress(struct erofs_od_batch *batch, const struct erofs_od_zout *out, const u8 *in)
{
	s64 base = (s64)batch->slot[0].pos;
	s64 start = out->start - base, end = (s64)out->to - base;
	struct window w = { .base = base, .first = start >> PAGE_SHIFT };
	struct erofs_od_stream stream = {
		.in = in,
		.in_len = out->x.encoded_len,
		.out_len = (u32)(end - start),
		.partial = (out->x.flags & OD_ZEXTENT_PARTIAL) || end - start < (s64)out->x.len,
	};
	int err = trim(batch, &out->x, &stream);

	if (err)
		return err;
	w.nr = ((end - 1) >> PAGE_SHIFT) - w.first + 1;
	err = window_alloc(batch, out, &w);
	if (!err)
		err = window_map(&w);
	if (!err) {
		stream.out = w.addr + (start & ~PAGE_MASK);
		err = erofs_od_decompress(out->x.algorithm, &stream);
	}
	if (!err)
		window_copy(batch, out, &w);
	window_unmap(&w);
	window_free(&w);
	return err;
}

/* The first bytes of a rotated extent are at the end of its pcluster. */
static void copy_plain(struct erofs_od_batch *batch, const struct erofs_od_zout *out,
		       const u8 *in)
{
	u64 skip = out->from - out->start, len = out->to - out->from, pos = out->from;
	u32 rotated = out->x.rotated;

	if (skip < rotated) {
		u64 part = min(len, rotated - skip);

		copy_to_batch(batch, pos, in + out->x.encoded_len - rotated + skip, part);
		pos += part;
		skip += part;
		len -= part;
	}
	copy_to_batch(batch, pos, in + skip - rotated, len);
}

/**
 * erofs_od_zout - copy or decompress the needed bytes of a pcluster into their folios
 * @batch: batch
 * @out: which bytes
 * @in: the pcluster
 *
 * Context: sleeps for memory, without recursion into file systems.
 * Return: 0; -EUCLEAN; -ENOMEM.
 */
int erofs_od_zout(struct erofs_od_batch *batch, const struct erofs_od_zout *out, const u8 *in)
{
	unsigned int nofs;
	int err;

	if (out->x.flags & OD_ZEXTENT_PLAIN) {
		copy_plain(batch, out, in);
		return 0;
	}
	nofs = memalloc_nofs_save();
	err = decompress(batch, out, in);
	memalloc_nofs_restore(nofs);
	return err;
}
