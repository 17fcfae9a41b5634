/* SPDX-License-Identifier: GPL-2.0-only */
/* zlib's inflate(); in kernels without it, functions that fail. */
#ifndef OD_COMPAT_LINUX_ZLIB_H
#define OD_COMPAT_LINUX_ZLIB_H

#include_next <linux/zlib.h>
#include "od_probes.h"

#ifdef OD_HAVE_ZLIB_INFLATE_PRESENT
#define od_compat_has_zlib_inflate	true
#else
#define od_compat_has_zlib_inflate	false
#undef zlib_inflateInit2
#define zlib_inflate_workspacesize()	0
#define zlib_inflateInit2(stream, bits)	((void)(stream), (void)(bits), Z_STREAM_ERROR)
#define zlib_inflate(stream, flush)	((void)(stream), (void)(flush), Z_STREAM_ERROR)
#define zlib_inflateEnd(stream)		((void)(stream), Z_OK)
#endif

#endif /* OD_COMPAT_LINUX_ZLIB_H */
