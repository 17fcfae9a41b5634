/* SPDX-License-Identifier: GPL-2.0-only */
/* Removing a cache file and its map. */
#ifndef OD_REMOVE_H
#define OD_REMOVE_H

#include "cachedir.h"

int object_remove(const struct cachedir *dir, const struct object *object, bool bound);

#endif
