// SPDX-License-Identifier: GPL-2.0-only
/* The pure-logic parts of the daemon: messages, names, ranges, pieces, blobs. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/cachefiles_od.h>

#include "blob.h"
#include "fill.h"
#include "maps.h"
#include "message.h"
#include "name.h"
#include "presence.h"
#include "range.h"
#include "source.h"
#include "told.h"
#include "version.h"
#include "health.h"
#include "http_response.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* --- messages --- */

/* From a buffer of exactly that size, so that ASan detects overruns. */
static int parse(const void *data, size_t len, struct message *msg)
{
	static void *copy;

	free(copy);
	copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	return message_parse(copy, len, msg);
}

static size_t make_open(uint8_t *buf, uint32_t volume_size, uint32_t cookie_size)
{
	uint32_t words[8] = { 7, CACHEFILES_OD_OP_OPEN, 0, 3, volume_size, cookie_size, 9, 0 };
	size_t len = sizeof(words) + sizeof("erofs,a") + 4;

	words[2] = (uint32_t)len;
	memcpy(buf, words, sizeof(words));
	memcpy(buf + sizeof(words), "erofs,a\0blob", 12);
	return len;
}

static void test_open_message(void **state)
{
	struct message msg;
	uint8_t buf[128];
	size_t len = make_open(buf, 8, 4), cut;

	(void)state;
	assert_int_equal(parse(buf, len, &msg), 0);
	assert_int_equal(msg.msg_id, 7);
	assert_int_equal(msg.object_id, 3);
	assert_int_equal(msg.fd, 9);
	assert_string_equal(msg.volume, "erofs,a");
	assert_int_equal(msg.cookie_len, 4);
	assert_memory_equal(msg.cookie, "blob", 4);
	for (cut = 0; cut < len; cut++)
		assert_int_equal(parse(buf, cut, &msg), -EBADMSG);
	/* also if len matches the truncated message */
	for (cut = 16; cut < len; cut++) {
		uint32_t value = (uint32_t)cut;

		memcpy(buf + 8, &value, 4);
		assert_int_equal(parse(buf, cut, &msg), -EBADMSG);
		assert_int_equal(msg.fd, cut < 32 ? -1 : 9);
	}
}

static void test_open_key_sizes(void **state)
{
	static const uint32_t bad[][2] = {
		{ 0, 12 }, { 1, 11 }, { 12, 0 }, { 8, 5 }, { 8, 3 }, { 7, 5 }, { 9, 3 }, { 13, 0 },
		{ UINT32_MAX, 13 }, { 8, UINT32_MAX }, { UINT32_MAX - 3, 16 }, { 0x80000000, 4 },
	};
	struct message msg;
	uint8_t buf[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		size_t len = make_open(buf, bad[i][0], bad[i][1]);

		assert_int_equal(parse(buf, len, &msg), -EBADMSG);
		assert_int_equal(msg.fd, 9);
	}
}

static void test_read_message(void **state)
{
	static const struct {
		uint64_t off, len;
		int err;
	} cases[] = {
		{ 0, 1, 0 },
		{ 4096, 1 << 20, 0 },
		{ INT64_MAX - 1, 1, 0 },
		{ 0, 0, -EBADMSG },
		{ INT64_MAX, 1, -EBADMSG },
		{ UINT64_MAX, 1, -EBADMSG },
		{ 1, UINT64_MAX, -EBADMSG },
		{ UINT64_MAX - 4095, 4096, -EBADMSG },
	};
	uint32_t head[4] = { 1, CACHEFILES_OD_OP_READ, 32, 2 };
	struct message msg;
	uint8_t buf[40] = { 0 };
	size_t i;

	(void)state;
	memcpy(buf, head, sizeof(head));
	for (i = 0; i < COUNT(cases); i++) {
		memcpy(buf + 16, &cases[i].off, 8);
		memcpy(buf + 24, &cases[i].len, 8);
		assert_int_equal(parse(buf, 32, &msg), cases[i].err);
		if (cases[i].err)
			continue;
		assert_int_equal(msg.off, cases[i].off);
		assert_int_equal(msg.len, cases[i].len);
		assert_int_equal(msg.fd, -1);
	}
	head[2] = 40;
	memcpy(buf, head, sizeof(head));
	assert_int_equal(parse(buf, 40, &msg), -EBADMSG);
}

