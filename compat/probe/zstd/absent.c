// SPDX-License-Identifier: GPL-2.0-only
/* Kernels that are built without ZSTD: its header is there all the same. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
#error ZSTD is there
#endif
