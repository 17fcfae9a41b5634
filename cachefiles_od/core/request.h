/* SPDX-License-Identifier: GPL-2.0-only */
/* State machines of requests and objects, and the widening of READs. */
#ifndef OD_CORE_REQUEST_H
#define OD_CORE_REQUEST_H

#include "od/types.h"
#include "extents.h"

/** OD_READ_ALIGN - a READ begins on a multiple of this */
#define OD_READ_ALIGN	4096U

/**
 * enum od_req_state - state of a request
 * @OD_REQ_QUEUED: waits for the daemon to read it
 * @OD_REQ_FETCHING: a reader of the device is copying it out, and no other may
 * @OD_REQ_SENT: the daemon has it and owes a reply
 * @OD_REQ_DONE: completed or given up; final
 */
enum od_req_state {
	OD_REQ_QUEUED,
	OD_REQ_FETCHING,
	OD_REQ_SENT,
	OD_REQ_DONE,
};

/**
 * enum od_req_event - event of a request
 * @OD_REQ_FETCH: a reader of the device takes it
 * @OD_REQ_DELIVER: the reader has copied it to user space
 * @OD_REQ_UNDELIVER: the copy failed
 * @OD_REQ_REPLY: the daemon replies
 * @OD_REQ_REQUEUE: its daemon has died; the next one gets it
 * @OD_REQ_CANCEL: the reply is no longer needed
 */
enum od_req_event {
	OD_REQ_FETCH,
	OD_REQ_DELIVER,
	OD_REQ_UNDELIVER,
	OD_REQ_REPLY,
	OD_REQ_REQUEUE,
	OD_REQ_CANCEL,
};

/**
 * od_req_step - apply an event to a request
 * @state: its state; unchanged if the event is not legal in it
 * @event: the event
 *
 * Return: 0, or -EINVAL for an event that is not legal in this state.
 */
int od_req_step(enum od_req_state *state, enum od_req_event event);

/**
 * enum od_obj_state - state of an object
 * @OD_OBJ_CLOSED: the daemon has no fd
 * @OD_OBJ_OPENING: its first OPEN is pending; the size is not known
 * @OD_OBJ_OPEN: the daemon has an fd; READs may be sent
 * @OD_OBJ_REOPENING: a later OPEN is pending; READs wait for it
 * @OD_OBJ_DROPPING: the blob is being withdrawn; final
 */
enum od_obj_state {
	OD_OBJ_CLOSED,
	OD_OBJ_OPENING,
	OD_OBJ_OPEN,
	OD_OBJ_REOPENING,
	OD_OBJ_DROPPING,
};

/**
 * enum od_obj_event - event of an object
 * @OD_OBJ_ASK_OPEN: its size is needed for the first time
 * @OD_OBJ_ASK_READ: data is needed while the daemon has no fd
 * @OD_OBJ_OPENED: the daemon replied to an OPEN with a size
 * @OD_OBJ_REFUSED: an OPEN failed: the daemon refused it, or there is none
 * @OD_OBJ_FD_CLOSED: the daemon closed its fd
 * @OD_OBJ_DROP: the blob is withdrawn
 */
enum od_obj_event {
	OD_OBJ_ASK_OPEN,
	OD_OBJ_ASK_READ,
	OD_OBJ_OPENED,
	OD_OBJ_REFUSED,
	OD_OBJ_FD_CLOSED,
	OD_OBJ_DROP,
};

/**
 * od_obj_step - apply an event to an object
 * @state: its state; unchanged if the event is not legal in it
 * @event: the event
 *
 * Return: 0, or -EINVAL for an event that is not legal in this state.
 */
int od_obj_step(enum od_obj_state *state, enum od_obj_event event);

/**
 * od_req_widen - the range of a READ
 * @pos: first needed and missing byte, below @size
 * @end: first byte past the needed range
 * @limit: first byte past @pos that is present or in another READ
 * @window: minimum length of the READ; 0: only the needed range
 * @size: bytes of the blob
 *
 * Apart from alignment, a READ never begins before the needed range: some daemons have no data
 * there.
 *
 * Return: a range that begins at @pos rounded down to %OD_READ_ALIGN, ends on a
 * multiple of it or at @size, and has %CACHEFILES_OD_READ_MAX bytes at most.
 */
struct od_range od_req_widen(u64 pos, u64 end, u64 limit, u64 window, u64 size);

#endif /* OD_CORE_REQUEST_H */
