// SPDX-License-Identifier: GPL-2.0-only
/* The daemon with a trace at the source: what is prefetched, and that misses are not delayed. */
#include "world.h"

#define HEAD	"erofs-od trace 1\nblob 41944274 big\n"

static void write_trace(struct world *w, const char *name, const char *text)
{
	write_file(w->blobs, name, text, strlen(text));
}

static void start(struct world *w, const char *options)
{
	w->prefetch = true;
	start_daemon(w, options);
	expect_start(w);
}

static bool has_range(struct world *w, int fd, uint64_t off, size_t len)
{
	uint8_t *got = malloc(len);
	bool same = pread(fd, got, len, (off_t)off) == (ssize_t)len &&
		    !memcmp(got, w->big + off, len);

	free(got);
	return same;
}

static void wait_range(struct world *w, int fd, uint64_t off, size_t len)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	while (!has_range(w, fd, off, len) && now_ms() < end)
		sleep_ms(5);
	assert_true(has_range(w, fd, off, len));
}

static bool is_hole(int fd, uint64_t off, size_t len)
{
	uint8_t *got = malloc(len);
	ssize_t n = pread(fd, got, len, (off_t)off);
	bool hole = true;

	while (n-- > 0)
		hole = hole && !got[n];
	free(got);
	return hole;
}

static int count_logged(struct world *w, const char *what)
{
	char *text = read_file(w->log), *at = text;
	int count = 0;

	while ((at = strstr(at, what)) != NULL) {
		at++;
		count++;
	}
	free(text);
	return count;
}

/* Exactly the trace is fetched, as the daemon's counters show, too. */
static void fetch_and_check(struct world *w)
{
	int fd = open_blob(w, 1, "big", BIG_SIZE);

	wait_number(w, "bytes_prefetched", MIB + 5330 + 36864);
	assert_int_equal(json_number(w->stats, "prefetches"), 1);
	assert_in_range(json_number(w->stats, "prefetch_requests"), 3, 6);
	assert_true(has_range(w, fd, 8 * MIB, MIB));
	assert_true(has_range(w, fd, 41938944, 5330));
	assert_true(has_range(w, fd, 0, 36864));
	assert_true(is_hole(fd, 36864, 8 * MIB - 36864));
	assert_true(is_hole(fd, 9 * MIB, 41938944 - 9 * MIB));
	/* a READ is served as usual */
	expect_complete(w, fd, send_read(w, 1, 20 * MIB, 8192));
	assert_true(has_range(w, fd, 20 * MIB, 8192));
	send_close(w, 1);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
}

static const char good[] = HEAD "read 0 8388608 1048576\nread 0 41938944 5330\n"
			   "read 0 0 4096\nread 0 32768 4096\n";

static void test_folder(void **state)
{
	struct world *w = *state;
	char options[128];

	write_trace(w, "big.trace", good);
	snprintf(options, sizeof(options), "--source %s", w->blobs);
	start(w, options);
	fetch_and_check(w);
}

static void test_http(void **state)
{
	struct world *w = *state;

	write_trace(w, "big.trace", good);
	start_origin(w, "http", "");
	start(w, "--source %s");
	fetch_and_check(w);
	stop_origin(w);
	/* the blob's probe, the trace's and the trace; its ranges and the READ */
	assert_int_equal(json_number(w->origin_stats, "requests"),
			 4 + json_number(w->stats, "prefetch_requests"));
}

static void test_off(void **state)
{
	struct world *w = *state;
	int fd;

	write_trace(w, "big.trace", good);
	start_origin(w, "http", "");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	sleep_ms(300);
	expect_complete(w, fd, send_read(w, 1, 4096, 8192));
	check_only(fd, w->big, 4096, 8192);
	end_daemon(w);
	stop_origin(w);
	assert_int_equal(json_number(w->origin_stats, "requests"), 2);
	assert_int_equal(json_number(w->stats, "prefetches"), 0);
	close(fd);
}

