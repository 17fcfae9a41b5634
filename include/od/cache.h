/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of cachefiles_od for erofs_od, in fscache's terms.
 *
 * A volume is a namespace of blobs, a cookie is one blob in it. An operation
 * pins a cookie while I/O on it may be in flight. A read copies a range of a
 * blob into the given pages: present data at once, from the cache file, missing
 * data once the daemon has delivered it.
 *
 * No function here may be called with a spinlock held.
 */
#ifndef OD_CACHE_H
#define OD_CACHE_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/types.h>

struct cachefiles_od_cookie;
struct cachefiles_od_volume;
struct seq_file;

/** CACHEFILES_OD_GRAIN - the tail of a blob is readable up to a multiple of this */
#define CACHEFILES_OD_GRAIN	4096U

/** CACHEFILES_OD_TIMEOUT_DEFAULT - a timeout_ms: use the module parameter */
#define CACHEFILES_OD_TIMEOUT_DEFAULT	0U
/** CACHEFILES_OD_TIMEOUT_NONE - a timeout_ms: no deadline (waits are killable) */
#define CACHEFILES_OD_TIMEOUT_NONE	(~0U)
/**
 * CACHEFILES_OD_TIMEOUT_METADATA - a timeout_ms: the module parameter timeout_ms,
 * or metadata_timeout_ms where that is 0
 *
 * For waits that block other tasks unkillably: a task that looks up a name holds the
 * lock of its directory.
 */
#define CACHEFILES_OD_TIMEOUT_METADATA	(~0U - 1)

/**
 * cachefiles_od_acquire_volume - join the cache with a namespace of blobs
 * @key: NUL-terminated volume key, "erofs,<domain or fsid>"
 * @tag: name of the cache, from its daemon; NULL for the cache of the first device
 *
 * If several caches have that name, joins the one with a daemon, otherwise the one
 * that was bound last. Creates nothing on disk: directories are created when the
 * first blob needs them.
 *
 * Context: may sleep, takes the cache mutex.
 * Return: the volume, or an ERR_PTR: -ENOTCONN no such cache is bound, -EBUSY
 * the key is in use, -EINVAL empty key or one with a '/', -ENAMETOOLONG, -ENOMEM.
 */
struct cachefiles_od_volume *cachefiles_od_acquire_volume(const char *key, const char *tag);

/**
 * cachefiles_od_volume_is_current - whether a new volume of this tag would join the same cache
 * @volume: joined volume
 * @tag: as for cachefiles_od_acquire_volume()
 *
 * A cache without a daemon whose directory was replaced is kept for its volumes; new
 * volumes join the cache that was bound since.
 *
 * Context: may sleep, takes the cache mutex.
 */
bool cachefiles_od_volume_is_current(const struct cachefiles_od_volume *volume, const char *tag);

/**
 * cachefiles_od_volume_cache - number of a volume's cache, as in the tables of /proc
 * @volume: joined volume
 *
 * Context: any.
 */
unsigned int cachefiles_od_volume_cache(const struct cachefiles_od_volume *volume);

/**
 * cachefiles_od_relinquish_volume - leave the cache
 * @volume: volume with no cookie left
 *
 * Context: may sleep, takes the cache mutex.
 */
void cachefiles_od_relinquish_volume(struct cachefiles_od_volume *volume);

/**
 * cachefiles_od_acquire_cookie - begin to open a blob
 * @volume: namespace of the blob's name
 * @key: blob name, any bytes
 * @key_len: bytes in @key, 1 to 255
 * @timeout_ms: time limit for the daemon's reply to the OPEN, starting now, or one of
 *	CACHEFILES_OD_TIMEOUT_*
 *
 * Sends an OPEN to the daemon, which alone knows the current size and version of the
 * blob, and does not wait for the reply: several blobs can be opened at once. Without a
 * daemon, the cached data has to suffice.
 *
 * Context: may sleep for the cache's file system, never on the daemon.
 * Return: the cookie, for cachefiles_od_wait_for_cookie(), or an ERR_PTR: -EBUSY the
 * blob is open in this volume already, -ENAMETOOLONG the file name would be too long,
 * -EINTR killed, -ENOTCONN no daemon.
 */
struct cachefiles_od_cookie *
cachefiles_od_acquire_cookie(struct cachefiles_od_volume *volume,
			     const void *key, size_t key_len,
			     unsigned int timeout_ms);

/**
 * cachefiles_od_wait_for_cookie - wait until a blob is open
 * @cookie: from cachefiles_od_acquire_cookie(). Until this has succeeded, it can only be
 *	relinquished; called once for each cookie
 *
 * The wait ends at once when the caller is killed.
 *
 * Context: sleeps, for as long as the daemon takes; hold no lock that anything else
 * needs.
 * Return: 0; or the daemon's own errno, -EINTR killed, -ETIMEDOUT, -EIO daemon died.
 * On error the caller must relinquish the cookie.
 */
