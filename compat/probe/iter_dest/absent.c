// SPDX-License-Identifier: GPL-2.0-only
/* ITER_DEST is missing: v5.10 to v6.0; drop when the minimum is v6.1. */
#include <linux/uio.h>

#ifdef ITER_DEST
#error "it is there"
#endif
