// SPDX-License-Identifier: GPL-2.0-only
/* xxh32: published vectors, and every length around the stripe. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "erofs_od/core/format.h"
#include "erofs_od/core/xxhash.h"

static void vectors(void **state)
{
	static const struct {
		const char *text;
		u32 seed;
		u32 hash;
	} cases[] = {
		{ "", 0, 0x02CC5D05 },
		{ "", 0x9E3779B1, 0x36B78AE7 },
		{ "a", 0, 0x550D7456 },
		{ "abc", 0, 0x32D153FF },
		{ "Nobody inspects the spammish repetition", 0, 0xE2293B2F },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (od_xxh32((const u8 *)cases[i].text, strlen(cases[i].text),
			     cases[i].seed) != cases[i].hash)
			fail_msg("\"%s\" seed %x", cases[i].text, cases[i].seed);
	}
}

/* All that is read must be inside the buffer, and every byte must count. */
static void every_byte_counts(void **state)
{
	size_t len, at;

	(void)state;
	for (len = 1; len <= 40; len++) {
		u8 *p = calloc(1, len);
		u32 zeroes = od_xxh32(p, len, 7);

		for (at = 0; at < len; at++) {
			p[at] = 1;
			assert_int_not_equal(od_xxh32(p, len, 7), zeroes);
			p[at] = 0;
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(every_byte_counts),
	};

	return cmocka_run_group_tests_name("xxhash", tests, NULL, NULL);
}
