// SPDX-License-Identifier: GPL-2.0-only
/* Blobs behind an HTTP server: sizes, ranges, patience. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "http.h"
#include "log.h"
#include "name.h"
#include "stats.h"

#define BACKOFF_FIRST_MS	100
#define BACKOFF_MAX_MS		5000
#define SLEEP_SLICE_MS		50

/*
 * Doubles with every try; the upper half is chance, so that many readers that
 * failed together do not come back together.
 */
static unsigned long backoff_ms(unsigned int try)
{
	unsigned long full = BACKOFF_FIRST_MS;
	unsigned int chance = 0;

	while (try-- && full < BACKOFF_MAX_MS)
		full *= 2;
	if (full > BACKOFF_MAX_MS)
		full = BACKOFF_MAX_MS;
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != (ssize_t)sizeof(chance))
		chance = (unsigned int)clock_ms();
	return full / 2 + chance % (full / 2 + 1);
}

static void sleep_unless_canceled(const struct fetcher *fetcher, unsigned long ms)
{
	uint64_t end = clock_ms() + ms;
	struct timespec slice = { .tv_nsec = SLEEP_SLICE_MS * 1000000L };

	while (!fetcher_canceled(fetcher) && clock_ms() < end)
		nanosleep(&slice, NULL);
}

/* Repeats a request as long as that may help and is allowed. */
static int perform_patiently(struct http_request *req)
{
	struct fetcher *fetcher = req->fetcher;
	unsigned long pause;
	unsigned int try;
	int err;

	for (try = 0;; try++) {
		err = http_perform(req);
		if (!err || !req->again || try == fetcher->options->retries)
			return err;
		pause = backoff_ms(try);
		if ((unsigned long)req->retry_after_s * 1000 > pause)
			pause = (unsigned long)req->retry_after_s * 1000;
		if (pause > BACKOFF_MAX_MS)
			pause = BACKOFF_MAX_MS;
		log_warn("%s; trying again in %lu ms (%u of %u)", fetcher->why, pause, try + 1,
			 fetcher->options->retries);
		sleep_unless_canceled(fetcher, pause);
		if (fetcher_canceled(fetcher))
			return fetcher_fail(fetcher, -ECANCELED, "given up");
		stats.retries++;
		if (!req->fill)
			continue;
		/* What was written stays; ask for the rest only. */
		fill_rewind(req->fill);
		req->first = req->fill->off;
	}
}

static void http_close(struct source_file *file)
{
	free(file->url);
	free(file->shown);
	http_version_free(&file->version);
}

/*
 * What tells versions apart best, and fits. A strong ETag is enough. Bytes can
 * differ under the same weak one, or within the second that a date tells.
 */
static void write_validator(struct source_file *file)
{
	const struct http_version *version = &file->version;
	char *text = NULL;
	int n = 0;

	if (version->strong)
		n = asprintf(&text, "%s", version->etag);
	else if (version->etag)
		n = asprintf(&text, "%s %s %" PRIu64, version->etag,
			     version->modified ? version->modified : "-", file->size);
	else if (version->modified)
		n = asprintf(&text, "%s %" PRIu64, version->modified, file->size);
	if (n > 0 && n <= VALIDATOR_MAX)
		strcpy(file->validator, text);
	if (n >= 0)
		free(text);
}

static int http_open(struct source *source, struct fetcher *fetcher, const char *name,
		     struct source_file *file)
{
	struct http_request req = { .fetcher = fetcher, .size = RANGE_UNKNOWN };
	int err;

	file->url = url_join(source->where, name);
	file->shown = url_join(source->shown, name);
	if (!file->url || !file->shown) {
		http_close(file);
		return fetcher_fail(fetcher, -ENOMEM, "out of memory");
	}
	req.url = file->url;
	req.shown = file->shown;
	err = perform_patiently(&req);
	if (err) {
		http_version_free(&req.seen);
		http_close(file);
		return err;
	}
	file->whole = req.status == 200;
	file->size = file->whole ? req.length : req.range.total;
	file->version = req.seen;
	write_validator(file);
	return 0;
}

static int http_fetch(struct source_file *file, struct fetcher *fetcher, struct fill *fill)
{
	struct http_request req = {
		.fetcher = fetcher,
		.url = file->url,
		.shown = file->shown,
		.first = fill->off,
		.last = fill->end - 1,
		.fill = fill,
		.size = file->size,
		.want = &file->version,
		.whole = file->whole,
	};
	int err = perform_patiently(&req);

	http_version_free(&req.seen);
	/* A blob that was there must not look as if it had never been. */
	return err == -ENOENT ? -EIO : err;
}

const struct source_ops source_http_ops = {
	.open = http_open,
	.fetch = http_fetch,
	.close = http_close,
};
