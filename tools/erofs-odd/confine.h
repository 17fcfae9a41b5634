/* SPDX-License-Identifier: GPL-2.0-only */
/* Give up what the daemon needs no more once its cache is bound. */
#ifndef ODD_CONFINE_H
#define ODD_CONFINE_H

int confine(void);

#endif