/* A missing trace is not logged, and takes one request. */
static void test_absent(void **state)
{
	struct world *w = *state;
	int fd;

	start_origin(w, "http", "");
	start(w, "--source %s");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_logged(w, "no trace");
	end_daemon(w);
	stop_origin(w);
	assert_int_equal(json_number(w->origin_stats, "requests"), 2);
	assert_false(is_logged(w, "warning") || is_logged(w, "ignoring"));
	close(fd);
}

/* Ignored with one log line, however often it is read; no reader notices. */
static void test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "<html>not here</html>\n", "ignoring its trace: not a trace of this version" },
		{ "", "ignoring its trace: not a trace of this version" },
		{ HEAD "read 0 0 8192\nread 0 4096 4096\n", "ignoring its trace: ranges that overlap" },
		{ HEAD "read 0 41943040 4096\n", "ignoring its trace: range beyond the end of its blob" },
		{ HEAD "read 0 0 999999999999999999999\n", "ignoring its trace: invalid range" },
		{ HEAD "read 0 1 4096\n", "ignoring its trace: range not of whole blocks" },
		{ "erofs-od trace 1\nblob 8192 big\nread 0 0 4096\n",
		  "not prefetched: it has 41944274 bytes, and 8192 in the trace" },
	};
	struct world *w = *state;
	char options[128], line[128], *long_one = malloc(2 * MIB);
	size_t i;
	int fd, other;

	snprintf(options, sizeof(options), "--source %s", w->blobs);
	start(w, options);
	for (i = 0; i <= sizeof(cases) / sizeof(*cases); i++) {
		bool last = i == sizeof(cases) / sizeof(*cases);

		memset(long_one, 'x', 2 * MIB);
		if (last)
			write_file(w->blobs, "big.trace", long_one, 2 * MIB);
		else
			write_trace(w, "big.trace", cases[i].text);
		snprintf(line, sizeof(line), "blob big: %s\n",
			 last ? "ignoring its trace: too long" : cases[i].why);
		fd = open_blob(w, 2 * (uint32_t)i, "big", BIG_SIZE);
		assert_logged(w, line);
		other = open_blob(w, 2 * (uint32_t)i + 1, "big", BIG_SIZE);
		expect_complete(w, fd, send_read(w, 2 * (uint32_t)i, 4096, 4096));
		expect_complete(w, other, send_read(w, 2 * (uint32_t)i + 1, 4096, 4096));
		check_only(fd, w->big, 4096, 4096);
		check_only(other, w->big, 4096, 4096);
		if (i != 1)
			assert_int_equal(count_logged(w, line), 1);
		close(fd);
		close(other);
	}
	free(long_one);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "bytes_prefetched"), 0);
}

/* Other blobs of the image, and one that is not open. */
static void test_other_blobs(void **state)
{
	struct world *w = *state;
	char options[128];
	int fd, other;

	write_trace(w, "empty", "boot");
	write_trace(w, "empty.trace", "erofs-od trace 1\nblob 4 empty\nblob 100 absent\n"
		    "blob 1000000 small\nread 1 0 100\nread 2 8192 4096\nread 0 0 4\n");
	snprintf(options, sizeof(options), "--source %s", w->blobs);
	start(w, options);
	fd = open_blob(w, 1, "empty", 4);
	sleep_ms(200);
	other = open_blob(w, 2, "small", SMALL_SIZE);
	wait_number(w, "bytes_prefetched", 4100);
	check_only(fd, (const uint8_t *)"boot", 0, 4);
	check_only(other, w->big, 8192, 4096);
	close(fd);
	close(other);
	end_daemon(w);
}