static void test_other_messages(void **state)
{
	uint32_t head[5] = { 1, CACHEFILES_OD_OP_CLOSE, 16, 2, 0 };
	struct message msg;

	(void)state;
	assert_int_equal(parse(head, 16, &msg), 0);
	head[2] = 20;
	assert_int_equal(parse(head, 20, &msg), -EBADMSG);
	head[2] = 16;
	head[1] = 3;
	assert_int_equal(parse(head, 16, &msg), -EBADMSG);
	head[1] = UINT32_MAX;
	assert_int_equal(parse(head, 16, &msg), -EBADMSG);
}

/* --- names --- */

static void test_blob_names(void **state)
{
	static const struct {
		const char *key;
		size_t len;
		int err;
	} cases[] = {
		{ "a", 1, 0 },
		{ "sha256:0123", 11, 0 },
		{ "a..b", 4, 0 },
		{ "a b%?#\303\244\377", 9, 0 },
		{ "", 0, -EINVAL },
		{ ".", 1, -EINVAL },
		{ "..", 2, -EINVAL },
		{ ".a", 2, -EINVAL },
		{ "/", 1, -EINVAL },
		{ "a/../b", 6, -EINVAL },
		{ "a\0b", 3, -EINVAL },
		{ "a\n", 2, -EINVAL },
		{ "a\033[1m", 5, -EINVAL },
		{ "a\177", 2, -EINVAL },
	};
	char name[BLOB_NAME_MAX + 1];
	uint8_t longest[BLOB_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		int err = blob_name_check((const uint8_t *)cases[i].key, cases[i].len, name);

		assert_int_equal(err, cases[i].err);
		if (!err)
			assert_string_equal(name, cases[i].key);
	}
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(blob_name_check(longest, BLOB_NAME_MAX, name), 0);
	assert_int_equal(strlen(name), BLOB_NAME_MAX);
	assert_int_equal(blob_name_check(longest, BLOB_NAME_MAX + 1, name), -ENAMETOOLONG);
}

