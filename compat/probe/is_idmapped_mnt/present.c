// SPDX-License-Identifier: GPL-2.0-only
/* is_idmapped_mnt(): since v5.17; drop when the minimum is v5.17. */
#include <linux/fs.h>
#include <linux/mount.h>

bool probe(const struct vfsmount *mnt);
bool probe(const struct vfsmount *mnt)
{
	return is_idmapped_mnt(mnt);
}