/* Nothing is fetched of a blob that changed, and what was fetched before is of the old version. */
static void test_changed(void **state)
{
	static const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
	char from[128], to[128];
	struct world *w = *state;
	uint8_t *new = malloc(BIG_SIZE);
	int fd;

	write_trace(w, "big.trace", HEAD "read 0 0 16777216\n");
	start_origin(w, "http", "--rate 4000000");
	start(w, "--source %s");
	memset(new, 'n', BIG_SIZE);
	write_file(w->blobs, "new", new, BIG_SIZE);
	free(new);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	wait_range(w, fd, 0, MIB / 4);
	snprintf(from, sizeof(from), "%s/new", w->blobs);
	snprintf(to, sizeof(to), "%s/big", w->blobs);
	assert_int_equal(utimensat(AT_FDCWD, from, times, 0), 0);
	assert_int_equal(rename(from, to), 0);
	assert_logged(w, "prefetching stopped");
	sleep_ms(1200);
	assert_true(has_range(w, fd, 0, MIB / 4));
	assert_true(is_hole(fd, 8 * MIB, BIG_SIZE - 8 * MIB));
	/* those in flight when the first one failed may fail, too */
	assert_true(count_logged(w, "prefetching stopped") <= 4);
	close(fd);
	end_daemon(w);
}

/* A source that never ends its trace is given up: the threads are for all sources. */
static void test_endless(void **state)
{
	struct world *w = *state;
	char *text = malloc(MIB);
	int fd;

	memset(text, 'x', MIB);
	write_file(w->blobs, "big.trace", text, MIB);
	free(text);
	start_origin(w, "http", "--crumb 1 --delay-ms 10");
	start(w, "--timeout 1 --source %s");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	/* before a million bytes */
	assert_logged(w, "no trace: canceled");
	close(fd);
	end_daemon(w);
}

/* With a slow source, a READ takes hardly longer than without prefetching. */
static void test_not_delayed(void **state)
{
	struct world *w = *state;
	uint64_t begin, longest = 0;
	int i, fd;

	write_trace(w, "big.trace", HEAD "read 0 0 1048576\nread 0 8388608 16777216\n");
	start_origin(w, "http", "--rate 20000");
	start(w, "--source %s");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_logged(w, ": prefetching ");
	sleep_ms(100);
	/* Data in flight, data at the end of the trace, planned data, and data not in the trace */
	for (i = 0; i < 4; i++) {
		static const uint64_t offs[] = { 32768, 900 << 10, 24 * MIB, 32 * MIB };

		begin = now_ms();
		expect_complete(w, fd, send_read(w, 1, offs[i], 4096));
		if (now_ms() - begin > longest)
			longest = now_ms() - begin;
		assert_true(has_range(w, fd, offs[i], 4096));
	}
	print_message("# a READ took %" PRIu64 " ms at most\n", longest);
	assert_true(longest < 1000);
	/* nor does a CLOSE wait for data in flight */
	begin = now_ms();
	send_close(w, 1);
	expect_closed(w, fd);
	assert_true(now_ms() - begin < 2500);
	close(fd);
	end_daemon(w);
}

/* READs of data in flight need no request. */
static void test_hits(void **state)
{
	struct world *w = *state;
	uint32_t ids[12];
	int i, fd;

	write_trace(w, "big.trace", HEAD "read 0 0 2097152\n");
	start_origin(w, "http", "--rate 2000000");
	start(w, "--source %s");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_logged(w, ": prefetching ");
	for (i = 0; i < 12; i++) {
		ids[i] = send_read(w, 1, (uint64_t)i << 17, 65536);
		expect_complete(w, fd, ids[i]);
		sleep_ms(20);
	}
	wait_number(w, "bytes_prefetched", 2 * MIB);
	assert_true(has_range(w, fd, 0, 2 * MIB));
	assert_true(json_number(w->stats, "prefetch_hits") > 0);
	end_daemon(w);
	stop_origin(w);
	assert_int_equal(json_number(w->origin_stats, "requests"),
			 3 + json_number(w->stats, "prefetch_requests") + 12 -
			 json_number(w->stats, "prefetch_hits"));
	close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_folder),
		TEST(test_http),
		TEST(test_off),
		TEST(test_absent),
		TEST(test_bad),
		TEST(test_other_blobs),
		TEST(test_changed),
		TEST(test_endless),
		TEST(test_not_delayed),
		TEST(test_hits),
	};

	build = getenv("OD_BUILD");
	cmocka_set_test_filter(getenv("OD_TEST"));
	return build ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