static void test_urls(void **state)
{
	static const struct {
		const char *base, *name, *url;
	} cases[] = {
		{ "http://h", "a", "http://h/a" },
		{ "http://h/", "a", "http://h/a" },
		{ "http://h/x//", "a-b_c.d~e", "http://h/x/a-b_c.d~e" },
		{ "https://h:1/x", "a b", "https://h:1/x/a%20b" },
		{ "http://h", "?q=1&r#f", "http://h/%3Fq%3D1%26r%23f" },
		{ "http://h", "100%", "http://h/100%25" },
		{ "http://h", "\303\244\377", "http://h/%C3%A4%FF" },
		{ "http://h", "sha256:0", "http://h/sha256%3A0" },
		{ "http://h/x?sig=1&e=2", "a", "http://h/x/a?sig=1&e=2" },
		{ "http://h/x/?p=a/b#f", "a?b", "http://h/x/a%3Fb?p=a/b" },
		{ "http://h#f", "a", "http://h/a" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		char *url = url_join(cases[i].base, cases[i].name);

		assert_string_equal(url, cases[i].url);
		free(url);
	}
}

static void test_redact(void **state)
{
	static const char *const cases[][2] = {
		{ "http://h/x", "http://h/x" },
		{ "http://user:secret@h/x", "http://h/x" },
		{ "https://user@h:1", "https://h:1" },
		{ "http://a@b@h/", "http://h/" },
		{ "http://h/x@y", "http://h/x@y" },
		{ "/folder/a@b", "/folder/a@b" },
		{ "/folder/a?b", "/folder/a?b" },
		{ "https://h/x?sig=secret", "https://h/x" },
		{ "https://u:p@h?sig=u@x/secret#y", "https://h" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		char *shown = url_redact(cases[i][0]);

		assert_string_equal(shown, cases[i][1]);
		free(shown);
	}
}

static void test_blot(void **state)
{
	static const struct {
		const char *url, *blotted;
		bool any;
	} cases[] = {
		{ "http://h/x", "http://h/x", false },
		{ "/folder?x", "/folder?x", false },
		{ "http://u:p@h/x", "http://***@h/x", true },
		{ "http://h/x?sig=1", "http://h/x?*****", true },
		{ "https://u@h?a", "https://*@h?*", true },
	};
	char url[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		strcpy(url, cases[i].url);
		assert_int_equal(url_blot(url), cases[i].any);
		assert_string_equal(url, cases[i].blotted);
	}
}

/* --- versions --- */

static struct version version(int place, uint64_t size, const char *etag, const char *modified)
{
	struct version made = { .place = place, .size = size };

	version_set_etag(&made, etag);
	version_set_modified(&made, modified);
	return made;
}

#define DAY1	"Tue, 14 Nov 2023 22:13:20 GMT"
#define DAY2	"Wed, 15 Nov 2023 22:13:20 GMT"

static void test_versions(void **state)
{
	static const struct {
		const char *name, *was_etag, *was_date, *is_etag, *is_date;
		uint64_t is_size;
		bool same;
	} cases[] = {
		{ "all equal", "\"a\"", DAY1, "\"a\"", DAY1, 5, true },
		{ "a strong tag is enough", "\"a\"", DAY1, "\"a\"", DAY2, 5, true },
		{ "a tag of each backend", "\"a\"", DAY1, "\"b\"", DAY1, 5, true },
		{ "weak tags differ", "W/\"a\"", DAY1, "W/\"b\"", DAY1, 5, true },
		{ "a weak tag is not enough", "W/\"a\"", DAY1, "W/\"a\"", DAY2, 5, false },
		{ "both differ", "\"a\"", DAY1, "\"b\"", DAY2, 5, false },
		{ "a tag alone differs", "\"a\"", "", "\"b\"", "", 5, false },
		{ "a weak tag alone", "W/\"a\"", "", "W/\"a\"", "", 5, true },
		{ "a weak tag alone differs", "W/\"a\"", "", "W/\"b\"", "", 5, false },
		{ "a weak tag is no strong one", "W/\"a\"", "", "\"a\"", "", 5, false },
		{ "nothing is said now", "\"a\"", DAY1, "", "", 5, false },
		{ "the date is missing", "", DAY1, "\"a\"", "", 5, false },
		{ "nothing was ever said", "", "", "\"a\"", DAY1, 5, true },
		{ "another size", "\"a\"", DAY1, "\"a\"", DAY1, 6, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct version was = version(0, 5, cases[i].was_etag, cases[i].was_date);
		struct version is = version(0, cases[i].is_size, cases[i].is_etag,
					    cases[i].is_date);

		if (version_same(&was, &is, true) != cases[i].same)
			print_error("%s\n", cases[i].name);
		/* rules for mirrors do not apply to one source at two times */
		assert_int_equal(version_same(&was, &is, true), cases[i].same);
		is.place = 1;
		assert_int_equal(version_same(&was, &is, false), cases[i].same);
		assert_int_equal(version_same(&was, &is, true), cases[i].is_size == 5);
	}
}

/* What the kernel stores is read back as the same version, and as no other. */
static void test_version_text(void **state)
{
	static const struct {
		const char *etag, *modified, *text;
	} cases[] = {
		{ "\"a\"", "", "\"a\"" },
		{ "\"a\"", DAY1, "\"a\" " DAY1 " 5" },
		{ "W/\"a\"", DAY1, "W/\"a\" " DAY1 " 5" },
		{ "W/\"a\"", "", "W/\"a\" - 5" },
		{ "", DAY1, DAY1 " 5" },
		{ "", "", "" },
		{ "a", "a\nb", "" },
		{ "\"a b\"", "\"a\"", "" },
		{ "\"a\"b\"", "\303\244", "" },
	};
	char text[VALIDATOR_MAX + 1];
	struct version back;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct version made = version(3, 5, cases[i].etag, cases[i].modified);

		version_write(&made, text);
		assert_string_equal(text, cases[i].text);
		version_read(&back, 5, text);
		assert_int_equal(back.place, VERSION_ANYWHERE);
		assert_string_equal(back.etag, made.etag);
		assert_string_equal(back.modified, made.modified);
		assert_true(version_same(&back, &made, false));
	}
}

static void test_version_of_file(void **state)
{
	struct stat st = { .st_size = 5, .st_ino = 7, .st_mtim = { 1700000000, 1 },
			   .st_ctim = { 1700000001, 2 } };
	struct version here = { .place = 0 }, there = { .place = 1 }, kept, web;
	char text[VALIDATOR_MAX + 1];

	(void)state;
	version_of_file(&here, &st);
	version_write(&here, text);
	assert_string_equal(text, "1700000000.000000001-7-5-1700000001.000000002");
	version_read(&kept, 5, text);
	assert_true(version_same(&kept, &here, false));
	/* a copy in another directory, by its time; either may have been recorded */
	st.st_ino = 8;
	version_of_file(&there, &st);
	assert_true(version_same(&here, &there, false));
	assert_false(version_same(&kept, &there, false));
	there.place = 0;
	assert_false(version_same(&here, &there, false));
	st.st_mtim.tv_nsec = 2;
	there.place = 1;
	version_of_file(&there, &st);
	assert_false(version_same(&here, &there, false));
	/* the same file on a server, whose dates are in seconds */
	web = version(1, 5, "\"x\"", DAY1);
	assert_true(version_same(&here, &web, false));
	assert_true(version_same(&kept, &web, false));
	web = version(1, 5, "\"x\"", DAY2);
	assert_false(version_same(&here, &web, false));
}

/* --- headers --- */

static void take_lines(struct http_response *response, const char *text)
{
	http_response_reset(response);
	for (; *text; text += strcspn(text, "\n") + 1)
		http_response_line(response, text, strcspn(text, "\n") + 1);
}

static void test_codings(void **state)
{
	static const struct {
		const char *value;
		uint64_t off;
		uint8_t byte;
		bool coded;
	} cases[] = {
		{ "identity", 0, 0x1f, false },
		{ "", 0, 0x1f, false },
		{ "aws-chunked", 0, 0x1f, false },
		{ "utf-8", 0, 0x1f, false },
		{ "gzip", 0, 0x1f, true },
		{ "GZip", 0, 0x1f, true },
		{ "aws-chunked, gzip", 0, 0x1f, true },
		{ "gzip", 0, 0, false },
		{ "gzip", 4096, 0x1f, false },
		{ "zstd", 0, 0x28, true },
		{ "zstd", 0, 0, false },
		{ "br", 0, 0, true },
		{ "br", 4096, 0, true },
		{ "deflate", 0, 0, true },
	};
	struct http_response response;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 206 X\nContent-Encoding: %s\n",
			 cases[i].value);
		take_lines(&response, text);
		if (http_response_is_coded(&response, cases[i].off, cases[i].byte) !=
		    cases[i].coded)
			print_error("%s\n", cases[i].value);
		assert_int_equal(http_response_is_coded(&response, cases[i].off, cases[i].byte),
				 cases[i].coded);
	}
}

