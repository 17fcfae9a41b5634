/* SPDX-License-Identifier: GPL-2.0-only */
/* Superblocks with one field changed, for the suites sb and metabox. */
#ifndef KUNIT_SB_CASES_H
#define KUNIT_SB_CASES_H

#include "support.h"
#include "erofs_od/core/sb.h"

/**
 * struct sb_case - a field
 * @name: of the case
 * @at: its offset
 * @bytes: its length
 * @value: its value
 * @err: what parsing returns
 * @why: on failure, a part of the reason
 */
struct sb_case {
	const char *name;
	u32 at, bytes;
	u64 value;
	int err;
	const char *why;
};

/* Changes a field of @p and checks the result of parsing. */
static inline int sb_case_parse(struct kunit *test, const struct sb_case *c,
				u8 p[sizeof(struct od_disk_sb)], u8 blkbits_max, struct od_sb *sb)
{
	const char *why = NULL;
	u8 value[8];
	int err;

	put64(value, c->value);
	memcpy(p + c->at, value, c->bytes);
	err = od_sb_parse((const void *)p, blkbits_max, sb, &why);
	if (err != c->err || !!why != !!err || (why && !strstr(why, c->why)))
		KUNIT_FAIL(test, "%s: %d %s", c->name, err, why ?: "");
	return err;
}

#endif /* KUNIT_SB_CASES_H */
