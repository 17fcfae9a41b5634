// SPDX-License-Identifier: GPL-2.0-only
/* The text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "stats.h"
#include "table.h"

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* --- the daemon --- */

static void print_daemon(FILE *out)
{
	const struct {
		const char *name, *type, *help;
		long long value;
	} rows[] = {
		{ "opens_total", "counter", "OPEN messages", (long long)stats.opens },
		{ "reads_total", "counter", "READ messages", (long long)stats.reads },
		{ "open_errors_total", "counter", "OPENs that failed", (long long)stats.open_errors },
		{ "read_errors_total", "counter", "READs that failed",
		  (long long)stats.read_errors },
		{ "retries_total", "counter", "Requests to a source that were retried",
		  (long long)stats.retries },
		{ "failovers_total", "counter", "READs that another source served instead",
		  (long long)stats.failovers },
		{ "device_faults_total", "counter", "Messages that could not be received",
		  (long long)stats.device_faults },
		{ "fetched_bytes_total", "counter", "Bytes that sources delivered",
		  (long long)stats.bytes_fetched },
		{ "filled_bytes_total", "counter", "Bytes written to the cache",
		  (long long)stats.bytes_filled },
		{ "prefetches_total", "counter", "Traces used for prefetching",
		  (long long)stats.prefetches },
		{ "prefetch_requests_total", "counter", "Requests sent for prefetching",
		  (long long)stats.prefetch_requests },
		{ "prefetch_hits_total", "counter", "READs served by prefetched data",
		  (long long)stats.prefetch_hits },
		{ "prefetched_bytes_total", "counter", "Bytes written to the cache by prefetching",
		  (long long)stats.bytes_prefetched },
		{ "open_blobs", "gauge", "Blobs that are open", stats.open_blobs },
		{ "requests_in_flight", "gauge", "Requests being handled by a thread", stats.in_flight },
		{ "requests_queued", "gauge", "Requests that wait for a thread", stats.queued },
	};
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(name, sizeof(name), "erofs_odd_%s", rows[i].name);
		print_head(out, name, rows[i].type, rows[i].help);
		fprintf(out, "%s %lld\n", name, rows[i].value);
	}
}

/* --- its cache --- */

/* A label's value: escapes characters that would end it. */
static void print_label(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

static void print_cache_value(FILE *out, const char *name, const char *tag, uint64_t value)
{
	fprintf(out, "%s{cache=\"", name);
	print_label(out, tag);
	fprintf(out, "\"} %" PRIu64 "\n", value);
}

static void print_cache_columns(FILE *out, const struct table *caches, size_t row, const char *tag)
{
	static const struct {
		const char *column, *name, *type, *help;
	} columns[] = {
		{ "hits", "hits_total", "counter", "Parts of reads whose data was present" },
		{ "misses", "misses_total", "counter", "Parts of reads that waited for the daemon" },
		{ "bytes_served", "served_bytes_total", "counter", "Bytes read" },
		{ "bytes_filled", "filled_bytes_total", "counter", "Bytes written and kept" },
		{ "bytes_widened", "widened_bytes_total", "counter",
		  "Bytes of READs beyond what readers wanted" },
		{ "bytes_unused", "unused_bytes", "gauge",
		  "Bytes written and kept that no read has used" },
		{ "bytes_passed", "passed_bytes_total", "counter",
		  "Bytes not kept for lack of space" },
		{ "bytes_punched", "punched_bytes_total", "counter",
		  "Bytes freed from blobs in use" },
		{ "culled", "culled_total", "counter", "Blobs removed from the cache" },
		{ "opens", "opens_total", "counter", "OPENs that the daemon has received" },
		{ "reads_sent", "reads_total", "counter", "READs that the daemon has received" },
		{ "failures", "failures_total", "counter", "Parts of reads that failed" },
		{ "timeouts", "timeouts_total", "counter", "Parts of reads that failed at a deadline" },
		{ "commits", "commits_total", "counter", "Presence maps committed" },
		{ "volumes", "volumes", "gauge", "Volumes in use" },
		{ "blobs", "blobs", "gauge", "Blobs that are open" },
		{ "requests", "requests", "gauge", "Requests that are not completed" },
		{ "waiting", "waiting_reads", "gauge", "Parts of reads that wait for the daemon" },
	};
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		snprintf(name, sizeof(name), "erofs_od_cache_%s", columns[i].name);
		print_head(out, name, columns[i].type, columns[i].help);
		print_cache_value(out, name, tag, table_number(caches, row, columns[i].column));
	}
}

