/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that cachefiles_od offers to erofs_od, in fscache's words.
 *
 * A volume is a name space of blobs, a cookie is one blob in it. An operation
 * pins a cookie for as long as I/O on it may be under way. A read brings a
 * range of a blob into given pages: at once from the cache file where the
 * range is present, and when the daemon has delivered it where it is not.
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
/** CACHEFILES_OD_TIMEOUT_NONE - a timeout_ms: wait for ever (killably) */
#define CACHEFILES_OD_TIMEOUT_NONE	(~0U)
/**
 * CACHEFILES_OD_TIMEOUT_METADATA - a timeout_ms: the module parameter timeout_ms,
 * or metadata_timeout_ms where that is 0
 *
 * For waits that others wait for in turn, who cannot be killed: a task that looks
 * a name up holds its directory.
 */
#define CACHEFILES_OD_TIMEOUT_METADATA	(~0U - 1)

/**
 * cachefiles_od_acquire_volume - join the cache with a name space of blobs
 * @key: NUL-terminated volume key, "erofs,<domain or fsid>"
 * @tag: which cache, by the name that its daemon gave it; NULL for the one of the
 *	first device
 *
 * Of several caches of that name the one that has a daemon is joined, or the one
 * that was bound last. Creates nothing on disk: directories appear when the first
 * blob needs them.
 *
 * Context: may sleep, takes the cache mutex.
 * Return: the volume, or an ERR_PTR: -ENOTCONN no such cache is bound, -EBUSY
 * the key is in use, -EINVAL empty key or one with a '/', -ENAMETOOLONG, -ENOMEM.
 */
struct cachefiles_od_volume *cachefiles_od_acquire_volume(const char *key, const char *tag);

/**
 * cachefiles_od_volume_is_current - would a new volume of this tag join the same cache?
 * @volume: joined volume
 * @tag: as for cachefiles_od_acquire_volume()
 *
 * A cache that has lost its daemon and its directory stays for the volumes in it; new
 * ones join the cache that was bound since.
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
 * @volume: where the blob's name means something
 * @key: blob name, any bytes
 * @key_len: bytes in @key, 1 to 255
 * @timeout_ms: time limit for the daemon's reply to the OPEN, from now on, or one of
 *	CACHEFILES_OD_TIMEOUT_*
 *
 * Asks the daemon, which alone knows the size and version that the blob has now, and
 * does not wait for it: several blobs can be asked for at once. Without a daemon, what
 * the cache holds of the blob has to do.
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
 * @cookie: of cachefiles_od_acquire_cookie(), once; nothing else can be done with it
 *	before this has succeeded, but to relinquish it
 *
 * The wait ends at once when the caller is killed.
 *
 * Context: sleeps, for as long as the daemon takes; hold no lock that anything else
 * needs.
 * Return: 0; or the daemon's own errno, -EINTR killed, -ETIMEDOUT, -EIO daemon died:
 * then the cookie is to be relinquished.
 */
