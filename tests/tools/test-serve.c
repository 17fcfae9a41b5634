// SPDX-License-Identifier: GPL-2.0-only
/* The daemon end to end, with a source that is slow, missing, or faulty on purpose. */
#include "world.h"

static void start_with_folder(struct world *w)
{
	char options[128];

	snprintf(options, sizeof(options), "--source %s", w->blobs);
	start_daemon(w, options);
	expect_start(w);
}

/* --- the tests --- */

static void read_and_check(struct world *w)
{
	uint64_t tail = BIG_SIZE / 4096 * 4096;
	int fd = open_blob(w, 1, "big", BIG_SIZE);
	int other;

	expect_complete(w, fd, send_read(w, 1, 4096, MIB));
	check_only(fd, w->big, 4096, MIB);
	close(fd);

	/* past the end: clamped */
	other = open_blob(w, 2, "big", BIG_SIZE);
	expect_complete(w, other, send_read(w, 2, tail, MIB));
	check_only(other, w->big, tail, BIG_SIZE - tail);
	send_close(w, 2);
	expect_closed(w, other);
	close(other);
}

static void test_folder(void **state)
{
	struct world *w = *state;

	start_with_folder(w);
	read_and_check(w);
	open_blob(w, 3, "empty", 0);
	expect_copen(w, send_open(w, 4, "absent", new_cache_file()), -ENOENT);
	end_daemon(w);
}

static void test_http(void **state)
{
	struct world *w = *state;
	long long requests;
	int fd;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s/");
	expect_start(w);
	read_and_check(w);
	close(open_blob(w, 3, "empty", 0));
	fd = open_blob(w, 4, "odd na%me?#&\303\244", 4097);
	expect_complete(w, fd, send_read(w, 4, 0, 8192));
	check_only(fd, w->big, 0, 4097);
	close(fd);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 5, "absent", fd), -ENOENT);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
	stop_origin(w);
	/* 4 successful probes, 1 for an empty and 1 for a missing blob, 3 reads */
	requests = json_number(w->origin_stats, "requests");
	assert_int_equal(requests, 8);
	assert_int_equal(json_number(w->stats, "opens"), 5);
	assert_int_equal(json_number(w->stats, "reads"), 3);
	assert_int_equal(json_number(w->stats, "open_errors"), 1);
	assert_int_equal(json_number(w->stats, "bytes_filled"), MIB + BIG_SIZE % 4096 + 4097);
	assert_int_equal(json_number(w->stats, "open_blobs"), 0);
	assert_true(json_number(w->stats, "first_byte_ms") >= 0);
}

static void test_first_source_wins(void **state)
{
	struct world *w = *state;
	char second[96], options[256];
	int fd;

	snprintf(second, sizeof(second), "%s/second", w->dir);
	assert_int_equal(mkdir(second, 0700), 0);
	write_file(second, "small", "other", 5);
	write_file(second, "only", "only", 4);
	start_origin(w, "http", "");
	snprintf(options, sizeof(options), "--source %%s --source %s", second);
	start_daemon(w, options);
	expect_start(w);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	fd = open_blob(w, 2, "only", 4);
	expect_complete(w, fd, send_read(w, 2, 0, 4096));
	check_only(fd, (const uint8_t *)"only", 0, 4);
	close(fd);
	end_daemon(w);
}

/* 400 READs of 1 MiB, 16 of them in flight at any time; returns MB/s. */
static uint64_t measure_reads(struct world *w)
{
	const int total = 400;
	int sent = 0, done;
	uint64_t start = now_ms();
	char text[128];

	while (sent < 16)
		send_read(w, 1, (uint64_t)(sent++ % 40) * MIB, MIB);
	for (done = 0; done < total; done++) {
		expect_text(w, text, sizeof(text));
		assert_memory_equal(text, "complete", 8);
		if (sent < total)
			send_read(w, 1, (uint64_t)(sent++ % 40) * MIB, MIB);
	}
	return (uint64_t)total * MIB / 1000 / (now_ms() - start);
}

/*
 * 20 ms per request: at most 52 MB/s one after the other, 840 with 16 in flight. The best of
 * three rounds counts, as the host may be busy.
 */
