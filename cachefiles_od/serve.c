// SPDX-License-Identifier: GPL-2.0-only
/*
 * Serving readers from the daemon's bytes: before these are stored, or because they are not kept.
 *
 * Storing takes longer than everything else that a reader waits for: blocks are allocated, the
 * journal is written. A piece that needs nothing but the bytes of one write gets them from memory;
 * the others wait until the bytes are present.
 */
#include "internal.h"

/* With no run left, the bytes between two ranges count as served, too. */
static void note_served(struct od_extents *served, u64 start, u64 end)
{
	const struct od_range *last;

	if (!od_extents_add(served, start, end))
		return;
	last = &served->e[served->nr - 1];
	od_extents_add(served, min(start, last->start), max(end, last->end));
}

/* Whether a piece takes bytes that are kept only if it needs no others. */
static bool takes(const struct cachefiles_od_piece *piece, const struct cachefiles_od_bytes *bytes)
{
	u64 start = cachefiles_od_piece_start(piece), end = cachefiles_od_piece_end(piece);

	return bytes->kept ? start >= bytes->start && end <= bytes->end : end > bytes->start;
}

static void take_off(struct cachefiles_od_request *req, const struct cachefiles_od_bytes *bytes,
		     struct list_head *pieces)
{
	struct rb_node *node, *next;

	if (!bytes->kept)
		req->passed = true;
	for (node = rb_first(&req->waits); node; node = next) {
		struct cachefiles_od_piece *piece = cachefiles_od_piece_of(node);

		if (cachefiles_od_piece_start(piece) >= bytes->end)
			return;
		next = rb_next(node);
		if (takes(piece, bytes))
			cachefiles_od_waits_take(req, piece, 0, pieces);
	}
}

static void serve(struct cachefiles_od_cookie *cookie, const struct cachefiles_od_bytes *bytes,
		  struct od_extents *served)
{
	struct cachefiles_od_piece *piece, *next;
	struct rb_node *node;
	LIST_HEAD(pieces);

	spin_lock(&cookie->lock);
	for (node = cachefiles_od_reads_after(cookie, bytes->start);
	     node && cachefiles_od_read_of(node)->range.start < bytes->end; node = rb_next(node))
		take_off(cachefiles_od_read_of(node), bytes, &pieces);
	spin_unlock(&cookie->lock);
	list_for_each_entry_safe(piece, next, &pieces, link) {
		list_del_init(&piece->link);
		if (served)
			note_served(served, cachefiles_od_piece_start(piece),
				    cachefiles_od_piece_end(piece));
		/* @piece may be freed once this returns. */
		piece->take(piece, bytes);
	}
}

/*
 * Serves the pieces that need nothing but @bytes, which are stored next, and adds their ranges to
 * @served. Returns whether any was served.
 */
bool cachefiles_od_serve(struct cachefiles_od_cookie *cookie,
			 const struct cachefiles_od_bytes *bytes, struct od_extents *served)
{
	serve(cookie, bytes, served);
	return served->nr;
}

/*
 * @bytes are not kept: pieces that wait for some of them take those, and wait again for the rest.
 */
void cachefiles_od_serve_unkept(struct cachefiles_od_cookie *cookie,
				const struct cachefiles_od_bytes *bytes)
{
	serve(cookie, bytes, NULL);
}
