// SPDX-License-Identifier: GPL-2.0-only
/* The request queue, in one thread: submitting, fetching, replying, giving up. */
#include "queue_stage.h"

#define KIB	1024U

static int fetch_read(struct kunit *test, struct stage_message *m)
{
	ssize_t len = stage_fetch(test->priv, m);

	KUNIT_EXPECT_EQ(test, len, 32);
	KUNIT_EXPECT_EQ(test, m->head.opcode, CACHEFILES_OD_OP_READ);
	return len == 32 && m->head.opcode == CACHEFILES_OD_OP_READ ? 0 : -EIO;
}

static void expect_nothing_to_fetch(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	KUNIT_EXPECT_FALSE(test, cachefiles_od_request_any_ready(&stage->cache.queue));
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &m), 0);
}

static int open_cookie(struct cachefiles_od_cookie *cookie)
{
	return cachefiles_od_object_ask(cookie) ?: cachefiles_od_object_wait(cookie);
}

/* Checks how often a piece was reported, and with which error last. */
static void expect_piece(struct kunit *test, int nr, int reports, int error)
{
	struct stage *stage = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, stage_reports(&stage->pieces[nr]), reports, "piece %d", nr);
	KUNIT_EXPECT_EQ_MSG(test, stage->pieces[nr].piece.error, error, "piece %d", nr);
}

static bool wait_reported(struct stage_piece *p)
{
	unsigned long end = jiffies + STAGE_PATIENCE;

	while (!stage_reports(p) && time_before(jiffies, end))
		msleep(1);
	return stage_reports(p) == 1;
}

static struct cachefiles_od_request *request_of(struct stage *stage, u32 id)
{
	return xa_load(&stage->cache.queue.requests, id);
}

/* Opens a blob like a mount; returns its fd, or a negative value. */
static int open_blob(struct kunit *test, int nr)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_open(test, nr);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, STAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, nr), 0);
	KUNIT_EXPECT_EQ(test, stage->cookies[nr].state, OD_OBJ_OPEN);
	return m.fd;
}

/* --- one READ for many --- */

static void queue_dedupe(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, 8192 + i, 1), 0);
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 1);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, m.range.off, 8192);
	KUNIT_EXPECT_EQ(test, m.range.len, STAGE_WINDOW);
	expect_nothing_to_fetch(test);
	/* Pieces that arrive while it is in flight attach to it, too. */
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 32, 0, STAGE_WINDOW, 4096), 0);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	for (i = 0; i < 33; i++)
		expect_piece(test, i, 1, 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

/* Ranges of READs, depending on what is present or in flight, and on the blob's end. */
static void queue_widening(struct kunit *test)
{
	static const struct {
		const char *name;
		u32 window, pos, off, len;
	} steps[] = {
		{ "never before what is wanted", 64 * KIB, 40 * KIB, 40 * KIB, 64 * KIB },
		{ "before what is present", 64 * KIB, 5, 0, 16 * KIB },
		{ "a small window", 16 * KIB, 134 * KIB + 1, 132 * KIB, 16 * KIB },
		{ "before one under way", 64 * KIB, 104 * KIB, 104 * KIB, 28 * KIB },
		{ "after one under way", 64 * KIB, 148 * KIB, 148 * KIB, 64 * KIB },
		{ "far from all", 64 * KIB, 8 * 1024 * KIB + 7, 8 * 1024 * KIB, 64 * KIB },
		{ "at the end", 64 * KIB, STAGE_SIZE - 5000, STAGE_SIZE - 8192, 8192 - 4000 },
		{ "one block", 4 * KIB, 300 * KIB + 4095, 300 * KIB, 4 * KIB },
		{ "no wider than wanted", 0, 400 * KIB + 4095, 400 * KIB, 4 * KIB },
	};
	struct stage *stage = test->priv;
	struct cachefiles_od_cookie *cookie = &stage->cookies[0];
	struct cachefiles_od_request *req;
	struct rb_node *node;
	struct stage_message m;
	u64 end = 0;
	int i;

	stage_make_open(stage, 0);
	cookie->size = STAGE_SIZE - 4000;
	stage_mark_present(cookie, 16 * KIB, 32 * KIB);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		stage_window = steps[i].window;
		stage->cache.queue.wide = steps[i].window;
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, steps[i].pos, 1), 0);
		if (fetch_read(test, &m))
			return;
		KUNIT_EXPECT_EQ_MSG(test, m.range.off, steps[i].off, "%s", steps[i].name);
		KUNIT_EXPECT_EQ_MSG(test, m.range.len, steps[i].len, "%s", steps[i].name);
	}
	for (node = rb_first(&cookie->reads); node; node = rb_next(node)) {
		req = rb_entry(node, struct cachefiles_od_request, node);
		KUNIT_EXPECT_LE(test, end, req->range.start);
		end = req->range.end;
	}
}