static void test_response(void **state)
{
	struct http_response response;

	(void)state;
	take_lines(&response, "HTTP/1.1 100 Continue\nETag: \"old\"\nHTTP/1.1 206 OK\n"
		   "content-range: bytes 0-4/9\nContent-Length:5 \nLast-Modified: " DAY1 "\n"
		   "Content-Type: text/plain\n");
	assert_null(response.bad);
	assert_int_equal(response.range.total, 9);
	assert_int_equal(response.length, 5);
	assert_string_equal(response.version.etag, "");
	assert_string_equal(response.version.modified, DAY1);
	assert_false(response.web_page);
	take_lines(&response, "Content-Range: bytes 0-4/9\nContent-Range: bytes 0-4/9\n");
	assert_string_equal(response.bad, "Content-Range");
	take_lines(&response, "Content-Length: 5x\n");
	assert_string_equal(response.bad, "Content-Length");
	take_lines(&response, "Content-Type: Text/HTML; charset=utf-8\n");
	assert_true(response.web_page);
	take_lines(&response, "Content-Type: application/xhtml+xml\n");
	assert_true(response.web_page);
}

/* --- health --- */

static void test_health(void **state)
{
	struct health health;
	uint64_t sick_for;

	(void)state;
	health_init(&health);
	assert_false(health_is_sick(&health));
	assert_false(health_good(&health, &sick_for));
	assert_true(health_failed(&health, 0));
	assert_true(health_is_sick(&health));
	assert_false(health_failed(&health, 0));
	assert_int_equal(health_pause(&health), 0);
	/* one failure of many concurrent requests counts once */
	assert_int_equal(health.sick_ms, 1000);
	health.sick_until = 0;
	assert_false(health_is_sick(&health));
	/* while one request probes the source, others stay away */
	health_try(&health);
	assert_true(health_is_sick(&health));
	assert_true(health_good(&health, &sick_for));
	assert_false(health_is_sick(&health));
	health_failed(&health, 60000);
	assert_in_range(health_pause(&health), 59000, 60000);
	health_good(&health, &sick_for);
	assert_true(health_is_sick(&health));
}

