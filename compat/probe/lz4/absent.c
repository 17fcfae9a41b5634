// SPDX-License-Identifier: GPL-2.0-only
/* Kernels that are built without LZ4: its header is there all the same. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_LZ4_DECOMPRESS)
#error LZ4 is there
#endif
