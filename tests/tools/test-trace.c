// SPDX-License-Identifier: GPL-2.0-only
/* Traces of starts: recording them, and parsing untrusted ones. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ahead.h"
#include "work.h"

#define HEAD "erofs-od trace 1\n"
#define REQUEST_MAX (2U << 20)

static char *print(const struct trace *trace)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(trace_print(trace, out), 0);
	fclose(out);
	return text;
}

static void expect_print(const struct trace *trace, const char *want)
{
	char *text = print(trace);

	assert_string_equal(text, want);
	free(text);
}

static void test_record(void **state)
{
	struct trace trace = { 0 };

	(void)state;
	assert_int_equal(trace_blob(&trace, "boot", 100000), 0);
	assert_int_equal(trace_blob(&trace, "data of it", 1 << 30), 1);
	assert_int_equal(trace_blob(&trace, "boot", 100000), 0);
	assert_int_equal(trace_blob(&trace, "boot", 100001), -EINVAL);
	assert_int_equal(trace_blob(&trace, "two\nlines", 1), -EINVAL);
	assert_int_equal(trace_blob(&trace, "", 1), -EINVAL);
	/* whole blocks, or up to the end of the blob */
	assert_int_equal(trace_add(&trace, 0, 5000, 5001), 0);
	assert_int_equal(trace_add(&trace, 0, 99000, 100000), 0);
	/* merged with adjacent ranges */
	assert_int_equal(trace_add(&trace, 0, 8192, 12288), 0);
	assert_int_equal(trace_add(&trace, 1, 1 << 20, 2 << 20), 0);
	assert_int_equal(trace_add(&trace, 1, (1 << 20) - 4096, 1 << 20), 0);
	/* twice counts once; of overlapping ranges only the new bytes are added */
	assert_int_equal(trace_add(&trace, 1, 1 << 20, 2 << 20), 0);
	assert_int_equal(trace_add(&trace, 1, 8 << 20, 9 << 20), 0);
	assert_int_equal(trace_add(&trace, 1, 0, 16 << 20), 0);
	expect_print(&trace, HEAD "blob 100000 boot\nblob 1073741824 data of it\n"
		     "read 0 4096 8192\nread 0 98304 1696\nread 1 0 2097152\n"
		     "read 1 2097152 14680064\n");
	assert_int_equal(trace_bytes(&trace), 8192 + 1696 + (16 << 20));
	/* up to the end of the block, though the blob ends a byte later */
	assert_int_equal(trace_blob(&trace, "odd", 8193), 2);
	assert_int_equal(trace_add(&trace, 2, 4096, 8192), 0);
	assert_int_equal(trace_bytes(&trace), 8192 + 1696 + (16 << 20) + 4096);
	assert_int_equal(trace_add(&trace, 2, 4096, 8193), 0);
	assert_int_equal(trace_bytes(&trace), 8192 + 1696 + (16 << 20) + 4097);
	/* not inside the blob */
	assert_int_equal(trace_add(&trace, 0, 0, 100001), -EINVAL);
	assert_int_equal(trace_add(&trace, 0, 4096, 4096), -EINVAL);
	assert_int_equal(trace_add(&trace, 3, 0, 4096), -EINVAL);
	trace_free(&trace);
}

/* The longest possible trace can be read back. */
static void test_limits(void **state)
{
	struct trace trace = { 0 }, again;
	char name[OD_KEY_MAX + 1], *text;
	const char *why;
	uint64_t i;

	(void)state;
	memset(name, 'n', OD_KEY_MAX);
	name[OD_KEY_MAX] = '\0';
	for (i = 0; i < TRACE_BLOBS_MAX; i++) {
		snprintf(name, 4, "%03u", (unsigned int)i);
		name[3] = '-';
		assert_int_equal(trace_blob(&trace, name, INT64_MAX), i);
	}
	assert_int_equal(trace_blob(&trace, "another", 1), -E2BIG);
	for (i = 0; i < TRACE_RANGES_MAX; i++)
		assert_int_equal(trace_add(&trace, TRACE_BLOBS_MAX - 1, (1ULL << 62) + i * 8192,
					   (1ULL << 62) + i * 8192 + 4096), 0);
	assert_int_equal(trace_add(&trace, 0, 0, 4096), -E2BIG);
	text = print(&trace);
	assert_int_equal(trace_parse(&again, text, strlen(text), &why), 0);
	assert_int_equal(again.nr_blobs, TRACE_BLOBS_MAX);
	assert_int_equal(again.nr_ranges, TRACE_RANGES_MAX);
	expect_print(&again, text);
	free(text);
	trace_free(&again);
	trace_free(&trace);
}

