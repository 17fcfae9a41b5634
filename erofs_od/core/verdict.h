/* SPDX-License-Identifier: GPL-2.0-only */
/* How a parser reports an image that it rejects. */
#ifndef OD_CORE_VERDICT_H
#define OD_CORE_VERDICT_H

#include "od/types.h"

/** od_corrupt - no valid image has this: -EUCLEAN, and @what for a log line */
static inline int od_corrupt(const char **why, const char *what)
{
	*why = what;
	return -EUCLEAN;
}

/** od_refuse - valid, and not supported: -EOPNOTSUPP, and @what for a log line */
static inline int od_refuse(const char **why, const char *what)
{
	*why = what;
	return -EOPNOTSUPP;
}

#endif /* OD_CORE_VERDICT_H */
