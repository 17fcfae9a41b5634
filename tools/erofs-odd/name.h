/* SPDX-License-Identifier: GPL-2.0-only */
/* Blob names: they come from the image and from mount options, so do not trust them. */
#ifndef ODD_NAME_H
#define ODD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** BLOB_NAME_MAX - longest cookie key that the cache accepts, in bytes */
#define BLOB_NAME_MAX	252

int blob_name_check(const uint8_t *key, size_t len, char name[static BLOB_NAME_MAX + 1]);
char *name_printable(const char *name, char *buf, size_t size);
char *url_join(const char *base, const char *name);
char *url_redact(const char *url);
bool url_blot(char *url);

#endif