static void expect_parse(const char *text, size_t len, const char *want)
{
	struct trace trace;
	const char *why;
	int err = trace_parse(&trace, text, len, &why);

	if (!want) {
		assert_int_equal(err, 0);
		trace_free(&trace);
		return;
	}
	assert_true(err == -EINVAL || err == -E2BIG);
	assert_string_equal(why, want);
	assert_null(trace.ranges);
	assert_null(trace.blobs);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ HEAD, NULL },
		{ HEAD "blob 0 empty\n", NULL },
		{ HEAD "blob 8192 a b\nblob 5000 c\nread 1 4096 904\nread 0 0 8192\n", NULL },
		{ "", "not a trace of this version" },
		{ "erofs-od trace 2\n", "not a trace of this version" },
		{ "<html>", "not a trace of this version" },
		{ HEAD "blob 8192 a", "a line without an end" },
		{ HEAD "blob 8192 a\nread 0 0 4096", "a line without an end" },
		{ HEAD "\n", "neither blob nor read" },
		{ HEAD "write 0 0 4096\n", "neither blob nor read" },
		{ HEAD "blob 8192\n", "invalid blob" },
		{ HEAD "blob 8192 \n", "invalid blob" },
		{ HEAD "blob -1 a\n", "invalid blob" },
		{ HEAD "blob 9223372036854775808 a\n", "invalid blob" },
		{ HEAD "blob 8192 a\nblob 8192 a\n", "invalid blob" },
		{ HEAD "blob 8192 a\nread 0 0 4096\nblob 8192 b\n", "invalid blob" },
		{ HEAD "read 0 0 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 1 0 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 0 0\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 0 0 4096 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 0  0 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 0 0x0 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 4294967296 0 4096\n", "invalid range" },
		{ HEAD "blob 8192 a\nread 0 0 0\n", "range beyond the end of its blob" },
		{ HEAD "blob 8192 a\nread 0 8192 4096\n", "range beyond the end of its blob" },
		{ HEAD "blob 8192 a\nread 0 4096 8192\n", "range beyond the end of its blob" },
		{ HEAD "blob 8192 a\nread 0 4096 9223372036854775807\n",
		  "range beyond the end of its blob" },
		{ HEAD "blob 8192 a\nread 0 1 4096\n", "range not of whole blocks" },
		{ HEAD "blob 8192 a\nread 0 0 4095\n", "range not of whole blocks" },
		{ HEAD "blob 8192 a\nread 0 4096 4096\nread 0 0 8192\n", "ranges that overlap" },
		{ HEAD "blob 8192 a\nread 0 0 4096\nread 0 0 4096\n", "ranges that overlap" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_parse(cases[i].text, strlen(cases[i].text), cases[i].why);
	expect_parse(HEAD "blob 8192 a\n\0read 0 0 4096\n", sizeof(HEAD) + 27,
		     "not a trace of this version");
}

