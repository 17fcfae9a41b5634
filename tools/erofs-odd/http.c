// SPDX-License-Identifier: GPL-2.0-only
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_check.h"
#include "stats.h"

/* The body of an error page is read up to this size, to keep its connection alive. */
#define ERROR_BODY_MAX	(64U << 10)

#define MAX_REDIRECTS	5
/* A longer Retry-After is capped: no reader waits that long. */
#define PAUSE_MAX_S	3600
#define CONNECT_TIMEOUT_MS 10000L
#define RECEIVE_BUFFER	(512L << 10)

/* DNS and TLS sessions are shared by all threads; connections cannot be. */
static CURLSH *share;
static pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];

static void share_lock(CURL *curl, curl_lock_data data, curl_lock_access access, void *arg)
{
	(void)curl, (void)access, (void)arg;
	pthread_mutex_lock(&share_locks[data]);
}

static void share_unlock(CURL *curl, curl_lock_data data, void *arg)
{
	(void)curl, (void)arg;
	pthread_mutex_unlock(&share_locks[data]);
}

/** http_global_init - initialize; call once, before creating threads */
int http_global_init(void)
{
	int i;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	share = curl_share_init();
	if (!share)
		return -ENOMEM;
	for (i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&share_locks[i], NULL);
	curl_share_setopt(share, CURLSHOPT_LOCKFUNC, share_lock);
	curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, share_unlock);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return 0;
}

void http_global_exit(void)
{
	curl_share_cleanup(share);
	curl_global_cleanup();
}

/* Aborts the transfer: a callback that returns 0 does that. */
static size_t refuse(struct http_request *req, int err)
{
	req->err = err;
	return 0;
}

static size_t on_header(char *data, size_t one, size_t len, void *arg)
{
	struct http_request *req = arg;

	(void)one;
	http_response_line(&req->response, data, len);
	return len;
}

/* How many of the received bytes of a whole blob precede the requested range */
static size_t bytes_to_skip(const struct http_request *req, size_t len)
{
	uint64_t start = req->status == 206 ? 0 : req->first;

	if (req->got >= start)
		return 0;
	return start - req->got < len ? (size_t)(start - req->got) : len;
}

static uint64_t announced(const struct http_request *req)
{
	if (req->status == 206)
		return req->response.range.last - req->response.range.first + 1;
	return req->response.version.size;
}

static int take_body(struct http_request *req, const char *data, size_t len)
{
	size_t skip = bytes_to_skip(req, len);
	int err;

	req->got += len;
	if (req->got > announced(req))
		return fetcher_fail(req->fetcher, -EIO, "%s: more bytes than announced", req->shown);
	data += skip;
	len -= skip;
	if (len > fill_wanted(req->fill))
		len = (size_t)fill_wanted(req->fill);
	err = fill_add(req->fill, data, len);
	if (err)
		return fetcher_fail(req->fetcher, err, "write to the cache failed: %s", strerror(-err));
	return 0;
}

static int check_start(struct http_request *req, const char *data)
{
	int err = http_check_header(req);

	if (!err)
		err = http_check_coding(req, (uint8_t)*data);
	req->checked = !err;
	return err;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct http_request *req = arg;
	int err;

	(void)one;
	if (!len)
		return 0;
	curl_easy_getinfo(req->fetcher->connection, CURLINFO_RESPONSE_CODE, &req->status);
	stats.bytes_fetched += len;
	if (req->status != 200 && req->status != 206) {
		req->got += len;
		return req->got > ERROR_BODY_MAX ? refuse(req, -EIO) : len;
	}
	if (!req->checked) {
		err = check_start(req, data);
		if (err)
			return refuse(req, err);
	}
	if (!req->fill) {
		/* The probe has its result; the single byte of a 206 may arrive. */
		req->got += len;
		return req->status == 206 && req->got <= 1 ? len : refuse(req, -EALREADY);
	}
	err = take_body(req, data, len);
	return err ? refuse(req, err) : len;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t c, curl_off_t d)
{
	struct http_request *req = arg;
	unsigned long silence = req->fetcher->silence_ms;
	uint64_t time = clock_ms();

	(void)total, (void)c, (void)d;
	if (fetcher_canceled(req->fetcher))
		return 1;
	if ((uint64_t)now != req->heard) {
		req->heard = (uint64_t)now;
		req->heard_ms = time;
	}
	if (!silence || time - req->heard_ms < silence)
		return 0;
	req->err = fetcher_fail_for_now(req->fetcher, -ETIMEDOUT, "%s: no data for %lu ms",
					req->shown, silence);
	return 1;
}

