// SPDX-License-Identifier: GPL-2.0-only
#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct stats stats;

uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void stats_start(void)
{
	stats.start_ms = clock_ms();
}

/** stats_first_byte - record when the first data arrived; later calls do nothing */
void stats_first_byte(void)
{
	unsigned long long never = 0;

	if (atomic_load_explicit(&stats.first_byte_ms, memory_order_relaxed))
		return;
	/* 0 stands for "not yet" */
	atomic_compare_exchange_strong(&stats.first_byte_ms, &never,
				       clock_ms() - stats.start_ms + 1);
}

static int print_counters(FILE *out)
{
	unsigned long long first = stats.first_byte_ms;

	fprintf(out, "{\"pid\": %ld, \"uptime_ms\": %llu, ", (long)getpid(),
		(unsigned long long)(clock_ms() - stats.start_ms));
	if (first)
		fprintf(out, "\"first_byte_ms\": %llu, ", first - 1);
	else
		fprintf(out, "\"first_byte_ms\": null, ");
	fprintf(out, "\"opens\": %llu, \"reads\": %llu, \"closes\": %llu, \"bad_messages\": %llu, ",
		stats.opens, stats.reads, stats.closes, stats.bad_messages);
	fprintf(out, "\"open_errors\": %llu, \"read_errors\": %llu, \"retries\": %llu, "
		"\"failovers\": %llu, \"device_faults\": %llu, ", stats.open_errors, stats.read_errors, stats.retries,
		stats.failovers, stats.device_faults);
	fprintf(out, "\"bytes_fetched\": %llu, \"bytes_filled\": %llu, ",
		stats.bytes_fetched, stats.bytes_filled);
	fprintf(out, "\"prefetches\": %llu, \"prefetch_requests\": %llu, \"prefetch_hits\": %llu, "
		"\"bytes_prefetched\": %llu, ", stats.prefetches, stats.prefetch_requests,
		stats.prefetch_hits, stats.bytes_prefetched);
	fprintf(out, "\"open_blobs\": %lld, \"in_flight\": %lld, \"queued\": %lld}\n",
		stats.open_blobs, stats.in_flight, stats.queued);
	return ferror(out) ? -EIO : 0;
}

/**
 * stats_write - write the counters to a file, as one JSON object
 * @path: replaced by rename, so that readers never see a partial file
 *
 * Return: 0 or a negative errno
 */
int stats_write(const char *path)
{
	char *tmp;
	FILE *out;
	int err;

	if (asprintf(&tmp, "%s.tmp", path) < 0)
		return -ENOMEM;
	out = fopen(tmp, "we");
	if (!out) {
		err = -errno;
		free(tmp);
		return err;
	}
	err = print_counters(out);
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	free(tmp);
	return err;
}
