// SPDX-License-Identifier: GPL-2.0-only
/* No MicroLZMA: v5.10 to v5.15, later by configuration; drop when all of SUPPORTED have it. */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_XZ_DEC_MICROLZMA)
#error MicroLZMA is there
#endif
