/* SPDX-License-Identifier: GPL-2.0-only */
/* Drop privileges that the daemon no longer needs once its cache is bound. */
#ifndef ODD_CONFINE_H
#define ODD_CONFINE_H

int confine(void);

#endif
