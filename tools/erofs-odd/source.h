/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources of blobs: one interface for directories and HTTP servers. */
#ifndef ODD_SOURCE_H
#define ODD_SOURCE_H

#include <stdbool.h>

#include "auth.h"
#include "fetcher.h"
#include "fill.h"
#include "version.h"

/** SOURCES_MAX - maximum number of sources: sets of them are 64-bit masks */
#define SOURCES_MAX	64

struct source;

/**
 * struct source_ops - a kind of source
 * @begin: set up a thread; NULL if not needed
 * @end: undo that
 * @open: look a blob up. -ENOENT if the source does not have it
 * @fetch: fetch the rest of @fill, of the version @want. -ESTALE: the source
 *	has another one, of which nothing was filled. What was filled before a
 *	failure stays
 *
 * On error the fetcher has the reason, and whether to try again. -ECANCELED: it was aborted.
 */
struct source_ops {
	int (*begin)(struct fetcher *fetcher);
	void (*end)(struct fetcher *fetcher);
	int (*open)(struct source *source, struct fetcher *fetcher, const char *name,
		    struct version *version);
	int (*fetch)(struct source *source, struct fetcher *fetcher, const char *name,
		     const struct version *want, struct fill *fill);
};

/**
 * struct source - a place to look for blobs in
 * @ops: its kind
 * @index: its index in the list
 * @where: directory or base URL
 * @shown: the same for the log, without secrets
 * @auth: HTTP: credentials
 * @dirfd: the directory
 * @next: the next source
 */
struct source {
	const struct source_ops *ops;
	int index;
	char *where;
	char *shown;
	struct auth auth;
	int dirfd;
	struct source *next;
};

extern const struct source_ops source_dir_ops;
extern const struct source_ops source_http_ops;

int source_add(struct source **list, const char *where);
int source_add_from_file(struct source **list, const char *path);
struct source *source_last(struct source *list);
bool source_is_mirrored(const struct fetcher *fetcher, const char *name);
void source_free(struct source *list);

#endif
