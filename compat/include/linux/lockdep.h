/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/lockdep.h> that older kernels lack. */
#ifndef OD_COMPAT_LINUX_LOCKDEP_H
#define OD_COMPAT_LINUX_LOCKDEP_H

#include_next <linux/lockdep.h>
#include "od_probes.h"

#ifdef OD_HAVE_LOCKDEP_ASSERT_HELD_WRITE_EXCLUSIVE
#define lockdep_assert_held_write(lock)	lockdep_assert_held_exclusive(lock)
#endif

#endif /* OD_COMPAT_LINUX_LOCKDEP_H */
