// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct renamedata has a user name space for either side: v5.12 to v6.2;
 * drop when the minimum is v6.3.
 */
#include <linux/fs.h>

void probe(struct renamedata *rd, struct user_namespace *ns);
void probe(struct renamedata *rd, struct user_namespace *ns)
{
	rd->old_mnt_userns = ns;
	rd->new_mnt_userns = ns;
}
