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

#include "stats.h"

/* The body of an error page is read up to here, to keep its connection alive. */
#define ERROR_BODY_MAX	(64U << 10)

#define MAX_REDIRECTS	5L
#define CONNECT_TIMEOUT_MS 10000L
#define RECEIVE_BUFFER	(512L << 10)

/* Names and TLS sessions are shared by all threads; connections cannot be. */
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

/** http_global_init - call once, before there are threads */
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

void *http_handle_new(void)
{
	return curl_easy_init();
}

void http_handle_free(void *curl)
{
	curl_easy_cleanup(curl);
}

/* Breaks the transfer off: every callback that returns 0 does. */
static size_t refuse(struct http_request *req, int err)
{
	req->err = err;
	return 0;
}

/* If @line is the field @name, returns its value without blanks and line end. */
static const char *field_value(char *line, const char *name)
{
	size_t len = strlen(name);
	char *value, *end;

	if (strncasecmp(line, name, len) || line[len] != ':')
		return NULL;
	value = line + len + 1;
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return value;
}

/** http_version_free - what it points to; it may be used again */
void http_version_free(struct http_version *version)
{
	free(version->etag);
	free(version->modified);
	memset(version, 0, sizeof(*version));
}

static void forget_header(struct http_request *req)
{
	req->has_range = false;
	req->bad_header = false;
	req->length = RANGE_UNKNOWN;
	http_version_free(&req->seen);
}

/* From @first on: it goes to the log, and to the kernel. */
static bool is_printable(const char *value, char first)
{
	for (; *value; value++)
		if (*value < first || *value > 0x7e)
			return false;
	return true;
}

static void keep(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
}

static void take_etag(struct http_version *seen, const char *value)
{
	bool weak = !strncmp(value, "W/", 2);

	if (value[weak ? 2 : 0] != '"' || !is_printable(value, 0x21))
		return;
	keep(&seen->etag, value);
	/* Equal weak tags say nothing about bytes. */
	seen->strong = !weak;
}

static void take_field(struct http_request *req, char *line)
{
	const char *value;

	value = field_value(line, "Content-Range");
	if (value) {
		/* two of them cannot both be right */
		if (req->has_range || content_range_parse(value, &req->range))
			req->bad_header = true;
		req->has_range = true;
		return;
	}
	value = field_value(line, "Content-Length");
	if (value) {
		if (number_parse(&value, &req->length) || *value)
			req->bad_header = true;
		return;
	}
	value = field_value(line, "Content-Encoding");
	if (value && strcasecmp(value, "identity")) {
		req->bad_header = true;
		return;
	}
	value = field_value(line, "ETag");
	if (value) {
		take_etag(&req->seen, value);
		return;
	}
	value = field_value(line, "Last-Modified");
	if (value && *value && is_printable(value, ' '))
		keep(&req->seen.modified, value);
}

static size_t on_header(char *data, size_t one, size_t len, void *arg)
{
	struct http_request *req = arg;
	char line[1024];

	(void)one;
	/* A longer line is none of those that matter here. */
	if (len >= sizeof(line))
		return len;
	memcpy(line, data, len);
	line[len] = '\0';
	/* The header of a redirect or of an interim answer came before. */
	if (!strncmp(line, "HTTP/", 5))
		forget_header(req);
	else
		take_field(req, line);
	return len;
}

static int fail_size(struct http_request *req, uint64_t told)
{
	return fetcher_fail(req->fetcher, -ESTALE, "%s: the server says the blob has %" PRIu64
			    " bytes, it had %" PRIu64 " when it was opened", req->shown, told,
			    req->size);
}

static int check_partial(struct http_request *req)
{
	const struct content_range *range = &req->range;

	if (!req->has_range || !range->satisfied)
		return fetcher_fail(req->fetcher, -EIO, "%s: status 206 without a Content-Range",
				    req->shown);
	if (range->total == RANGE_UNKNOWN && !req->fill)
		return fetcher_fail(req->fetcher, -EIO, "%s: the server does not tell the size",
				    req->shown);
	if (range->total != RANGE_UNKNOWN && req->size != RANGE_UNKNOWN &&
	    range->total != req->size)
		return fail_size(req, range->total);
	if (range->first != req->first || range->last != req->last)
		return fetcher_fail(req->fetcher, -EIO, "%s: asked for bytes %" PRIu64 "-%" PRIu64
				    ", the server sends %" PRIu64 "-%" PRIu64, req->shown, req->first,
				    req->last, range->first, range->last);
	return 0;
}

