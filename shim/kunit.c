// SPDX-License-Identifier: GPL-2.0-only
/* The part of the shim that is no macro: runs a suite, keeps its memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <kunit/test.h>

struct shim_memory {
	struct shim_memory *next;
	void *p;
};

struct shim_run {
	struct kunit_suite *suite;
	struct kunit_case *c;
};

/* One allocation for each, so that ASan sees what is read past its end. */
void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	struct shim_memory *memory = malloc(sizeof(*memory));
	void *p = calloc(1, size);

	(void)gfp;
	if (!memory || !p)
		abort();
	memory->p = p;
	memory->next = test->memory;
	test->memory = memory;
	return p;
}

static void free_memory(struct kunit *test)
{
	struct shim_memory *memory;

	while ((memory = test->memory)) {
		test->memory = memory->next;
		free(memory->p);
		free(memory);
	}
}

void shim_failed(struct kunit *test, const char *file, int line, const char *text)
{
	test->failures++;
	printf("# %s:%d: %s\n", file, line, text);
}

void shim_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

static void finish(struct kunit *test, struct kunit_suite *suite)
{
	int failures = test->failures;

	if (suite->exit)
		suite->exit(test);
	free_memory(test);
	free(test);
	if (failures)
		fail();
}

static jmp_buf case_end;

void shim_end(struct kunit *test)
{
	(void)test;
	longjmp(case_end, 1);
}

static void run_case(void **state)
{
	struct shim_run *run = *state;
	struct kunit *test = calloc(1, sizeof(*test));

	if (!test)
		abort();
	if (setjmp(case_end) == 0) {
		if (!run->suite->init || !run->suite->init(test))
			run->c->run_case(test);
		else
			shim_failed(test, __FILE__, __LINE__, "the suite's init");
	}
	finish(test, run->suite);
}

int shim_run_suite(struct kunit_suite *suite)
{
	struct CMUnitTest *tests;
	struct shim_run *runs;
	size_t n = 0, i;
	int failed;

	while (suite->test_cases[n].run_case)
		n++;
	tests = calloc(n, sizeof(*tests));
	runs = calloc(n, sizeof(*runs));
	if (!tests || !runs)
		abort();
	for (i = 0; i < n; i++) {
		runs[i] = (struct shim_run) { suite, &suite->test_cases[i] };
		tests[i] = (struct CMUnitTest) {
			suite->test_cases[i].name, run_case, NULL, NULL, &runs[i],
		};
	}
	failed = _cmocka_run_group_tests(suite->name, tests, n, NULL, NULL);
	free(tests);
	free(runs);
	return failed;
}
