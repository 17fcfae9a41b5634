// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replaces control.c, the module's control file, in the tests of erofs-od. FAKE_BUSY lists the
 * names of cache files in use. "cull" removes other files, as the module does; "commit" has no
 * effect.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "text.h"

int control_send(const char *proc, int folder, const char *command, const char *name)
{
	(void)proc;
	if (!strcmp(command, "commit"))
		return 0;
	if (text_has_word(getenv("FAKE_BUSY"), name))
		return -EBUSY;
	if (strcmp(command, "cull"))
		return -EOPNOTSUPP;
	return unlinkat(folder, name, 0) ? (errno == ENOENT ? -ESTALE : -errno) : 0;
}
