/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel's <kunit/test.h> as the suites in kunit/ use, in user
 * space on top of cmocka: a suite becomes a program, a case becomes one of its
 * tests. What is expected and does not come fails the case and lets it go on;
 * what is asserted ends it.
 */
#ifndef SHIM_KUNIT_TEST_H
#define SHIM_KUNIT_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/gfp.h>

#include "od/types.h"

struct shim_memory;

struct kunit {
	void *priv;
	int failures;
	struct shim_memory *memory;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[256];
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

int shim_run_suite(struct kunit_suite *suite);
void *kunit_kzalloc(struct kunit *test, size_t size, int gfp);

/* Counts a failure; the text is a condition. */
void shim_failed(struct kunit *test, const char *file, int line, const char *text);
void shim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends a case. */
void shim_end(struct kunit *test) __attribute__((noreturn));

#define KUNIT_CASE(function)	{ .run_case = (function), .name = #function }
#define kunit_test_suite(suite)				\
	int main(void)					\
	{						\
		return shim_run_suite(&(suite));	\
	}						\
	struct shim_unused

#define kunit_info(test, ...)	((void)(test), shim_note(__VA_ARGS__))

#define SHIM_CHECK(test, end, condition, text, ...)		\
	do {							\
		if (condition)					\
			break;					\
		shim_failed(test, __FILE__, __LINE__, text);	\
		shim_note(" " __VA_ARGS__);			\
		if (end)					\
			shim_end(test);				\
	} while (0)

/* Both sides are looked at once; what they were is shown as numbers. */
#define SHIM_COMPARE(test, end, a, op, b, ...)					\
	do {									\
		__typeof__(a) shim_a = (a);					\
		__typeof__(b) shim_b = (b);					\
										\
		if (shim_a op shim_b)						\
			break;							\
		shim_failed(test, __FILE__, __LINE__, #a " " #op " " #b);	\
		shim_note(" %lld, %lld", (long long)shim_a, (long long)shim_b);	\
		shim_note(" " __VA_ARGS__);					\
		if (end)							\
			shim_end(test);						\
	} while (0)

#define KUNIT_FAIL(test, ...)	SHIM_CHECK(test, false, false, "failure", __VA_ARGS__)

#define KUNIT_EXPECT_EQ(test, a, b)	SHIM_COMPARE(test, false, a, ==, b)
#define KUNIT_EXPECT_EQ_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, ==, b, __VA_ARGS__)
#define KUNIT_EXPECT_NE(test, a, b)	SHIM_COMPARE(test, false, a, !=, b)
#define KUNIT_EXPECT_NE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, !=, b, __VA_ARGS__)
#define KUNIT_EXPECT_LT(test, a, b)	SHIM_COMPARE(test, false, a, <, b)
#define KUNIT_EXPECT_LT_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, <, b, __VA_ARGS__)
#define KUNIT_EXPECT_LE(test, a, b)	SHIM_COMPARE(test, false, a, <=, b)
#define KUNIT_EXPECT_LE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, <=, b, __VA_ARGS__)
#define KUNIT_EXPECT_GT(test, a, b)	SHIM_COMPARE(test, false, a, >, b)
#define KUNIT_EXPECT_GT_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, >, b, __VA_ARGS__)
#define KUNIT_EXPECT_GE(test, a, b)	SHIM_COMPARE(test, false, a, >=, b)
#define KUNIT_EXPECT_GE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, false, a, >=, b, __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, c)	SHIM_CHECK(test, false, (c), #c)
#define KUNIT_EXPECT_TRUE_MSG(test, c, ...)	\
	SHIM_CHECK(test, false, (c), #c, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE(test, c)	SHIM_CHECK(test, false, !(c), #c)
#define KUNIT_EXPECT_FALSE_MSG(test, c, ...)	\
	SHIM_CHECK(test, false, !(c), #c, __VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL(test, c)	SHIM_CHECK(test, false, (c) != NULL, #c)
#define KUNIT_EXPECT_NOT_NULL_MSG(test, c, ...)	\
	SHIM_CHECK(test, false, (c) != NULL, #c, __VA_ARGS__)
#define KUNIT_EXPECT_NULL(test, c)	SHIM_CHECK(test, false, (c) == NULL, #c)
#define KUNIT_EXPECT_NULL_MSG(test, c, ...)	\
	SHIM_CHECK(test, false, (c) == NULL, #c, __VA_ARGS__)
#define KUNIT_EXPECT_STREQ(test, a, b)	\
	SHIM_CHECK(test, false, !strcmp(a, b), #a " " #b, "%s, %s", a, b)
#define KUNIT_EXPECT_STREQ_MSG(test, a, b, ...)	\
	SHIM_CHECK(test, false, !strcmp(a, b), #a " " #b, __VA_ARGS__)
#define KUNIT_EXPECT_STRNEQ(test, a, b)	\
	SHIM_CHECK(test, false, strcmp(a, b), #a " " #b, "%s, %s", a, b)
#define KUNIT_EXPECT_STRNEQ_MSG(test, a, b, ...)	\
	SHIM_CHECK(test, false, strcmp(a, b), #a " " #b, __VA_ARGS__)
#define KUNIT_EXPECT_MEMEQ(test, a, b, size)	\
	SHIM_CHECK(test, false, !memcmp(a, b, size), #a " " #b)

#define KUNIT_ASSERT_EQ(test, a, b)	SHIM_COMPARE(test, true, a, ==, b)
#define KUNIT_ASSERT_EQ_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, ==, b, __VA_ARGS__)
#define KUNIT_ASSERT_NE(test, a, b)	SHIM_COMPARE(test, true, a, !=, b)
#define KUNIT_ASSERT_NE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, !=, b, __VA_ARGS__)
#define KUNIT_ASSERT_LT(test, a, b)	SHIM_COMPARE(test, true, a, <, b)
#define KUNIT_ASSERT_LT_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, <, b, __VA_ARGS__)
#define KUNIT_ASSERT_LE(test, a, b)	SHIM_COMPARE(test, true, a, <=, b)
#define KUNIT_ASSERT_LE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, <=, b, __VA_ARGS__)
#define KUNIT_ASSERT_GT(test, a, b)	SHIM_COMPARE(test, true, a, >, b)
#define KUNIT_ASSERT_GT_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, >, b, __VA_ARGS__)
#define KUNIT_ASSERT_GE(test, a, b)	SHIM_COMPARE(test, true, a, >=, b)
#define KUNIT_ASSERT_GE_MSG(test, a, b, ...)	\
	SHIM_COMPARE(test, true, a, >=, b, __VA_ARGS__)

#define KUNIT_ASSERT_TRUE(test, c)	SHIM_CHECK(test, true, (c), #c)
#define KUNIT_ASSERT_TRUE_MSG(test, c, ...)	\
	SHIM_CHECK(test, true, (c), #c, __VA_ARGS__)
#define KUNIT_ASSERT_FALSE(test, c)	SHIM_CHECK(test, true, !(c), #c)
#define KUNIT_ASSERT_FALSE_MSG(test, c, ...)	\
	SHIM_CHECK(test, true, !(c), #c, __VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL(test, c)	SHIM_CHECK(test, true, (c) != NULL, #c)
#define KUNIT_ASSERT_NOT_NULL_MSG(test, c, ...)	\
	SHIM_CHECK(test, true, (c) != NULL, #c, __VA_ARGS__)
#define KUNIT_ASSERT_NULL(test, c)	SHIM_CHECK(test, true, (c) == NULL, #c)
#define KUNIT_ASSERT_NULL_MSG(test, c, ...)	\
	SHIM_CHECK(test, true, (c) == NULL, #c, __VA_ARGS__)
#define KUNIT_ASSERT_STREQ(test, a, b)	\
	SHIM_CHECK(test, true, !strcmp(a, b), #a " " #b, "%s, %s", a, b)
#define KUNIT_ASSERT_STREQ_MSG(test, a, b, ...)	\
	SHIM_CHECK(test, true, !strcmp(a, b), #a " " #b, __VA_ARGS__)
#define KUNIT_ASSERT_STRNEQ(test, a, b)	\
	SHIM_CHECK(test, true, strcmp(a, b), #a " " #b, "%s, %s", a, b)
#define KUNIT_ASSERT_STRNEQ_MSG(test, a, b, ...)	\
	SHIM_CHECK(test, true, strcmp(a, b), #a " " #b, __VA_ARGS__)
#define KUNIT_ASSERT_MEMEQ(test, a, b, size)	\
	SHIM_CHECK(test, true, !memcmp(a, b, size), #a " " #b)

#endif /* SHIM_KUNIT_TEST_H */
