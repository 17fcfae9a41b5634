// SPDX-License-Identifier: GPL-2.0-only
/* Kernels that are built without zlib's inflate(): its header is there all the same. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_ZLIB_INFLATE)
#error zlib_inflate() is there
#endif
