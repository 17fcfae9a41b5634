// SPDX-License-Identifier: GPL-2.0-only
/* A kiocb is completed with one result: since v5.16; drop when the minimum is v5.16. */
#include <linux/fs.h>

typedef void (*probe_complete)(struct kiocb *iocb, long ret);
probe_complete probe(const struct kiocb *iocb);
probe_complete probe(const struct kiocb *iocb)
{
	return iocb->ki_complete;
}
