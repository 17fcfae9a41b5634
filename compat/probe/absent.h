/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The form "absent" of an interface: a declaration that no kernel would make.
 * It compiles where the name is not declared, and nowhere else.
 */
#ifndef OD_COMPAT_PROBE_ABSENT_H
#define OD_COMPAT_PROBE_ABSENT_H

struct od_absent;
#define OD_ABSENT(name) struct od_absent *name(struct od_absent *nothing)

/*
 * The same for a member: two of one name do not compile. A struct without a name in a struct
 * takes -fms-extensions.
 */
#define OD_ABSENT_MEMBER(type, name)	\
	struct od_absent_member {	\
		type;			\
		void *name;		\
	}

#endif /* OD_COMPAT_PROBE_ABSENT_H */
