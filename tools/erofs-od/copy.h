/* SPDX-License-Identifier: GPL-2.0-only */
/* Copying a cache file, with a map for the copy. */
#ifndef OD_COPY_H
#define OD_COPY_H

#include "cachedir.h"

int copy_object(const struct cachedir *from, const struct cachedir *to, int dir,
		const struct object *object, const struct object_file *file,
		struct presence *map);

#endif
