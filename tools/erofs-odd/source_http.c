// SPDX-License-Identifier: GPL-2.0-only
/* Blobs on an HTTP server. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "name.h"
#include "source.h"

static int http_begin(struct fetcher *fetcher)
{
	fetcher->connection = curl_easy_init();
	return fetcher->connection ? 0 : -ENOMEM;
}

static void http_end(struct fetcher *fetcher)
{
	curl_easy_cleanup(fetcher->connection);
	fetcher->connection = NULL;
}

/* Sets up @req for a blob; call forget_blob() in any case. */
static int name_blob(struct http_request *req, struct source *source, const char *name)
{
	req->url = url_join(source->where, name);
	req->shown = url_join(source->shown, name);
	req->auth = &source->auth;
	req->place = source->index;
	req->mirror = source_is_mirrored(req->fetcher, name);
	if (!req->url || !req->shown)
		return fetcher_fail_for_now(req->fetcher, -ENOMEM, "out of memory");
	return 0;
}

static void forget_blob(struct http_request *req)
{
	free((char *)req->url);
	free((char *)req->shown);
}

static int http_open(struct source *source, struct fetcher *fetcher, const char *name,
		     struct version *version)
{
	struct http_request req = { .fetcher = fetcher };
	int err = name_blob(&req, source, name);

	if (!err)
		err = http_perform(&req);
	if (!err)
		*version = req.response.version;
	forget_blob(&req);
	return err;
}

/* A server may send less than requested: then the rest is requested. */
static int http_fetch(struct source *source, struct fetcher *fetcher, const char *name,
		      const struct version *want, struct fill *fill)
{
	struct http_request req = { .fetcher = fetcher, .fill = fill, .want = want };
	int err = name_blob(&req, source, name);

	while (!err && fill_wanted(fill))
		err = http_perform(&req);
	forget_blob(&req);
	/* A blob that existed must not look as if it never had. */
	if (err == -ENOENT && want->place == source->index) {
		fetcher->hope = HOPE_LITTLE;
		return -EIO;
	}
	return err;
}

const struct source_ops source_http_ops = {
	.begin = http_begin,
	.end = http_end,
	.open = http_open,
	.fetch = http_fetch,
};
