/* SPDX-License-Identifier: GPL-2.0-only */
/* Where blobs come from: folders and HTTP servers behind one interface. */
#ifndef ODD_SOURCE_H
#define ODD_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "fill.h"

/** VALIDATOR_MAX - longest validator that the kernel takes, in bytes */
#define VALIDATOR_MAX	255

struct source;
struct source_file;

/**
 * struct fetch_options - how patient to be with a source
 * @retries: how often a failed request is repeated
 * @timeout_ms: longest time for one request
 * @low_speed: a request slower than this many bytes per second ...
 * @low_speed_s: ... for this many seconds is given up
 * @cacert: file of the certificates to trust, NULL for the system's
 */
struct fetch_options {
	unsigned int retries;
	long timeout_ms;
	long low_speed;
	long low_speed_s;
	const char *cacert;
};

/**
 * struct fetcher - what one worker thread fetches with
 * @options: shared by all
 * @stop: set when all work is to be given up
 * @cancel: set when the present request is to be given up, or NULL
 * @curl: the thread's connections
 * @why: says why the last call failed, one clause for the log
 */
struct fetcher {
	const struct fetch_options *options;
	const atomic_bool *stop;
	const atomic_bool *cancel;
	void *curl;
	char why[1200];
};

/**
 * struct source_ops - a kind of source
 * @open: look a blob up; sets @size, @validator and what else @fetch needs.
 *	-ENOENT if the source does not have it
 * @fetch: bring all that @fill still wants, of the version that @open has seen.
 *	-ESTALE: the source has another version now; nothing of it was filled
 * @close: free what @open made
 *
 * On error fetcher->why is set. -ECANCELED: the fetcher was told to stop.
 */
struct source_ops {
	int (*open)(struct source *source, struct fetcher *fetcher, const char *name,
		    struct source_file *file);
	int (*fetch)(struct source_file *file, struct fetcher *fetcher, struct fill *fill);
	void (*close)(struct source_file *file);
};

/**
 * struct source - a place to look for blobs in
 * @ops: its kind
 * @where: folder or base URL
 * @shown: the same for the log
 * @dirfd: the folder
 * @next: tried if this one does not have the blob
 */
struct source {
	const struct source_ops *ops;
	char *where;
	char *shown;
	int dirfd;
	struct source *next;
};

/**
 * struct dir_version - which content a file of a folder has
 * @dev: device that it is on
 * @ino: inode number
 * @mtime: when it was written to
 * @ctime: when anything about it was changed
 */
struct dir_version {
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
	struct timespec ctime;
};

/**
 * struct http_version - how a server tells versions of a blob apart
 * @etag: entity tag, or NULL
 * @strong: equal tags mean equal bytes
 * @modified: Last-Modified, or NULL
 */
struct http_version {
	char *etag;
	bool strong;
	char *modified;
};

/**
 * struct source_file - a blob of a source
 * @source: whose; NULL: not open
 * @name: of the blob; the caller's, and lives as long as this
 * @size: in bytes
 * @validator: changes when the content does; "" if the source cannot tell
 * @fd: folder: the file
 * @seen: folder: what the file was when it was opened
 * @url: HTTP: the blob's URL
 * @shown: HTTP: the same for the log
 * @version: HTTP: what the server said when the blob was opened
 * @whole: HTTP: the server has no ranges, so all of it is fetched every time
 */
struct source_file {
	struct source *source;
	const char *name;
	uint64_t size;
	char validator[VALIDATOR_MAX + 1];
	int fd;
	struct dir_version seen;
	char *url;
	char *shown;
	struct http_version version;
	bool whole;
};

extern const struct source_ops source_dir_ops;
extern const struct source_ops source_http_ops;

int source_add(struct source **list, const char *where);
void source_free(struct source *list);
int source_lookup(struct source *list, struct fetcher *fetcher, const char *name,
		  struct source_file *file);

int fetcher_init(struct fetcher *fetcher, const struct fetch_options *options,
		 const atomic_bool *stop);
void fetcher_exit(struct fetcher *fetcher);
bool fetcher_canceled(const struct fetcher *fetcher);
int fetcher_fail(struct fetcher *fetcher, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