/* One more of anything than allowed. */
static void test_too_much(void **state)
{
	char *text = malloc(TRACE_TEXT_MAX + 2), *p;
	unsigned int i;

	(void)state;
	memset(text, 'x', TRACE_TEXT_MAX + 1);
	memcpy(text, HEAD "blob 1 ", sizeof(HEAD) + 6);
	text[TRACE_TEXT_MAX + 1] = '\0';
	expect_parse(text, TRACE_TEXT_MAX + 1, "too long");
	text[TRACE_TEXT_MAX - 1] = '\n';
	text[TRACE_TEXT_MAX] = '\0';
	expect_parse(text, TRACE_TEXT_MAX, "invalid blob");

	p = text + sprintf(text, HEAD);
	for (i = 0; i <= TRACE_BLOBS_MAX; i++)
		p += sprintf(p, "blob 1 %u\n", i);
	expect_parse(text, strlen(text), "too many blobs");

	p = text + sprintf(text, HEAD "blob 9223372036854775807 a\n");
	for (i = 0; i <= TRACE_RANGES_MAX; i++)
		p += sprintf(p, "read 0 %u 4096\n", i * 4096);
	expect_parse(text, strlen(text), "too many ranges");
	free(text);
}

/* --- plans --- */

static void plan_of(struct plan *plan, const char *text)
{
	struct trace trace;
	const char *why;

	assert_int_equal(trace_parse(&trace, text, strlen(text), &why), 0);
	assert_int_equal(plan_init(plan, &trace), 0);
	assert_null(trace.ranges);
}

static void expect_request(struct plan *plan, unsigned int blob, uint64_t off, uint64_t end)
{
	struct trace_range request;

	assert_int_equal(plan_peek(plan), blob);
	assert_true(plan_next(plan, REQUEST_MAX, &request));
	assert_int_equal(request.blob, blob);
	assert_int_equal(request.off, off);
	assert_int_equal(request.end, end);
}

static void expect_no_request(struct plan *plan)
{
	struct trace_range request;

	assert_int_equal(plan_peek(plan), -1);
	assert_false(plan_next(plan, REQUEST_MAX, &request));
}

/* In trace order; nearby ranges are fetched along. */
static void test_plan(void **state)
{
	struct plan plan;

	(void)state;
	plan_of(&plan, HEAD "blob 1000000000 a\nblob 1000000000 b\n"
		"read 0 40960000 4096\n"	/* first */
		"read 1 40960000 4096\n"	/* another blob */
		"read 0 0 4096\n"		/* far away */
		"read 0 40984576 4096\n"	/* 20 KiB after the first */
		"read 0 40927232 4096\n"	/* 28 KiB before it */
		"read 0 41205760 4096\n"	/* 212 KiB after the second */
		"read 0 40554496 4096\n");	/* 360 KiB before the third */
	expect_request(&plan, 0, 40927232, 40984576 + 4096);
	expect_request(&plan, 1, 40960000, 40960000 + 4096);
	expect_request(&plan, 0, 0, 4096);
	expect_request(&plan, 0, 41205760, 41205760 + 4096);
	expect_request(&plan, 0, 40554496, 40554496 + 4096);
	expect_no_request(&plan);
	plan_free(&plan);
}

static void test_plan_limits(void **state)
{
	char text[65536], *p = text;
	struct plan plan;
	unsigned int i;

	(void)state;
	/* a range in pieces, and the next one with the last of them */
	plan_of(&plan, HEAD "blob 1000000000 a\nread 0 4096 5242880\nread 0 5251072 4096\n");
	expect_request(&plan, 0, 4096, 4096 + REQUEST_MAX);
	expect_request(&plan, 0, 4096 + REQUEST_MAX, 4096 + 2 * REQUEST_MAX);
	expect_request(&plan, 0, 4096 + 2 * REQUEST_MAX, 5251072 + 4096);
	expect_no_request(&plan);
	plan_free(&plan);
	/* many small ones: no request exceeds the maximum */
	p += sprintf(p, HEAD "blob 1000000000 a\n");
	for (i = 0; i < 1024; i++)
		p += sprintf(p, "read 0 %u 4096\n", i * 8192);
	plan_of(&plan, text);
	for (i = 0; i < 4; i++)
		expect_request(&plan, 0, i * REQUEST_MAX,
			       (i + 1) * REQUEST_MAX - 4096);
	expect_no_request(&plan);
	plan_free(&plan);
	/* ranges far off in the trace are not included: 4 KiB after 16 MiB of others */
	plan_of(&plan, HEAD "blob 1000000000 a\nread 0 0 4096\nread 0 100003840 16777216\n"
		"read 0 8192 4096\n");
	expect_request(&plan, 0, 0, 4096);
	for (i = 0; i < 8; i++)
		expect_request(&plan, 0, 100003840 + i * REQUEST_MAX,
			       100003840 + (i + 1) * REQUEST_MAX);
	expect_request(&plan, 0, 8192, 12288);
	expect_no_request(&plan);
	plan_free(&plan);
}

