/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits for user space. They can be killed, and frozen by system suspend: the freezer does not
 * wait for a task whose daemon is frozen already.
 */
#ifndef OD_COMPAT_WAIT_H
#define OD_COMPAT_WAIT_H

#include <linux/freezer.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include "od_probes.h"

/*
 * The "unsafe" forms, since a task that looks up a name holds the lock of its directory while
 * it waits, which lockdep would report. A task that waits for that lock waits for user space,
 * too, and cannot be frozen in either case.
 */
#ifdef OD_HAVE_TASK_FREEZABLE_STATE
#define OD_COMPAT_FREEZABLE	TASK_FREEZABLE_UNSAFE

static inline long od_compat_freezable_schedule(long timeout)
{
	return schedule_timeout(timeout);
}
#else
#define OD_COMPAT_FREEZABLE	0

static inline long od_compat_freezable_schedule(long timeout)
{
	freezer_do_not_count();
	timeout = schedule_timeout(timeout);
	freezer_count_unsafe();
	return timeout;
}
#endif

#define __od_compat_wait_event_killable(wq_head, condition, timeout)		\
	___wait_event(wq_head, ___wait_cond_timeout(condition),			\
		      (TASK_KILLABLE | OD_COMPAT_FREEZABLE), 0, timeout,	\
		      __ret = od_compat_freezable_schedule(__ret))

/**
 * od_compat_wait_event_killable - wait_event_killable_timeout(), freezable
 * @wq_head: wait queue
 * @condition: evaluated before the wait and whenever @wq_head is woken up
 * @timeout: in jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * Only time in which the system was awake counts towards @timeout.
 *
 * Context: sleeps. Locks stay held while the system is suspended.
 * Return: the jiffies left, at least 1, if @condition became true; 0 on timeout; -ERESTARTSYS
 * if the task was killed.
 */
#define od_compat_wait_event_killable(wq_head, condition, timeout)		\
({										\
	long __ret = timeout;							\
										\
	might_sleep();								\
	if (!___wait_cond_timeout(condition))					\
		__ret = __od_compat_wait_event_killable(wq_head, condition,	\
							timeout);		\
	__ret;									\
})

#endif /* OD_COMPAT_WAIT_H */