static void set_patience(const struct fetch_options *options, CURL *curl)
{
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 options->timeout_ms < CONNECT_TIMEOUT_MS ?
			 options->timeout_ms : CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, options->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, options->low_speed);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, options->low_speed_s);
}

static void set_options(struct http_request *req, CURL *curl, const char *url)
{
	char range[48];

	/* Keeps connections, DNS and TLS sessions; resets all settings. */
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_SHARE, share);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
#if CURL_AT_LEAST_VERSION(7, 87, 0)
	/* A name server that hangs delays only this thread, and not for long. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "erofs-odd");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, req->first, req->last);
	curl_easy_setopt(curl, CURLOPT_RANGE, range);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	set_patience(req->fetcher->options, curl);
	if (req->fetcher->options->cacert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, req->fetcher->options->cacert);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, req);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, req);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, req);
}

static int judge_transport(struct http_request *req, CURLcode code, const char *detail)
{
	if (!*detail)
		detail = curl_easy_strerror(code);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return fetcher_fail_for_now(req->fetcher, -ETIMEDOUT, "%s: %s", req->shown, detail);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return fetcher_fail(req->fetcher, -EIO, "%s: %s", req->shown, detail);
	case CURLE_PARTIAL_FILE:
		return fetcher_fail_for_now(req->fetcher, -EIO, "%s: the connection ended after %"
					    PRIu64 " of %" PRIu64 " bytes", req->shown, req->got,
					    req->last - req->first + 1);
	default:
		return fetcher_fail_for_now(req->fetcher, -EIO, "%s: %s", req->shown, detail);
	}
}

/* An empty blob has no byte 0, so a probe of it returns 416. */
static bool is_empty_blob(struct http_request *req)
{
	const struct http_response *response = &req->response;

	if (req->fill || req->status != 416 || !response->has_range || response->bad ||
	    response->range.satisfied || response->range.total != 0)
		return false;
	req->response.version.place = req->place;
	req->response.version.size = 0;
	return true;
}

static int judge_body(struct http_request *req)
{
	int err;

	/* There was no body. */
	if (!req->checked) {
		err = http_check_header(req);
		if (err)
			return err;
	}
	if (!req->fill || req->got == announced(req))
		return 0;
	return fetcher_fail_for_now(req->fetcher, -EIO, "%s: short body: %" PRIu64 " of %"
				    PRIu64 " bytes", req->shown, req->got, announced(req));
}

static int judge(struct http_request *req, CURLcode code, const char *detail)
{
	if (fetcher_canceled(req->fetcher))
		return fetcher_fail(req->fetcher, -ECANCELED, "canceled");
	if (req->err == -EALREADY)
		return 0;
	if (req->err == -ETIMEDOUT)
		return req->err;
	if (req->status == 200 || req->status == 206) {
		if (req->err)
			return req->err;
		/* Everything arrived; how the connection ended does not matter. */
		if (req->checked && req->fill && !fill_wanted(req->fill))
			return 0;
		return code ? judge_transport(req, code, detail) : judge_body(req);
	}
	if (is_empty_blob(req))
		return 0;
	if (req->status >= 300)
		return http_check_status(req);
	return judge_transport(req, code ? code : CURLE_WEIRD_SERVER_REPLY, detail);
}

static void start_attempt(struct http_request *req)
{
	http_response_reset(&req->response);
	req->status = 0;
	req->checked = false;
	req->got = 0;
	req->heard = 0;
	req->heard_ms = clock_ms();
	req->err = 0;
	req->fetcher->pause_ms = 0;
}

