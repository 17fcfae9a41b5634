// SPDX-License-Identifier: GPL-2.0-only
/* Classes of waits and of errors. */
#include <kunit/test.h>

#include "cachefiles_od/core/use.h"

static void use_waits(struct kunit *test)
{
	static const struct {
		u64 ms;
		unsigned int class;
	} waits[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 2 }, { 4, 3 }, { 1023, 10 }, { 1024, 11 },
		{ (1ULL << 18) - 1, 18 }, { 1ULL << 18, 19 }, { ~0ULL, 19 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(waits); i++)
		KUNIT_EXPECT_EQ_MSG(test, od_use_wait(waits[i].ms), waits[i].class, "wait %zu", i);
}

static void use_errnos(struct kunit *test)
{
	unsigned int class;

	KUNIT_EXPECT_STREQ(test, od_use_errno_name(od_use_errno(-EIO)), "EIO");
	KUNIT_EXPECT_STREQ(test, od_use_errno_name(od_use_errno(-ETIMEDOUT)), "ETIMEDOUT");
	KUNIT_EXPECT_STREQ(test, od_use_errno_name(od_use_errno(-EINTR)), "EINTR");
	KUNIT_EXPECT_STREQ(test, od_use_errno_name(od_use_errno(-EXDEV)), "other");
	KUNIT_EXPECT_EQ(test, od_use_errno(0), OD_USE_ERRNOS - 1);
	for (class = 0; class < OD_USE_ERRNOS; class++)
		KUNIT_EXPECT_NOT_NULL(test, od_use_errno_name(class));
}

static struct kunit_case use_cases[] = {
	KUNIT_CASE(use_waits),
	KUNIT_CASE(use_errnos),
	{ }
};

static struct kunit_suite use_suite = {
	.name = "od_use",
	.test_cases = use_cases,
};

kunit_test_suite(use_suite);
