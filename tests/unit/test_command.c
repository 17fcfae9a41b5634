// SPDX-License-Identifier: GPL-2.0-only
/* Commands that a daemon writes, right and wrong ones. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#include "cachefiles_od/core/command.h"
#include "cachefiles_od/core/limit.h"

static int parse(const char *text, size_t len, char *buf, struct od_command *cmd)
{
	memcpy(buf, text, len);
	buf[len] = 'X';
	return od_command_parse(buf, len, cmd);
}

static void known_commands(void **state)
{
	static const struct {
		const char *text;
		enum od_command_id id;
		const char *arg;
	} cases[] = {
		{ "dir /var/cache/erofs-od", OD_CMD_DIR, "/var/cache/erofs-od" },
		{ "dir   /a b", OD_CMD_DIR, "/a b" },
		{ "tag mine\n", OD_CMD_TAG, "mine" },
		{ "tag mine\nignored", OD_CMD_TAG, "mine" },
		{ "secctx system_u:object_r:t:s0", OD_CMD_SECCTX, "system_u:object_r:t:s0" },
		{ "bind ondemand", OD_CMD_BIND, "ondemand" },
		{ "bind", OD_CMD_BIND, "" },
		{ "copen 1,2", OD_CMD_COPEN, "1,2" },
		{ "restore", OD_CMD_RESTORE, "" },
		{ "cull Dx", OD_CMD_CULL, "Dx" },
		{ "inuse Dx", OD_CMD_INUSE, "Dx" },
		{ "debug 3", OD_CMD_DEBUG, "3" },
		{ "brun 7%", OD_CMD_BRUN, "7%" },
		{ "bcull 5%", OD_CMD_BCULL, "5%" },
		{ "bstop 1%", OD_CMD_BSTOP, "1%" },
		{ "frun 7%", OD_CMD_FRUN, "7%" },
		{ "fcull 5%", OD_CMD_FCULL, "5%" },
		{ "fstop 1%", OD_CMD_FSTOP, "1%" },
	};
	struct od_command cmd;
	char buf[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text, strlen(cases[i].text), buf, &cmd), 0);
		assert_int_equal(cmd.id, cases[i].id);
		assert_string_equal(cmd.arg, cases[i].arg);
	}
}

static void bad_commands(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		int err;
	} cases[] = {
		{ "", 0, -EINVAL },
		{ "\n", 1, -EINVAL },
		{ "\ndir x", 6, -EINVAL },
		{ "dir\0x", 5, -EINVAL },
		{ "dir x\0", 6, -EINVAL },
		{ "dirx", 4, -EOPNOTSUPP },
		{ "DIR x", 5, -EOPNOTSUPP },
		{ " dir x", 6, -EOPNOTSUPP },
		{ "nonsense", 8, -EOPNOTSUPP },
	};
	struct od_command cmd;
	char buf[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse(cases[i].text, cases[i].len, buf, &cmd), cases[i].err);
}

static void copen_answers(void **state)
{
	static const struct {
		const char *arg;
		int ret;
		u32 id;
		s64 size;
	} cases[] = {
		{ "1,4096", 0, 1, 4096 },
		{ "4294967295,0", 0, 4294967295U, 0 },
		{ "7,-2", 0, 7, -ENOENT },
		{ "7,-4095", 0, 7, -4095 },
		{ "7,9223372036854710272", 0, 7, S64_MAX - 0xffff },
		/* The id is right, so that the open can be failed. */
		{ "7,-4096", 1, 7, -EINVAL },
		{ "7,-0", 1, 7, -EINVAL },
		{ "7,", 1, 7, -EINVAL },
		{ "7,x", 1, 7, -EINVAL },
		{ "7,1x", 1, 7, -EINVAL },
		{ "7, 1", 1, 7, -EINVAL },
		{ "7,--1", 1, 7, -EINVAL },
		{ "7,9223372036854775807", 1, 7, -EINVAL },
		{ "7,99999999999999999999999", 1, 7, -EINVAL },
	};
	static const char * const hopeless[] = {
		"", ",", "1", "-1,5", "x,5", "4294967296,5", " 1,5", "1 ,5", "0x1,5",
	};
	struct od_copen copen;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = od_command_copen(cases[i].arg, &copen);

		if (ret != cases[i].ret || copen.id != cases[i].id ||
		    copen.size != cases[i].size)
			fail_msg("%s: %d, id %u, size %lld", cases[i].arg, ret, copen.id,
				 (long long)copen.size);
	}
	for (i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
		assert_int_equal(od_command_copen(hopeless[i], &copen), -EINVAL);
}

static void percents(void **state)
{
	unsigned int v = 0;

	(void)state;
	assert_int_equal(od_command_percent("0%", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(od_command_percent("99%", &v), 0);
	assert_int_equal(v, 99);
	assert_int_equal(od_command_percent("100%", &v), -EINVAL);
	assert_int_equal(od_command_percent("5", &v), -EINVAL);
	assert_int_equal(od_command_percent("5%x", &v), -EINVAL);
	assert_int_equal(od_command_percent("%", &v), -EINVAL);
	assert_int_equal(od_command_percent("-5%", &v), -EINVAL);
}

static void limit_order(void **state)
{
	static const struct {
		struct od_limit limit;
		int err;
	} cases[] = {
		{ OD_LIMIT_DEFAULT, 0 },
		{ { 2, 1, 0 }, 0 },
		{ { 99, 98, 97 }, 0 },
		{ { 5, 5, 1 }, -ERANGE },
		{ { 7, 1, 1 }, -ERANGE },
		{ { 5, 7, 1 }, -ERANGE },
		{ { 100, 5, 1 }, -ERANGE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(od_limit_check(&cases[i].limit), cases[i].err);
}

static void limit_room(void **state)
{
	static const struct od_limit limit = OD_LIMIT_DEFAULT;
	static const u64 totals[] = { 100, 10000, 100ULL << 33, ~0ULL / 100 * 100 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		/* Of the largest totals the low bits do not count. */
		bool coarse = totals[i] > ~0ULL / 256;
		u64 percent = totals[i] / 100, slack = coarse ? 1024 : 1;
		u64 more = coarse ? 1024 : 0;

		assert_int_equal(od_limit_room(&limit, totals[i], totals[i]), OD_ROOM_PLENTY);
		assert_int_equal(od_limit_room(&limit, totals[i], 7 * percent + more),
				 OD_ROOM_PLENTY);
		assert_int_equal(od_limit_room(&limit, totals[i], 7 * percent - slack),
				 OD_ROOM_SOME);
		assert_int_equal(od_limit_room(&limit, totals[i], 5 * percent + more),
				 OD_ROOM_SOME);
		assert_int_equal(od_limit_room(&limit, totals[i], 5 * percent - slack),
				 OD_ROOM_SCARCE);
		assert_int_equal(od_limit_room(&limit, totals[i], percent + more),
				 OD_ROOM_SCARCE);
		assert_int_equal(od_limit_room(&limit, totals[i], percent - slack),
				 OD_ROOM_NONE);
		assert_int_equal(od_limit_room(&limit, totals[i], 0), OD_ROOM_NONE);
	}
	/* File systems that do not count files say 0 of 0. */
	assert_int_equal(od_limit_room(&limit, 0, 0), OD_ROOM_PLENTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_commands),
		cmocka_unit_test(bad_commands),
		cmocka_unit_test(copen_answers),
		cmocka_unit_test(percents),
		cmocka_unit_test(limit_order),
		cmocka_unit_test(limit_room),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