static void test_plan_skip(void **state)
{
	struct plan plan;

	(void)state;
	plan_of(&plan, HEAD "blob 1000000001 a\nblob 5000000 b\nread 0 1048576 65536\n"
		"read 0 999997440 2561\nread 1 0 4096\nread 0 4194304 65536\n");
	assert_int_equal(plan_end(&plan, 0, 1048576 + 65535), 1048576 + 65536);
	assert_int_equal(plan_end(&plan, 0, 1048576 + 65536), 0);
	assert_int_equal(plan_end(&plan, 0, 1048575), 0);
	assert_int_equal(plan_end(&plan, 2, 0), 0);
	/* the start and the end, but no partial blocks */
	plan_skip(&plan, 0, 0, 1048576 + 4096 + 1000);
	plan_skip(&plan, 0, 1048576 + 61000, 2097152);
	plan_skip(&plan, 0, 999999000, 1000000001);
	plan_skip(&plan, 0, 4194304 + 4096, 4194304 + 8192);
	assert_int_equal(plan_end(&plan, 0, 1048576), 0);
	expect_request(&plan, 0, 1048576 + 4096, 1048576 + 61440);
	expect_request(&plan, 0, 999997440, 1000000001);
	assert_int_equal(plan_end(&plan, 0, 999997440), 0);
	plan_skip_blob(&plan, 1);
	expect_request(&plan, 0, 4194304, 4194304 + 65536);
	expect_no_request(&plan);
	plan_free(&plan);
}

static struct blob one_blob = { .volume = "v", .object_id = 1, .version.size = 4096 };

struct reader {
	struct prefetch *prefetch;
	atomic_bool begun, stop;
};

static void *look_for_reads(void *arg)
{
	struct job job = { .blob = &one_blob, .end = 4096 };
	struct reader *reader = arg;

	while (!reader->stop) {
		job.asked = false;
		prefetch_turn(reader->prefetch, &job);
		reader->begun = true;
	}
	return NULL;
}

/* Traces that stay in the list until the end: no further one is requested. */
static void add_traces(struct prefetch *prefetch)
{
	struct ahead *ahead;
	char name[16];
	int i;

	prefetch->known = PREFETCH_TRACES;
	for (i = 0; i < 64; i++)
		prefetch_open(prefetch, &one_blob);
	pthread_mutex_lock(&prefetch->lock);
	TAILQ_FOREACH(ahead, &prefetch->traces, link) {
		for (i = 0; i < (int)TRACE_BLOBS_MAX; i++) {
			snprintf(name, sizeof(name), "%d", i);
			trace_blob(&ahead->plan.trace, name, 4096);
		}
	}
	pthread_mutex_unlock(&prefetch->lock);
}

/* READs are still completed while the daemon exits, and they use the traces. */
static void test_stop(void **state)
{
	struct work work = { 0 };
	struct reader reader = { .prefetch = &work.prefetch };
	pthread_t thread;
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		memset(&work, 0, sizeof(work));
		prefetch_init(&work.prefetch, &work, false);
		add_traces(&work.prefetch);
		reader.begun = false;
		reader.stop = false;
		assert_int_equal(pthread_create(&thread, NULL, look_for_reads, &reader), 0);
		while (!reader.begun)
			sched_yield();
		prefetch_stop(&work.prefetch);
		/* nor is anything left to do */
		prefetch_open(&work.prefetch, &one_blob);
		assert_int_equal(work.prefetch.waiting, 0);
		reader.stop = true;
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_plan_limits),
		cmocka_unit_test(test_plan_skip),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
