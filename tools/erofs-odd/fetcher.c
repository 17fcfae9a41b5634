// SPDX-License-Identifier: GPL-2.0-only
#include "fetcher.h"

#include <stdarg.h>
#include <stdio.h>

#include "stats.h"

/** fetcher_canceled - whether the current request is to be aborted */
bool fetcher_canceled(const struct fetcher *fetcher)
{
	return atomic_load(fetcher->stop) || (fetcher->cancel && atomic_load(fetcher->cancel)) ||
	       (fetcher->until_ms && clock_ms() >= fetcher->until_ms);
}

static void record_failure(struct fetcher *fetcher, enum fetch_hope hope, const char *fmt,
			   va_list args)
{
	vsnprintf(fetcher->why, sizeof(fetcher->why), fmt, args);
	fetcher->hope = hope;
}

/** fetcher_fail - record why a request failed permanently; returns @err */
int fetcher_fail(struct fetcher *fetcher, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	record_failure(fetcher, HOPE_NONE, fmt, args);
	va_end(args);
	return err;
}

/** fetcher_fail_for_now - same for a temporary failure */
int fetcher_fail_for_now(struct fetcher *fetcher, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	record_failure(fetcher, HOPE_LATER, fmt, args);
	va_end(args);
	return err;
}
