// SPDX-License-Identifier: GPL-2.0-only
/* Ending the reads of an inode that is no longer in use. */
#include "internal.h"

#include <linux/sched.h>
#include <linux/xarray.h>

/**
 * erofs_od_io_is_reading - whether any folio is locked; value entries are shadows of evicted
 * folios
 */
bool erofs_od_io_is_reading(struct inode *inode)
{
	struct folio *folio;
	unsigned long index;

	xa_for_each(&inode->i_data.i_pages, index, folio)
		if (!xa_is_value(folio) && folio_test_locked(folio))
			return true;
	return false;
}

/**
 * erofs_od_io_end_reads - cancel the reads of an inode and wait for them to end
 * @inode: unused inode
 * @blobs: blobs that its data may come from
 * @nr: number of @blobs
 * @owner: owner of the reads
 *
 * Folios that wait for the daemon are locked, and eviction would wait for them unkillably. The
 * loop catches reads that start to wait while it runs.
 *
 * Context: sleeps, never on the daemon.
 */
void erofs_od_io_end_reads(struct inode *inode, struct erofs_od_blob *const *blobs,
			   unsigned int nr, const void *owner)
{
	unsigned int i;

	while (erofs_od_io_is_reading(inode)) {
		for (i = 0; i < nr; i++)
			blobs[i]->backend->cancel(blobs[i], owner);
		schedule_timeout_uninterruptible(1);
	}
}
