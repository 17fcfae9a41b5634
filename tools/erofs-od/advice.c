// SPDX-License-Identifier: GPL-2.0-only
#include "advice.h"

#include <stdlib.h>

#include "text.h"

/* Both, in order; modprobe accepts several names only with -a. */
#define LOAD		"modprobe -a cachefiles_od erofs_od"
#define UNLOAD		"modprobe -r erofs_od cachefiles_od"
#define SERVICE		"erofs-odd"

static bool has_service(const struct host *host)
{
	return host_has(host, "/usr/lib/systemd/system/" SERVICE ".service") ||
	       host_has(host, "/lib/systemd/system/" SERVICE ".service") ||
	       host_has(host, "/etc/systemd/system/" SERVICE ".service");
}

/** advice_build - build and install the modules; free it */
char *advice_build(const struct host *host)
{
	if (host_has(host, "/usr/src/erofs-od-" OD_VERSION "/dkms.conf"))
		return text_format("dkms install --force erofs-od/" OD_VERSION " -k %s",
				   host->kernel);
	switch (host->family) {
	case FAMILY_DEBIAN:
		return text_copy("apt install erofs-od-dkms");
	case FAMILY_FEDORA:
		return text_copy("dnf install erofs-od-dkms");
	case FAMILY_SUSE:
		return text_copy("zypper install erofs-od-dkms");
	case FAMILY_OTHER:
		break;
	}
	return text_format("make modules KDIR=/lib/modules/%s/build", host->kernel);
}

/** advice_load - load both modules; free it */
char *advice_load(void)
{
	return text_copy(LOAD);
}

/* The daemon pins one module by its device, mounts pin the other. */
static void append_users(const struct host *host, char **command)
{
	char *mounts = host_type_mounts(host, "erofs_od");

	if (mounts)
		text_append(command, " && ", "umount -a -t erofs_od");
	if (has_service(host))
		text_append(command, " && ", "systemctl stop " SERVICE);
	free(mounts);
}

/** advice_reload - reload both modules, stopping their users; free it */
char *advice_reload(const struct host *host)
{
	char *command = NULL;

	append_users(host, &command);
	text_append(&command, " && ", UNLOAD " && " LOAD);
	if (has_service(host))
		text_append(&command, " && ", "systemctl start " SERVICE);
	return command;
}

/** advice_serve - start a daemon for a cache directory; free it */
char *advice_serve(const struct host *host, const char *cache)
{
	char *dir, *command;

	if (has_service(host))
		return text_copy("systemctl enable --now " SERVICE);
	dir = text_quote(cache);
	command = text_format("erofs-odd --dir=%s --source=/srv/blobs", dir);
	free(dir);
	return command;
}

/** advice_root - check again as root; free it */
char *advice_root(void)
{
	return text_copy("sudo erofs-od doctor");
}
