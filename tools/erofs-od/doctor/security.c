// SPDX-License-Identifier: GPL-2.0-only
/* SELinux, which decides who may read a mount, and FIPS mode. */
#include "doctor.h"

#include <libmount.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define LABEL	"context=system_u:object_r:container_ro_file_t:s0"

/* From an option; or each file has its own, where the policy knows the type. */
static bool has_label(const char *options)
{
	return strstr(options, "context=") || text_has_word(options, "seclabel");
}

/* A mount that got no label from its options, or NULL; free it. */
static char *find_unlabelled(const struct host *host)
{
	char *path = host_path(host, "/proc/self/mountinfo");
	struct libmnt_table *table = mnt_new_table_from_file(path);
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	char *target = NULL;

	while (table && iter && !target && !mnt_table_next_fs(table, iter, &fs)) {
		const char *type = mnt_fs_get_fstype(fs), *options = mnt_fs_get_fs_options(fs);

		if (type && !strcmp(type, "erofs_od") && !(options && has_label(options)))
			target = text_copy(mnt_fs_get_target(fs));
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	free(path);
	return target;
}

static void check_enforcing(struct doctor *doctor)
{
	char *unlabelled = find_unlabelled(&doctor->host);
	char *mounts = host_type_mounts(&doctor->host, "erofs_od");

	if (unlabelled)
		findings_note(&doctor->findings, FINDING_SELINUX,
			      text_format("SELinux is enforcing, and %s was mounted without a label: "
					  "confined programs may not read it", unlabelled),
			      text_copy("erofs-od mount -o " LABEL));
	else if (mounts)
		findings_ok(&doctor->findings, FINDING_SELINUX,
			    text_copy("SELinux is enforcing, and all mounts have labels"));
	else
		findings_ok(&doctor->findings, FINDING_SELINUX,
			    text_copy("SELinux is enforcing: mount with -o " LABEL));
	free(mounts);
	free(unlabelled);
}

static void check_selinux(struct doctor *doctor)
{
	char *enforce = host_read(&doctor->host, "/sys/fs/selinux/enforce");

	if (enforce && *enforce == '1')
		check_enforcing(doctor);
	else
		findings_ok(&doctor->findings, FINDING_SELINUX,
			    text_copy(enforce ? "SELinux is permissive" : "SELinux is off"));
	free(enforce);
}

/* The modules register no algorithms, so that the kernel has nothing against them. */
static void check_fips(struct doctor *doctor)
{
	char *enabled = host_read(&doctor->host, "/proc/sys/crypto/fips_enabled");

	findings_ok(&doctor->findings, FINDING_FIPS,
		    text_copy(enabled && *enabled == '1' ?
			      "FIPS mode is on: HTTPS sources need an algorithm that it allows" :
			      "FIPS mode is off"));
	free(enabled);
}

void doctor_security(struct doctor *doctor)
{
	check_selinux(doctor);
	check_fips(doctor);
}
