// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon and realistic HTTP servers: a table of server behaviour and expected results, then
 * tests that need more than a row.
 */
#include "world.h"

#include <fcntl.h>

#include "core/key.h"
#include "presence.h"
#include "server.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define READ_AT		65536
#define READ_LEN	MIB

/* --- server behaviour --- */

static void serve_short(struct asked *asked)
{
	uint64_t last = asked->last - asked->first >= 100001 ? asked->first + 100000 : asked->last;

	send_part(asked, asked->first, last, V1, ALL);
}

static void serve_whole_once(struct asked *asked)
{
	if (asked->fetch == 1)
		send_whole(asked, V1, 100);
	else
		serve_well(asked);
}

static void serve_whole_first(struct asked *asked)
{
	if (asked->nr == 1)
		send_whole(asked, V1, 100);
	else
		serve_well(asked);
}

static void serve_whole_always(struct asked *asked)
{
	send_whole(asked, V1, 100);
}

static void serve_whole_data(struct asked *asked)
{
	if (asked->fetch)
		send_whole(asked, V1, 100);
	else
		serve_well(asked);
}

static void serve_weak_tags(struct asked *asked)
{
	char fields[256];

	snprintf(fields, sizeof(fields), "ETag: W/\"%u\"\r\nLast-Modified: " DAY1 "\r\n", asked->nr);
	send_part(asked, asked->first, asked->last, fields, ALL);
}

static void serve_backend_tags(struct asked *asked)
{
	char fields[256];

	snprintf(fields, sizeof(fields), "ETag: \"%u\"\r\nLast-Modified: " DAY1 "\r\n", asked->nr);
	send_part(asked, asked->first, asked->last, fields, ALL);
}

static void serve_fresh_dates(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, asked->fetch ?
		  "ETag: \"v1\"\r\nLast-Modified: " DAY2 "\r\n" : V1, ALL);
}

static void serve_changed(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, asked->fetch ?
		  "ETag: \"v2\"\r\nLast-Modified: " DAY2 "\r\n" : V1, ALL);
}

static void serve_changed_tag(struct asked *asked)
{
	send_part(asked, asked->first, asked->last,
		  asked->fetch ? "ETag: \"v2\"\r\n" : "ETag: \"v1\"\r\n", ALL);
}

static void serve_unnamed(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, asked->fetch ? "" : V1, ALL);
}

static void serve_coded(struct asked *asked, const char *coding)
{
	char fields[256];

	snprintf(fields, sizeof(fields), V1 "Content-Encoding: %s\r\n", coding);
	send_part(asked, asked->first, asked->last, fields, ALL);
}

static void serve_aws_chunked(struct asked *asked)
{
	serve_coded(asked, "aws-chunked");
}

static void serve_empty_coding(struct asked *asked)
{
	serve_coded(asked, "");
}

static void serve_identity(struct asked *asked)
{
	serve_coded(asked, "identity");
}

static void serve_unknown_coding(struct asked *asked)
{
	serve_coded(asked, "utf-8, binary");
}

/* Only by name: the first byte is not gzip's. */
static void serve_gzip_in_name(struct asked *asked)
{
	serve_coded(asked, "gzip");
}

static void serve_gzip(struct asked *asked)
{
	say(asked, "HTTP/1.1 206 X\r\nConnection: close\r\nContent-Length: 1\r\n"
	    "Content-Range: bytes 0-0/900\r\n" V1 "Content-Encoding: gzip\r\n\r\n\x1f");
}

static void serve_brotli(struct asked *asked)
{
	serve_coded(asked, "br");
}

static void serve_identity_asked(struct asked *asked)
{
	if (strcasestr(asked->head, "\r\nAccept-Encoding: identity\r\n"))
		serve_well(asked);
	else
		say(asked, "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n");
}

static void serve_page(struct asked *asked)
{
	send_page(asked, "Content-Type: text/html; charset=utf-8\r\n");
}

/* The login page of a well-configured captive portal: with the size of the range. */
static void serve_page_for_data(struct asked *asked)
{
	if (!asked->fetch)
		serve_well(asked);
	else
		send_part(asked, asked->first, asked->last, V1 "Content-Type: text/html\r\n", ALL);
}

static void serve_untyped_page_for_data(struct asked *asked)
{
	if (asked->fetch)
		send_page(asked, "");
	else
		serve_well(asked);
}

static void serve_other_range(struct asked *asked)
{
	send_part(asked, asked->first ? asked->first - 1 : 0, asked->last - (asked->last > 1), V1,
		  ALL);
}

