// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts have a user namespace, but no helper to check whether it maps: v5.12 to v5.16;
 * drop when the minimum is v5.17.
 */
#include <linux/fs.h>
#include <linux/mount.h>
#include "../absent.h"

OD_ABSENT(is_idmapped_mnt);

bool probe(const struct vfsmount *mnt);
bool probe(const struct vfsmount *mnt)
{
	return mnt_user_ns(mnt) != &init_user_ns;
}
