// SPDX-License-Identifier: GPL-2.0-only
/* ZSTD_decompressStream() and the like: v5.10 to v5.15; drop when the minimum is v5.16. */
#include <linux/kconfig.h>
#include <linux/zstd.h>

/* The header declares it even if it is not built. */
#if !IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
#error without ZSTD
#endif

size_t probe(size_t window, void *space, ZSTD_outBuffer *out, ZSTD_inBuffer *in);
size_t probe(size_t window, void *space, ZSTD_outBuffer *out, ZSTD_inBuffer *in)
{
	ZSTD_DStream *stream = ZSTD_initDStream(window, space, ZSTD_DStreamWorkspaceBound(window));

	return ZSTD_isError(ZSTD_decompressStream(stream, out, in));
}
