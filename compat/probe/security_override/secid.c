// SPDX-License-Identifier: GPL-2.0-only
/* A security context is a secid, v5.10 to v7.3; drop when the form lsmblob goes. */
#include <linux/cred.h>
#include <linux/security.h>

int probe(struct cred *cred, const char *context, u32 len, u32 *secid);
int probe(struct cred *cred, const char *context, u32 len, u32 *secid)
{
	return security_secctx_to_secid(context, len, secid) ?:
	       set_security_override(cred, *secid);
}
