/* SPDX-License-Identifier: GPL-2.0-only */
/* Acting in a security context, whose type differs between kernels. */
#ifndef OD_COMPAT_SECURITY_H
#define OD_COMPAT_SECURITY_H

#include <linux/cred.h>
#include <linux/security.h>
#include <linux/string.h>
#include "od_probes.h"

/**
 * od_compat_act_as - set the security context of credentials
 * @cred: credentials not in use yet
 * @context: the context, as the security module spells it
 *
 * Return: 0; -EINVAL for an unknown context; -EPERM or -EACCES if the caller may not use it;
 * -EOPNOTSUPP without a security module.
 */
static inline int od_compat_act_as(struct cred *cred, const char *context)
{
#if defined(OD_HAVE_SECURITY_OVERRIDE_LSMBLOB)
	return set_security_override_from_ctx(cred, context);
#elif defined(OD_HAVE_SECURITY_OVERRIDE_SECID)
	u32 secid;
	int err = security_secctx_to_secid(context, strlen(context), &secid);

	return err ?: set_security_override(cred, secid);
#endif
}

#endif /* OD_COMPAT_SECURITY_H */
