// SPDX-License-Identifier: GPL-2.0-only
/* Built without ZSTD, since v5.10 as before; drop when all of SUPPORTED have it. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
#error ZSTD is there
#endif
