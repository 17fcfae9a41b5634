// SPDX-License-Identifier: GPL-2.0-only
/* FS_ALLOW_IDMAP is missing: v5.10 to v5.11; drop when the minimum is v5.12. */
#include <linux/fs.h>

#ifdef FS_ALLOW_IDMAP
#error "it is there"
#endif
