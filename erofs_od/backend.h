/* SPDX-License-Identifier: GPL-2.0-only */
/* Backends of blobs. */
#ifndef EROFS_OD_BACKEND_H
#define EROFS_OD_BACKEND_H

#include <linux/types.h>

struct cachefiles_od_read;
struct erofs_od_blob;
struct erofs_od_local;
struct erofs_od_sb_info;
struct erofs_od_source;

/**
 * struct erofs_od_backend - backend of blobs: the cache, or files of this host
 * @open: begin to open a blob; sleeps, never on the daemon
 * @wait: wait until it is open, and set its size
 * @close: undo @open; waits for I/O in flight, never on the daemon
 * @begin: pin an open blob for I/O; false when it is being closed
 * @end: undo @begin, in any context; the blob may be freed once this returns
 * @read: read a range of a pinned blob, as cachefiles_od_read() does. NULL: a metabox, which has
 *	neither an operation count nor anything to read but metadata, by @source
 * @source: set the source of its metadata. NULL: the blob itself
 * @cancel: as cachefiles_od_cancel_reads()
 * @is_filled: as cachefiles_od_is_filled()
 * @is_present: as cachefiles_od_is_present()
 * @is_wide: as cachefiles_od_is_wide()
 */
struct erofs_od_backend {
	int (*open)(struct erofs_od_sb_info *sbi, struct erofs_od_blob *blob);
	int (*wait)(struct erofs_od_blob *blob);
	void (*close)(struct erofs_od_blob *blob);
	bool (*begin)(struct erofs_od_blob *blob);
	void (*end)(struct erofs_od_blob *blob);
	void (*read)(struct erofs_od_blob *blob, struct cachefiles_od_read *read);
	void (*source)(struct erofs_od_blob *blob, struct erofs_od_source *source);
	void (*cancel)(struct erofs_od_blob *blob, const void *owner);
	bool (*is_filled)(const struct erofs_od_blob *blob);
	bool (*is_present)(const struct erofs_od_blob *blob, u64 start, u64 len);
	bool (*is_wide)(const struct erofs_od_blob *blob);
};

#endif /* EROFS_OD_BACKEND_H */
