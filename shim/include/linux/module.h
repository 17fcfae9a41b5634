/* SPDX-License-Identifier: GPL-2.0-only */
/* A module parameter is taken from the environment: KUNIT_seed=7 PROGRAM. */
#ifndef SHIM_LINUX_MODULE_H
#define SHIM_LINUX_MODULE_H

#include <stdlib.h>

#define module_param(name, type, perm)					\
	static void __attribute__((constructor)) shim_param_##name(void)	\
	{								\
		const char *value = getenv("KUNIT_" #name);		\
									\
		if (value)						\
			name = strtoul(value, NULL, 0);			\
	}								\
	struct shim_unused
#define MODULE_PARM_DESC(name, text)	struct shim_unused
#define MODULE_DESCRIPTION(text)	struct shim_unused
#define MODULE_LICENSE(text)		struct shim_unused

#endif /* SHIM_LINUX_MODULE_H */
