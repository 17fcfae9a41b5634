// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests and blobs under any sequence of events. The input: the five parameters of
 * widening a READ, then one event per byte.
 */
#include "fuzz.h"
#include "cachefiles_od/core/request.h"

#include <linux/cachefiles_od.h>

/* A model of the owners of a request, which determine its state. */
struct req_model {
	bool over, copying, daemon;
};

static enum od_req_state req_state(const struct req_model *m)
{
	return m->over ? OD_REQ_DONE : m->copying ? OD_REQ_FETCHING :
	       m->daemon ? OD_REQ_SENT : OD_REQ_QUEUED;
}

static bool req_model(struct req_model *m, enum od_req_event event)
{
	if (m->over)
		return false;
	switch (event) {
	case OD_REQ_FETCH:
		if (m->copying || m->daemon)
			return false;
		m->copying = true;
		return true;
	case OD_REQ_DELIVER:
	case OD_REQ_UNDELIVER:
		if (!m->copying)
			return false;
		m->copying = false;
		m->daemon = event == OD_REQ_DELIVER;
		return true;
	case OD_REQ_REPLY:
	case OD_REQ_REQUEUE:
		if (!m->daemon)
			return false;
		m->daemon = false;
		m->over = event == OD_REQ_REPLY;
		return true;
	case OD_REQ_CANCEL:
		m->over = true;
		return true;
	}
	return false;
}

static void step_request(enum od_req_state *state, struct req_model *m, enum od_req_event event)
{
	bool legal = req_model(m, event);

	must(od_req_step(state, event) == (legal ? 0 : -EINVAL));
	must(*state == req_state(m));
}

/* A model of a blob: OPEN pending, the daemon has an fd, the size is known. */
struct obj_model {
	bool done, asked, fd, later;
};

static enum od_obj_state obj_state(const struct obj_model *m)
{
	if (m->done)
		return OD_OBJ_DROPPING;
	if (m->asked)
		return m->later ? OD_OBJ_REOPENING : OD_OBJ_OPENING;
	return m->fd ? OD_OBJ_OPEN : OD_OBJ_CLOSED;
}

static bool obj_model(struct obj_model *m, enum od_obj_event event)
{
	if (m->done)
		return false;
	switch (event) {
	case OD_OBJ_ASK_OPEN:
	case OD_OBJ_ASK_READ:
		if (m->asked || m->fd)
			return false;
		m->asked = true;
		m->later = event == OD_OBJ_ASK_READ;
		return true;
	case OD_OBJ_OPENED:
	case OD_OBJ_REFUSED:
		if (!m->asked)
			return false;
		m->asked = false;
		m->fd = event == OD_OBJ_OPENED;
		return true;
	case OD_OBJ_FD_CLOSED:
		if (!m->fd)
			return false;
		m->fd = false;
		return true;
	case OD_OBJ_DROP:
		m->done = true;
		return true;
	}
	return false;
}

static void step_blob(enum od_obj_state *state, struct obj_model *m, enum od_obj_event event)
{
	bool legal = obj_model(m, event);

	must(od_obj_step(state, event) == (legal ? 0 : -EINVAL));
	must(*state == obj_state(m));
}

static u64 between(u64 v, u64 low, u64 high)
{
	return low + v % (high - low + 1);
}

static u64 up(u64 v)
{
	return (v + OD_READ_ALIGN - 1) & ~(u64)(OD_READ_ALIGN - 1);
}

static void check_widen(struct feed *feed)
{
	/* Up to the largest size of a copen. */
	u64 size = between(feed64(feed), 1, (u64)S64_MAX - 0xffff);
	u8 shift = feed8(feed) % 11;
	u64 window = shift ? (u64)OD_READ_ALIGN << (shift - 1) : 0;
	u64 pos = between(feed64(feed), 0, size - 1);
	u64 end = between(feed64(feed), pos + 1, size);
	u64 limit = between(feed64(feed), pos + 1, ~(u64)0);
	struct od_range r = od_req_widen(pos, end, limit, window, size);
	u64 len = r.end - r.start;

	/* Starts at the block of @pos, whole blocks within the blob. */
	must(r.start == (pos & ~(u64)(OD_READ_ALIGN - 1)) && pos < r.end && r.end <= size);
	must(r.end % OD_READ_ALIGN == 0 || r.end == size);
	must(len <= CACHEFILES_OD_READ_MAX);
	/* No block beyond the wanted range and the window, and no present block. */
	must(r.end <= up(end) || len <= window);
	must(r.end == size || r.end - OD_READ_ALIGN < limit);
	/* The largest range with these properties. */
	must(r.end >= end || r.end >= limit || len == CACHEFILES_OD_READ_MAX);
	must(len >= window || r.end >= limit || r.end == size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	enum od_req_state req = OD_REQ_QUEUED;
	enum od_obj_state obj = OD_OBJ_CLOSED;
	struct req_model req_model = { 0 };
	struct obj_model obj_model = { 0 };
	struct feed feed = { data, size };

	check_widen(&feed);
	while (feed.left) {
		u8 event = feed8(&feed);

		if (event & 0x80)
			step_request(&req, &req_model, (enum od_req_event)((event & 0x7f) % 6));
		else
			step_blob(&obj, &obj_model, (enum od_obj_event)(event % 6));
	}
	return 0;
}
