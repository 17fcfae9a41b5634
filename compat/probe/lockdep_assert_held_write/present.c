// SPDX-License-Identifier: GPL-2.0-only
/* lockdep_assert_held_write(): since v5.3; drop when RHEL 8 is. */
#include <linux/rwsem.h>

void probe(struct rw_semaphore *sem);
void probe(struct rw_semaphore *sem)
{
	lockdep_assert_held_write(sem);
}