static void print_states(FILE *out, const struct table *caches, size_t row, const char *tag)
{
	static const char *const rooms[] = { "none", "scarce", "some", "plenty" };
	const char *room = table_get(caches, row, "room");
	size_t i;

	print_head(out, "erofs_od_cache_oldest_request_seconds", "gauge",
		   "Age of the oldest request for a blob");
	fputs("erofs_od_cache_oldest_request_seconds{cache=\"", out);
	print_label(out, tag);
	fprintf(out, "\"} %.3f\n", (double)table_number(caches, row, "oldest_ms") / 1000);
	print_head(out, "erofs_od_cache_culling", "gauge", "1 while culling");
	print_cache_value(out, "erofs_od_cache_culling", tag,
			  !strcmp(table_get(caches, row, "culling"), "yes"));
	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		if (strcmp(room, rooms[i]))
			continue;
		print_head(out, "erofs_od_cache_room", "gauge",
			   "Free space: 0 new data is not kept, 1 below cull, 2 below run, 3 above");
		print_cache_value(out, "erofs_od_cache_room", tag, i);
	}
}

/* "EIO:3,ENOSPC:1", or "-" */
static void print_errors(FILE *out, const char *text, const char *tag)
{
	char error[32];
	uint64_t nr;
	int n;

	print_head(out, "erofs_od_cache_errors_total", "counter",
		   "Parts of reads that failed, and blobs that could not be opened, by errno");
	for (; sscanf(text, "%31[^:,]:%" SCNu64 "%n", error, &nr, &n) == 2;
	     text += text[n] ? n + 1 : n) {
		fputs("erofs_od_cache_errors_total{cache=\"", out);
		print_label(out, tag);
		fprintf(out, "\",errno=\"%s\"} %" PRIu64 "\n", error, nr);
	}
}

/* Number of waits below 1, 2, 4, ... ms; the last class has all longer ones. */
static void print_waits(FILE *out, const char *text, const char *tag)
{
	static const char name[] = "erofs_od_cache_miss_wait_seconds";
	uint64_t sum = 0;
	unsigned int i;
	char *end;

	print_head(out, name, "histogram", "How long misses waited for the daemon");
	for (i = 0; i < 64 && *text >= '0' && *text <= '9'; i++) {
		sum += strtoull(text, &end, 10);
		fprintf(out, "%s_bucket{cache=\"", name);
		print_label(out, tag);
		if (*end == ',')
			fprintf(out, "\",le=\"%g\"} %" PRIu64 "\n", (double)(1ULL << i) / 1000, sum);
		else
			fprintf(out, "\",le=\"+Inf\"} %" PRIu64 "\n", sum);
		text = *end == ',' ? end + 1 : end;
	}
	fprintf(out, "%s_count{cache=\"", name);
	print_label(out, tag);
	fprintf(out, "\"} %" PRIu64 "\n", sum);
}

static void print_row(FILE *out, const struct table *caches, size_t row)
{
	const char *tag = table_get(caches, row, "tag");

	print_cache_columns(out, caches, row, tag);
	print_states(out, caches, row, tag);
	print_errors(out, table_get(caches, row, "errors"), tag);
	print_waits(out, table_get(caches, row, "waits_ms"), tag);
}

static void print_cache(const char *proc, int dev, FILE *out)
{
	struct table caches;
	size_t row;

	if (!proc_own_cache(proc, dev, &caches, &row))
		print_row(out, &caches, row);
	table_free(&caches);
}

/**
 * metrics_print - print the daemon's counters, and those the kernel has for its cache
 * @proc: path of /proc
 * @dev: the device
 * @out: output
 */
void metrics_print(const char *proc, int dev, FILE *out)
{
	print_daemon(out);
	print_cache(proc, dev, out);
}