static void test_slow_source(void **state)
{
	struct world *w = *state;
	uint64_t best = 0, speed;
	int fd, round;

	start_origin(w, "http", "--delay-ms 20");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (round = 0; round < 3 && best <= 200; round++) {
		speed = measure_reads(w);
		if (speed > best)
			best = speed;
	}
	check_only(fd, w->big, 0, 40 * MIB);
	close(fd);
	end_daemon(w);
	stop_origin(w);
	print_message("# READs of 1 MiB from a 20 ms source: %" PRIu64 " MB/s, %lld in flight\n",
		      best, json_number(w->origin_stats, "max_in_flight"));
	/* the next request may arrive before the origin has released the last one */
	assert_in_range(json_number(w->origin_stats, "max_in_flight"), 16, 32);
	assert_true(best > 60);
}

/**
 * struct bad_source - a source with one fault, and the expected result
 * @origin: options of the origin for this fault
 * @daemon: options of the daemon
 * @opened: result of the OPEN: the blob's size, or -errno
 * @len: length of a READ at the beginning
 * @filled: how much of it is filled afterwards
 * @said: text in the log
 * @retries: minimum number
 */
struct bad_source {
	const char *origin;
	const char *daemon;
	const char *blob;
	int64_t opened;
	uint64_t len;
	uint64_t filled;
	const char *said[2];
	int retries;
};

static const struct bad_source bad_sources[] = {
	{ "--fail-first 2 --drop=1 --short=1", "", "big", BIG_SIZE, 2 * MIB, 2 * MIB,
	  { "status 503; retrying", "the connection ended after" }, 4 },
	{ "--short", "--retry-time 1", "big", BIG_SIZE, 4096, 0,
	  { "short body: 2048 of 4096 bytes" }, 10 },
	{ "--stall", "--retry-time 0 --timeout 1", "big", BIG_SIZE, 4096, 0,
	  { "(Connection timed out)" }, 0 },
	{ "--lie-size 4096", "", "small", SMALL_SIZE + 4096, MIB, 0,
	  { "the server says the blob has 1000000 bytes, it had 1004096" }, 0 },
	{ "--change --no-date", "", "small", SMALL_SIZE, 4096, 0,
	  { "the blob changed on the server" }, 0 },
	{ "--redirect /again", "", "big", -EIO, 0, 0, { "redirects" }, 0 },
};

static void meet_bad_source(struct world *w, const struct bad_source *bad)
{
	char options[128];
	size_t i;
	int fd;

	print_message("# a source with %s\n", bad->origin);
	start_origin(w, "http", bad->origin);
	snprintf(options, sizeof(options), "--source %%s %s", bad->daemon);
	start_daemon(w, options);
	expect_start(w);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 1, bad->blob, fd), bad->opened);
	if (bad->opened > 0) {
		expect_complete(w, fd, send_read(w, 1, 0, bad->len));
		check_only(fd, w->big, 0, bad->filled);
	}
	close(fd);
	for (i = 0; i < 2 && bad->said[i]; i++)
		assert_logged(w, bad->said[i]);
	end_daemon(w);
	assert_true(json_number(w->stats, "retries") >= bad->retries);
	assert_int_equal(json_number(w->stats, "read_errors"), bad->opened > 0 && !bad->filled);
}

static void test_bad_sources(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(bad_sources) / sizeof(bad_sources[0]); i++) {
		void *other_state;

		setup(&other_state);
		meet_bad_source(other_state, &bad_sources[i]);
		assert_int_equal(teardown(&other_state), 0);
	}
	(void)state;
}

static void test_gone_source(void **state)
{
	struct world *w = *state;
	int fd, other;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s --retry-time 1");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	stop_origin(w);
	expect_complete(w, fd, send_read(w, 1, 0, MIB));
	check_only(fd, w->big, 0, 0);
	close(fd);
	other = new_cache_file();
	expect_copen(w, send_open(w, 2, "small", other), -EIO);
	expect_closed(w, other);
	close(other);
	assert_logged(w, "blob big, 1048576 bytes at 0: ");
	assert_logged(w, "Failed to connect");
	assert_logged(w, "blob small: failed to open: ");
	end_daemon(w);
}

