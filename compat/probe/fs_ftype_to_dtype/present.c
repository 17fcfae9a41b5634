// SPDX-License-Identifier: GPL-2.0-only
/* fs_ftype_to_dtype(): since v5.1; drop when RHEL 8 is. */
#include <linux/fs.h>

unsigned char probe(unsigned int type);
unsigned char probe(unsigned int type)
{
	return fs_ftype_to_dtype(type);
}