/* A daemon that did not ask for wide READs gets only what is needed, in whole blocks. */
static void queue_not_wide(struct kunit *test)
{
	static const struct {
		u32 pos, len, off, read;
	} steps[] = {
		{ 8 * KIB + 1, 1, 8 * KIB, 4 * KIB },
		{ 64 * KIB, 12 * KIB, 64 * KIB, 12 * KIB },
		{ 132 * KIB - 1, 2, 128 * KIB, 8 * KIB },
		{ STAGE_SIZE - 1, 1, STAGE_SIZE - 4 * KIB, 4 * KIB },
	};
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	stage->cache.queue.wide = false;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, steps[i].pos, steps[i].len), 0);
		if (fetch_read(test, &m))
			return;
		KUNIT_EXPECT_EQ(test, m.range.off, steps[i].off);
		KUNIT_EXPECT_EQ(test, m.range.len, steps[i].read);
	}
}

/* What a piece knows about its READs: their number, and whether the last was for it alone. */
static void expect_tries(struct kunit *test, int nr, u8 tries, bool alone)
{
	struct stage *stage = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, stage->pieces[nr].piece.tries, tries, "piece %d", nr);
	KUNIT_EXPECT_EQ_MSG(test, stage->pieces[nr].piece.alone, alone, "piece %d", nr);
}

/* Like the reader's side with a piece for which a READ yielded nothing: asks again. */
static int miss_again(struct stage *stage, int nr)
{
	struct stage_piece *p = &stage->pieces[nr];
	u8 tries = p->piece.tries;

	stage_piece(p, p->read.cookie, p->read.start, p->read.len);
	p->piece.tries = tries;
	return stage_miss(p);
}

/* After a wide READ was completed unfilled, what is needed is requested alone. */
static void queue_asks_narrow(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 8 * KIB + 5, 4 * KIB), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 20 * KIB, 1), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, m.range.len, STAGE_WINDOW);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_tries(test, 0, 1, false);
	expect_tries(test, 1, 1, false);
	/* Another piece is attached to the READ of the first, and needs less. */
	KUNIT_EXPECT_EQ(test, miss_again(stage, 0), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 2, 0, 12 * KIB, 1), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 3, 0, 8 * KIB, 1), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, m.range.off, 8 * KIB);
	KUNIT_EXPECT_EQ(test, m.range.len, 8 * KIB);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_tries(test, 0, 2, true);
	expect_tries(test, 2, 1, false);
	expect_tries(test, 3, 1, false);
	KUNIT_EXPECT_EQ(test, miss_again(stage, 2), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, m.range.off, 12 * KIB);
	KUNIT_EXPECT_EQ(test, m.range.len, 4 * KIB);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_tries(test, 2, 2, true);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

/* READs that are completed early, each with some data: a piece at their end does not give up. */
static void queue_completed_early(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;
	u32 off;

	stage_make_open(stage, 0);
	stage_window = 0;
	for (off = 0; off < 60 * KIB; off += 4 * KIB) {
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, off, 64 * KIB - off), 0);
		KUNIT_EXPECT_EQ(test, off ? miss_again(stage, 1) :
					    stage_miss_at(stage, 1, 0, 60 * KIB, 1), 0);
		if (fetch_read(test, &m))
			return;
		KUNIT_EXPECT_EQ(test, m.range.off, off);
		KUNIT_EXPECT_EQ(test, m.range.len, 64 * KIB - off);
		stage_fill(&stage->cookies[0], off, off + 4 * KIB);
		KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
		expect_tries(test, 1, 1, false);
	}
	/* One without any data counts. */
	KUNIT_EXPECT_EQ(test, miss_again(stage, 1), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_tries(test, 1, 2, true);
	/* So does one with less than a block, which does not become present. */
	KUNIT_EXPECT_EQ(test, miss_again(stage, 1), 0);
	if (fetch_read(test, &m))
		return;
	cachefiles_od_wait_filled(&stage->cookies[0], 60 * KIB, 60 * KIB + 1);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_tries(test, 1, 3, true);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

/* A piece is cut to what one READ covers; the rest is asked for on its own. */
static void queue_cuts_pieces(struct kunit *test)
{
	struct stage *stage = test->priv;
	size_t len = 0;

	stage_make_open(stage, 0);
	stage_mark_present(&stage->cookies[0], 128 * KIB, 132 * KIB);
	stage_piece(&stage->pieces[0], &stage->cookies[0], 124 * KIB, 100 * KIB);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_miss(&stage->cookies[0],
						      &stage->pieces[0].piece, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 4 * KIB);
	KUNIT_EXPECT_EQ(test, stage->pieces[0].piece.len, 4 * KIB);
	stage_piece(&stage->pieces[1], &stage->cookies[0], 96 * KIB, 100 * KIB);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_miss(&stage->cookies[0],
						      &stage->pieces[1].piece, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 28 * KIB);
	/* Bytes present in the middle of a block are not waited for. */
	stage_mark_present(&stage->cookies[0], 256 * KIB + 5000, 256 * KIB + 8192);
	stage_piece(&stage->pieces[2], &stage->cookies[0], 256 * KIB, 8 * KIB);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_miss(&stage->cookies[0],
						      &stage->pieces[2].piece, &len), 0);
	KUNIT_EXPECT_EQ(test, len, 5000);
}