static void test_changed_file(void **state)
{
	struct world *w = *state;
	char path[128];
	int fd;

	start_with_folder(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	snprintf(path, sizeof(path), "%s/small", w->blobs);
	assert_int_equal(truncate(path, 5000), 0);
	expect_complete(w, fd, send_read(w, 1, 4096, 8192));
	check_only(fd, w->big, 0, 0);
	close(fd);
	assert_logged(w, "the file has 5000 bytes, it had 1000000");
	end_daemon(w);
}

/* Number of log lines with a text. */
static int times_logged(struct world *w, const char *what)
{
	char *text = read_file(w->log);
	const char *at = text;
	int count = 0;

	while ((at = strstr(at, what)) != NULL) {
		at += strlen(what);
		count++;
	}
	free(text);
	return count;
}

static void set_mtime(struct world *w, const char *name, time_t seconds)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = seconds } };
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->blobs, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Two READs of a blob that changed, and an earlier one: one line in the log. */
static void check_changed_once(struct world *w, int fd, const char *why)
{
	expect_complete(w, fd, send_read(w, 1, 4096, 8192));
	expect_complete(w, fd, send_read(w, 1, 65536, 4096));
	check_only(fd, w->big, 0, 4096);
	assert_logged(w, why);
	assert_int_equal(times_logged(w, "no more data is fetched"), 1);
	assert_int_equal(times_logged(w, "bytes at"), 0);
	close(fd);
}

/* What identifies versions at a server, and that it is checked. */
static void check_http_version(struct world *w, const char *options, const char *validator,
			       const char *why)
{
	int fd;

	set_mtime(w, "small", 1700000000);
	start_origin(w, "http", options);
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	assert_string_equal(w->validator, validator);
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	/* The same bytes, but as far as can be known another version. */
	set_mtime(w, "small", 1700000001);
	check_changed_once(w, fd, why);
	/* Opened again, it is a version like any other. */
	send_close(w, 1);
	wait_device(w, false);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "read_errors"), 2);
	assert_int_equal(json_number(w->stats, "retries"), 0);
	stop_origin(w);
}

static void test_strong_etag(void **state)
{
	check_http_version(*state, "",
			   "\"f4240-6553f100-0\" Tue, 14 Nov 2023 22:13:20 GMT 1000000",
			   "its ETag was \"f4240-6553f100-0\" and is \"f4240-6553f101-0\"");
}

static void test_weak_etag(void **state)
{
	check_http_version(*state, "--weak",
			   "W/\"f4240-6553f100-0\" Tue, 14 Nov 2023 22:13:20 GMT 1000000",
			   "its ETag was W/\"f4240-6553f100-0\" and is");
}

static void test_last_modified(void **state)
{
	check_http_version(*state, "--no-etag", "Tue, 14 Nov 2023 22:13:20 GMT 1000000",
			   "its Last-Modified was Tue, 14 Nov 2023 22:13:20 GMT and is");
}

/* A server that sends a small blob only as a whole is checked, too. */
static void test_version_of_whole(void **state)
{
	check_http_version(*state, "--no-range",
			   "\"f4240-6553f100-0\" Tue, 14 Nov 2023 22:13:20 GMT 1000000",
			   "its ETag was");
}

static void test_no_version(void **state)
{
	struct world *w = *state;
	char options[128];
	int fd;

	/* A kernel module that rejects "wide" gets no validator, and both continue. */
	snprintf(options, sizeof(options), "--source %s", w->blobs);
	setenv("FAKE_REFUSE", "wide", 1);
	start_daemon(w, options);
	unsetenv("FAKE_REFUSE");
	expect(w, "restore");
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	assert_string_equal(w->validator, "");
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	close(fd);
	end_daemon(w);
}

static void open_folder_blob(struct world *w, int *fd)
{

	start_with_folder(w);
	*fd = open_blob(w, 1, "small", SMALL_SIZE);
	expect_complete(w, *fd, send_read(w, 1, 0, 4096));
}

static void test_touched_file(void **state)
{
	struct world *w = *state;
	char first[256];
	int fd;

	open_folder_blob(w, &fd);
	strcpy(first, w->validator);
	assert_true(strlen(first) > 20);
	set_mtime(w, "small", 1700000000);
	check_changed_once(w, fd, "the file has changed since it was opened");
	close(open_blob(w, 2, "small", SMALL_SIZE));
	assert_string_not_equal(w->validator, first);
	assert_memory_equal(w->validator, "1700000000.000000000-", 21);
	end_daemon(w);
}

