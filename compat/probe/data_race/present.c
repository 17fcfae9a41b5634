// SPDX-License-Identifier: GPL-2.0-only
/* data_race(): since v5.8; drop when RHEL 8 is. */
#include <linux/compiler.h>

int probe(int *p);
int probe(int *p)
{
	return data_race(*p);
}
