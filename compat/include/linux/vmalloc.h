/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of <linux/vmalloc.h> that differ in older kernels. */
#ifndef OD_COMPAT_LINUX_VMALLOC_H
#define OD_COMPAT_LINUX_VMALLOC_H

#include_next <linux/vmalloc.h>
#include "od_probes.h"

#ifdef OD_HAVE_VM_MAP_RAM_PROT
#define vm_map_ram(pages, count, node)	vm_map_ram(pages, count, node, PAGE_KERNEL)
#endif

#endif /* OD_COMPAT_LINUX_VMALLOC_H */
