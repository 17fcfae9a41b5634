/* SPDX-License-Identifier: GPL-2.0-only */
/* What an operator has the module do. */
#ifndef OD_CONTROL_H
#define OD_CONTROL_H

int control_send(const char *proc, int folder, const char *command, const char *name);

#endif
