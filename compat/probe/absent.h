/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The form "absent" of an interface: a declaration that no kernel would make.
 * It compiles where the name is not declared, and nowhere else.
 */
#ifndef OD_COMPAT_PROBE_ABSENT_H
#define OD_COMPAT_PROBE_ABSENT_H

struct od_absent;
#define OD_ABSENT(name) struct od_absent *name(struct od_absent *nothing)

#endif /* OD_COMPAT_PROBE_ABSENT_H */
