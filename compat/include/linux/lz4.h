/* SPDX-License-Identifier: GPL-2.0-only */
/* LZ4; in kernels without it, functions that fail. */
#ifndef OD_COMPAT_LINUX_LZ4_H
#define OD_COMPAT_LINUX_LZ4_H

#include_next <linux/lz4.h>
#include "od_probes.h"

#ifdef OD_HAVE_LZ4_PRESENT
#define od_compat_has_lz4	true
#else
#define od_compat_has_lz4	false
#define LZ4_decompress_safe(in, out, in_len, out_len)				\
	((void)(in), (void)(out), (void)(in_len), (void)(out_len), -1)
#define LZ4_decompress_safe_partial(in, out, in_len, out_len, capacity)		\
	((void)(in), (void)(out), (void)(in_len), (void)(out_len), (void)(capacity), -1)
#endif

#endif /* OD_COMPAT_LINUX_LZ4_H */
