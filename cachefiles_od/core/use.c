// SPDX-License-Identifier: GPL-2.0-only
#include "use.h"

static const struct {
	int err;
	const char *name;
} od_use_errnos[OD_USE_ERRNOS - 1] = {
	{ -EIO, "EIO" },
	{ -ETIMEDOUT, "ETIMEDOUT" },
	{ -ENOSPC, "ENOSPC" },
	{ -ENOMEM, "ENOMEM" },
	{ -ENOENT, "ENOENT" },
	{ -EACCES, "EACCES" },
	{ -ESTALE, "ESTALE" },
	{ -EINTR, "EINTR" },
};

unsigned int od_use_wait(u64 ms)
{
	unsigned int class = 0;

	while (class < OD_USE_WAITS - 1 && ms >> class)
		class++;
	return class;
}

unsigned int od_use_errno(int err)
{
	unsigned int class;

	for (class = 0; class < ARRAY_SIZE(od_use_errnos); class++)
		if (od_use_errnos[class].err == err)
			break;
	return class;
}

const char *od_use_errno_name(unsigned int class)
{
	return class < ARRAY_SIZE(od_use_errnos) ? od_use_errnos[class].name : "other";
}
