// SPDX-License-Identifier: GPL-2.0-only
/* Built without LZ4, since v5.10 as before; drop when all of SUPPORTED have it. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_LZ4_DECOMPRESS)
#error LZ4 is there
#endif