/* Data that arrived between check and lock needs no READ. */
static void queue_present_after_all(struct kunit *test)
{
	struct stage *stage = test->priv;

	stage_make_open(stage, 0);
	stage_mark_present(&stage->cookies[0], 4096, 8192);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 4096, 4096), 1);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 0, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 1);
	expect_piece(test, 0, 0, 0);
}

/* Data arrived without a completion: pieces that have all they need continue. */
static void queue_filled(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 0, 8192), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 2, 0, 4096, 1), 0);
	if (fetch_read(test, &m))
		return;
	stage_fill(&stage->cookies[0], 0, 4096);
	expect_piece(test, 0, 1, 0);
	expect_piece(test, 1, 0, 0);
	expect_piece(test, 2, 0, 0);
	stage_fill(&stage->cookies[0], 4096, 8192);
	expect_piece(test, 0, 1, 0);
	expect_piece(test, 1, 1, 0);
	expect_piece(test, 2, 1, 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), -EINVAL);
}

/* --- scheduling --- */

static void pass(struct stage *stage, u64 start, u64 end)
{
	const struct cachefiles_od_bytes bytes = { .start = start, .end = end };

	cachefiles_od_serve_unkept(&stage->cookies[0], &bytes);
}

static int taken(struct stage *stage, int nr)
{
	return atomic_read(&stage->pieces[nr].taken);
}

/* Data that is not kept goes to the pieces it overlaps; later ones have missed it. */
static void queue_passes_on(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 4096, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 2, 0, 8192, 4096), 0);
	if (fetch_read(test, &m))
		return;
	pass(stage, 4095, 8192);
	KUNIT_EXPECT_EQ(test, taken(stage, 0), 1);
	KUNIT_EXPECT_EQ(test, taken(stage, 1), 1);
	KUNIT_EXPECT_EQ(test, taken(stage, 2), 0);
	pass(stage, 0, 8192);
	KUNIT_EXPECT_EQ(test, taken(stage, 0), 1);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 3, 0, 4096, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 1);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 2, 1, 0);
	expect_piece(test, 3, 1, 0);
	KUNIT_EXPECT_EQ(test, stage->pieces[2].piece.tries, 1);
	KUNIT_EXPECT_EQ(test, stage->pieces[3].piece.tries, 0);
}

/* Pieces that need nothing but the daemon's bytes take them before they are stored. */
static void queue_serves(struct kunit *test)
{
	const struct cachefiles_od_bytes bytes = { .start = 0, .end = 12288, .kept = true };
	struct stage *stage = test->priv;
	struct od_range runs[1];
	struct od_extents served = { .e = runs, .cap = 1 };
	struct stage_message m;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 8192, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 2, 0, 8192, 8192), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_TRUE(test, cachefiles_od_serve(&stage->cookies[0], &bytes, &served));
	KUNIT_EXPECT_EQ(test, taken(stage, 0), 1);
	KUNIT_EXPECT_EQ(test, taken(stage, 1), 1);
	KUNIT_EXPECT_EQ(test, taken(stage, 2), 0);
	/* There is one run only: it includes what is between the two. */
	KUNIT_EXPECT_EQ(test, served.nr, 1);
	KUNIT_EXPECT_EQ(test, runs[0].start, 0);
	KUNIT_EXPECT_EQ(test, runs[0].end, 12288);
	/* They are present only once they were stored. */
	KUNIT_EXPECT_FALSE(test, od_extents_touches(&stage->cookies[0].present, 0, 12288));
	served.nr = 0;
	KUNIT_EXPECT_FALSE(test, cachefiles_od_serve(&stage->cookies[0], &bytes, &served));
	stage_fill(&stage->cookies[0], 0, 12288);
	expect_piece(test, 2, 0, 0);
	stage_fill(&stage->cookies[0], 12288, 16384);
	expect_piece(test, 2, 1, 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
}