int cachefiles_od_wait_for_cookie(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_relinquish_cookie - close a blob
 * @cookie: cookie; all its operations are ended or about to end
 *
 * Fails what still waits for the daemon with -EIO, sends CLOSE without waiting
 * for anyone to read it, waits for I/O under way on the cache file.
 *
 * Context: may sleep, never on the daemon.
 */
void cachefiles_od_relinquish_cookie(struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_cookie_size - bytes of the blob as the daemon told them
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
 * cachefiles_od_is_filled - is nearly all of a blob present?
 * @cookie: an acquired cookie
 *
 * A hint: ranges may be given back at any time. Bytes that no file uses are never fetched,
 * so a 64th may be missing.
 *
 * Context: any.
 */
bool cachefiles_od_is_filled(const struct cachefiles_od_cookie *cookie);

/**
 * cachefiles_od_is_present - is a whole range present, so that no daemon is needed?
 * @cookie: an acquired cookie
 * @start: first byte
 * @len: bytes
 *
 * Context: any but hard interrupt.
 */
bool cachefiles_od_is_present(struct cachefiles_od_cookie *cookie, u64 start,
			      u64 len);

/**
 * cachefiles_od_is_wide - may READs be wider than what is wanted?
 * @cookie: an acquired cookie
 *
 * A daemon that asked for wide READs takes any. Others have been seen to fail a
 * READ of bytes that nobody wanted, or of two extents at once: what is missing is
 * to be asked for by itself.
 *
 * Context: any. The result may change with the daemon.
 * Return: true when the present daemon asked for wide READs.
 */
bool cachefiles_od_is_wide(const struct cachefiles_od_cookie *cookie);

/** CACHEFILES_OD_USE_WAITS - classes of waits: shorter than 1 ms, 2 ms, 4 ms, ... */
#define CACHEFILES_OD_USE_WAITS		20
/** CACHEFILES_OD_USE_ERRNOS - classes of errors */
#define CACHEFILES_OD_USE_ERRNOS	9

/**
 * struct cachefiles_od_use - what reads of a mount, a blob or a cache came to
 * @hits: parts of reads that were present
 * @misses: parts of reads that waited for the daemon, whether they failed or not
 * @served: bytes read
 * @errors: parts of reads that failed, by errno
 * @waits: misses, by how long they took
 *
 * Zeroed memory is a valid one.
 */
struct cachefiles_od_use {
	atomic64_t hits, misses, served;
	atomic_t errors[CACHEFILES_OD_USE_ERRNOS];
	atomic_t waits[CACHEFILES_OD_USE_WAITS];
};

/** cachefiles_od_use_head - names of the columns that cachefiles_od_use_show() prints */
const char *cachefiles_od_use_head(void);

/**
 * cachefiles_od_use_show - columns of a row of a table in /proc
 * @m: the table; each column comes after a tab
 * @use: what they tell
 */
void cachefiles_od_use_show(struct seq_file *m, const struct cachefiles_od_use *use);

/**
 * struct cachefiles_od_read - one asynchronous read of a blob
 * @cookie: blob, pinned by an operation until the last byte is reported
 * @owner: on whose behalf, for cachefiles_od_cancel_reads(); may be NULL
 * @group: what several owners belong to, for the same; may be NULL
 * @use: counts what the read comes to, until its last byte is reported; may be NULL
 * @bvec: destination pages; @bvec and the pages stay until the last byte is
 *	reported
 * @nr_bvec: entries in @bvec
 * @start: first byte of the blob; any alignment
 * @len: bytes, not 0, the sum of @bvec's lengths
 * @timeout_ms: how long a missing range may be waited for, or one of
 *	CACHEFILES_OD_TIMEOUT_*
 * @done: called when the bytes [@from, @from + @len) counted from the start of
 *	the read are in the pages, or failed with @error. Every byte is reported
 *	exactly once, in any order and grouping, from any context up to hard
 *	interrupt, possibly before cachefiles_od_read() returns. The read may be
 *	freed once its last byte was reported.
 *
 * A range that reaches beyond the blob fails with -EIO, but for the rest of
 * its last %CACHEFILES_OD_GRAIN bytes, which reads as zeroes.
 */
struct cachefiles_od_read {
	struct cachefiles_od_cookie *cookie;
	const void *owner;
	const void *group;
	struct cachefiles_od_use *use;
	const struct bio_vec *bvec;
	unsigned int nr_bvec;
	u64 start;
	size_t len;
	unsigned int timeout_ms;
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
 * @owner: an owner, or a group, whose reads to cancel; NULL for everyone's
 *
 * What waits for the daemon is reported as failed with -EIO before this
 * returns; what is being read from the cache file is left to finish.
 *
 * Context: may sleep.
 */
void cachefiles_od_cancel_reads(struct cachefiles_od_cookie *cookie,
				const void *owner);

#endif /* OD_CACHE_H */