static void test_replaced_file(void **state)
{
	struct world *w = *state;
	char from[128], to[128];
	int fd;

	open_folder_blob(w, &fd);
	write_file(w->blobs, "new", w->big, SMALL_SIZE);
	snprintf(from, sizeof(from), "%s/new", w->blobs);
	snprintf(to, sizeof(to), "%s/small", w->blobs);
	assert_int_equal(rename(from, to), 0);
	check_changed_once(w, fd, "the file was replaced");
	end_daemon(w);
}

static void test_removed_file(void **state)
{
	struct world *w = *state;
	char path[128];
	int fd;

	open_folder_blob(w, &fd);
	snprintf(path, sizeof(path), "%s/small", w->blobs);
	assert_int_equal(unlink(path), 0);
	check_changed_once(w, fd, "the file was removed");
	end_daemon(w);
}

/* The kernel has data of another version, and readers of it: logged once, not for each READ. */
static void test_stale_copen(void **state)
{
	struct world *w = *state;
	char options[128];
	uint32_t id;
	int fd = new_cache_file();

	snprintf(options, sizeof(options), "--source %s", w->blobs);
	setenv("FAKE_REFUSE", "copen", 1);
	setenv("FAKE_ERRNO", "116", 1);
	start_daemon(w, options);
	unsetenv("FAKE_REFUSE");
	unsetenv("FAKE_ERRNO");
	expect_start(w);
	for (id = 1; id <= 3; id++) {
		send_open(w, id, "small", fd);
		expect_closed(w, fd);
	}
	assert_logged(w, "blob small: changed at the source while in use");
	assert_int_equal(times_logged(w, "blob small"), 1);
	/* Another version is logged again. */
	set_mtime(w, "small", 1700000000);
	send_open(w, 4, "small", fd);
	expect_closed(w, fd);
	end_daemon(w);
	assert_int_equal(times_logged(w, "blob small: changed"), 2);
	assert_int_equal(json_number(w->stats, "open_errors"), 4);
	close(fd);
}

static void test_no_range(void **state)
{
	struct world *w = *state;
	int fd;

	start_origin(w, "http", "--no-range --drop=1");
	start_daemon(w, "--source %s");
	expect_start(w);
	/* the first probe has no body to discard, as a blob of 1 MB is sent at once */
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	expect_complete(w, fd, send_read(w, 1, 8192, 4096));
	check_only(fd, w->big, 8192, 4096);
	close(fd);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 2, "big", fd), -EOPNOTSUPP);
	expect_closed(w, fd);
	close(fd);
	assert_logged(w, "the server ignores Range");
	end_daemon(w);
}

static void test_redirect(void **state)
{
	struct world *first = *state;
	void *other_state;
	struct world *w;
	char options[96];
	int fd;

	setup(&other_state);
	w = other_state;
	start_origin(first, "http", "");
	snprintf(options, sizeof(options), "--redirect %s", first->url);
	start_origin(w, "http", options);
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, MIB, 4096));
	check_only(fd, w->big, MIB, 4096);
	close(fd);
	end_daemon(w);
	assert_int_equal(teardown(&other_state), 0);
}

/* A self-signed certificate: DIR/PREFIXcert and DIR/PREFIXkey */
static void make_certificate(struct world *w, const char *prefix)
{
	char command[512];

	snprintf(command, sizeof(command), "openssl req -x509 -newkey rsa:2048 -nodes -days 2 "
		 "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout %s/%skey "
		 "-out %s/%scert 2>/dev/null", w->dir, prefix, w->dir, prefix);
	assert_int_equal(system(command), 0);
}

static void test_tls(void **state)
{
	struct world *w = *state;
	char options[256];
	int fd;

	make_certificate(w, "");
	snprintf(options, sizeof(options), "--cert %s/cert --key %s/key", w->dir, w->dir);
	start_origin(w, "https", options);
	snprintf(options, sizeof(options), "--source %%s --cacert %s/cert", w->dir);
	start_daemon(w, options);
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, MIB, MIB));
	check_only(fd, w->big, MIB, MIB);
	close(fd);
	end_daemon(w);

	/* without --cacert it is not trusted */
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = new_cache_file();
	expect_copen(w, send_open(w, 1, "big", fd), -EIO);
	close(fd);
	assert_logged(w, "certificate");
	end_daemon(w);
}