static void test_printable(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(name_printable("a-b", buf, sizeof(buf)), "a-b");
	assert_string_equal(name_printable("a b\\\377", buf, sizeof(buf)), "a\\040b\\134\\377");
	assert_string_equal(name_printable("\377\377\377", buf, 8), "\\377");
	assert_string_equal(name_printable("abc", buf, 1), "");
}

/* --- ranges --- */

static void test_content_range(void **state)
{
	static const struct {
		const char *text;
		int err;
		struct content_range want;
	} cases[] = {
		{ "bytes 0-0/5", 0, { true, 0, 0, 5 } },
		{ " bytes 10-19/20 ", 0, { true, 10, 19, 20 } },
		{ "BYTES\t1-2/3\r\n", 0, { true, 1, 2, 3 } },
		{ "bytes 1-2/*", 0, { true, 1, 2, RANGE_UNKNOWN } },
		{ "bytes */47", 0, { false, 0, 0, 47 } },
		{ "bytes */0", 0, { false, 0, 0, 0 } },
		{ "bytes 0-9223372036854775806/9223372036854775807", 0,
		  { true, 0, INT64_MAX - 1, INT64_MAX } },
		{ "", -EINVAL, { 0 } },
		{ "bytes", -EINVAL, { 0 } },
		{ "bytes 1", -EINVAL, { 0 } },
		{ "bytes 1-", -EINVAL, { 0 } },
		{ "bytes 1-2", -EINVAL, { 0 } },
		{ "bytes 1-2/", -EINVAL, { 0 } },
		{ "bytes 1-2/3x", -EINVAL, { 0 } },
		{ "bytes -2/3", -EINVAL, { 0 } },
		{ "bytes 2-1/3", -EINVAL, { 0 } },
		{ "bytes 0-3/3", -EINVAL, { 0 } },
		{ "bytes 0-+1/3", -EINVAL, { 0 } },
		{ "bytes *", -EINVAL, { 0 } },
		{ "lines 0-1/2", -EINVAL, { 0 } },
		{ "bytes=0-1/2", -EINVAL, { 0 } },
		{ "bytes 0-1/9223372036854775808", -EINVAL, { 0 } },
		{ "bytes 0-1/18446744073709551617", -EINVAL, { 0 } },
		{ "bytes 18446744073709551616-18446744073709551617/*", -EINVAL, { 0 } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct content_range got;
		int err = content_range_parse(cases[i].text, &got);

		if (err != cases[i].err)
			print_error("%s\n", cases[i].text);
		assert_int_equal(err, cases[i].err);
		if (err)
			continue;
		assert_int_equal(got.satisfied, cases[i].want.satisfied);
		assert_int_equal(got.first, cases[i].want.first);
		assert_int_equal(got.last, cases[i].want.last);
		assert_true(got.total == cases[i].want.total);
	}
}

static void test_clamp(void **state)
{
	(void)state;
	assert_int_equal(range_clamp(0, 10, 100), 10);
	assert_int_equal(range_clamp(95, 10, 100), 5);
	assert_int_equal(range_clamp(100, 10, 100), 0);
	assert_int_equal(range_clamp(200, 10, 100), 0);
	assert_int_equal(range_clamp(0, 10, 0), 0);
	assert_true(range_clamp(1, UINT64_MAX, INT64_MAX) == INT64_MAX - 1);
}

/* --- pieces --- */

static struct fill new_fill(uint64_t off, uint64_t end)
{
	return (struct fill){ .fd = memfd_create("fill", 0), .off = off, .end = end,
			      .buf = malloc(FILL_PIECE) };
}

static off_t file_size(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

static void test_fill_pieces(void **state)
{
	const uint64_t second = 4096 + FILL_FIRST, third = second + 4096 + 4 * FILL_FIRST;
	struct fill fill = new_fill(4096, third + FILL_PIECE + 10);
	char *data = calloc(1, FILL_PIECE);

	(void)state;
	/* less than a piece is held back, a piece is written; the first one is small */
	assert_int_equal(fill_add(&fill, data, FILL_FIRST - 1), 0);
	assert_int_equal(file_size(fill.fd), 0);
	assert_int_equal(fill_add(&fill, data, 2), 0);
	assert_int_equal(file_size(fill.fd), second);
	assert_int_equal(fill.used, 1);
	/* bytes that arrived before a pause are written, except for a partial block */
	assert_int_equal(fill_add(&fill, data, 4096), 0);
	assert_int_equal(fill_flush(&fill), 0);
	assert_int_equal(fill.off, second + 4096);
	assert_int_equal(fill.used, 1);
	assert_int_equal(fill_flush(&fill), 0);
	assert_int_equal(fill.used, 1);
	/* then it continues, with longer pieces */
	assert_int_equal(fill_add(&fill, data, 4 * FILL_FIRST - 2), 0);
	assert_int_equal(file_size(fill.fd), second + 4096);
	assert_int_equal(fill_add(&fill, data, 1), 0);
	assert_int_equal(file_size(fill.fd), third);
	assert_int_equal(fill_wanted(&fill), FILL_PIECE + 10);
	/* the end of the range need not fill a piece */
	assert_int_equal(fill_add(&fill, data, FILL_PIECE), 0);
	assert_int_equal(fill_add(&fill, data, 10), 0);
	assert_int_equal(file_size(fill.fd), third + FILL_PIECE + 10);
	assert_int_equal(fill_wanted(&fill), 0);
	/* nothing past it */
	assert_int_equal(fill_add(&fill, data, 1), -EFBIG);
	assert_int_equal(file_size(fill.fd), third + FILL_PIECE + 10);
	close(fill.fd);
	free(fill.buf);
	free(data);
}

/* Directly into the buffer, as for a file. */
static void test_fill_space(void **state)
{
	struct fill fill = new_fill(0, FILL_FIRST + 100);
	size_t len;

	(void)state;
	assert_ptr_equal(fill_space(&fill, &len), fill.buf);
	assert_int_equal(len, FILL_FIRST);
	memset(fill.buf, 'a', 5);
	assert_int_equal(fill_took(&fill, 5), 0);
	assert_ptr_equal(fill_space(&fill, &len), fill.buf + 5);
	assert_int_equal(len, FILL_FIRST - 5);
	assert_int_equal(fill_took(&fill, len), 0);
	assert_int_equal(file_size(fill.fd), FILL_FIRST);
	assert_ptr_equal(fill_space(&fill, &len), fill.buf);
	assert_int_equal(len, 100);
	assert_int_equal(fill_took(&fill, len), 0);
	assert_int_equal(file_size(fill.fd), FILL_FIRST + 100);
	fill_space(&fill, &len);
	assert_int_equal(len, 0);
	close(fill.fd);
	free(fill.buf);
}

/* --- what was logged --- */

static void test_told(void **state)
{
	static struct told told = { .lock = PTHREAD_MUTEX_INITIALIZER };
	char name[16];
	int i;

	(void)state;
	assert_false(told_before(&told, "a", "1"));
	assert_true(told_before(&told, "a", "1"));
	assert_false(told_before(&told, "a", "2"));
	assert_false(told_before(&told, "a1", ""));
	assert_false(told_before(&told, "", "a1"));
	assert_true(told_before(&told, "a", "1"));
	/* the oldest is forgotten first */
	for (i = 0; i < TOLD_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_false(told_before(&told, name, ""));
	}
	assert_true(told_before(&told, "n0", ""));
	assert_false(told_before(&told, "a", "1"));
}

/* --- maps --- */

struct cache_folder {
	char dir[64];
	int maps;
};

static void make_cache(struct cache_folder *folder)
{
	char path[128];

	strcpy(folder->dir, "/tmp/odd-maps.XXXXXX");
	assert_non_null(mkdtemp(folder->dir));
	snprintf(path, sizeof(path), "%s/cache", folder->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/maps", folder->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	folder->maps = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(folder->maps >= 0);
}

static void remove_cache(struct cache_folder *folder)
{
	char command[96];

	close(folder->maps);
	snprintf(command, sizeof(command), "rm -rf %s", folder->dir);
	assert_int_equal(system(command), 0);
}

/* Creates a file where the module would; returns its inode number. */
static uint64_t put_cache_file(struct cache_folder *folder, const char *below)
{
	char path[512], *slash;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/cache/%s", folder->dir, below);
	for (slash = path + strlen(folder->dir) + 7; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st.st_ino;
}

static void put_map(struct cache_folder *folder, uint64_t ino, const char *volume,
		    const char *name)
{
	struct od_range runs[] = { { 0, 4096 }, { 8192, 12288 } };
	struct presence map = { .runs = runs };

	map.head.seq = 1;
	map.head.size = 12000;
	map.head.ino = ino;
	map.head.nr_runs = 2;
	strcpy(map.head.volume, volume);
	strcpy(map.head.name, name);
	assert_int_equal(presence_write(folder->maps, &map), 0);
}

static bool has_map(struct cache_folder *folder, uint64_t ino)
{
	char name[MAP_NAME_SIZE];
	struct presence map;
	int err;

	presence_name(ino, name);
	err = presence_read(folder->maps, name, &map);
	assert_true(!err || err == -ENOENT);
	if (!err) {
		assert_int_equal(map.head.nr_runs, 2);
		assert_int_equal(map.runs[1].start, 8192);
		assert_int_equal(presence_bytes(&map), 4096 + 12000 - 8192);
		presence_free(&map);
	}
	return !err;
}

static void put_text(struct cache_folder *folder, const char *name, bool old)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	int fd = openat(folder->maps, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	if (old)
		assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void test_maps_sweep(void **state)
{
	struct cache_folder folder;
	unsigned int removed;
	uint64_t kept, odd;

	(void)state;
	make_cache(&folder);
	/* the directory of a plain name is known, that of an encoded one is searched for */
	kept = put_cache_file(&folder, "Ierofs,test/@39/Dtest");
	odd = put_cache_file(&folder, "Ierofs,test/@07/E0abcd");
	put_map(&folder, kept, "Ierofs,test", "Dtest");
	put_map(&folder, odd, "Ierofs,test", "E0abcd");
	put_map(&folder, kept + 1000, "Ierofs,test", "Dtest");	/* was replaced */
	put_map(&folder, kept + 1001, "Ierofs,test", "Dgone");
	put_map(&folder, kept + 1002, "Ierofs,none", "Dtest");
	put_map(&folder, kept + 1003, "Ierofs,test", "E0wxyz");
	put_text(&folder, "123", false);
	put_text(&folder, "124", true);
	assert_int_equal(maps_sweep(folder.dir, &removed), 0);
	assert_int_equal(removed, 5);
	assert_true(has_map(&folder, kept));
	assert_true(has_map(&folder, odd));
	assert_int_equal(faccessat(folder.maps, "123", F_OK, 0), 0);
	assert_int_not_equal(faccessat(folder.maps, "124", F_OK, 0), 0);
	assert_false(has_map(&folder, kept + 1000));
	assert_false(has_map(&folder, kept + 1003));
	assert_int_equal(maps_sweep(folder.dir, &removed), 0);
	assert_int_equal(removed, 0);
	remove_cache(&folder);
	assert_int_equal(maps_sweep(folder.dir, &removed), -ENOENT);
}

/* A torn commit leaves the previous version; a damaged map has none. */
static void test_map_versions(void **state)
{
	struct od_range runs[] = { { 0, 4096 } };
	struct presence map = { .runs = runs }, back;
	struct cache_folder folder;
	uint8_t slot[OD_MAPFILE_SLOT], byte = 1;
	int fd;

	(void)state;
	make_cache(&folder);
	put_map(&folder, 77, "Ierofs,test", "Dtest");
	fd = openat(folder.maps, "4d", O_RDWR);
	assert_true(fd >= 0);
	/* like the module's next commit, but without its runs */
	assert_int_equal(presence_read(folder.maps, "4d", &back), 0);
	map.head = back.head;
	map.head.seq = 2;
	map.head.nr_runs = 1;
	map.head.runs_off = od_mapfile_next_off(&back.head, 1);
	map.head.runs_crc = 12345;
	presence_free(&back);
	od_mapfile_encode(&map.head, slot);
	assert_int_equal(pwrite(fd, slot, sizeof(slot), 0), sizeof(slot));
	assert_int_equal(presence_read(folder.maps, "4d", &back), 0);
	assert_int_equal(back.head.seq, 1);
	presence_free(&back);
	/* now the other header is invalid, too */
	assert_int_equal(pwrite(fd, &byte, 1, OD_MAPFILE_SLOT + 20), 1);
	assert_int_equal(presence_read(folder.maps, "4d", &back), -EUCLEAN);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(presence_read(folder.maps, "4d", &back), -EUCLEAN);
	close(fd);
	remove_cache(&folder);
}

static void test_fill_too_much(void **state)
{
	struct fill fill = new_fill(0, 100);
	char data[101] = "";

	(void)state;
	assert_int_equal(fill_add(&fill, data, 101), -EFBIG);
	assert_int_equal(file_size(fill.fd), 0);
	close(fill.fd);
	free(fill.buf);
}

/* --- blobs --- */

static bool is_open(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0;
}

static void test_blob_references(void **state)
{
	struct blobs blobs = { .lock = PTHREAD_MUTEX_INITIALIZER };
	int fd = memfd_create("one", 0), other = memfd_create("two", 0);
	struct blob *blob, *again;

	(void)state;
	blob = blobs_add(&blobs, -1, 5, fd, "erofs,a", "name");
	assert_non_null(blob);
	assert_null(blobs_add(&blobs, -1, 5, other, "erofs,a", "name"));
	assert_int_equal(errno, EEXIST);
	assert_true(is_open(other));
	again = blobs_get(&blobs, 5);
	assert_ptr_equal(again, blob);
	assert_null(blobs_get(&blobs, 6));
	assert_int_equal(blobs_drop(&blobs, 6), -ENOENT);

	/* CLOSE: not found any more, but open until the last request is done */
	assert_int_equal(blobs_drop(&blobs, 5), 0);
	assert_null(blobs_get(&blobs, 5));
	assert_true(blob->closed);
	assert_true(is_open(fd));
	blob_put(blob);
	assert_true(is_open(fd));
	blob_put(again);
	assert_false(is_open(fd));
	close(other);
}

static void test_many_blobs(void **state)
{
	struct blobs blobs = { .lock = PTHREAD_MUTEX_INITIALIZER };
	uint32_t i;

	(void)state;
	for (i = 0; i < 500; i++)
		blob_put(blobs_add(&blobs, -1, i * 2654435761U, dup(0), "erofs,a", "x"));
	for (i = 0; i < 500; i++) {
		struct blob *blob = blobs_get(&blobs, i * 2654435761U);

		assert_int_equal(blob->object_id, i * 2654435761U);
		blob_put(blob);
	}
	blobs_drop_all(&blobs);
	assert_null(blobs.tree);
}

/* --- sources --- */

static void test_source_kinds(void **state)
{
	struct source *list = NULL;

	(void)state;
	assert_int_equal(source_add(&list, "/tmp"), 0);
	assert_int_equal(source_add(&list, "HTTP://user:pw@h/x"), 0);
	assert_int_equal(source_add(&list, "https://h"), 0);
	assert_int_equal(source_add(&list, "ftp://h"), -EPROTONOSUPPORT);
	assert_int_equal(source_add(&list, "file:///tmp"), -EPROTONOSUPPORT);
	assert_int_equal(source_add(&list, "/dev/null"), -ENOTDIR);
	assert_int_equal(source_add(&list, "/nowhere/at/all"), -ENOENT);
	assert_ptr_equal(list->ops, &source_dir_ops);
	assert_ptr_equal(list->next->ops, &source_http_ops);
	assert_string_equal(list->next->shown, "HTTP://h/x");
	assert_null(list->next->next->next);
	source_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_message),
		cmocka_unit_test(test_open_key_sizes),
		cmocka_unit_test(test_read_message),
		cmocka_unit_test(test_other_messages),
		cmocka_unit_test(test_blob_names),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_redact),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_content_range),
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_fill_pieces),
		cmocka_unit_test(test_fill_space),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_maps_sweep),
		cmocka_unit_test(test_map_versions),
		cmocka_unit_test(test_fill_too_much),
		cmocka_unit_test(test_blob_references),
		cmocka_unit_test(test_many_blobs),
		cmocka_unit_test(test_source_kinds),
		cmocka_unit_test(test_blot),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_version_of_file),
		cmocka_unit_test(test_codings),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_health),
	};

	return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
