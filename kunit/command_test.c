// SPDX-License-Identifier: GPL-2.0-only
/* Commands that a daemon writes, valid and invalid. */
#include <kunit/test.h>

#include "cachefiles_od/core/command.h"

static int parse(const char *text, size_t len, char *buf, struct od_command *cmd)
{
	memcpy(buf, text, len);
	buf[len] = 'X';
	return od_command_parse(buf, len, cmd);
}

static void command_known_commands(struct kunit *test)
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
		{ "copen 1,2,a\nb", OD_CMD_COPEN, "1,2,a" },
		{ "commit Dx", OD_CMD_COMMIT, "Dx" },
		{ "wide", OD_CMD_WIDE, "" },
		{ "restore", OD_CMD_RESTORE, "" },
		{ "cull Dx", OD_CMD_CULL, "Dx" },
		{ "cull-deferred Dx", OD_CMD_CULL_DEFERRED, "Dx" },
		{ "punch Dx 0 4096", OD_CMD_PUNCH, "Dx 0 4096" },
		{ "events", OD_CMD_EVENTS, "" },
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

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ(test, parse(cases[i].text, strlen(cases[i].text), buf, &cmd), 0);
		KUNIT_EXPECT_EQ(test, cmd.id, cases[i].id);
		KUNIT_EXPECT_STREQ(test, cmd.arg, cases[i].arg);
	}
}

static void command_bad_commands(struct kunit *test)
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
		{ "comm", 4, -EOPNOTSUPP },
		{ "wider", 5, -EOPNOTSUPP },
		{ " dir x", 6, -EOPNOTSUPP },
		{ "nonsense", 8, -EOPNOTSUPP },
	};
	struct od_command cmd;
	char buf[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, parse(cases[i].text, cases[i].len, buf, &cmd), cases[i].err);
}

/* In a separate buffer, since parsing modifies it. */
static int parse_copen(const char *arg, char buf[64], struct od_copen *copen)
{
	memcpy(buf, arg, strlen(arg) + 1);
	return od_command_copen(buf, copen);
}

static void command_copen_answers(struct kunit *test)
{
	static const struct {
		const char *arg;
		int ret;
		u32 id;
		s64 size;
		const char *validator;
	} cases[] = {
		{ "1,4096", 0, 1, 4096, "" },
		{ "1,4096,v", 0, 1, 4096, "v" },
		{ "1,0,\"a, b\",c ", 0, 1, 0, "\"a, b\",c " },
		{ "1,4096,,", 0, 1, 4096, "," },
		{ "1,-2,v", 0, 1, -ENOENT, "v" },
		{ "4294967295,0", 0, 4294967295U, 0, "" },
		{ "7,-2", 0, 7, -ENOENT, "" },
		{ "7,-4095", 0, 7, -4095, "" },
		{ "7,9223372036854710272", 0, 7, S64_MAX - 0xffff, "" },
		/* The ID is valid, so that the OPEN can be failed. */
		{ "7,-4096", 1, 7, -EINVAL, "" },
		{ "7,-0", 1, 7, -EINVAL, "" },
		{ "7,", 1, 7, -EINVAL, "" },
		{ "7,x", 1, 7, -EINVAL, "" },
		{ "7,1x", 1, 7, -EINVAL, "" },
		{ "7, 1", 1, 7, -EINVAL, "" },
		{ "7,--1", 1, 7, -EINVAL, "" },
		{ "7,9223372036854775807", 1, 7, -EINVAL, "" },
		{ "7,99999999999999999999999", 1, 7, -EINVAL, "" },
		{ "7,4096,", 1, 7, -EINVAL, "" },
		{ "7,-2,", 1, 7, -EINVAL, "" },
		{ "7,,v", 1, 7, -EINVAL, "" },
		{ "7,1x,v", 1, 7, -EINVAL, "" },
		{ "7,1 ,v", 1, 7, -EINVAL, "" },
	};
	static const char * const hopeless[] = {
		"", ",", "1", "-1,5", "x,5", "4294967296,5", " 1,5", "1 ,5", "0x1,5",
	};
	struct od_copen copen;
	char buf[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = parse_copen(cases[i].arg, buf, &copen);

		if (ret != cases[i].ret || copen.id != cases[i].id ||
		    copen.size != cases[i].size || strcmp(copen.validator, cases[i].validator))
			KUNIT_FAIL(test, "%s: %d, id %u, size %lld, validator '%s'", cases[i].arg,
				   ret, copen.id, (long long)copen.size, copen.validator);
	}
	for (i = 0; i < ARRAY_SIZE(hopeless); i++)
		KUNIT_EXPECT_EQ(test, parse_copen(hopeless[i], buf, &copen), -EINVAL);
}

static void command_validator_lengths(struct kunit *test)
{
	char *arg = kunit_kzalloc(test, 300, GFP_KERNEL);
	struct od_copen copen;
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, arg);
	for (len = 1; len <= OD_VALIDATOR_MAX + 1; len++) {
		bool good = len <= OD_VALIDATOR_MAX;

		memcpy(arg, "7,4096,", 7);
		memset(arg + 7, 'v', len);
		arg[7 + len] = '\0';
		KUNIT_ASSERT_EQ(test, od_command_copen(arg, &copen), good ? 0 : 1);
		KUNIT_ASSERT_EQ(test, copen.size, good ? 4096 : -EINVAL);
		KUNIT_ASSERT_EQ(test, strlen(copen.validator), good ? len : 0);
	}
}

