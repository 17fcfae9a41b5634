/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes the name of a cache file to the name of its blob. */
#ifndef OD_TOOLS_KEYNAME_H
#define OD_TOOLS_KEYNAME_H

#include "core/key.h"

int key_of_file_name(const char *name, char key[static OD_KEY_MAX + 1]);

#endif
