// SPDX-License-Identifier: GPL-2.0-only
/* It is lockdep_assert_held_exclusive(): v4.13 to v5.2; drop when RHEL 8 is. */
#include <linux/rwsem.h>

#ifdef lockdep_assert_held_write
#error both
#endif

void probe(struct rw_semaphore *sem);
void probe(struct rw_semaphore *sem)
{
	lockdep_assert_held_exclusive(sem);
}