/* Expects a result of OPEN, a size or an errno, with these options of the daemon. */
static void expect_open_with(struct world *w, const char *options, int64_t wanted)
{
	int fd = new_cache_file();

	start_daemon(w, options);
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), wanted);
	close(fd);
	end_daemon(w);
}

/* A server that requires a client certificate, with the key in the same file or in another */
static void test_client_certificate(void **state)
{
	struct world *w = *state;
	char command[256], options[512];

	make_certificate(w, "");
	make_certificate(w, "client-");
	make_certificate(w, "other-");
	snprintf(command, sizeof(command), "cat %s/client-cert %s/client-key >%s/both", w->dir,
		 w->dir, w->dir);
	assert_int_equal(system(command), 0);
	snprintf(options, sizeof(options), "--cert %s/cert --key %s/key --client-ca %s/client-cert",
		 w->dir, w->dir, w->dir);
	start_origin(w, "https", options);
	snprintf(options, sizeof(options),
		 "--source %%s --cert %s/client-cert --key %s/client-key --cacert %s/cert",
		 w->dir, w->dir, w->dir);
	expect_open_with(w, options, BIG_SIZE);
	snprintf(options, sizeof(options), "--source %%s --cert %s/both --cacert %s/cert", w->dir,
		 w->dir);
	expect_open_with(w, options, BIG_SIZE);
	snprintf(options, sizeof(options), "--source %%s --cacert %s/cert", w->dir);
	expect_open_with(w, options, -EACCES);
	snprintf(options, sizeof(options),
		 "--source %%s --cert %s/other-cert --key %s/other-key --cacert %s/cert",
		 w->dir, w->dir, w->dir);
	expect_open_with(w, options, -EACCES);
}

/* Redirects from https to http are not followed unless allowed. */
static void test_redirect_to_http(void **state)
{
	struct world *first = *state;
	void *other_state;
	struct world *w;
	char options[512];
	int fd = new_cache_file();

	setup(&other_state);
	w = other_state;
	make_certificate(w, "");
	start_origin(first, "http", "");
	snprintf(options, sizeof(options), "--cert %s/cert --key %s/key --redirect %s", w->dir,
		 w->dir, first->url);
	start_origin(w, "https", options);
	snprintf(options, sizeof(options), "--source %%s --cacert %s/cert", w->dir);
	start_daemon(w, options);
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), -EIO);
	assert_logged(w, "redirected from https to another protocol");
	end_daemon(w);

	strcat(options, " --allow-http-redirect");
	start_daemon(w, options);
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, MIB, 4096));
	check_only(fd, w->big, MIB, 4096);
	end_daemon(w);
	close(fd);
	assert_int_equal(teardown(&other_state), 0);
}

/* Number of READs queued while all workers are busy. */
static void wait_queued(struct world *w, int nr)
{
	uint64_t end = now_ms() + PATIENCE_MS;

	while (json_number(w->stats, "queued") != nr && now_ms() < end)
		sleep_ms(20);
	assert_int_equal(json_number(w->stats, "queued"), nr);
	assert_int_equal(json_number(w->stats, "in_flight"), 16);
}

