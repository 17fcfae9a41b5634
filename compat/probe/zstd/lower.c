// SPDX-License-Identifier: GPL-2.0-only
/* zstd_decompress_stream() and the like: since v5.16; drop when the minimum is v5.16. */
#include <linux/kconfig.h>
#include <linux/zstd.h>

/* The header declares it even if it is not built. */
#if !IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
#error without ZSTD
#endif

size_t probe(size_t window, void *space, zstd_out_buffer *out, zstd_in_buffer *in);
size_t probe(size_t window, void *space, zstd_out_buffer *out, zstd_in_buffer *in)
{
	size_t bound = zstd_dstream_workspace_bound(window);
	zstd_dstream *stream = zstd_init_dstream(window, space, bound);

	return zstd_is_error(zstd_decompress_stream(stream, out, in));
}