/* A server that ignores Range sends all: fine for small blobs, hopeless for others. */
static int check_whole(struct http_request *req)
{
	if (req->fill && !req->whole)
		return fetcher_fail(req->fetcher, -EIO,
				    "%s: the server does not honour Range any more", req->shown);
	if (req->length == RANGE_UNKNOWN)
		return fetcher_fail(req->fetcher, -EOPNOTSUPP,
				    "%s: the server ignores Range and tells no size", req->shown);
	if (req->length > HTTP_WHOLE_MAX)
		return fetcher_fail(req->fetcher, -EOPNOTSUPP, "%s: the server ignores Range, and %"
				    PRIu64 " bytes are too many to fetch whole", req->shown,
				    req->length);
	if (req->fill && req->length != req->size)
		return fail_size(req, req->length);
	return 0;
}

static int fail_changed(struct http_request *req, const char *field, const char *was,
			const char *is)
{
	if (!is)
		return fetcher_fail(req->fetcher, -ESTALE, "%s: the blob changed on the server: "
				    "its %s was %s and is not told now", req->shown, field, was);
	return fetcher_fail(req->fetcher, -ESTALE, "%s: the blob changed on the server: "
			    "its %s was %s and is %s", req->shown, field, was, is);
}

static bool differs(const char *was, const char *is)
{
	return was && (!is || strcmp(was, is));
}

/* An answer that does not say of which version it is cannot be believed. */
static int check_version(struct http_request *req)
{
	const struct http_version *was = req->want, *is = &req->seen;

	if (!was)
		return 0;
	if (differs(was->etag, is->etag))
		return fail_changed(req, "ETag", was->etag, is->etag);
	if (!was->strong && differs(was->modified, is->modified))
		return fail_changed(req, "Last-Modified", was->modified, is->modified);
	return 0;
}

/* Once per answer, when its header is complete and before any byte is used. */
static int check_header(struct http_request *req)
{
	int err;

	if (req->bad_header)
		return fetcher_fail(req->fetcher, -EIO, "%s: the answer's header makes no sense",
				    req->shown);
	err = check_version(req);
	if (err)
		return err;
	if (req->status == 206)
		return check_partial(req);
	return check_whole(req);
}

/* How much of the present data lies before the wanted range of a whole blob */
static size_t bytes_to_skip(const struct http_request *req, size_t len)
{
	uint64_t start = req->status == 206 ? 0 : req->first;

	if (req->got >= start)
		return 0;
	return start - req->got < len ? (size_t)(start - req->got) : len;
}

static int take_body(struct http_request *req, const char *data, size_t len)
{
	size_t skip = bytes_to_skip(req, len);
	int err;

	req->got += len;
	data += skip;
	len -= skip;
	if (req->status == 200) {
		if (req->got > req->size)
			return fetcher_fail(req->fetcher, -EIO, "%s: more bytes than announced",
					    req->shown);
		if (len > fill_wanted(req->fill))
			len = (size_t)fill_wanted(req->fill);
	}
	err = fill_add(req->fill, data, len);
	if (err == -EFBIG)
		return fetcher_fail(req->fetcher, -EIO, "%s: more bytes than asked for", req->shown);
	if (err)
		return fetcher_fail(req->fetcher, err, "writing to the cache: %s", strerror(-err));
	return 0;
}

static size_t on_body(char *data, size_t one, size_t len, void *arg)
{
	struct http_request *req = arg;
	int err;

	(void)one;
	curl_easy_getinfo(req->fetcher->curl, CURLINFO_RESPONSE_CODE, &req->status);
	stats.bytes_fetched += len;
	if (req->status != 200 && req->status != 206) {
		req->got += len;
		return req->got > ERROR_BODY_MAX ? refuse(req, -EIO) : len;
	}
	if (!req->checked) {
		err = check_header(req);
		if (err)
			return refuse(req, err);
		req->checked = true;
	}
	if (!req->fill) {
		/* The probe has what it wants; the one byte of a 206 may come. */
		req->got += len;
		return req->status == 206 && req->got <= 1 ? len : refuse(req, -EALREADY);
	}
	stats_first_byte();
	err = take_body(req, data, len);
	return err ? refuse(req, err) : len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct http_request *req = arg;

	(void)a, (void)b, (void)c, (void)d;
	return fetcher_canceled(req->fetcher);
}

/* If-Range: a server that has another version sends all of it, and a header that tells. */
static struct curl_slist *extra_fields(const struct http_request *req)
{
	struct curl_slist *list = NULL;
	char *field;

	if (req->whole || !req->want || !req->want->strong)
		return NULL;
	if (asprintf(&field, "If-Range: %s", req->want->etag) < 0)
		return NULL;
	list = curl_slist_append(NULL, field);
	free(field);
	return list;
}