/* SIGTERM with requests in flight and queued: exits promptly and cleanly, without replies. */
static void test_end_while_fetching(void **state)
{
	struct world *w = *state;
	char text[128];
	uint64_t start;
	int fd, i;

	start_origin(w, "http", "--stall");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (i = 0; i < 40; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	wait_queued(w, 24);
	start = now_ms();
	kill(w->daemon, SIGTERM);
	assert_int_equal(wait_end(w->daemon), 0);
	w->daemon = 0;
	/* well below --timeout, even on a busy host */
	assert_true(now_ms() - start < 10000);
	expect_text(w, text, sizeof(text));
	assert_memory_equal(text, "close", 5);
	assert_int_equal(recv(w->dev, text, sizeof(text), 0), 0);
	close(fd);
	assert_logged(w, "40 requests left without a reply");
	assert_int_equal(json_number(w->stats, "in_flight"), 0);
}

/* CLOSE with requests in flight: they are aborted, and only then the fd is closed. */
static void test_close_while_fetching(void **state)
{
	struct world *w = *state;
	int fd, other, i;

	start_origin(w, "http", "--stall=16");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (i = 0; i < 30; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	wait_queued(w, 14);
	send_close(w, 1);
	expect_closed(w, fd);
	close(fd);
	/* the workers are free again, and a new object of that name is distinct */
	other = open_blob(w, 2, "big", BIG_SIZE);
	expect_complete(w, other, send_read(w, 2, 0, 4096));
	check_only(other, w->big, 0, 4096);
	close(other);
	end_daemon(w);
}

/* OPEN, READ and CLOSE back to back: no reply may reach another object's fd. */
static void test_thousand_opens(void **state)
{
	struct world *w = *state;
	int before, fd;
	uint32_t id, read_id;

	start_origin(w, "http", "");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	send_close(w, 1);
	expect_closed(w, fd);
	close(fd);
	before = count_fds(w->daemon);
	for (id = 2; id < 1002; id++) {
		fd = open_blob(w, id, id % 2 ? "small" : "big", id % 2 ? SMALL_SIZE : BIG_SIZE);
		read_id = send_read(w, id, 4096 * (id % 16), 4096);
		expect_complete(w, fd, read_id);
		check_only(fd, w->big, 4096 * (id % 16), 4096);
		send_close(w, id);
		expect_closed(w, fd);
		close(fd);
	}
	/* idle workers may each keep a connection, and fds that libcurl needs for it */
	assert_in_range(count_fds(w->daemon), before, before + 16 * 3);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "closes"), 1001);
	assert_int_equal(json_number(w->stats, "open_blobs"), 0);
}

static void test_thousand_open_at_once(void **state)
{
	static int fds[1000];
	static bool closed[1000];
	struct world *w = *state;
	char text[128];
	uintmax_t number;
	int before, i, j, sent = 0, done = 0;

	start_with_folder(w);
	/* once first, so that the daemon has opened all that it keeps open */
	fds[0] = open_blob(w, 5000, "small", SMALL_SIZE);
	send_close(w, 5000);
	expect_closed(w, fds[0]);
	close(fds[0]);
	before = count_fds(w->daemon);
	for (i = 0; i < 1000; i++)
		fds[i] = open_blob(w, (uint32_t)i + 1, "small", SMALL_SIZE);
	assert_int_equal(count_fds(w->daemon), before + 1000);
	memset(closed, 0, sizeof(closed));
	/* a READ may be aborted by the CLOSE; nothing may follow the close of its fd */
	while (done < 1000) {
		if (sent < 1000 && wait_device(w, true)) {
			send_read(w, (uint32_t)sent + 1, 0, 4096);
			send_close(w, (uint32_t)++sent);
			continue;
		}
		expect_text(w, text, sizeof(text));
		number = strtoumax(strchr(text, ' '), NULL, 10);
		for (j = 0; j < 1000 && inode(fds[j]) != number; j++)
			;
		assert_in_range(j, 0, 999);
		assert_false(closed[j]);
		if (text[1] == 'l') {
			closed[j] = true;
			done++;
		}
	}
	assert_int_equal(count_fds(w->daemon), before);
	for (i = 0; i < 1000; i++)
		close(fds[i]);
	end_daemon(w);
}

/* More READs than the daemon queues: the others wait in the device, and none is lost. */
static void test_flood(void **state)
{
	struct world *w = *state;
	char text[128];
	int fd, sent = 0, done = 0;
	const int total = 10000;

	/* slow enough that READs arrive faster than they are completed */
	start_origin(w, "http", "--delay-ms 2");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	while (done < total) {
		if (sent < total && wait_device(w, true)) {
			send_read(w, 1, (uint64_t)(sent++ % 64) * 4096, 4096);
			continue;
		}
		expect_text(w, text, sizeof(text));
		done++;
	}
	check_only(fd, w->big, 0, 64 * 4096);
	close(fd);
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "reads"), total);
}

