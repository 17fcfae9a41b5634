// SPDX-License-Identifier: GPL-2.0-only
#include "fdinfo.h"

#include <stdlib.h>
#include <string.h>

/**
 * fdinfo_cache - number of the cache that is bound to a device
 * @in: the device's fdinfo, or NULL; closed
 *
 * Return: the number, as in the tables of /proc; 0 if it is not given
 */
unsigned long fdinfo_cache(FILE *in)
{
	unsigned long id = 0;
	char line[256];

	while (in && !id && fgets(line, sizeof(line), in))
		if (!strncmp(line, "cache:\t", 7))
			id = strtoul(line + 7, NULL, 10);
	if (in)
		fclose(in);
	return id;
}
