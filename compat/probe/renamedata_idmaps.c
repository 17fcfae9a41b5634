// SPDX-License-Identifier: GPL-2.0-only
/* struct renamedata has an idmap for either side: v6.3 to v6.17; drop when the minimum is v6.18. */
#include <linux/fs.h>

void probe(struct renamedata *rd, struct mnt_idmap *idmap);
void probe(struct renamedata *rd, struct mnt_idmap *idmap)
{
	rd->old_mnt_idmap = idmap;
	rd->new_mnt_idmap = idmap;
}
