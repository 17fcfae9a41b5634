// SPDX-License-Identifier: GPL-2.0-only
/* xz_dec_microlzma_run() and the like: since v5.16, if built in; drop when absent.c is. */
#include <linux/kconfig.h>
#include <linux/xz.h>

/* The header declares it even if it is not built. */
#if !IS_ENABLED(CONFIG_XZ_DEC_MICROLZMA)
#error without MicroLZMA
#endif

enum xz_ret probe(struct xz_buf *buf);
enum xz_ret probe(struct xz_buf *buf)
{
	struct xz_dec_microlzma *s = xz_dec_microlzma_alloc(XZ_PREALLOC, 4096);
	enum xz_ret ret;

	xz_dec_microlzma_reset(s, 1, 1, 0);
	ret = xz_dec_microlzma_run(s, buf);
	xz_dec_microlzma_end(s);
	return ret;
}