int cachefiles_od_wait_for_cookie(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_relinquish_cookie - close a blob
 * @cookie: cookie; all its operations have ended or are about to end
 *
 * Fails reads that wait for the daemon with -EIO, queues a CLOSE without waiting for
 * the daemon to read it, and waits for I/O in flight on the cache file.
 *
 * Context: may sleep, never on the daemon.
 */
void cachefiles_od_relinquish_cookie(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_cookie_size - size of the blob in bytes, as reported by the daemon
 * @cookie: an acquired cookie
 *
 * Context: any.
 */
u64 cachefiles_od_cookie_size(const struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_begin_operation - pin a cookie for I/O
 * @cookie: an acquired cookie
 *
 * Context: any but hard interrupt.
 * Return: false when the cookie is being relinquished.
 */
bool cachefiles_od_begin_operation(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_end_operation - undo cachefiles_od_begin_operation()
 * @cookie: pinned cookie
 *
 * Context: any, hard interrupt included.
 */
void cachefiles_od_end_operation(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_is_filled - whether nearly all of a blob is present
 * @cookie: an acquired cookie
 *
 * A hint: ranges may be punched at any time. Bytes that no file uses are never fetched,
 * so up to 1/64 may be missing.
 *
 * Context: any.
 */
bool cachefiles_od_is_filled(const struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_is_present - whether a whole range is present
 * @cookie: an acquired cookie
 * @start: first byte
 * @len: bytes
 *
 * Context: any but hard interrupt.
 */
bool cachefiles_od_is_present(struct cachefiles_od_cookie *cookie, u64 start,
			      u64 len);

/**
 * cachefiles_od_is_wide - whether READs may be wider than what readers want
 * @cookie: an acquired cookie
 *
 * A daemon that asked for wide READs accepts any. Others are known to fail a READ of
 * unneeded bytes, or of two extents at once: they must get one READ per extent.
 *
 * Context: any. The result may change with the daemon.
 * Return: true when the current daemon asked for wide READs.
 */
bool cachefiles_od_is_wide(const struct cachefiles_od_cookie *cookie);

/** CACHEFILES_OD_USE_WAITS - classes of waits: shorter than 1 ms, 2 ms, 4 ms, ... */
#define CACHEFILES_OD_USE_WAITS		20
/** CACHEFILES_OD_USE_ERRNOS - classes of errors */
#define CACHEFILES_OD_USE_ERRNOS	9

/**
 * struct cachefiles_od_use - counters of the reads of a mount, a blob or a cache
 * @hits: parts of reads whose data was present
 * @misses: parts of reads that waited for the daemon, whether they failed or not
 * @served: bytes read
 * @errors: parts of reads that failed, by errno
 * @waits: misses, by wait time
 *
 * Initialized by zeroing.
 */
struct cachefiles_od_use {
	atomic64_t hits, misses, served;
	atomic_t errors[CACHEFILES_OD_USE_ERRNOS];
	atomic_t waits[CACHEFILES_OD_USE_WAITS];
};

/**
 * cachefiles_od_stats_string - a column of a row of a table in /proc
 * @m: file being read
 * @s: text; blanks, backslashes and unprintable bytes are escaped in octal
 */
void cachefiles_od_stats_string(struct seq_file *m, const char *s);

/** cachefiles_od_use_head - names of the columns that cachefiles_od_use_show() prints */
const char *cachefiles_od_use_head(void);

/**
 * cachefiles_od_use_show - columns of a row of a table in /proc
 * @m: the table; each column comes after a tab
 * @use: the counters
 */
void cachefiles_od_use_show(struct seq_file *m, const struct cachefiles_od_use *use);

/** CACHEFILES_OD_READ_ROOM - bytes of scratch space that a read may provide */
#define CACHEFILES_OD_READ_ROOM		320U

/**
 * struct cachefiles_od_read - one asynchronous read of a blob
 * @cookie: blob, pinned by an operation until the last byte is reported
 * @owner: owner of the read, for cachefiles_od_cancel_reads(); may be NULL
 * @group: group of owners, for the same; may be NULL
 * @use: counters to update until the last byte is reported; may be NULL
 * @room: pointer-aligned scratch space of %CACHEFILES_OD_READ_ROOM bytes that stays valid
 *	until the last byte is reported; saves an allocation. May be NULL
 * @bvec: destination pages; @bvec and the pages stay valid until the last byte is
 *	reported
 * @nr_bvec: entries in @bvec
 * @start: first byte of the blob; any alignment
 * @len: bytes, not 0, the sum of @bvec's lengths
 * @timeout_ms: deadline of the wait for missing data, or one of
 *	CACHEFILES_OD_TIMEOUT_*
 * @ahead: what is needed of it is read again, in smaller pieces, if it fails: bytes that the
 *	medium has lost fail with -EIO. Otherwise the daemon, if there is one, is asked for them,
 *	and for all others that were read from the cache file together with them
 * @done: called when the bytes [@from, @from + @len) counted from the start of
 *	the read are in the pages, or failed with @error. Every byte is reported
 *	exactly once, in any order and grouping, from any context up to hard
 *	interrupt, possibly before cachefiles_od_read() returns. The read may be
 *	freed once its last byte has been reported.
 *
 * Bytes past the end of the blob fail with -EIO, except for the rest of its last
 * %CACHEFILES_OD_GRAIN bytes, which read as zeroes.
 */
struct cachefiles_od_read {
	struct cachefiles_od_cookie *cookie;
	const void *owner;
	const void *group;
	struct cachefiles_od_use *use;
	void *room;
	const struct bio_vec *bvec;
	unsigned int nr_bvec;
	u64 start;
	size_t len;
	unsigned int timeout_ms;
	bool ahead;
	void (*done)(struct cachefiles_od_read *read, size_t from, size_t len,
		     int error);
};

/**
 * cachefiles_od_read - start a read
 * @read: filled in by the caller
 *
 * Never waits for the daemon. Errors go to @read->done.
 *
 * Context: may sleep for memory (GFP_NOFS) and for the cache file system.
 */
void cachefiles_od_read(struct cachefiles_od_read *read);

/**
 * cachefiles_od_cancel_reads - stop waiting for the daemon
 * @cookie: an acquired cookie
 * @owner: owner or group whose reads to cancel; NULL: all
 *
 * Bytes that wait for the daemon are reported as failed with -EIO before this
 * returns; reads of the cache file are left to finish.
 *
 * Context: may sleep.
 */
void cachefiles_od_cancel_reads(struct cachefiles_od_cookie *cookie,
				const void *owner);

#endif /* OD_CACHE_H */