/* A range that was filled and punched does not count as left out by the daemon. */
static void queue_forgets(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	stage->cache.queue.wide = false;
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 8192), 0);
	if (fetch_read(test, &m))
		return;
	stage_fill(&stage->cookies[0], 0, 4096);
	stage_forget_present(&stage->cookies[0]);
	cachefiles_od_wait_forgotten(&stage->cookies[0], 4096, 8192);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 0, 1, 0);
	expect_tries(test, 0, 0, false);
}

/* Without free space, nothing is requested that would be dropped. */
static void queue_no_room_is_narrow(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	stage->cache.room.room = OD_ROOM_NONE;
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 8192, 4096), 0);
	if (fetch_read(test, &m))
		return;
	KUNIT_EXPECT_EQ(test, m.range.off, 8192);
	KUNIT_EXPECT_EQ(test, m.range.len, 4096);
}

/* Only a daemon that asked for events is told what was removed. */
static void queue_culled(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_cookie *cookie = &stage->cookies[0];
	struct cachefiles_od_request *req;
	struct stage_message m;
	int i;

	for (i = 0; i < 2; i++) {
		req = cachefiles_od_request_alloc(cookie, CACHEFILES_OD_OP_CULLED, GFP_KERNEL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(req));
		req->range.end = 12345;
		spin_lock(&cookie->lock);
		KUNIT_EXPECT_EQ(test, cachefiles_od_request_enqueue(req), 0);
		spin_unlock(&cookie->lock);
		if (i)
			cachefiles_od_queue_restore(&stage->cache.queue);
		else
			KUNIT_EXPECT_EQ(test, stage_fetch(stage, &m), 16 + 16 + 11 + 4);
	}
	KUNIT_EXPECT_EQ(test, m.head.opcode, CACHEFILES_OD_OP_CULLED);
	KUNIT_EXPECT_EQ(test, m.head.object_id, 0);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

static void queue_round_robin(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;
	u32 i;

	for (i = 0; i < 8; i++) {
		stage_make_open(stage, i);
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, i, 0, 1), 0);
	}
	stage->cache.queue.last_fetched = 5;
	for (i = 0; i < 8; i++) {
		if (fetch_read(test, &m))
			return;
		KUNIT_EXPECT_EQ(test, m.head.msg_id, (5 + i) % 8 + 1);
		KUNIT_EXPECT_EQ(test, m.head.object_id, 100 + (5 + i) % 8);
	}
	expect_nothing_to_fetch(test);
}

/* A stream of low IDs does not starve a high one. */
static void queue_high_id_is_served(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;
	bool served = false;
	int i;

	stage_make_open(stage, 0);
	stage_make_open(stage, 1);
	stage->cache.queue.next_id = 1000;
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 1, 0, 1), 0);
	for (i = 1; i < 6 && !served; i++) {
		stage->cache.queue.next_id = 1;
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, i * STAGE_WINDOW, 1), 0);
		if (fetch_read(test, &m))
			return;
		served = m.head.msg_id == 1000;
		if (!served)
			KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	}
	KUNIT_EXPECT_TRUE(test, served);
}

/* IDs stay positive, wrap, and skip those still in use. */
static void queue_ids_wrap(struct kunit *test)
{
	static const u32 expected[] = { 1, 2, INT_MAX - 1, INT_MAX, 3, 4 };
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		if (i == 2)
			stage->cache.queue.next_id = INT_MAX - 1;
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, i * STAGE_WINDOW, 1), 0);
		KUNIT_EXPECT_NOT_NULL_MSG(test, request_of(stage, expected[i]), "id %u",
					  expected[i]);
	}
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), ARRAY_SIZE(expected));
	/* IDs 1 and 3 are free after completion, and reused after the next wrap. */
	for (i = 0; i < 3; i++) {
		if (fetch_read(test, &m))
			return;
		KUNIT_EXPECT_EQ(test, m.head.msg_id, i + 1);
		if (i != 1)
			KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	}
	stage->cache.queue.next_id = INT_MAX;
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 6, 0, 6 * STAGE_WINDOW, 1), 0);
	KUNIT_EXPECT_NOT_NULL(test, request_of(stage, 1));
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 7, 0, 7 * STAGE_WINDOW, 1), 0);
	KUNIT_EXPECT_NOT_NULL(test, request_of(stage, 3));
}

