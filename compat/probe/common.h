/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Headers that most probes include, precompiled once (compat/Kbuild.include): read before those
 * that the kernel's build includes itself, without replacing them.
 */
#include <linux/kconfig.h>
#include <linux/compiler_types.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/security.h>
#include <linux/uio.h>
#include <linux/xattr.h>

/* Kernels since v5.12 include <linux/compiler-version.h> themselves, exactly once. */
#undef __LINUX_COMPILER_VERSION_H
