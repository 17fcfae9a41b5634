// SPDX-License-Identifier: GPL-2.0-only
/*
 * TASK_FREEZABLE is a state to sleep in, and wait_event() sees signals in it: since v6.1;
 * drop when the minimum is v6.1.
 */
#include <linux/build_bug.h>
#include <linux/sched.h>
#include <linux/wait.h>

static_assert(TASK_FREEZABLE_UNSAFE & TASK_FREEZABLE, "a flag among others");
static_assert(___wait_is_interruptible((TASK_KILLABLE | TASK_FREEZABLE_UNSAFE)), "killable");
