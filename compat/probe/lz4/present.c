// SPDX-License-Identifier: GPL-2.0-only
/* LZ4_decompress_safe() and _partial(): since v5.10 and before; drop when absent.c is. */
#include <linux/kconfig.h>
#include <linux/lz4.h>

/* The header declares it even if it is not built. */
#if !IS_ENABLED(CONFIG_LZ4_DECOMPRESS)
#error without LZ4
#endif

int probe(const char *in, char *out, int in_len, int out_len);
int probe(const char *in, char *out, int in_len, int out_len)
{
	return LZ4_decompress_safe(in, out, in_len, out_len) +
	       LZ4_decompress_safe_partial(in, out, in_len, out_len, out_len);
}
