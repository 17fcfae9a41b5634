// SPDX-License-Identifier: GPL-2.0-only
/* Parts of each test module other than its suites. */
#include <linux/module.h>
#include <linux/random.h>

#include "support.h"

static unsigned int seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "of the tests' random numbers; 0: another one each time");

u32 od_test_seed(struct kunit *test)
{
	u32 value = seed ?: get_random_u32() | 1;

	kunit_info(test, "seed=%u", value);
	return value;
}

MODULE_DESCRIPTION("Tests of cachefiles_od and erofs_od");
MODULE_LICENSE("GPL");
