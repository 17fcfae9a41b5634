// SPDX-License-Identifier: GPL-2.0-only
#include "advice.h"

#include <stdlib.h>

#include "text.h"

/* What loads both, in the right order; modprobe takes many names with -a only. */
#define LOAD		"modprobe -a cachefiles_od erofs_od"
#define UNLOAD		"modprobe -r erofs_od cachefiles_od"
#define SERVICE		"erofs-odd"

static bool has_service(const struct machine *machine)
{
	return machine_has(machine, "/usr/lib/systemd/system/" SERVICE ".service") ||
	       machine_has(machine, "/lib/systemd/system/" SERVICE ".service") ||
	       machine_has(machine, "/etc/systemd/system/" SERVICE ".service");
}

/** advice_build - how the modules come to be there; free it */
char *advice_build(const struct machine *machine)
{
	if (machine_has(machine, "/usr/src/erofs-od-" OD_VERSION "/dkms.conf"))
		return text_format("dkms install --force erofs-od/" OD_VERSION " -k %s",
				   machine->kernel);
	switch (machine->family) {
	case FAMILY_DEBIAN:
		return text_copy("apt install erofs-od-dkms");
	case FAMILY_FEDORA:
		return text_copy("dnf install erofs-od-dkms");
	case FAMILY_SUSE:
		return text_copy("zypper install erofs-od-dkms");
	case FAMILY_OTHER:
		break;
	}
	return text_format("make modules KDIR=/lib/modules/%s/build", machine->kernel);
}

/** advice_load - both modules; free it */
char *advice_load(void)
{
	return text_copy(LOAD);
}

/* The daemon holds one module by its device, mounts hold the other. */
static void append_users(const struct machine *machine, char **command)
{
	char *mounts = machine_type_mounts(machine, "erofs_od");

	if (mounts)
		text_append(command, " && ", "umount -a -t erofs_od");
	if (has_service(machine))
		text_append(command, " && ", "systemctl stop " SERVICE);
	free(mounts);
}

/** advice_reload - both modules, whoever uses them now; free it */
char *advice_reload(const struct machine *machine)
{
	char *command = NULL;

	append_users(machine, &command);
	text_append(&command, " && ", UNLOAD " && " LOAD);
	if (has_service(machine))
		text_append(&command, " && ", "systemctl start " SERVICE);
	return command;
}

/** advice_serve - start a daemon for a cache folder; free it */
char *advice_serve(const struct machine *machine, const char *cache)
{
	char *folder, *command;

	if (has_service(machine))
		return text_copy("systemctl enable --now " SERVICE);
	folder = text_quote(cache);
	command = text_format("erofs-odd --dir=%s --source=/srv/blobs", folder);
	free(folder);
	return command;
}

/** advice_root - ask again, and see more; free it */
char *advice_root(void)
{
	return text_copy("sudo erofs-od doctor");
}
