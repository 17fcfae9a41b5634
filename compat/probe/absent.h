/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The form "absent" of an interface: a declaration that conflicts with any that a kernel would
 * have. It compiles only where the name is not declared.
 */
#ifndef OD_COMPAT_PROBE_ABSENT_H
#define OD_COMPAT_PROBE_ABSENT_H

struct od_absent;
#define OD_ABSENT(name) struct od_absent *name(struct od_absent *nothing)

/*
 * Same for a member: two of the same name do not compile. An anonymous member of a struct type
 * needs -fms-extensions.
 */
#define OD_ABSENT_MEMBER(type, name)	\
	struct od_absent_member {	\
		type;			\
		void *name;		\
	}

#endif /* OD_COMPAT_PROBE_ABSENT_H */
