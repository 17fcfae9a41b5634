// SPDX-License-Identifier: GPL-2.0-only
/* zlib_inflate(): since v5.10 and before, if built in; drop when absent.c is. */
#include <linux/kconfig.h>
#include <linux/zlib.h>

/* The header declares it even if it is not built. */
#if !IS_ENABLED(CONFIG_ZLIB_INFLATE)
#error without zlib_inflate()
#endif

int probe(struct z_stream_s *stream);
int probe(struct z_stream_s *stream)
{
	stream->workspace = (void *)(unsigned long)zlib_inflate_workspacesize();
	return zlib_inflateInit2(stream, -MAX_WBITS) + zlib_inflate(stream, Z_SYNC_FLUSH) +
	       zlib_inflateEnd(stream);
}
