/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON of strings that may not be UTF-8. */
#ifndef OD_JSON_H
#define OD_JSON_H

#include <jansson.h>

json_t *json_text(const char *text);

#endif