/* --- the daemon's buffer --- */

static void queue_short_buffer(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_cache *cache = &stage->cache;
	struct stage_message m;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, cachefiles_od_queue_fetch(cache, stage->buf, 0), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, cachefiles_od_queue_fetch(cache, stage->buf, 31), -EMSGSIZE);
	KUNIT_EXPECT_TRUE(test, cachefiles_od_request_any_ready(&cache->queue));
	KUNIT_EXPECT_EQ(test, cachefiles_od_queue_fetch(cache, NULL, 32), -EFAULT);
	KUNIT_EXPECT_TRUE(test, cachefiles_od_request_any_ready(&cache->queue));
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->stats.reads), 1);
}

static void wait_ready(struct stage *stage)
{
	unsigned long end = jiffies + STAGE_PATIENCE;

	while (!cachefiles_od_request_any_ready(&stage->cache.queue) && time_before(jiffies, end))
		msleep(1);
}

/*
 * An OPEN that cannot be delivered leaves no fd and fails with the reason: requeued, it would
 * wait for a sleeping daemon.
 */
static void queue_undelivered_open(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_cache *cache = &stage->cache;
	struct stage_message m;

	stage_open(test, 0);
	wait_ready(stage);
	KUNIT_EXPECT_EQ(test, cachefiles_od_queue_fetch(cache, NULL, 1024), -EFAULT);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -EFAULT);
	stage_settle();
	/* No fd holds the blob. */
	KUNIT_EXPECT_EQ(test, kref_read(&stage->cookies[0].ref), 1);
	KUNIT_EXPECT_EQ(test, stage->cookies[0].object_id, 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	stage_open(test, 0);
	wait_ready(stage);
	stage_fd_error = -ENFILE;
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &m), -ENFILE);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -ENFILE);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, atomic64_read(&cache->stats.opens), 0);
	stage_close_fd(stage, open_blob(test, 0));
}

/* Same for a later OPEN: what waits for it fails, and the next miss asks again. */
static void queue_undelivered_reopen(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_close_fd(stage, open_blob(test, 0));
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	wait_ready(stage);
	stage_fd_error = -EMFILE;
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &m), -EMFILE);
	expect_piece(test, 0, 1, -EIO);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, STAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 1, 1, 0);
}

/* --- invalid replies --- */

static void queue_wrong_answers(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_cookie *cookie = &stage->cookies[0];
	struct stage_message open, read, other;

	stage_make_open(stage, 0);
	stage_make_open(stage, 1);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	/* Never fetched: its ID is 1, which the daemon cannot know. */
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 100, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, 1, 4096), -EINVAL);
	if (fetch_read(test, &read))
		return;
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 101, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 100, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 100, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, cachefiles_od_wait_read_complete(cookie, 100, ~0U), -EINVAL);
	other = read;
	other.head.object_id = 101;
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 1, &other), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 1, &read), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, 1, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, 0, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, ~0U, -ENOENT), -EINVAL);
	expect_piece(test, 0, 0, 0);

	stage_open(test, 2);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &open));
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 2, &open), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &open), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, open.head.msg_id, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, open.head.msg_id, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 2), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &read), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &read), -EINVAL);
	expect_piece(test, 0, 1, 0);
}

/* A reply to an OPEN that was not read yet is rejected. */
static void queue_open_not_fetched(struct kunit *test)
{
	struct stage *stage = test->priv;
	unsigned long end = jiffies + STAGE_PATIENCE;
	struct stage_message m;

	stage_open(test, 0);
	while (stage_count_requests(stage) == 0 && time_before(jiffies, end))
		msleep(1);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, 1, 4096), -EINVAL);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	KUNIT_EXPECT_EQ(test, m.head.msg_id, 1);
	/* The opener gets the daemon's errno, and the daemon's write succeeds. */
	KUNIT_EXPECT_EQ(test, stage_copen(stage, 1, -ENOENT), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, stage->cookies[0].state, OD_OBJ_CLOSED);
}

static void queue_late_copen(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m, none;

	stage_open(test, 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	cachefiles_od_object_drop(&stage->cookies[0]);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -EIO);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage->cookies[0].state, OD_OBJ_DROPPING);
	/* It was never open, so there is nothing to close. */
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &none), 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

