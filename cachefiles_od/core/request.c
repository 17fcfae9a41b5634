// SPDX-License-Identifier: GPL-2.0-only
#include "request.h"

#include <linux/cachefiles_od.h>

/* Marks an event that is not legal in a state. */
#define NO	(-1)

int od_req_step(enum od_req_state *state, enum od_req_event event)
{
	static const signed char next[][6] = {
		[OD_REQ_QUEUED] = {
			[OD_REQ_FETCH] = OD_REQ_FETCHING, [OD_REQ_DELIVER] = NO,
			[OD_REQ_UNDELIVER] = NO, [OD_REQ_REPLY] = NO,
			[OD_REQ_REQUEUE] = NO, [OD_REQ_CANCEL] = OD_REQ_DONE,
		},
		[OD_REQ_FETCHING] = {
			[OD_REQ_FETCH] = NO, [OD_REQ_DELIVER] = OD_REQ_SENT,
			[OD_REQ_UNDELIVER] = OD_REQ_QUEUED, [OD_REQ_REPLY] = NO,
			[OD_REQ_REQUEUE] = NO, [OD_REQ_CANCEL] = OD_REQ_DONE,
		},
		[OD_REQ_SENT] = {
			[OD_REQ_FETCH] = NO, [OD_REQ_DELIVER] = NO,
			[OD_REQ_UNDELIVER] = NO, [OD_REQ_REPLY] = OD_REQ_DONE,
			[OD_REQ_REQUEUE] = OD_REQ_QUEUED, [OD_REQ_CANCEL] = OD_REQ_DONE,
		},
		[OD_REQ_DONE] = { NO, NO, NO, NO, NO, NO },
	};

	if (next[*state][event] == NO)
		return -EINVAL;
	*state = (enum od_req_state)next[*state][event];
	return 0;
}

int od_obj_step(enum od_obj_state *state, enum od_obj_event event)
{
	static const signed char next[][6] = {
		[OD_OBJ_CLOSED] = {
			[OD_OBJ_ASK_OPEN] = OD_OBJ_OPENING, [OD_OBJ_ASK_READ] = OD_OBJ_REOPENING,
			[OD_OBJ_OPENED] = NO, [OD_OBJ_REFUSED] = NO,
			[OD_OBJ_FD_CLOSED] = NO, [OD_OBJ_DROP] = OD_OBJ_DROPPING,
		},
		[OD_OBJ_OPENING] = {
			[OD_OBJ_ASK_OPEN] = NO, [OD_OBJ_ASK_READ] = NO,
			[OD_OBJ_OPENED] = OD_OBJ_OPEN, [OD_OBJ_REFUSED] = OD_OBJ_CLOSED,
			[OD_OBJ_FD_CLOSED] = NO, [OD_OBJ_DROP] = OD_OBJ_DROPPING,
		},
		[OD_OBJ_OPEN] = {
			[OD_OBJ_ASK_OPEN] = NO, [OD_OBJ_ASK_READ] = NO,
			[OD_OBJ_OPENED] = NO, [OD_OBJ_REFUSED] = NO,
			[OD_OBJ_FD_CLOSED] = OD_OBJ_CLOSED, [OD_OBJ_DROP] = OD_OBJ_DROPPING,
		},
		[OD_OBJ_REOPENING] = {
			[OD_OBJ_ASK_OPEN] = NO, [OD_OBJ_ASK_READ] = NO,
			[OD_OBJ_OPENED] = OD_OBJ_OPEN, [OD_OBJ_REFUSED] = OD_OBJ_CLOSED,
			[OD_OBJ_FD_CLOSED] = NO, [OD_OBJ_DROP] = OD_OBJ_DROPPING,
		},
		[OD_OBJ_DROPPING] = { NO, NO, NO, NO, NO, NO },
	};

	if (next[*state][event] == NO)
		return -EINVAL;
	*state = (enum od_obj_state)next[*state][event];
	return 0;
}

struct od_range od_req_widen(u64 pos, u64 end, u64 limit, u64 window, u64 size)
{
	u64 start = round_down(pos, (u64)OD_READ_ALIGN);

	end = max(end, start + window);
	end = min_t(u64, end, start + CACHEFILES_OD_READ_MAX);
	/* At most start + CACHEFILES_OD_READ_MAX: rounding up does not wrap. */
	end = round_up(min(end, limit), (u64)OD_READ_ALIGN);
	return (struct od_range) { start, min(end, size) };
}
