/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What most probes include, compiled once for all of them (compat/Kbuild.include): it is read
 * before what the kernel includes by itself, and does not take that out of its hands.
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

/* Kernels since v5.12 include <linux/compiler-version.h> by themselves, once and no more. */
#undef __LINUX_COMPILER_VERSION_H
