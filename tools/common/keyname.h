/* SPDX-License-Identifier: GPL-2.0-only */
/* From the name of a cache file back to the blob's. */
#ifndef OD_TOOLS_KEYNAME_H
#define OD_TOOLS_KEYNAME_H

#include "core/key.h"

int key_of_file_name(const char *name, char key[static OD_KEY_MAX + 1]);

#endif
