/* SPDX-License-Identifier: GPL-2.0-only */
/* MicroLZMA; in kernels without it, functions that fail. */
#ifndef OD_COMPAT_LINUX_XZ_H
#define OD_COMPAT_LINUX_XZ_H

#include_next <linux/xz.h>
#include "od_probes.h"

#ifdef OD_HAVE_MICROLZMA_PRESENT
#define od_compat_has_microlzma	true
#else
#define od_compat_has_microlzma	false

struct xz_dec_microlzma;

#define xz_dec_microlzma_alloc(mode, dict_size)					\
	((void)(dict_size), (struct xz_dec_microlzma *)NULL)
#define xz_dec_microlzma_reset(s, in_len, out_len, exact)			\
	((void)(s), (void)(in_len), (void)(out_len), (void)(exact))
#define xz_dec_microlzma_run(s, buf)	((void)(s), (void)(buf), XZ_OPTIONS_ERROR)
#define xz_dec_microlzma_end(s)		((void)(s))
#endif

#endif /* OD_COMPAT_LINUX_XZ_H */
