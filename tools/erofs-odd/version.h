/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Versions of blobs: how sources report them, when two are the same, and the text by which the
 * kernel compares them.
 */
#ifndef ODD_VERSION_H
#define ODD_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/** VALIDATOR_MAX - longest validator that the kernel accepts, in bytes */
#define VALIDATOR_MAX	255
/* An entity tag, a date, a size and two blanks fit into a validator. */
#define ETAG_MAX	160
#define MODIFIED_MAX	63

/** VERSION_ANYWHERE - the version was read from the cache's record */
#define VERSION_ANYWHERE	(-1)

/**
 * struct version - version of a blob's contents
 * @place: index of the source that reported it, or %VERSION_ANYWHERE
 * @size: in bytes
 * @etag: entity tag with its quotes, "W/" first if it is weak; or ""
 * @modified: date of the last change in HTTP format, or ""
 * @file: directory: times, inode number and size of the file; or ""
 * @ino: directory: inode number, 0 if it is not known
 */
struct version {
	int place;
	uint64_t size;
	char etag[ETAG_MAX + 1];
	char modified[MODIFIED_MAX + 1];
	char file[VALIDATOR_MAX + 1];
	uint64_t ino;
};

void version_set_etag(struct version *version, const char *value);
void version_set_modified(struct version *version, const char *value);
void version_of_file(struct version *version, const struct stat *st);
bool version_is_named(const struct version *version);
bool version_same(const struct version *want, const struct version *seen, bool mirror);
void version_write(const struct version *version, char text[static VALIDATOR_MAX + 1]);
void version_read(struct version *version, uint64_t size, const char *text);

#endif
