// SPDX-License-Identifier: GPL-2.0-only
/* Kernels that have no MicroLZMA, or are built without: its header may be there. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_XZ_DEC_MICROLZMA)
#error MicroLZMA is there
#endif