static void set_options(struct http_request *req, CURL *curl, const char *range)
{
	const struct fetch_options *options = req->fetcher->options;

	/* Keeps connections, names and sessions; forgets all settings. */
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_SHARE, share);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "erofs-odd");
	curl_easy_setopt(curl, CURLOPT_URL, req->url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	if (!req->whole)
		curl_easy_setopt(curl, CURLOPT_RANGE, range);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 options->timeout_ms < CONNECT_TIMEOUT_MS ?
			 options->timeout_ms : CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, options->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, options->low_speed);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, options->low_speed_s);
	if (options->cacert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert);
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
		req->again = true;
		return fetcher_fail(req->fetcher, -ETIMEDOUT, "%s: %s", req->shown, detail);
	case CURLE_OUT_OF_MEMORY:
		return fetcher_fail(req->fetcher, -ENOMEM, "%s: %s", req->shown, detail);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_TOO_MANY_REDIRECTS:
		return fetcher_fail(req->fetcher, -EIO, "%s: %s", req->shown, detail);
	case CURLE_PARTIAL_FILE:
		req->again = true;
		return fetcher_fail(req->fetcher, -EIO,
				    "%s: the connection ended after %" PRIu64 " of %" PRIu64 " bytes",
				    req->shown, req->got, req->last - req->first + 1);
	default:
		req->again = true;
		return fetcher_fail(req->fetcher, -EIO, "%s: %s", req->shown, detail);
	}
}

static int judge_status(struct http_request *req)
{
	int err = -EIO;

	switch (req->status) {
	case 416:
		/* The range was one of the blob's. */
		if (req->fill && req->has_range && req->range.total != req->size)
			return fail_size(req, req->range.total);
		break;
	case 404:
	case 410:
		err = -ENOENT;
		break;
	case 401:
	case 403:
	case 407:
		err = -EACCES;
		break;
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		req->again = true;
		break;
	}
	return fetcher_fail(req->fetcher, err, "%s: the server answers with status %ld", req->shown,
			    req->status);
}

/* A blob of no bytes has no byte 0, so a probe of it is answered with 416. */
static bool is_empty_blob(const struct http_request *req)
{
	return !req->fill && req->status == 416 && req->has_range && !req->bad_header &&
	       !req->range.satisfied && req->range.total == 0;
}

static int judge_body(struct http_request *req)
{
	int err;

	if (!req->checked) {
		err = check_header(req);
		if (err)
			return err;
	}
	if (req->fill && fill_wanted(req->fill)) {
		req->again = true;
		return fetcher_fail(req->fetcher, -EIO, "%s: a short answer: %" PRIu64 " of %"
				    PRIu64 " bytes", req->shown, req->got,
				    req->whole ? req->size : req->last - req->first + 1);
	}
	return 0;
}

static int judge(struct http_request *req, CURLcode code, const char *detail)
{
	if (fetcher_canceled(req->fetcher))
		return fetcher_fail(req->fetcher, -ECANCELED, "given up");
	if (req->err == -EALREADY)
		return 0;
	if (req->status == 200 || req->status == 206) {
		if (req->err)
			return req->err;
		/* All of it came; how the connection ended does not matter. */
		if (req->checked && req->fill && !fill_wanted(req->fill))
			return 0;
		return code ? judge_transport(req, code, detail) : judge_body(req);
	}
	if (is_empty_blob(req))
		return 0;
	if (req->status >= 300 && code != CURLE_TOO_MANY_REDIRECTS)
		return judge_status(req);
	return judge_transport(req, code ? code : CURLE_WEIRD_SERVER_REPLY, detail);
}

/**
 * http_perform - send one request and take its answer
 * @req: what to ask; results are filled in
 *
 * A probe asks for byte 0 and learns the size from the answer's Content-Range:
 * unlike HEAD that also shows whether the server has ranges at all.
 *
 * Return: 0: all that was wanted has come. Otherwise a negative errno with the
 * fetcher's reason set, and @req->again says whether another try may help.
 */
int http_perform(struct http_request *req)
{
	struct curl_slist *fields = extra_fields(req);
	char detail[CURL_ERROR_SIZE] = "";
	CURL *curl = req->fetcher->curl;
	curl_off_t retry_after = 0;
	char range[48];
	CURLcode code;

	snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, req->first, req->last);
	forget_header(req);
	req->status = 0;
	req->checked = false;
	req->got = 0;
	req->err = 0;
	req->again = false;
	set_options(req, curl, range);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(fields);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &req->status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	req->retry_after_s = retry_after > 0 && retry_after < 3600 ? (long)retry_after : 0;
	return judge(req, code, detail);
}
