// SPDX-License-Identifier: GPL-2.0-only
/* Built without zlib's inflate(), since v5.10 as before; drop when all of SUPPORTED have it. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_ZLIB_INFLATE)
#error zlib_inflate() is there
#endif
