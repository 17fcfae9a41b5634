// SPDX-License-Identifier: GPL-2.0-only
/* Legal and illegal state changes, the window of a READ, encoded messages. */
#include <kunit/test.h>

#include <linux/cachefiles_od.h>
#include "cachefiles_od/core/message.h"
#include "cachefiles_od/core/request.h"

#define KIB	1024ULL
#define MIB	(1024 * KIB)
#define ILLEGAL	(-1)

static void request_request_states(struct kunit *test)
{
	/* Rows: states; columns: FETCH DELIVER UNDELIVER REPLY REQUEUE CANCEL. */
	static const int expected[4][6] = {
		{ OD_REQ_FETCHING, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, OD_REQ_DONE },
		{ ILLEGAL, OD_REQ_SENT, OD_REQ_QUEUED, ILLEGAL, ILLEGAL, OD_REQ_DONE },
		{ ILLEGAL, ILLEGAL, ILLEGAL, OD_REQ_DONE, OD_REQ_QUEUED, OD_REQ_DONE },
		{ ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL },
	};
	int from, event;

	for (from = 0; from < 4; from++)
		for (event = 0; event < 6; event++) {
			enum od_req_state s = (enum od_req_state)from;
			int err = od_req_step(&s, (enum od_req_event)event);

			KUNIT_EXPECT_EQ(test, err, expected[from][event] == ILLEGAL ? -EINVAL : 0);
			KUNIT_EXPECT_EQ(test, s, err ? from : expected[from][event]);
		}
}

static void request_object_states(struct kunit *test)
{
	/* Rows: states; columns: ASK_OPEN ASK_READ OPENED REFUSED FD_CLOSED DROP. */
	static const int expected[5][6] = {
		{ OD_OBJ_OPENING, OD_OBJ_REOPENING, ILLEGAL, ILLEGAL, ILLEGAL, OD_OBJ_DROPPING },
		{ ILLEGAL, ILLEGAL, OD_OBJ_OPEN, OD_OBJ_CLOSED, ILLEGAL, OD_OBJ_DROPPING },
		{ ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, OD_OBJ_CLOSED, OD_OBJ_DROPPING },
		{ ILLEGAL, ILLEGAL, OD_OBJ_OPEN, OD_OBJ_CLOSED, ILLEGAL, OD_OBJ_DROPPING },
		{ ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL },
	};
	int from, event;

	for (from = 0; from < 5; from++)
		for (event = 0; event < 6; event++) {
			enum od_obj_state s = (enum od_obj_state)from;
			int err = od_obj_step(&s, (enum od_obj_event)event);

			KUNIT_EXPECT_EQ(test, err, expected[from][event] == ILLEGAL ? -EINVAL : 0);
			KUNIT_EXPECT_EQ(test, s, err ? from : expected[from][event]);
		}
}

static void request_windows(struct kunit *test)
{
	static const struct {
		const char *what;
		u64 pos, end, limit, window, size;
		struct od_range expected;
	} cases[] = {
		{ "forward from what is wanted", 5 * MIB, 5 * MIB + 1, ~0ULL, MIB, 64 * MIB,
		  { 5 * MIB, 6 * MIB } },
		{ "never before it", 6 * MIB - 1, 6 * MIB, ~0ULL, MIB, 64 * MIB,
		  { 6 * MIB - 4096, 7 * MIB - 4096 } },
		{ "no window", 5 * MIB + 7, 5 * MIB + 8, ~0ULL, 0, 64 * MIB,
		  { 5 * MIB, 5 * MIB + 4096 } },
		{ "no window, two blocks", 8191, 8193, ~0ULL, 0, 64 * MIB, { 4096, 12288 } },
		{ "what is wanted is wider than the window", 0, 100 * KIB, ~0ULL, 64 * KIB, 64 * MIB,
		  { 0, 100 * KIB } },
		{ "clamped to the blob", 5 * MIB, 5 * MIB + 100, ~0ULL, MIB, 5 * MIB + 100,
		  { 5 * MIB, 5 * MIB + 100 } },
		{ "clamped to what is present", 300 * KIB, 301 * KIB, 512 * KIB, MIB, 64 * MIB,
		  { 300 * KIB, 512 * KIB } },
		{ "what is present begins inside a block", 4096, 4097, 8200, MIB, 64 * MIB,
		  { 4096, 12288 } },
		{ "no longer than a READ may be", 3 * MIB, 9 * MIB, ~0ULL, 2 * MIB, 64 * MIB,
		  { 3 * MIB, 5 * MIB } },
		{ "a tiny blob", 0, 1, ~0ULL, MIB, 1, { 0, 1 } },
		{ "the far end of the largest blob", S64_MAX - 0x10000, S64_MAX - 0xffff, ~0ULL, MIB,
		  S64_MAX - 0xffff, { (S64_MAX - 0x10000) & ~4095ULL, S64_MAX - 0xffff } },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct od_range r = od_req_widen(cases[i].pos, cases[i].end, cases[i].limit,
						 cases[i].window, cases[i].size);

		if (r.start != cases[i].expected.start || r.end != cases[i].expected.end)
			KUNIT_FAIL(test, "%s: [%llu, %llu)", cases[i].what, (unsigned long long)r.start,
				   (unsigned long long)r.end);
		KUNIT_EXPECT_EQ(test, r.start % OD_READ_ALIGN, 0);
		KUNIT_EXPECT_TRUE(test, r.start <= cases[i].pos && cases[i].pos < r.end);
		KUNIT_EXPECT_TRUE(test, r.end - r.start <= CACHEFILES_OD_READ_MAX);
	}
}

