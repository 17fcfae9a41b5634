// SPDX-License-Identifier: GPL-2.0-only
#include "http_check.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/*
 * The reply may come from another backend of a load balancer, or from a captive portal: another
 * try, or another source, may succeed.
 */
static int doubt(struct http_request *req, int err)
{
	req->fetcher->hope = HOPE_LITTLE;
	return err;
}

static int fail_size(struct http_request *req, uint64_t told)
{
	return fetcher_fail(req->fetcher, -ESTALE, "%s: the server says the blob has %" PRIu64
			    " bytes, it had %" PRIu64 " when it was opened", req->shown, told,
			    req->want->size);
}

static int check_partial(struct http_request *req)
{
	const struct content_range *range = &req->response.range;

	if (!req->response.has_range || !range->satisfied)
		return fetcher_fail(req->fetcher, -EIO, "%s: status 206 without a Content-Range",
				    req->shown);
	if (range->total == RANGE_UNKNOWN && !req->want)
		return fetcher_fail(req->fetcher, -EIO, "%s: the server does not report the size",
				    req->shown);
	if (range->total != RANGE_UNKNOWN && req->want && range->total != req->want->size)
		return fail_size(req, range->total);
	/* A server may send less than requested. */
	if (range->first != req->first || range->last > req->last)
		return fetcher_fail(req->fetcher, -EIO, "%s: asked for bytes %" PRIu64 "-%" PRIu64
				    ", the server sends %" PRIu64 "-%" PRIu64, req->shown,
				    req->first, req->last, range->first, range->last);
	return 0;
}

/*
 * The whole blob instead of a range: legitimate from a server without range support if the blob
 * is small, and occasionally from a proxy that is still fetching it.
 */
static int check_whole(struct http_request *req)
{
	uint64_t length = req->response.length;

	if (length == RANGE_UNKNOWN)
		return doubt(req, fetcher_fail(req->fetcher, -EOPNOTSUPP, "%s: the server ignores "
					       "Range and reports no size", req->shown));
	if (req->want && length != req->want->size)
		return doubt(req, fetcher_fail(req->fetcher, -EIO, "%s: the server ignores Range "
					       "and sends %" PRIu64 " bytes, the blob has %" PRIu64,
					       req->shown, length, req->want->size));
	if (length > HTTP_WHOLE_MAX)
		return doubt(req, fetcher_fail(req->fetcher, req->want ? -EIO : -EOPNOTSUPP,
					       "%s: the server ignores Range, and %" PRIu64
					       " bytes are too many to fetch whole", req->shown,
					       length));
	return 0;
}

static int fail_changed(struct http_request *req, const char *field, const char *was,
			const char *is)
{
	return fetcher_fail(req->fetcher, -ESTALE, "%s: the blob changed on the server: "
			    "its %s was %s and is %s", req->shown, field, was, is);
}

static int check_version(struct http_request *req)
{
	const struct version *was = req->want, *is = &req->response.version;

	if (!was || version_same(was, is, req->mirror))
		return 0;
	/* A reply without a version cannot be trusted. */
	if (!version_is_named(is))
		return doubt(req, fetcher_fail(req->fetcher, -EIO, "%s: neither ETag nor "
					       "Last-Modified, which the blob had when it was "
					       "opened", req->shown));
	if (*was->etag && *is->etag && strcmp(was->etag, is->etag))
		return fail_changed(req, "ETag", was->etag, is->etag);
	if (*was->modified && *is->modified)
		return fail_changed(req, "Last-Modified", was->modified, is->modified);
	return fetcher_fail(req->fetcher, -ESTALE, "%s: cannot tell whether it is the version that "
			    "was opened", req->shown);
}

/** http_check_header - check a header, once per reply, before using any byte of the body */
int http_check_header(struct http_request *req)
{
	struct http_response *response = &req->response;
	int err;

	if (response->bad)
		return fetcher_fail(req->fetcher, -EIO, "%s: invalid field %s",
				    req->shown, response->bad);
	if (response->web_page)
		return doubt(req, fetcher_fail(req->fetcher, -EIO, "%s: a web page (text/html) "
					       "instead of the blob", req->shown));
	err = req->status == 206 ? check_partial(req) : check_whole(req);
	if (err)
		return err;
	response->version.place = req->place;
	if (req->status == 200)
		response->version.size = response->length;
	else if (response->range.total != RANGE_UNKNOWN)
		response->version.size = response->range.total;
	else
		response->version.size = req->want->size;
	return check_version(req);
}

/** http_check_coding - check the first byte of the body */
int http_check_coding(struct http_request *req, uint8_t byte)
{
	uint64_t off = req->status == 206 ? req->first : 0;

	if (!http_response_is_coded(&req->response, off, byte))
		return 0;
	return fetcher_fail(req->fetcher, -EIO, "%s: the body is encoded (Content-Encoding: %s)",
			    req->shown, req->response.coding);
}

/** http_check_status - get the error for a status without data */
int http_check_status(struct http_request *req)
{
	uint64_t total = req->response.range.total;
	long status = req->status;
	int err = -EIO;

	/* The range was inside the blob when it was opened. */
	if (status == 416 && req->want && req->response.has_range && total != RANGE_UNKNOWN &&
	    total != req->want->size)
		return fail_size(req, total);
	if (status == 404 || status == 410)
		err = -ENOENT;
	if (status == 401 || status == 403 || status == 407)
		err = -EACCES;
	fetcher_fail(req->fetcher, err, "%s: status %ld", req->shown,
		     status);
	if (status == 408 || status == 425 || status == 429 ||
	    (status >= 500 && status != 501 && status != 505))
		req->fetcher->hope = HOPE_LATER;
	return err;
}