static void serve_more(struct asked *asked)
{
	say(asked, "HTTP/1.1 206 X\r\nConnection: close\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64
	    "/%u\r\n" V1 "\r\n", asked->first, asked->last, BIG_SIZE);
	if (send(asked->sock, asked->server->data + asked->first, asked->last - asked->first + 9,
		 MSG_NOSIGNAL) < 0)
		return;
}

static void serve_cut(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, V1, 200000);
}

static void serve_drops(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, V1, asked->last - asked->first > 3000 ?
		  asked->first % 4096 ? 3000 : 99000 : ALL);
}

static void serve_503_at_first(struct asked *asked)
{
	if (asked->nr % 3)
		say(asked, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
	else
		serve_well(asked);
}

static void serve_503(struct asked *asked)
{
	say(asked, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
}

static void serve_503_for_data(struct asked *asked)
{
	if (asked->fetch)
		serve_503(asked);
	else
		serve_well(asked);
}

static void serve_404(struct asked *asked)
{
	say(asked, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
}

static void serve_404_for_data(struct asked *asked)
{
	if (asked->fetch)
		serve_404(asked);
	else
		serve_well(asked);
}

static void serve_403(struct asked *asked)
{
	say(asked, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
}

static void hang_for_data(struct asked *asked)
{
	if (asked->fetch)
		hang(asked);
	else
		serve_well(asked);
}

static void hang_in_data(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, V1, asked->fetch ? 100000 : ALL);
	if (asked->fetch)
		hang(asked);
}

static void serve_other_version(struct asked *asked)
{
	send_part(asked, asked->first, asked->last, "ETag: \"v9\"\r\nLast-Modified: " DAY2 "\r\n", ALL);
}

static void serve_garbage(struct asked *asked)
{
	say(asked, "%s", "\x16\x03\x01 not HTTP at all\r\n\r\n");
}

/* Result of a READ. A fault that is detected after the last byte leaves all of them. */
enum outcome { NOTHING, FILLED, IN_PART };

/**
 * struct row - server behaviour and expected result
 * @does: description
 * @serve: the first source
 * @second: the second one, or NULL
 * @options: of the daemon
 * @open: result of the OPEN: 0 for success
 * @outcome: of a READ
 * @logged: logged reason of a failure, or NULL
 */
struct row {
	const char *does;
	void (*serve)(struct asked *asked);
	void (*second)(struct asked *asked);
	const char *options;
	int open;
	enum outcome outcome;
	const char *logged;
};

static const struct row rows[] = {
	{ "206 with less than was asked for", serve_short, NULL, "", 0, FILLED, NULL },
	{ "200 once between 206s", serve_whole_once, NULL, "", 0, FILLED, "ignores Range" },
	{ "200 at first, while a cache is cold", serve_whole_first, NULL, "", 0, FILLED,
	  "ignores Range" },
	{ "200 always", serve_whole_always, NULL, "", -EOPNOTSUPP, NOTHING, "too many to fetch whole" },
	{ "200 for all data", serve_whole_data, NULL, "", 0, NOTHING, "too many to fetch whole" },
	{ "weak ETags that change", serve_weak_tags, NULL, "", 0, FILLED, NULL },
	{ "an ETag of each backend", serve_backend_tags, NULL, "", 0, FILLED, NULL },
	{ "the same ETag, another date", serve_fresh_dates, NULL, "", 0, FILLED, NULL },
	{ "another ETag and date", serve_changed, NULL, "", 0, NOTHING, "its ETag was \"v1\" and is" },
	{ "another ETag, no date", serve_changed_tag, NULL, "", 0, NOTHING, "its ETag was \"v1\"" },
	{ "neither ETag nor date any more", serve_unnamed, NULL, "", 0, NOTHING, "neither ETag nor" },
	{ "Content-Encoding: aws-chunked", serve_aws_chunked, NULL, "", 0, FILLED, NULL },
	{ "Content-Encoding: (empty)", serve_empty_coding, NULL, "", 0, FILLED, NULL },
	{ "Content-Encoding: identity", serve_identity, NULL, "", 0, FILLED, NULL },
	{ "Content-Encoding: unknown ones", serve_unknown_coding, NULL, "", 0, FILLED, NULL },
	{ "Content-Encoding: gzip, in name alone", serve_gzip_in_name, NULL, "", 0, FILLED, NULL },
	{ "Content-Encoding: gzip", serve_gzip, NULL, "", -EIO, NOTHING, "(Content-Encoding: gzip)" },
	{ "Content-Encoding: br", serve_brotli, NULL, "", -EIO, NOTHING, "(Content-Encoding: br)" },
	{ "Accept-Encoding is needed", serve_identity_asked, NULL, "", 0, FILLED, NULL },
	{ "a sign-in page for every request", serve_page, NULL, "", -EIO, NOTHING, "a web page" },
	{ "a sign-in page for data", serve_page_for_data, NULL, "", 0, NOTHING, "a web page" },
	{ "a page without a type for data", serve_untyped_page_for_data, NULL, "", 0, NOTHING,
	  "the blob has 41944274" },
	{ "another range", serve_other_range, NULL, "", 0, NOTHING, "asked for bytes" },
	{ "more than it announces", serve_more, NULL, "", 0, IN_PART, "more bytes than announced" },
	{ "a cut after 200 KB", serve_cut, NULL, "", 0, FILLED, "the connection ended after 200000" },
	{ "cuts within a block", serve_drops, NULL, "", 0, FILLED, "the connection ended after 3000" },
	{ "503 twice before each reply", serve_503_at_first, NULL, "", 0, FILLED, "status 503" },
	{ "503 for ever", serve_503, NULL, "--retry-time 1", -EIO, NOTHING, "status 503" },
	{ "503 for all data", serve_503_for_data, NULL, "--retry-time 1", 0, NOTHING, "status 503" },
	{ "404", serve_404, NULL, "", -ENOENT, NOTHING, "no source has it" },
	{ "404 for data", serve_404_for_data, NULL, "", 0, NOTHING, "status 404" },
	{ "403", serve_403, NULL, "", -EACCES, NOTHING, "status 403" },
	{ "no HTTP", serve_garbage, NULL, "--retry-time 1", -EIO, NOTHING, "failed to open" },
	/* and with another source */
	{ "a sign-in page, another source", serve_page, serve_well, "", 0, FILLED, "a web page" },
	{ "a sign-in page for data, another source", serve_page_for_data, serve_well, "", 0, FILLED,
	  "a web page" },
	{ "404, another source", serve_404, serve_well, "", 0, FILLED, NULL },
	{ "404 for data, another source", serve_404_for_data, serve_well, "", 0, FILLED, NULL },
	{ "503, another source", serve_503, serve_well, "", 0, FILLED, "status 503" },
	{ "503 for data, another source", serve_503_for_data, serve_well, "", 0, FILLED, "status 503" },
	{ "403, another source", serve_403, serve_well, "", 0, FILLED, NULL },
	{ "a hang, another source", hang, serve_well, "--switch-time 1", 0, FILLED, "no data for" },
	{ "a hang for data, another source", hang_for_data, serve_well, "--switch-time 1", 0, FILLED,
	  "no data for" },
	{ "a hang within data, another source", hang_in_data, serve_well, "--switch-time 1", 0, FILLED,
	  "no data for" },
	{ "another version, another source", serve_changed, serve_well, "", 0, FILLED,
	  "source no longer used for this blob" },
	{ "503 for data, another version at the other source", serve_503_for_data,
	  serve_other_version, "--retry-time 1", 0, NOTHING, "its ETag was \"v1\" and is \"v9\"" },
	{ "503 for data, a mirror of another date", serve_503_for_data, serve_other_version,
	  "--mirrors", 0, FILLED, NULL },
	{ "503, then the other source lacks it", serve_503_for_data, serve_404,
	  "--retry-time 1", 0, NOTHING, "status 503" },
	{ "both changed", serve_changed, serve_other_version, "", 0, NOTHING,
	  "no more data is fetched" },
};

/* --- the table --- */

static void start_with(struct world *w, struct server *one, struct server *two, const char *options)
{
	char words[512], second[64] = "";

	if (two)
		snprintf(second, sizeof(second), "--source http://127.0.0.1:%d/b", two->port);
	snprintf(words, sizeof(words), "--source http://127.0.0.1:%d/b %s %s", one->port, second,
		 options);
	start_daemon(w, words);
	expect_start(w);
}

/* A hole is allowed only where data is missing. */
static bool is_right(int fd, const uint8_t *want, enum outcome outcome)
{
	uint8_t *got = calloc(1, READ_LEN);
	ssize_t n = pread(fd, got, READ_LEN, READ_AT);
	bool right;

	if (outcome == NOTHING)
		right = !n;
	else if (outcome == FILLED)
		right = n == READ_LEN && !memcmp(got, want + READ_AT, READ_LEN);
	else
		right = n > 0 && n <= READ_LEN && !memcmp(got, want + READ_AT, (size_t)n);
	free(got);
	return right;
}

static bool run_row(struct world *w, const struct row *row)
{
	struct server one, two;
	char want[64], text[4200];
	int fd = new_cache_file();
	bool right = true;
	uint32_t id;

	server_init(&one, row->serve, w->big, BIG_SIZE);
	server_listen(&one);
	if (row->second) {
		server_init(&two, row->second, w->big, BIG_SIZE);
		server_listen(&two);
	}
	start_with(w, &one, row->second ? &two : NULL, row->options);
	id = send_open(w, 1, "big", fd);
	snprintf(want, sizeof(want), "copen %" PRIu32 ",%lld", id,
		 row->open ? (long long)row->open : (long long)BIG_SIZE);
	expect_text(w, text, sizeof(text));
	if (strncmp(text, want, strlen(want))) {
		print_error("%s: %s, not %s\n", row->does, text, want);
		right = false;
	} else if (!row->open) {
		expect_complete(w, fd, send_read(w, 1, READ_AT, READ_LEN));
		right = is_right(fd, w->big, row->outcome);
		if (!right)
			print_error("%s: the data is not as it should be\n", row->does);
	}
	end_daemon(w);
	if (row->logged && !is_logged(w, row->logged)) {
		print_error("%s: not in the log: %s\n", row->does, row->logged);
		right = false;
	}
	server_stop(&one);
	if (row->second)
		server_stop(&two);
	close(fd);
	if (!right) {
		char *log = read_file(w->log);

		print_error("%s", log);
		free(log);
	}
	return right;
}

/* OD_ROW=TEXT in the environment: only matching rows */
static void test_table(void **state)
{
	const char *only = getenv("OD_ROW");
	struct world *w = *state;
	unsigned int wrong = 0;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		if (only && !strstr(rows[i].does, only))
			continue;
		wrong += !run_row(w, &rows[i]);
		assert_false(sanitizer_complains(w));
		unlink(w->log);
	}
	assert_int_equal(wrong, 0);
}

/* --- tests that need more than a row --- */

#define SETUP(w, state, serve)						\
	struct world *w = *state;					\
	struct server server;						\
	server_init(&server, serve, w->big, BIG_SIZE)

static void check_read(struct world *w, uint32_t object_id, int fd)
{
	expect_complete(w, fd, send_read(w, object_id, READ_AT, READ_LEN));
	assert_true(is_right(fd, w->big, FILLED));
}

/* A connection that carries 200 KB: data that arrived is not fetched again. */
static void test_resume(void **state)
{
	SETUP(w, state, serve_cut);
	int fd;

	server_listen(&server);
	start_with(w, &server, NULL, "--retry-time 1");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	check_read(w, 1, fd);
	assert_in_range(server.sent, READ_LEN + 1, READ_LEN + 1);
	assert_int_equal(server.fetches, (READ_LEN + 199999) / 200000);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* Slow, but progressing: each try is short enough, together they exceed --retry-time. */
static void serve_slow_cuts(struct asked *asked)
{
	sleep_ms(asked->fetch ? 300 : 0);
	send_part(asked, asked->first, asked->last, V1, 150000);
}

static void test_progress(void **state)
{
	SETUP(w, state, serve_slow_cuts);
	int fd;

	server_listen(&server);
	start_with(w, &server, NULL, "--retry-time 1");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	check_read(w, 1, fd);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* No server listens for four seconds: no error. */
static void test_refused(void **state)
{
	SETUP(w, state, serve_well);
	int fd = new_cache_file();
	uint32_t id;

	start_with(w, &server, NULL, "");
	id = send_open(w, 1, "big", fd);
	sleep_ms(4000);
	server_listen(&server);
	expect_copen(w, id, BIG_SIZE);
	check_read(w, 1, fd);
	assert_logged(w, "Failed to connect");
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

static void test_no_name_server(void **state)
{
	struct world *w = *state;
	int fd = new_cache_file();
	uint64_t start = now_ms();

	start_daemon(w, "--source http://no.such.host.invalid/b --retry-time 2");
	expect_start(w);
	expect_copen(w, send_open(w, 1, "big", fd), -EIO);
	assert_true(now_ms() - start >= 1900);
	assert_logged(w, "retrying");
	end_daemon(w);
	close(fd);
}

/* Retry-After in seconds, then as a date: no earlier request arrives. */
static void serve_later(struct asked *asked)
{
	static atomic_ullong not_before;
	char date[64] = "2";
	time_t then = time(NULL) + 3;
	struct tm tm;

	if (asked->nr > 2) {
		serve_well(asked);
		return;
	}
	if (now_ms() < not_before)
		asked->server->flag = 1;
	not_before = now_ms() + 1900;
	if (asked->nr == 2)
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	say(asked, "HTTP/1.1 %s\r\nContent-Length: 0\r\nRetry-After: %s\r\n\r\n",
	    asked->nr == 1 ? "429 Too Many" : "503 No", date);
}

static void test_retry_after(void **state)
{
	SETUP(w, state, serve_later);
	uint64_t start = now_ms();
	int fd;

	server_listen(&server);
	start_with(w, &server, NULL, "");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_true(now_ms() - start >= 3900);
	assert_int_equal(server.flag, 0);
	assert_int_equal(server.requests, 3);
	check_read(w, 1, fd);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* More READs than threads wait for a source that hangs; a blob of another one is read. */
static void serve_big_hang(struct asked *asked)
{
	if (!strstr(asked->target, "/big"))
		serve_404(asked);
	else if (asked->fetch)
		hang(asked);
	else
		serve_well(asked);
}

/* Without limits that would end a hang after a while. */
#define FOR_EVER "--switch-time 3600 --timeout 3600 --low-speed 0 --threads 4"

static void hang_for_big_data(struct asked *asked)
{
	if (strstr(asked->target, "/big") && asked->fetch)
		hang(asked);
	else
		serve_well(asked);
}

/* At the same source: one blob never has all threads. */
static void test_hang_holds_up_no_other_blob(void **state)
{
	SETUP(w, state, hang_for_big_data);
	int fd, other, i;

	server_listen(&server);
	start_with(w, &server, NULL, FOR_EVER);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	for (i = 0; i < 40; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	other = open_blob(w, 2, "small", BIG_SIZE);
	check_read(w, 2, other);
	end_daemon(w);
	server_stop(&server);
	close(fd);
	close(other);
}

static void test_hang_holds_up_nobody(void **state)
{
	SETUP(w, state, serve_big_hang);
	struct server two;
	int fd, other, i;

	server_init(&two, serve_well, w->big, BIG_SIZE);
	server_listen(&server);
	server_listen(&two);
	start_with(w, &server, &two, FOR_EVER);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	other = open_blob(w, 2, "small", BIG_SIZE);
	for (i = 0; i < 40; i++)
		send_read(w, 1, (uint64_t)i * MIB, MIB);
	check_read(w, 2, other);
	close(open_blob(w, 3, "big2", BIG_SIZE));
	end_daemon(w);
	server_stop(&server);
	server_stop(&two);
	close(fd);
	close(other);
}

/* The kernel compares text: ETags of different backends must not look like another version. */
static void test_backend_tags_reopened(void **state)
{
	SETUP(w, state, serve_backend_tags);
	char first[256];
	int fd, other;

	server_listen(&server);
	start_with(w, &server, NULL, "");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	strcpy(first, w->validator);
	assert_string_equal(first, "\"1\" " DAY1 " 41944274");
	other = open_blob(w, 2, "big", BIG_SIZE);
	assert_string_equal(w->validator, first);
	end_daemon(w);
	server_stop(&server);
	close(fd);
	close(other);
}

/* --- secrets --- */

#define SECRET	"s3cr3t"

static void no_secret_in(const char *path, char *text, size_t size)
{
	FILE *in = fopen(path, "re");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, size, in);
	fclose(in);
	if (memmem(text, n, SECRET, strlen(SECRET)))
		print_error("the secret is in %s\n", path);
	assert_null(memmem(text, n, SECRET, strlen(SECRET)));
}

static void no_secret_shown(struct world *w)
{
	static char text[1 << 20];
	char path[64];

	/* the file is there after a second */
	while (json_number(w->stats, "opens") < 1)
		sleep_ms(20);
	no_secret_in(w->log, text, sizeof(text));
	no_secret_in(w->stats, text, sizeof(text));
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)w->daemon);
	no_secret_in(path, text, sizeof(text));
}

/* Serves only requests with the credentials of this row, in the query or the header. */
static const char *wanted_field;

static void serve_with_field(struct asked *asked)
{
	if (asked->server->flag)
		serve_503(asked);
	else if (strstr(asked->head, wanted_field))
		serve_well(asked);
	else
		say(asked, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
}

static void check_secret(struct world *w, const char *field, const char *file, const char *format)
{
	struct server server;
	char words[512], url[128];
	int fd;

	wanted_field = field;
	server_init(&server, serve_with_field, w->big, BIG_SIZE);
	server_listen(&server);
	if (file)
		write_file(w->dir, "secret", file, strlen(file));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/b", server.port);
	/* %1$s: the URL, %2$s: the directory, %3$d: the port */
	snprintf(words, sizeof(words), format, url, w->dir, server.port);
	start_daemon(w, words);
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	check_read(w, 1, fd);
	/* nor does the log of failures contain any */
	server.flag = 1;
	send_read(w, 1, 0, 4096);
	assert_logged(w, "status 503");
	no_secret_shown(w);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

static void test_query(void **state)
{
	struct world *w = *state;

	check_secret(w, "GET /b/big?sig=" SECRET " HTTP", NULL, "--source %1$s?sig=" SECRET);
	assert_logged(w, "use --source-file");
}

static void test_password_in_url(void **state)
{
	check_secret(*state, "Authorization: Basic dTpzM2NyM3Q=", NULL,
		     "--source http://u:" SECRET "@127.0.0.1:%3$d/b");
}

static void test_source_file(void **state)
{
	struct world *w = *state;
	struct server server;
	char words[256], url[128];
	int fd;

	wanted_field = "GET /b/big?sig=" SECRET " HTTP";
	server_init(&server, serve_with_field, w->big, BIG_SIZE);
	server_listen(&server);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/b/?sig=" SECRET "\n", server.port);
	write_file(w->dir, "url", url, strlen(url));
	snprintf(words, sizeof(words), "--source-file %s/url", w->dir);
	start_daemon(w, words);
	expect_start(w);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	check_read(w, 1, fd);
	no_secret_shown(w);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

static void test_token(void **state)
{
	check_secret(*state, "Authorization: Bearer " SECRET "\r\n", SECRET "\n",
		     "--source %s --token-file %s/secret");
}

static void test_header(void **state)
{
	check_secret(*state, "X-Key: " SECRET "\r\n", "# keys\n\nX-A: 1\nX-Key: " SECRET "\n",
		     "--source %s --header-file %s/secret");
}

static void test_user(void **state)
{
	check_secret(*state, "Authorization: Basic dTpzM2NyM3Q=\r\n", "u:" SECRET "\n",
		     "--source %s --user-file %s/secret");
}

static void test_netrc(void **state)
{
	check_secret(*state, "Authorization: Basic dTpzM2NyM3Q=\r\n",
		     "machine 127.0.0.1 login u password " SECRET "\n",
		     "--source %s --netrc-file %s/secret");
}

/* A token that is wrong, then renewed: no restart needed. */
static void test_token_renewed(void **state)
{
	SETUP(w, state, serve_with_field);
	char words[256];
	int fd = new_cache_file();

	wanted_field = "Bearer new\r\n";
	server_listen(&server);
	write_file(w->dir, "token", "old", 3);
	snprintf(words, sizeof(words), "--token-file %s/token", w->dir);
	start_with(w, &server, NULL, words);
	expect_copen(w, send_open(w, 1, "big", fd), -EACCES);
	expect_closed(w, fd);
	write_file(w->dir, "token", "new\n", 4);
	expect_copen(w, send_open(w, 2, "big", fd), BIG_SIZE);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* Credentials for one host are not sent to one that it redirects to. */
static int redirect_port;

static void serve_redirect(struct asked *asked)
{
	if (!strstr(asked->head, "Bearer " SECRET) || !strstr(asked->head, "X-Key: " SECRET))
		asked->server->flag = 1;
	say(asked, "HTTP/1.1 302 There\r\nConnection: close\r\nContent-Length: 0\r\n"
	    "Location: http://127.0.0.1:%d/else?sig=" SECRET "\r\n\r\n", redirect_port);
}

static void serve_stranger(struct asked *asked)
{
	if (strstr(asked->head, "Bearer") || strstr(asked->head, "X-Key"))
		asked->server->flag = 1;
	serve_well(asked);
}

static void test_redirected_secret(void **state)
{
	SETUP(w, state, serve_redirect);
	struct server two;
	char words[256];
	int fd;

	server_init(&two, serve_stranger, w->big, BIG_SIZE);
	redirect_port = two.port;
	server_listen(&server);
	server_listen(&two);
	write_file(w->dir, "token", SECRET, strlen(SECRET));
	write_file(w->dir, "header", "X-Key: " SECRET, 7 + strlen(SECRET));
	snprintf(words, sizeof(words), "--token-file %s/token --header-file %s/header", w->dir, w->dir);
	start_with(w, &server, NULL, words);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	check_read(w, 1, fd);
	assert_int_equal(server.flag, 0);
	assert_int_equal(two.flag, 0);
	assert_int_equal(two.requests, 2);
	no_secret_shown(w);
	end_daemon(w);
	server_stop(&server);
	server_stop(&two);
	close(fd);
}

/* --- records of the cache --- */

/* Creates a cache with a record of a blob that is complete, or lacks the end. */
static void make_record(struct world *w, const char *validator, uint64_t present)
{
	struct od_range run = { 0, present };
	struct presence map = { .head = { .seq = 1, .size = BIG_SIZE, .nr_runs = 1 },
				.runs = &run };
	char command[1024], path[512], fanout[OD_FANOUT_LEN + 1];
	const char *volume = "erofs,test";
	struct stat st;
	int maps;

	od_key_volume_name(volume, map.head.volume);
	od_key_file_name((const uint8_t *)"big", 3, map.head.name);
	od_key_fanout_name(od_key_cookie_hash((const uint8_t *)"big", 3, od_key_volume_hash(
			   (const uint8_t *)volume, strlen(volume))), fanout);
	snprintf(path, sizeof(path), "%s/cache/%s/%s", w->dir, map.head.volume, fanout);
	snprintf(command, sizeof(command), "mkdir -p '%s' %s/maps %s/proc/fs/cachefiles_od", path,
		 w->dir, w->dir);
	assert_int_equal(system(command), 0);
	write_file(path, map.head.name, "", 0);
	snprintf(command, sizeof(command), "%s/%s", path, map.head.name);
	assert_int_equal(stat(command, &st), 0);
	map.head.ino = st.st_ino;
	strcpy(map.head.validator, validator);
	snprintf(path, sizeof(path), "%s/maps", w->dir);
	maps = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(presence_write(maps, &map), 0);
	close(maps);
	snprintf(path, sizeof(path), "%s/proc/fs/cachefiles_od", w->dir);
	snprintf(command, sizeof(command), "name\tvalue\ndaemon\tbound\ndir\t%s\n", w->dir);
	write_file(path, "cache", command, strlen(command));
}

static void check_from_record(struct world *w, void (*serve)(struct asked *),
			      enum outcome outcome, const char *logged)
{
	struct server server;
	char words[256];
	int fd;

	make_record(w, "\"v1\" " DAY1 " 41944274", (BIG_SIZE + 4095) / 4096 * 4096);
	server_init(&server, serve, w->big, BIG_SIZE);
	snprintf(words, sizeof(words), "--proc %s/proc", w->dir);
	start_with(w, &server, NULL, words);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_string_equal(w->validator, "\"v1\" " DAY1 " 41944274");
	assert_logged(w, "opened from the cache, where it is complete");
	/* The data was lost all the same. */
	server_listen(&server);
	expect_complete(w, fd, send_read(w, 1, READ_AT, READ_LEN));
	assert_true(is_right(fd, w->big, outcome));
	if (logged)
		assert_logged(w, logged);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

static void test_open_from_record(void **state)
{
	check_from_record(*state, serve_well, FILLED, NULL);
}

static void test_record_of_another_version(void **state)
{
	check_from_record(*state, serve_other_version, NOTHING,
			  "its ETag was \"v1\" and is \"v9\"");
}

/* Neither an incomplete blob nor one of unknown version is opened from its record. */
static void check_no_record(struct world *w, const char *validator, uint64_t present)
{
	struct server server;
	char words[256];
	int fd = new_cache_file();

	make_record(w, validator, present);
	server_init(&server, serve_well, w->big, BIG_SIZE);
	snprintf(words, sizeof(words), "--retry-time 1 --proc %s/proc", w->dir);
	start_with(w, &server, NULL, words);
	expect_copen(w, send_open(w, 1, "big", fd), -EIO);
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

static void test_record_of_a_part(void **state)
{
	check_no_record(*state, "\"v1\"", MIB);
}

static void test_record_without_version(void **state)
{
	check_no_record(*state, "", (BIG_SIZE + 4095) / 4096 * 4096);
}

/* The cache's name of a version is reported if the version is the same. */
static void test_recorded_name(void **state)
{
	SETUP(w, state, serve_backend_tags);
	char words[256];
	int fd;

	make_record(w, "\"77\" " DAY1 " 41944274", MIB);
	server_listen(&server);
	snprintf(words, sizeof(words), "--proc %s/proc", w->dir);
	start_with(w, &server, NULL, words);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	assert_string_equal(w->validator, "\"77\" " DAY1 " 41944274");
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* The kernel has given up a request, since its reader timed out or died. */
static void test_nobody_waits(void **state)
{
	SETUP(w, state, serve_503_for_data);
	static const char none[] = "msg_id\topcode\tstate\tvolume\tblob\toffset\tlength\twaiters\tage_ms\n";
	char words[256], path[128];
	int fd;

	make_record(w, "", MIB);
	snprintf(path, sizeof(path), "%s/proc/fs/cachefiles_od", w->dir);
	write_file(path, "requests", none, strlen(none));
	server_listen(&server);
	snprintf(words, sizeof(words), "--proc %s/proc", w->dir);
	start_with(w, &server, NULL, words);
	fd = open_blob(w, 1, "big", BIG_SIZE);
	expect_complete(w, fd, send_read(w, 1, 0, 4096));
	assert_logged(w, "no reader waits for it");
	end_daemon(w);
	server_stop(&server);
	close(fd);
}

/* --- the daemon itself --- */

/* Out of memory or file descriptors for a message: the next ones are read. */
static void test_device_faults(void **state)
{
	static const char *const errors[] = { "12", "23", "24" };
	SETUP(w, state, serve_well);
	size_t i;

	server_listen(&server);
	for (i = 0; i < COUNT(errors); i++) {
		setenv("FAKE_RECEIVE_ERRNO", errors[i], 1);
		setenv("FAKE_RECEIVE_FAILS", i ? "1" : "200", 1);
		start_with(w, &server, NULL, "");
		close(open_blob(w, 1, "big", BIG_SIZE));
		assert_logged(w, "failed to read from the device: ");
		end_daemon(w);
		assert_int_equal(json_number(w->stats, "device_faults"), i ? 1 : 200);
	}
	unsetenv("FAKE_RECEIVE_ERRNO");
	unsetenv("FAKE_RECEIVE_FAILS");
	server_stop(&server);
}

static void test_no_capabilities(void **state)
{
	static const char *const want[] = {
		"CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
		"CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n", "NoNewPrivs:\t1\n",
	};
	SETUP(w, state, serve_well);
	char path[64], *text;
	size_t i;

	server_listen(&server);
	start_with(w, &server, NULL, "");
	close(open_blob(w, 1, "big", BIG_SIZE));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)w->daemon);
	text = read_file(path);
	for (i = 0; i < COUNT(want); i++)
		assert_non_null(strstr(text, want[i]));
	free(text);
	end_daemon(w);
	server_stop(&server);
}

/* More requests than the daemon queues: the others wait in the device, and none is lost. */
static void test_full_queue(void **state)
{
	SETUP(w, state, serve_well);
	const int total = 2000;
	int fd, sent = 0, done = 0;
	char text[128];

	server_listen(&server);
	start_with(w, &server, NULL, "--queue 20 --threads 2");
	fd = open_blob(w, 1, "big", BIG_SIZE);
	while (done < total) {
		if (sent < total && wait_device(w, true)) {
			send_read(w, 1, (uint64_t)(1 + sent++ % 64) * 4096, 4096);
			continue;
		}
		expect_text(w, text, sizeof(text));
		assert_memory_equal(text, "complete", 8);
		done++;
	}
	end_daemon(w);
	assert_int_equal(json_number(w->stats, "reads"), total);
	assert_int_equal(json_number(w->stats, "read_errors"), 0);
	server_stop(&server);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_resume),
		TEST(test_progress),
		TEST(test_refused),
		TEST(test_no_name_server),
		TEST(test_retry_after),
		TEST(test_hang_holds_up_nobody),
		TEST(test_hang_holds_up_no_other_blob),
		TEST(test_backend_tags_reopened),
		TEST(test_query),
		TEST(test_password_in_url),
		TEST(test_source_file),
		TEST(test_token),
		TEST(test_header),
		TEST(test_user),
		TEST(test_netrc),
		TEST(test_token_renewed),
		TEST(test_redirected_secret),
		TEST(test_open_from_record),
		TEST(test_record_of_another_version),
		TEST(test_record_of_a_part),
		TEST(test_record_without_version),
		TEST(test_recorded_name),
		TEST(test_nobody_waits),
		TEST(test_device_faults),
		TEST(test_no_capabilities),
		TEST(test_full_queue),
	};

	build = getenv("OD_BUILD");
	cmocka_set_test_filter(getenv("OD_TEST"));
	if (!build) {
		fputs("OD_BUILD must name the build folder\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("servers", tests, NULL, NULL);
}
