/* SPDX-License-Identifier: GPL-2.0-only */
/* ZSTD by its names since v5.16; in kernels without it, functions that fail. */
#ifndef OD_COMPAT_LINUX_ZSTD_H
#define OD_COMPAT_LINUX_ZSTD_H

/* Until v5.15 the header has constants that a file may leave unused. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-const-variable"
#include_next <linux/zstd.h>
#pragma GCC diagnostic pop
#include "od_probes.h"

#ifdef OD_HAVE_ZSTD_ABSENT
#define od_compat_has_zstd	false

struct od_compat_zstd_buffer {
	union {
		const void *src;
		void *dst;
	};
	size_t size;
	size_t pos;
};

#define zstd_dstream		void
#define zstd_in_buffer		struct od_compat_zstd_buffer
#define zstd_out_buffer		struct od_compat_zstd_buffer
#define zstd_dstream_workspace_bound(window)	((void)(window), (size_t)0)
#define zstd_init_dstream(window, space, size)					\
	((void)(window), (void)(space), (void)(size), NULL)
#define zstd_decompress_stream(stream, out, in)					\
	((void)(stream), (void)(out), (void)(in), (size_t)-1)
#define zstd_is_error(code)			((void)(code), true)
#else
#define od_compat_has_zstd	true
#endif

#ifdef OD_HAVE_ZSTD_CAMEL
typedef ZSTD_DStream zstd_dstream;
typedef ZSTD_inBuffer zstd_in_buffer;
typedef ZSTD_outBuffer zstd_out_buffer;

#define zstd_dstream_workspace_bound	ZSTD_DStreamWorkspaceBound
#define zstd_init_dstream		ZSTD_initDStream
#define zstd_decompress_stream		ZSTD_decompressStream
#define zstd_is_error			ZSTD_isError
#endif

#endif /* OD_COMPAT_LINUX_ZSTD_H */