static void test_hostile_names(void **state)
{
	static const struct {
		const char *key;
		size_t len;
		int err;
	} cases[] = {
		{ ".", 1, -EINVAL },
		{ "..", 2, -EINVAL },
		{ "../blobs/small", 14, -EINVAL },
		{ "a/b", 3, -EINVAL },
		{ "/etc/passwd", 11, -EINVAL },
		{ ".hidden", 7, -EINVAL },
		{ "small\0", 6, -EINVAL },
		{ "a\nb", 3, -EINVAL },
	};
	struct world *w = *state;
	char longest[253];
	size_t i;
	int fd;

	start_with_folder(w);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fd = new_cache_file();
		expect_copen(w, send_open_key(w, 1, cases[i].key, cases[i].len, fd), cases[i].err);
		expect_closed(w, fd);
		close(fd);
	}
	memset(longest, 'x', sizeof(longest));
	fd = new_cache_file();
	expect_copen(w, send_open_key(w, 1, longest, 253, fd), -ENAMETOOLONG);
	expect_closed(w, fd);
	expect_copen(w, send_open_key(w, 1, longest, 252, fd), -ENOENT);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
}

static void test_bad_messages(void **state)
{
	struct world *w = *state;
	uint32_t words[8] = { 1, 0, 16, 1 };
	int fd;

	start_with_folder(w);
	send_message(w, words, 7, -1);		/* shorter than a header */
	send_message(w, words, 16, -1);		/* an OPEN without data */
	words[1] = 7;
	send_message(w, words, 16, -1);		/* no such opcode */
	words[1] = CACHEFILES_OD_OP_CLOSE;
	words[2] = 15;
	send_message(w, words, 16, -1);		/* len does not match */
	send_read(w, 99, 0, 4096);		/* no such object */
	send_close(w, 99);
	fd = open_blob(w, 1, "small", SMALL_SIZE);
	expect_complete(w, fd, send_read(w, 1, 1 << 20, 4096));		/* beyond the end */
	expect_complete(w, fd, send_read(w, 1, UINT64_MAX - 4095, 8192));	/* wraps */
	expect_complete(w, fd, send_read(w, 1, 0, 0));
	/* the same object again */
	expect_copen(w, send_open(w, 1, "small", fd), -EEXIST);
	expect_closed(w, fd);
	/* and it still works */
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	check_only(fd, w->big, 0, 4096);
	close(fd);
	assert_logged(w, "the blob ends at 1000000");
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "bad_messages"), 6);
}

/* No space: the fd rejects the write. */
static void test_cache_full(void **state)
{
	struct world *w = *state;
	int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	start_origin(w, "http", "");
	start_daemon(w, "--source %s");
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, 0, MIB));
	close(fd);
	assert_logged(w, "write to the cache failed: No space left on device");
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "retries"), 0);
}

/*
 * Long responses are written in pieces while the rest arrives: the first, which a reader waits
 * for, is small.
 */
static void test_pieces(void **state)
{
	struct world *w = *state;
	struct stat st = { 0 };
	uint64_t end = now_ms() + PATIENCE_MS;
	uint32_t id;
	int fd;

	start_origin(w, "http", "--rate 1000000");
	start_daemon(w, "--source %s");
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	id = send_read(w, 1, 0, MIB);
	while (!st.st_size && now_ms() < end) {
		assert_int_equal(fstat(fd, &st), 0);
		sleep_ms(5);
	}
	assert_in_range(st.st_size, 1, MIB / 4);
	expect_complete(w, fd, id);
	check_only(fd, w->big, 0, MIB);
	close(fd);
	end_daemon(w);
}

/* A daemon that is not passed the device: configures and binds it. */
static void start_unbound(struct world *w, char *options, int *listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char program[256];
	char *argv[ARGS_MAX] = { program, (char *)"--device", address.sun_path };
	int argc = 3;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/dev", w->dir);
	snprintf(program, sizeof(program), "%s/erofs-odd-fake", build);
	*listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(*listener, 1), 0);
	add_words(argv, &argc, options);
	w->daemon = spawn(argv, -1, w->log, -1);
	w->dev = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(w->dev >= 0);
}

static void test_bind(void **state)
{
	struct world *w = *state;
	char options[256];
	int listener;

	snprintf(options, sizeof(options), "--dir /var/cache/x --tag t --brun 10 --fstop 2 "
		 "--source %s", w->blobs);
	start_unbound(w, options, &listener);
	expect(w, "dir /var/cache/x");
	expect(w, "tag t");
	expect(w, "brun 10%");
	expect(w, "fstop 2%");
	expect(w, "bind ondemand");
	expect(w, "wide");
	close(open_blob(w, 1, "small", SMALL_SIZE));
	end_daemon(w);
	close(listener);
}

