/* SPDX-License-Identifier: GPL-2.0-only */
/* One HTTP request for a range, with every claim of the server checked. */
#ifndef ODD_HTTP_H
#define ODD_HTTP_H

#include "range.h"
#include "source.h"

/** HTTP_WHOLE_MAX - largest blob that a server without ranges may serve, in bytes */
#define HTTP_WHOLE_MAX	(4U << 20)

/**
 * struct http_request - one request and what became of it
 * @fetcher: whose
 * @url: what to get
 * @shown: the same for the log
 * @first: first byte wanted
 * @last: last byte wanted
 * @fill: takes the bytes; NULL: this is a probe for the size
 * @size: what the blob must have in all, %RANGE_UNKNOWN for a probe
 * @want: the version that the blob must have, or NULL for a probe
 * @whole: the server is known to have no ranges
 *
 * @status: HTTP status
 * @range: Content-Range
 * @has_range: there was one, and it could be read
 * @bad_header: there was something in the header that cannot be
 * @length: Content-Length, or %RANGE_UNKNOWN
 * @seen: the version that the answer is of; http_version_free() it
 * @retry_after_s: the server asks to wait so long
 * @checked: the header was found good
 * @got: bytes of the body so far
 * @err: why the transfer was broken off, or 0; -ESTALE: another version
 * @again: another try may help
 */
struct http_request {
	struct fetcher *fetcher;
	const char *url;
	const char *shown;
	uint64_t first;
	uint64_t last;
	struct fill *fill;
	uint64_t size;
	const struct http_version *want;
	bool whole;

	long status;
	struct content_range range;
	bool has_range;
	bool bad_header;
	uint64_t length;
	struct http_version seen;
	long retry_after_s;
	bool checked;
	uint64_t got;
	int err;
	bool again;
};

int http_global_init(void);
void http_global_exit(void);
void *http_handle_new(void);
void http_handle_free(void *curl);
void http_version_free(struct http_version *version);
int http_perform(struct http_request *req);

#endif