/* Withdrawn while the reply is being handled: no CLOSE follows, so the write must fail. */
static void queue_drop_during_copen(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m, none;

	stage_open(test, 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	stage_settling = cachefiles_od_object_drop;
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, 4096), -EIO);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -EIO);
	KUNIT_EXPECT_EQ(test, stage->cookies[0].state, OD_OBJ_DROPPING);
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &none), 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

/* --- giving up --- */

static void queue_cancel_by_owner(struct kunit *test)
{
	static const int owners[2];
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	stage_make_open(stage, 1);
	for (i = 0; i < 9; i++) {
		/* In three READs; the last one is another blob's. */
		stage_piece(&stage->pieces[i], &stage->cookies[i / 6], i / 3 * STAGE_WINDOW, 1);
		stage->pieces[i].read.owner = &owners[i % 2];
		KUNIT_EXPECT_EQ(test, stage_miss(&stage->pieces[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	cachefiles_od_wait_cancel(&stage->cookies[0], &owners[1]);
	for (i = 0; i < 6; i++)
		expect_piece(test, i, i % 2, i % 2 ? -EIO : 0);
	cachefiles_od_wait_cancel(&stage->cookies[0], NULL);
	for (i = 0; i < 6; i++)
		expect_piece(test, i, 1, -EIO);
	for (i = 6; i < 9; i++)
		expect_piece(test, i, 0, 0);
	/* The READs continue: their data is useful to the next reader. */
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 3);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
}

static void queue_drop_closes(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m, close;

	stage_make_open(stage, 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 1, 0, STAGE_WINDOW, 1), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	cachefiles_od_object_drop(&stage->cookies[0]);
	expect_piece(test, 0, 1, -EIO);
	expect_piece(test, 1, 1, -EIO);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 2, 0, 0, 1), -EIO);
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &close), 16);
	KUNIT_EXPECT_EQ(test, close.head.opcode, CACHEFILES_OD_OP_CLOSE);
	KUNIT_EXPECT_EQ(test, close.head.object_id, 100);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	expect_nothing_to_fetch(test);
}

static void queue_stop_flushes(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_request *req;
	struct stage_message m, open;
	int i;

	stage_make_open(stage, 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, i * STAGE_WINDOW, 1), 0);
	/* Three are sent, one is being copied out, and an OPEN is sent. */
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	req = request_of(stage, 2);
	KUNIT_ASSERT_NOT_NULL(test, req);
	stage_set_fetching(req);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, m.head.msg_id, 3);
	stage_open(test, 1);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &open));
	stage_stop(stage);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 1), -EIO);
	for (i = 0; i < 4; i++)
		expect_piece(test, i, 1, -EIO);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	KUNIT_EXPECT_EQ(test, stage->cookies[0].state, OD_OBJ_CLOSED);
	/* After that nothing can be queued or completed. */
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 4, 0, 0, 1), -EIO);
	stage->cookies[2].timeout_ms = 1000;
	KUNIT_EXPECT_EQ(test, open_cookie(&stage->cookies[2]), -ENOTCONN);
	cachefiles_od_object_drop(&stage->cookies[3]);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, open.head.msg_id, 4096), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), -EINVAL);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
	expect_nothing_to_fetch(test);
}

/* The next daemon is asked to open the blobs it has to serve. */
static void queue_starts_again(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	stage_stop(stage);
	cachefiles_od_queue_start(&stage->cache.queue);
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	/* The READ waits for the fd. */
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, STAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, m.head.object_id, stage->cookies[0].object_id);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 0, 1, 0);
}

/* --- a daemon that follows one that died --- */

static void queue_restore(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_queue *queue = &stage->cache.queue;
	struct cachefiles_od_request *req;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, i * STAGE_WINDOW, 1), 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	req = request_of(stage, 2);
	KUNIT_ASSERT_NOT_NULL(test, req);
	stage_set_fetching(req);
	cachefiles_od_queue_restore(queue);
	/* What the dead daemon had, and what it never had; not what is being read just now. */
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, m.head.msg_id, 1);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, m.head.msg_id, 3);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, m.head.msg_id, 4);
	KUNIT_EXPECT_EQ(test, req->state, OD_REQ_FETCHING);
	expect_nothing_to_fetch(test);
}

static void queue_restore_opens(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message alive, closed, again;

	stage_open(test, 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &alive));
	stage_open(test, 1);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &closed));
	stage_close_fd(stage, closed.fd);
	cachefiles_od_queue_restore(&stage->cache.queue);
	/* The holder of the first one's fd still knows its OPEN. */
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &again));
	KUNIT_EXPECT_EQ(test, again.head.msg_id, closed.head.msg_id);
	KUNIT_EXPECT_NE(test, again.head.object_id, closed.head.object_id);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, alive.head.msg_id, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), 0);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, again.head.msg_id, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 1), 0);
}