static void test_bind_refused(void **state)
{
	struct world *w = *state;
	char options[256];
	int listener;

	snprintf(options, sizeof(options), "--dir /x --source %s", w->blobs);
	setenv("FAKE_REFUSE", "bind", 1);
	start_unbound(w, options, &listener);
	unsetenv("FAKE_REFUSE");
	expect(w, "dir /x");
	assert_int_equal(wait_end(w->daemon), 1);
	w->daemon = 0;
	assert_logged(w, "kernel rejected 'bind ondemand': Invalid argument");
	close(listener);
}

/* The kernel no longer accepts the reply to an OPEN: the fd is closed nevertheless. */
static void test_copen_refused(void **state)
{
	struct world *w = *state;
	char options[128];
	int fd = new_cache_file();

	snprintf(options, sizeof(options), "--source %s", w->blobs);
	setenv("FAKE_REFUSE", "copen", 1);
	start_daemon(w, options);
	unsetenv("FAKE_REFUSE");
	expect_start(w);
	send_open(w, 1, "small", fd);
	expect_closed(w, fd);
	send_open(w, 2, "absent", fd);
	expect_closed(w, fd);
	close(fd);
	end_daemon(w);
}

static void test_device_gone(void **state)
{
	struct world *w = *state;

	start_with_folder(w);
	close(w->dev);
	w->dev = -1;
	assert_int_equal(wait_end(w->daemon), 1);
	w->daemon = 0;
	assert_logged(w, "the device was shut down");
}

/* The service manager recognizes it by the first byte of its command line. */
static void test_initramfs(void **state)
{
	struct world *w = *state;
	char options[128], path[64], *text;

	snprintf(options, sizeof(options), "--initramfs --source %s", w->blobs);
	start_daemon(w, options);
	expect_start(w);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)w->daemon);
	text = read_file(path);
	assert_int_equal(text[0], '@');
	free(text);
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)w->daemon);
	text = read_file(path);
	/* That needs a privilege that the tests may not have. */
	if (strcmp(text, "-1000\n"))
		assert_logged(w, "failed to disable the OOM killer for this process");
	free(text);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	end_daemon(w);
}

static void test_counters_on_signal(void **state)
{
	struct world *w = *state;
	uint64_t end = now_ms() + PATIENCE_MS;

	start_with_folder(w);
	close(open_blob(w, 1, "small", SMALL_SIZE));
	kill(w->daemon, SIGUSR1);
	/* the file is written once a second while the daemon runs */
	while (json_number(w->stats, "opens") != 1 && now_ms() < end)
		sleep_ms(20);
	assert_int_equal(json_number(w->stats, "open_blobs"), 1);
	assert_logged(w, "1 blobs open, ");
	end_daemon(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_folder),
		TEST(test_http),
		TEST(test_first_source_wins),
		TEST(test_slow_source),
		cmocka_unit_test(test_bad_sources),
		TEST(test_gone_source),
		TEST(test_changed_file),
		TEST(test_strong_etag),
		TEST(test_weak_etag),
		TEST(test_last_modified),
		TEST(test_version_of_whole),
		TEST(test_no_version),
		TEST(test_touched_file),
		TEST(test_replaced_file),
		TEST(test_removed_file),
		TEST(test_stale_copen),
		TEST(test_no_range),
		TEST(test_redirect),
		TEST(test_tls),
		TEST(test_client_certificate),
		TEST(test_redirect_to_http),
		TEST(test_end_while_fetching),
		TEST(test_close_while_fetching),
		TEST(test_thousand_opens),
		TEST(test_thousand_open_at_once),
		TEST(test_flood),
		TEST(test_hostile_names),
		TEST(test_bad_messages),
		TEST(test_cache_full),
		TEST(test_pieces),
		TEST(test_bind),
		TEST(test_bind_refused),
		TEST(test_copen_refused),
		TEST(test_device_gone),
		TEST(test_initramfs),
		TEST(test_counters_on_signal),
	};

	build = getenv("OD_BUILD");
	cmocka_set_test_filter(getenv("OD_TEST"));
	if (!build) {
		fputs("OD_BUILD must name the build folder\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
