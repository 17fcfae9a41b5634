/* SPDX-License-Identifier: GPL-2.0-only */
/* Extended attributes: bodies of inodes, entries, long name prefixes. */
#ifndef OD_CORE_XATTR_H
#define OD_CORE_XATTR_H

#include "od/types.h"
#include "format.h"

/**
 * struct od_xattr_body - the xattr body that follows an inode
 * @p: its bytes
 * @len: bytes in @p
 * @filter: a set bit: no name that hashes to it is in the body
 * @shared_count: IDs of shared entries in it
 */
struct od_xattr_body {
	const u8 *p;
	size_t len;
	u32 filter;
	u32 shared_count;
};

/**
 * struct od_xattr_entry - one attribute
 * @index: enum od_xattr_index, or with %OD_XATTR_LONG_PREFIX a prefix number
 * @name: rest of the name after the prefix, not NUL-terminated
 * @name_len: its length
 * @value_size: bytes in the value
 */
struct od_xattr_entry {
	u8 index;
	const char *name;
	u8 name_len;
	u16 value_size;
};

/**
 * struct od_xattr_prefix - a long name prefix
 * @base: enum od_xattr_index that it starts with
 * @infix: the text that follows, not NUL-terminated
 * @infix_len: its length
 */
struct od_xattr_prefix {
	u8 base;
	const char *infix;
	u16 infix_len;
};

/**
 * od_xattr_body_parse - decode a body
 * @p: its bytes
 * @len: bytes in @p
 * @body: the result
 *
 * Return: 0, or -EUCLEAN if the shared IDs do not fit.
 */
int od_xattr_body_parse(const u8 *p, size_t len, struct od_xattr_body *body);

/**
 * od_xattr_shared - offset of a shared entry
 * @body: body
 * @nr: index, below @body->shared_count
 *
 * Return: bytes from the start of the shared area.
 */
u64 od_xattr_shared(const struct od_xattr_body *body, u32 nr);

/**
 * od_xattr_first - offset of the first inline entry
 * @body: body
 *
 * Return: a position for od_xattr_next().
 */
size_t od_xattr_first(const struct od_xattr_body *body);

/**
 * od_xattr_next - decode an inline entry and advance to the next one
 * @body: body
 * @at: position
 * @entry: the result
 * @value: its value, in the body
 *
 * Return: 0; -ENODATA at the end; -EUCLEAN if it does not fit the body.
 */
int od_xattr_next(const struct od_xattr_body *body, size_t *at,
		  struct od_xattr_entry *entry, const u8 **value);

/**
 * od_xattr_entry_head - decode the fixed part of an entry
 * @disk: the fixed part
 * @entry: the result, without a name; name and then value follow
 */
void od_xattr_entry_head(const struct od_disk_xattr_entry *disk, struct od_xattr_entry *entry);

/**
 * od_xattr_prefix_parse - decode a long name prefix
 * @p: the record without its size field
 * @size: value of the size field
 * @prefix: the result
 *
 * Return: 0, or -EUCLEAN if the record is empty, too long for a name, or based on
 * another long prefix.
 */
int od_xattr_prefix_parse(const u8 *p, u16 size, struct od_xattr_prefix *prefix);

/**
 * od_xattr_resolve - resolve the prefix of an entry
 * @index: of an entry
 * @prefixes: long prefixes of the image
 * @count: number of @prefixes
 * @prefix: the result; its infix is empty for a short prefix
 *
 * Return: 0, or -EUCLEAN for a long prefix that does not exist.
 */
int od_xattr_resolve(u8 index, const struct od_xattr_prefix *prefixes, u32 count,
		     struct od_xattr_prefix *prefix);

/**
 * od_xattr_match - whether an entry has a name
 * @entry: entry, with its name
 * @prefix: from od_xattr_resolve()
 * @index: short prefix of the name
 * @name: rest of the name
 * @len: its length
 */
bool od_xattr_match(const struct od_xattr_entry *entry,
		    const struct od_xattr_prefix *prefix, u8 index,
		    const char *name, size_t len);

/**
 * od_xattr_absent - whether the name filter rules out an attribute
 * @body: body
 * @index: short prefix
 * @name: rest of the name
 * @len: its length
 */
bool od_xattr_absent(const struct od_xattr_body *body, u8 index, const char *name,
		     size_t len);

#endif /* OD_CORE_XATTR_H */
