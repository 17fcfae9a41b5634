// SPDX-License-Identifier: GPL-2.0-only
/* S_KERNEL_FILE is missing: v5.10 to v5.16; drop when the minimum is v5.17. */
#include <linux/fs.h>

#ifdef S_KERNEL_FILE
#error "it is there"
#endif