static void command_percents(struct kunit *test)
{
	unsigned int v = 0;

	KUNIT_EXPECT_EQ(test, od_command_percent("0%", &v), 0);
	KUNIT_EXPECT_EQ(test, v, 0);
	KUNIT_EXPECT_EQ(test, od_command_percent("99%", &v), 0);
	KUNIT_EXPECT_EQ(test, v, 99);
	KUNIT_EXPECT_EQ(test, od_command_percent("100%", &v), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_command_percent("5", &v), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_command_percent("5%x", &v), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_command_percent("%", &v), -EINVAL);
	KUNIT_EXPECT_EQ(test, od_command_percent("-5%", &v), -EINVAL);
}

/* A command may be as long as the device accepts; there are five kinds of blanks. */
static void command_lengths(struct kunit *test)
{
	size_t len = 4095;
	char *buf = kunit_kzalloc(test, len + 1, GFP_KERNEL);
	struct od_command cmd;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(buf, 'x', len);
	memcpy(buf, "dir ", 4);
	KUNIT_EXPECT_EQ(test, od_command_parse(buf, len, &cmd), 0);
	KUNIT_EXPECT_EQ(test, strlen(cmd.arg), len - 4);

	memset(buf, 'x', len);
	KUNIT_EXPECT_EQ(test, od_command_parse(buf, len, &cmd), -EOPNOTSUPP);
	memset(buf, ' ', len);
	KUNIT_EXPECT_EQ(test, od_command_parse(buf, len, &cmd), -EOPNOTSUPP);
	memset(buf, ' ', len);
	memcpy(buf, "bind", 4);
	KUNIT_EXPECT_EQ(test, od_command_parse(buf, len, &cmd), 0);
	KUNIT_EXPECT_STREQ(test, cmd.arg, "");
	KUNIT_EXPECT_EQ(test, parse("tag \t\r\v\fa b", 11, buf, &cmd), 0);
	KUNIT_EXPECT_STREQ(test, cmd.arg, "a b");
}

/* Numbers at the 64-bit limit, and past it. */
static void command_numbers(struct kunit *test)
{
	static const struct {
		const char *text;
		int ret;
		u64 value;
	} cases[] = {
		{ "0;", 1, 0 },
		{ "007;", 3, 7 },
		{ "18446744073709551615;", 20, ~0ULL },
		{ "18446744073709551616;", -EINVAL, 0 },
		{ "18446744073709551620;", -EINVAL, 0 },
		{ "99999999999999999999;", -EINVAL, 0 },
		{ "184467440737095516150;", -EINVAL, 0 },
		{ "000000000000000000000000000001;", 30, 1 },
		{ ";", -EINVAL, 0 },
		{ "1", -EINVAL, 0 },
		{ "+1;", -EINVAL, 0 },
		{ "1 ;", -EINVAL, 0 },
		{ "/;", -EINVAL, 0 },
		{ ":;", -EINVAL, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 value = 0;
		int ret = od_command_u64(cases[i].text, ';', &value);

		if (ret != cases[i].ret || value != cases[i].value)
			KUNIT_FAIL(test, "%s: %d", cases[i].text, ret);
	}
}

static void command_punch(struct kunit *test)
{
	static const struct {
		const char *arg, *name;
		u64 start, len;
		int err;
	} cases[] = {
		{ "Dx 0 1", "Dx", 0, 1, 0 },
		{ "Dx\t4096  8192 ", "Dx", 4096, 8192, 0 },
		{ "D,x 18446744073709551614 1", "D,x", ~0ULL - 1, 1, 0 },
		{ "Dx 18446744073709551615 1", "", 0, 0, -EINVAL },
		{ "Dx 0 0", "", 0, 0, -EINVAL },
		{ "Dx 0", "", 0, 0, -EINVAL },
		{ "Dx", "", 0, 0, -EINVAL },
		{ "", "", 0, 0, -EINVAL },
		{ "Dx 0 1 2", "", 0, 0, -EINVAL },
		{ "Dx 0 1x", "", 0, 0, -EINVAL },
		{ "Dx -1 1", "", 0, 0, -EINVAL },
		{ "Dx 0 18446744073709551616", "", 0, 0, -EINVAL },
	};
	struct od_punch punch;
	char arg[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(arg, cases[i].arg, strlen(cases[i].arg) + 1);
		KUNIT_EXPECT_EQ_MSG(test, od_command_punch(arg, &punch), cases[i].err, "%s",
				    cases[i].arg);
		if (cases[i].err)
			continue;
		KUNIT_EXPECT_STREQ(test, punch.name, cases[i].name);
		KUNIT_EXPECT_EQ(test, punch.start, cases[i].start);
		KUNIT_EXPECT_EQ(test, punch.len, cases[i].len);
	}
}

static struct kunit_case command_cases[] = {
	KUNIT_CASE(command_known_commands),
	KUNIT_CASE(command_bad_commands),
	KUNIT_CASE(command_copen_answers),
	KUNIT_CASE(command_validator_lengths),
	KUNIT_CASE(command_percents),
	KUNIT_CASE(command_lengths),
	KUNIT_CASE(command_numbers),
	KUNIT_CASE(command_punch),
	{}
};

static struct kunit_suite command_suite = {
	.name = "od_command",
	.test_cases = command_cases,
};
kunit_test_suite(command_suite);