static u32 word(const u8 *buf, size_t at)
{
	u32 v;

	memcpy(&v, buf + at, sizeof(v));
	return v;
}

static void request_open_message(struct kunit *test)
{
	struct od_message msg = {
		.msg_id = 3, .opcode = CACHEFILES_OD_OP_OPEN, .object_id = 9,
		.open = { "erofs,test", (const u8 *)"blob", 4, 17 },
	};
	u8 buf[64];

	KUNIT_EXPECT_EQ(test, od_message_len(&msg), 16 + 16 + 11 + 4);
	od_message_encode(&msg, buf);
	KUNIT_EXPECT_EQ(test, word(buf, 0), 3);
	KUNIT_EXPECT_EQ(test, word(buf, 4), 0);
	KUNIT_EXPECT_EQ(test, word(buf, 8), 47);
	KUNIT_EXPECT_EQ(test, word(buf, 12), 9);
	KUNIT_EXPECT_EQ(test, word(buf, 16), 11);
	KUNIT_EXPECT_EQ(test, word(buf, 20), 4);
	KUNIT_EXPECT_EQ(test, word(buf, 24), 17);
	KUNIT_EXPECT_EQ(test, word(buf, 28), 0);
	KUNIT_EXPECT_MEMEQ(test, buf + 32, "erofs,test\0blob", 15);
}

static void request_read_message(struct kunit *test)
{
	struct od_message msg = {
		.msg_id = 4, .opcode = CACHEFILES_OD_OP_READ, .object_id = 9,
		.read = { 1ULL << 40, 2 * MIB },
	};
	u8 buf[32];
	u64 v;

	KUNIT_EXPECT_EQ(test, od_message_len(&msg), 32);
	od_message_encode(&msg, buf);
	KUNIT_EXPECT_EQ(test, word(buf, 4), 2);
	KUNIT_EXPECT_EQ(test, word(buf, 8), 32);
	memcpy(&v, buf + 16, 8);
	KUNIT_EXPECT_EQ(test, v, 1ULL << 40);
	memcpy(&v, buf + 24, 8);
	KUNIT_EXPECT_EQ(test, v, 2 * MIB);
}

static void request_close_message(struct kunit *test)
{
	struct od_message msg = { .msg_id = 5, .opcode = CACHEFILES_OD_OP_CLOSE, .object_id = 9 };
	u8 buf[16];

	KUNIT_EXPECT_EQ(test, od_message_len(&msg), 16);
	od_message_encode(&msg, buf);
	KUNIT_EXPECT_EQ(test, word(buf, 4), 1);
	KUNIT_EXPECT_EQ(test, word(buf, 8), 16);
	KUNIT_EXPECT_EQ(test, word(buf, 12), 9);
}

/* The longest keys that have a file name must fit the buffer that daemons use. */
static void request_longest_message_fits(struct kunit *test)
{
	char volume[253];
	struct od_message msg = {
		.opcode = CACHEFILES_OD_OP_OPEN,
		.open = { volume, (const u8 *)volume, 252, 0 },
	};

	memset(volume, 'v', 252);
	volume[252] = '\0';
	KUNIT_EXPECT_TRUE(test, od_message_len(&msg) <= CACHEFILES_OD_MSG_MAX);
}

static void request_ioctl_number(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, CACHEFILES_OD_IOC_READ_COMPLETE, 0x40049801);
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE(request_request_states),
	KUNIT_CASE(request_object_states),
	KUNIT_CASE(request_windows),
	KUNIT_CASE(request_open_message),
	KUNIT_CASE(request_read_message),
	KUNIT_CASE(request_close_message),
	KUNIT_CASE(request_longest_message_fits),
	KUNIT_CASE(request_ioctl_number),
	{}
};

static struct kunit_suite request_suite = {
	.name = "od_request",
	.test_cases = request_cases,
};
kunit_test_suite(request_suite);
