/* SPDX-License-Identifier: GPL-2.0-only */
/* One HTTP request for a range; everything the server claims is checked. */
#ifndef ODD_HTTP_H
#define ODD_HTTP_H

#include "auth.h"
#include "fetcher.h"
#include "fill.h"
#include "http_response.h"

/** HTTP_WHOLE_MAX - largest blob that a server without ranges may serve, in bytes */
#define HTTP_WHOLE_MAX	(4U << 20)

/**
 * struct http_request - a request and its result
 * @fetcher: of the thread
 * @url: what to request
 * @shown: the same for the log
 * @auth: credentials, only for the host of @url
 * @fill: gets the bytes, and has the range to fetch; NULL: a probe for the size
 * @want: the version that the blob must have, NULL for a probe
 * @place: index of the source
 * @mirror: see version_same()
 *
 * @first: first byte requested
 * @last: last byte requested
 * @status: HTTP status
 * @response: its header; @response.version is complete once the header was checked
 * @checked: the header was checked and is valid
 * @got: bytes of the body so far
 * @heard_ms: when the last of them came
 * @heard: @got at that time
 * @err: why the transfer was aborted, or 0
 */
struct http_request {
	struct fetcher *fetcher;
	const char *url;
	const char *shown;
	const struct auth *auth;
	struct fill *fill;
	const struct version *want;
	int place;
	bool mirror;

	uint64_t first;
	uint64_t last;
	long status;
	struct http_response response;
	bool checked;
	uint64_t got;
	uint64_t heard_ms;
	uint64_t heard;
	int err;
};

int http_global_init(void);
void http_global_exit(void);
int http_perform(struct http_request *req);

#endif
