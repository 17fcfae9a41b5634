// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trees under cookie->lock: the READs of a cookie, which do not overlap, and the pieces that
 * wait for a READ, both sorted by first byte.
 */
#include "internal.h"

/* The READ that covers a position, or NULL and the start of the next one. */
struct cachefiles_od_request *cachefiles_od_reads_find(struct cachefiles_od_cookie *cookie,
							u64 pos, u64 *next)
{
	struct rb_node *node = cookie->reads.rb_node;

	*next = U64_MAX;
	while (node) {
		struct cachefiles_od_request *req = cachefiles_od_read_of(node);

		if (pos < req->range.start) {
			*next = req->range.start;
			node = node->rb_left;
		} else if (pos < req->range.end) {
			return req;
		} else {
			node = node->rb_right;
		}
	}
	return NULL;
}

/* The first READ that ends after a position. */
struct rb_node *cachefiles_od_reads_after(struct cachefiles_od_cookie *cookie, u64 pos)
{
	struct rb_node *node = cookie->reads.rb_node, *found = NULL;

	while (node) {
		if (pos < cachefiles_od_read_of(node)->range.end) {
			found = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

void cachefiles_od_reads_add(struct cachefiles_od_cookie *cookie,
			     struct cachefiles_od_request *req)
{
	struct rb_node **link = &cookie->reads.rb_node, *parent = NULL;
	u64 start = req->range.start;

	while (*link) {
		parent = *link;
		link = start < cachefiles_od_read_of(parent)->range.start ? &parent->rb_left :
									    &parent->rb_right;
	}
	rb_link_node(&req->node, parent, link);
	rb_insert_color(&req->node, &cookie->reads);
	list_add_tail(&req->link, &cookie->reads_by_age);
}

void cachefiles_od_waits_add(struct cachefiles_od_request *req,
			     struct cachefiles_od_piece *piece)
{
	struct rb_node **link = &req->waits.rb_node, *parent = NULL;
	const struct cachefiles_od_piece *other;
	u64 start = cachefiles_od_piece_start(piece);

	while (*link) {
		other = cachefiles_od_piece_of(*link);
		parent = *link;
		link = start < cachefiles_od_piece_start(other) ? &parent->rb_left :
								       &parent->rb_right;
	}
	rb_link_node(&piece->node, parent, link);
	rb_insert_color(&piece->node, &req->waits);
	req->nr_waits++;
	req->cookie->nr_waiting++;
}

void cachefiles_od_waits_take(struct cachefiles_od_request *req,
			      struct cachefiles_od_piece *piece, int error,
			      struct list_head *pieces)
{
	rb_erase(&piece->node, &req->waits);
	req->nr_waits--;
	req->cookie->nr_waiting--;
	piece->error = error;
	list_add_tail(&piece->link, pieces);
}

void cachefiles_od_waits_take_all(struct cachefiles_od_request *req, int error,
				  struct list_head *pieces)
{
	struct rb_node *node;

	while ((node = rb_first(&req->waits)))
		cachefiles_od_waits_take(req, cachefiles_od_piece_of(node), error, pieces);
}
