// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the bytes of a pcluster to those of folios.
 *
 * Decoders write to one run of addresses, from the first byte of the extent on. Pages of
 * the batch take part in it if nothing but wanted bytes is written to them; for the others
 * there are pages for the time being.
 */
#include "zout.h"
#include "decompressor.h"

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/**
 * struct erofs_od_window - the pages that an extent is decompressed to
 * @base: byte of the file that the batch starts with
 * @first: first page, counted from @base
 * @nr: pages
 * @spare: how many from the front are not the batch's
 * @page: pages
 * @addr: where they are mapped
 * @mapped: by vm_map_ram()
 */
struct erofs_od_window {
	s64 base;
	s64 first;
	unsigned int nr;
	unsigned int spare;
	struct page **page;
	u8 *addr;
	bool mapped;
};

static void erofs_od_window_free(struct erofs_od_window *w)
{
	while (w->spare)
		__free_page(w->page[--w->spare]);
	kvfree(w->page);
}

/* Pages up to the first that begins with a wanted byte, or has none before it, are spare. */
static int erofs_od_window_pages(struct erofs_od_io *io, const struct erofs_od_zout *out,
				 struct erofs_od_window *w)
{
	unsigned int spare = 0, i;

	if (out->start < (s64)out->from)
		spare = ((s64)out->from - w->base + PAGE_SIZE - 1) / (s64)PAGE_SIZE - w->first;
	spare = min(spare, w->nr);
	w->page = kvmalloc_array(w->nr, sizeof(*w->page), GFP_KERNEL);
	if (!w->page)
		return -ENOMEM;
	for (i = 0; i < spare; i++) {
		w->page[i] = alloc_page(GFP_KERNEL);
		if (!w->page[i])
			return -ENOMEM;
		w->spare++;
	}
	for (; i < w->nr; i++)
		w->page[i] = erofs_od_io_page(io, w->base + (w->first + i) * (s64)PAGE_SIZE);
	return 0;
}

static int erofs_od_window_map(struct erofs_od_window *w)
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

static void erofs_od_window_unmap(struct erofs_od_window *w)
{
	if (!w->mapped || !w->addr)
		return;
	flush_kernel_vmap_range(w->addr, (int)(w->nr * PAGE_SIZE));
	vm_unmap_ram(w->addr, w->nr);
}

/* Copy bytes to where they are wanted. */
static void erofs_od_zout_copy(struct erofs_od_io *io, u64 pos, const u8 *from, u64 len)
{
	u64 base = io->slot[0].pos;

	while (len) {
		size_t at = offset_in_page(pos - base), part = min_t(u64, len, PAGE_SIZE - at);
		u8 *p = kmap_local_page(erofs_od_io_page(io, pos));

		memcpy(p + at, from, part);
		kunmap_local(p);
		pos += part;
		from += part;
		len -= part;
	}
}

/* The last spare page may have wanted bytes. */
static void erofs_od_window_copy(struct erofs_od_io *io, const struct erofs_od_zout *out,
				 const struct erofs_od_window *w)
{
	s64 start = w->base + w->first * (s64)PAGE_SIZE;
	s64 end = min(start + (s64)(w->spare * PAGE_SIZE), (s64)out->to);

	if (end > (s64)out->from)
		erofs_od_zout_copy(io, out->from, w->addr + ((s64)out->from - start),
				   end - (s64)out->from);
}

/* Zeroes are in front of compressed data, in the first block at most. */
static int erofs_od_zout_trim(struct erofs_od_io *io, const struct od_zextent *x,
			      struct erofs_od_stream *stream)
{
	u32 max = min(x->clen, 1U << io->source.m->od.blkbits), n = 0;

	if (x->flags & OD_ZEXTENT_UNPADDED)
		return 0;
	while (n < max && !stream->in[n])
		n++;
	stream->in += n;
	stream->in_len -= n;
	return n < max ? 0 : -EUCLEAN;
}

static int erofs_od_zout_decompress(struct erofs_od_io *io, const struct erofs_od_zout *out,
				    const u8 *in)
{
	s64 start = out->start - (s64)io->slot[0].pos, end = (s64)out->to - (s64)io->slot[0].pos;
	struct erofs_od_window w = { .base = io->slot[0].pos, .first = start >> PAGE_SHIFT };
	struct erofs_od_stream stream = {
		.in = in,
		.in_len = out->x.clen,
		.out_len = (u32)(end - start),
		.partial = (out->x.flags & OD_ZEXTENT_PARTIAL) || end - start < (s64)out->x.len,
	};
	int err = erofs_od_zout_trim(io, &out->x, &stream);

	if (err)
		return err;
	w.nr = ((end - 1) >> PAGE_SHIFT) - w.first + 1;
	err = erofs_od_window_pages(io, out, &w);
	if (!err)
		err = erofs_od_window_map(&w);
	if (!err) {
		stream.out = w.addr + (start & ~PAGE_MASK);
		err = erofs_od_decompress(out->x.alg, &stream);
	}
	if (!err)
		erofs_od_window_copy(io, out, &w);
	erofs_od_window_unmap(&w);
	erofs_od_window_free(&w);
	return err;
}

/* The first bytes of a rotated pcluster are at its end. */
static void erofs_od_zout_plain(struct erofs_od_io *io, const struct erofs_od_zout *out, const u8 *in)
{
	u64 skip = out->from - out->start, len = out->to - out->from, pos = out->from;
	u32 rotated = out->x.rotated;

	if (skip < rotated) {
		u64 part = min(len, rotated - skip);

		erofs_od_zout_copy(io, pos, in + out->x.clen - rotated + skip, part);
		pos += part;
		skip += part;
		len -= part;
	}
	erofs_od_zout_copy(io, pos, in + skip - rotated, len);
}

/**
 * erofs_od_zout - bring what is wanted of a pcluster to its folios
 * @io: batch
 * @out: what is wanted
 * @in: the pcluster
 *
 * Context: sleeps for memory, without a recursion into file systems.
 * Return: 0; -EUCLEAN; -ENOMEM.
 */
int erofs_od_zout(struct erofs_od_io *io, const struct erofs_od_zout *out, const u8 *in)
{
	unsigned int nofs;
	int err = 0;

	if (out->x.flags & OD_ZEXTENT_PLAIN) {
		erofs_od_zout_plain(io, out, in);
	} else {
		nofs = memalloc_nofs_save();
		err = erofs_od_zout_decompress(io, out, in);
		memalloc_nofs_restore(nofs);
	}
	return err;
}
