/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands to the module. */
#ifndef OD_CONTROL_H
#define OD_CONTROL_H

int control_send(const char *proc, int dir, const char *command, const char *name);

#endif