static struct curl_slist *common_fields(void)
{
	return curl_slist_append(NULL, "Accept-Encoding: identity");
}

static CURLcode transfer(struct http_request *req, struct curl_slist *fields,
			 char detail[CURL_ERROR_SIZE])
{
	CURL *curl = req->fetcher->connection;
	curl_off_t retry_after = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &req->status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	if (retry_after > 0)
		req->fetcher->pause_ms = retry_after < PAUSE_MAX_S ?
			(unsigned long)retry_after * 1000 : PAUSE_MAX_S * 1000UL;
	return code;
}

/* Sends one request to @url, with credentials only if @own. */
static int attempt(struct http_request *req, const char *url, bool own)
{
	struct curl_slist *fields = common_fields();
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code;
	int err = 0;

	start_attempt(req);
	set_options(req, req->fetcher->connection, url);
	if (own && req->auth)
		err = auth_apply(req->auth, req->fetcher, req->fetcher->connection, &fields);
	if (!err) {
		code = transfer(req, fields, detail);
		err = judge(req, code, detail);
	}
	curl_slist_free_all(fields);
	return err;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same = !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
		    !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) && !strcasecmp(x, y);

	curl_free(x);
	curl_free(y);
	return same;
}

/* Whether scheme, host and port match, so that credentials may be sent. */
static bool same_origin(const char *a, const char *b)
{
	CURLU *x = curl_url(), *y = curl_url();
	bool same = x && y && !curl_url_set(x, CURLUPART_URL, a, 0) &&
		    !curl_url_set(y, CURLUPART_URL, b, 0) &&
		    same_part(x, y, CURLUPART_SCHEME) && same_part(x, y, CURLUPART_HOST) &&
		    same_part(x, y, CURLUPART_PORT);

	curl_url_cleanup(x);
	curl_url_cleanup(y);
	return same;
}

static bool is_https(const char *url)
{
	return !strncasecmp(url, "https:", 6);
}

/* Gets the target of a redirect; 1 if it is none. The URL may contain secrets and is not logged. */
static int next_url(struct http_request *req, char **url, bool *own)
{
	const char *next = NULL;
	bool secure = is_https(*url);
	char *copy;

	curl_easy_getinfo(req->fetcher->connection, CURLINFO_REDIRECT_URL, &next);
	if (!next || req->status < 301 || req->status > 308)
		return 1;
	if (secure && !is_https(next) && !req->fetcher->options->downgrade)
		return fetcher_fail(req->fetcher, -EIO, "%s: redirected from https to another "
				    "protocol", req->shown);
	copy = strdup(next);
	if (!copy)
		return fetcher_fail_for_now(req->fetcher, -ENOMEM, "out of memory");
	*own = same_origin(req->url, copy);
	free(*url);
	*url = copy;
	return 0;
}

static int follow(struct http_request *req, char **url)
{
	bool own = true;
	int hops, err, moved;

	for (hops = 0; hops <= MAX_REDIRECTS; hops++) {
		err = attempt(req, *url, own);
		moved = err && err != -ECANCELED ? next_url(req, url, &own) : 1;
		if (moved)
			return moved < 0 ? moved : err;
	}
	return fetcher_fail(req->fetcher, -EIO, "%s: more than %d redirects", req->shown,
			    MAX_REDIRECTS);
}

/**
 * http_perform - send one request and receive the response
 * @req: the request; results are filled in
 *
 * A probe asks for byte 0 and learns the size from the response's Content-Range: unlike HEAD
 * that also shows whether the server supports ranges. Redirects are followed here, so that
 * credentials only go to the source's own host.
 *
 * Return: 0 if everything that the server announced arrived, which may be less than requested.
 * Otherwise a negative errno, with the fetcher's reason and hope set.
 */
int http_perform(struct http_request *req)
{
	char *url = strdup(req->url);
	int err;

	if (!url)
		return fetcher_fail_for_now(req->fetcher, -ENOMEM, "out of memory");
	req->first = req->fill ? req->fill->off + req->fill->used : 0;
	req->last = req->fill ? req->fill->end - 1 : 0;
	err = follow(req, &url);
	free(url);
	return err;
}