/*
 * The old daemon still holds the fd of its OPEN when another takes over: the new one gets the
 * OPEN as soon as the fd is closed.
 */
static void queue_restore_while_alive(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message old, next;

	stage_open(test, 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &old));
	cachefiles_od_queue_restore(&stage->cache.queue);
	/* Nor is the new one known to accept wide READs. */
	KUNIT_EXPECT_FALSE(test, stage->cache.queue.wide);
	expect_nothing_to_fetch(test);
	stage_close_fd(stage, old.fd);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &next));
	KUNIT_EXPECT_EQ(test, next.head.msg_id, old.head.msg_id);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, next.head.msg_id, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), 0);
}

/* Two successive daemons caused an OPEN: only one is sent. */
static void queue_one_open(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct cachefiles_od_cookie *cookie = &stage->cookies[0];
	struct stage_message m;

	stage_close_fd(stage, open_blob(test, 0));
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	/* As if the work of the first had waited for memory until now. */
	kref_get(&cookie->ref);
	cachefiles_od_object_reopen(&cookie->reopen);
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 2);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, STAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 0, 1, 0);
}

/* --- fds --- */

static void queue_fd_closed_early(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_open(test, 0);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	stage_close_fd(stage, m.fd);
	/* Its write succeeds, as on stock kernels; the open does not. */
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, 4096), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 0), -EBADFD);
	stage_open(test, 1);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
	stage_close_fd(stage, m.fd);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, -ENOENT), 0);
	KUNIT_EXPECT_EQ(test, stage_opened(stage, 1), -ENOENT);
}

/* READs that were sent to a closed fd are sent again after a new OPEN. */
static void queue_reopen(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message read, open, again;
	int fd = open_blob(test, 0);

	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 0, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &read), 0);
	stage_close_fd(stage, fd);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &read), -EINVAL);
	KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &open));
	KUNIT_EXPECT_NE(test, open.head.object_id, read.head.object_id);
	expect_nothing_to_fetch(test);
	KUNIT_EXPECT_EQ(test, stage_copen(stage, open.head.msg_id, STAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &again), 0);
	KUNIT_EXPECT_EQ(test, again.head.msg_id, read.head.msg_id);
	KUNIT_EXPECT_EQ(test, again.head.object_id, open.head.object_id);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &read), -EINVAL);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &again), 0);
	expect_piece(test, 0, 1, 0);
}

/* A blob that now has another size is not the same: its readers fail. */
static void queue_reopen_refused(struct kunit *test)
{
	static const s64 replies[] = { STAGE_SIZE + 1, -EACCES };
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_close_fd(stage, open_blob(test, 0));
	for (i = 0; i < ARRAY_SIZE(replies); i++) {
		KUNIT_EXPECT_EQ(test, stage_miss_at(stage, i, 0, 0, 1), 0);
		KUNIT_EXPECT_TRUE(test, stage_wait_open(stage, &m));
		KUNIT_EXPECT_EQ(test, stage_copen(stage, m.head.msg_id, replies[i]),
				replies[i] < 0 ? 0 : -ESTALE);
		expect_piece(test, i, 1, -EIO);
		KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
		KUNIT_EXPECT_EQ(test, stage->cookies[0].state, OD_OBJ_CLOSED);
		KUNIT_EXPECT_EQ(test, stage->cookies[0].size, STAGE_SIZE);
	}
}

/* --- deadlines --- */

static void queue_deadline(struct kunit *test)
{
	/* The latest first, so that the timer has to be moved forward. */
	static const unsigned long after[] = { 3600 * HZ, HZ / 2, HZ };
	struct stage *stage = test->priv;
	struct stage_message m;
	int i;

	stage_make_open(stage, 0);
	for (i = 0; i < 3; i++) {
		stage_piece(&stage->pieces[i], &stage->cookies[0], i * STAGE_WINDOW, 1);
		stage->pieces[i].piece.expires = jiffies + after[i];
		KUNIT_EXPECT_EQ(test, stage_miss(&stage->pieces[i]), 0);
	}
	/* Attached to the second READ of those that expire, and without a deadline. */
	KUNIT_EXPECT_EQ(test, stage_miss_at(stage, 3, 0, 2 * STAGE_WINDOW, 1), 0);
	for (i = 1; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, wait_reported(&stage->pieces[i]));
		expect_piece(test, i, 1, -ETIMEDOUT);
		KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, stage->pieces[i].piece.expires));
	}
	stage_settle();
	/* A READ that nothing waits for any more is freed. */
	KUNIT_EXPECT_NULL(test, request_of(stage, 2));
	KUNIT_EXPECT_EQ(test, stage_count_requests(stage), 2);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
		KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	}
	expect_piece(test, 0, 1, 0);
	expect_piece(test, 3, 1, 0);
	KUNIT_EXPECT_EQ(test, stage_reports(&stage->pieces[2]), 1);
}

