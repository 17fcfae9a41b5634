// SPDX-License-Identifier: GPL-2.0-only
/*
 * A security context is a struct lsmblob: Ubuntu's v5.15 to v6.5, which stack security modules;
 * drop when the minimum is v6.6.
 */
#include <linux/cred.h>
#include <linux/security.h>

int probe(struct cred *cred, const char *context, struct lsmblob *blob);
int probe(struct cred *cred, const char *context, struct lsmblob *blob)
{
	return set_security_override(cred, blob) ?:
	       set_security_override_from_ctx(cred, context);
}
