// SPDX-License-Identifier: GPL-2.0-only
/* data_race() is missing: v4.18 to v5.7, and RHEL 8.10; drop when RHEL 8 is. */
#include <linux/compiler.h>

#ifdef data_race
#error "it is there"
#endif