/* A deadline that has passed when the piece is queued, and one that a reply precedes. */
static void queue_deadline_limits(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage_make_open(stage, 0);
	stage_piece(&stage->pieces[0], &stage->cookies[0], 0, 1);
	stage->pieces[0].piece.expires = jiffies - 1 ?: 1;
	KUNIT_EXPECT_EQ(test, stage_miss(&stage->pieces[0]), 0);
	KUNIT_EXPECT_TRUE(test, wait_reported(&stage->pieces[0]));
	expect_piece(test, 0, 1, -ETIMEDOUT);
	stage_settle();
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));

	stage_piece(&stage->pieces[1], &stage->cookies[0], 0, 1);
	stage->pieces[1].piece.expires = jiffies + 3600 * HZ;
	KUNIT_EXPECT_EQ(test, stage_miss(&stage->pieces[1]), 0);
	KUNIT_EXPECT_EQ(test, fetch_read(test, &m), 0);
	KUNIT_EXPECT_EQ(test, stage_answer(stage, 0, &m), 0);
	expect_piece(test, 1, 1, 0);
	/* The timer is still armed, and holds the cache until the queue is stopped. */
	KUNIT_EXPECT_EQ(test, kref_read(&stage->cache.ref), 2);
	stage_stop(stage);
	KUNIT_EXPECT_EQ(test, kref_read(&stage->cache.ref), 1);
}

static void queue_open_deadline(struct kunit *test)
{
	struct stage *stage = test->priv;
	struct stage_message m;

	stage->cookies[0].timeout_ms = 50;
	KUNIT_EXPECT_EQ(test, open_cookie(&stage->cookies[0]), -ETIMEDOUT);
	/* The caller drops the blob, and with it the OPEN. */
	cachefiles_od_object_drop(&stage->cookies[0]);
	KUNIT_EXPECT_EQ(test, stage_fetch(stage, &m), 0);
	KUNIT_EXPECT_TRUE(test, stage_is_empty(stage));
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_dedupe),
	KUNIT_CASE(queue_widening),
	KUNIT_CASE(queue_not_wide),
	KUNIT_CASE(queue_asks_narrow),
	KUNIT_CASE(queue_completed_early),
	KUNIT_CASE(queue_cuts_pieces),
	KUNIT_CASE(queue_present_after_all),
	KUNIT_CASE(queue_filled),
	KUNIT_CASE(queue_passes_on),
	KUNIT_CASE(queue_serves),
	KUNIT_CASE(queue_forgets),
	KUNIT_CASE(queue_no_room_is_narrow),
	KUNIT_CASE(queue_culled),
	KUNIT_CASE(queue_round_robin),
	KUNIT_CASE(queue_high_id_is_served),
	KUNIT_CASE(queue_ids_wrap),
	KUNIT_CASE(queue_short_buffer),
	KUNIT_CASE(queue_undelivered_open),
	KUNIT_CASE(queue_undelivered_reopen),
	KUNIT_CASE(queue_wrong_answers),
	KUNIT_CASE(queue_open_not_fetched),
	KUNIT_CASE(queue_late_copen),
	KUNIT_CASE(queue_drop_during_copen),
	KUNIT_CASE(queue_cancel_by_owner),
	KUNIT_CASE(queue_drop_closes),
	KUNIT_CASE(queue_stop_flushes),
	KUNIT_CASE(queue_starts_again),
	KUNIT_CASE(queue_restore),
	KUNIT_CASE(queue_restore_opens),
	KUNIT_CASE(queue_restore_while_alive),
	KUNIT_CASE(queue_one_open),
	KUNIT_CASE(queue_fd_closed_early),
	KUNIT_CASE(queue_reopen),
	KUNIT_CASE(queue_reopen_refused),
	KUNIT_CASE(queue_deadline),
	KUNIT_CASE(queue_deadline_limits),
	KUNIT_CASE(queue_open_deadline),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "od_queue",
	.init = stage_set_up,
	.exit = stage_put_away,
	.test_cases = queue_cases,
};
kunit_test_suite(queue_suite);
