// SPDX-License-Identifier: GPL-2.0-only
/* The kernel, and what modules for it are built with. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "text.h"

static bool series_of(const char *release, unsigned int *series)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2 || major > 9999 || minor > 9999)
		return false;
	*series = major * 10000 + minor;
	return true;
}

/**
 * doctor_range - does a kernel lie between two series?
 * @release: of the kernel, such as 6.12.118+deb13-amd64
 * @minimum: first series, such as 5.10
 * @maximum: last series
 */
enum range doctor_range(const char *release, const char *minimum, const char *maximum)
{
	unsigned int series, first, last;

	if (!series_of(release, &series) || !series_of(minimum, &first) ||
	    !series_of(maximum, &last))
		return RANGE_UNKNOWN;
	if (series < first)
		return RANGE_BELOW;
	return series > last ? RANGE_ABOVE : RANGE_WITHIN;
}

static void ask_range(struct doctor *doctor)
{
	const char *release = doctor->machine.kernel;

	if (doctor_range(release, OD_KERNEL_MINIMUM, OD_KERNEL_MAXIMUM) == RANGE_WITHIN)
		findings_ok(&doctor->findings, FINDING_KERNEL_RANGE,
			    text_format("kernel %s is one from " OD_KERNEL_MINIMUM " to "
					OD_KERNEL_MAXIMUM, release));
	else
		findings_problem(&doctor->findings, FINDING_KERNEL_RANGE,
				 text_format("kernel %s is none from " OD_KERNEL_MINIMUM " to "
					     OD_KERNEL_MAXIMUM ", which these modules are for",
					     release),
				 text_format("boot a kernel from " OD_KERNEL_MINIMUM " to "
					     OD_KERNEL_MAXIMUM));
}

static void note_machine(struct doctor *doctor)
{
	struct utsname names;

	uname(&names);
	findings_ok(&doctor->findings, FINDING_MACHINE,
		    text_format("%s, %s, pages of %ld KiB", doctor->machine.distribution,
				names.machine, sysconf(_SC_PAGESIZE) / 1024));
}

/* SUSE's packages are named after the flavour, which is the release's end. */
static char *suse_headers(const char *release)
{
	const char *flavour = strrchr(release, '-');

	return text_format("zypper install kernel-%s-devel", flavour ? flavour + 1 : "default");
}

static char *headers_command(const struct machine *machine)
{
	switch (machine->family) {
	case FAMILY_DEBIAN:
		return text_format("apt install linux-headers-%s", machine->kernel);
	case FAMILY_FEDORA:
		return text_format("dnf install kernel-devel-%s", machine->kernel);
	case FAMILY_SUSE:
		return suse_headers(machine->kernel);
	case FAMILY_OTHER:
		break;
	}
	return text_format("install the headers of kernel %s, so that /lib/modules/%s/build has "
			   "its Makefile", machine->kernel, machine->kernel);
}

/* Modules that are there already were built somewhere; an update will want the headers. */
static void ask_headers(struct doctor *doctor)
{
	const struct machine *machine = &doctor->machine;
	char *text;

	if (machine_has(machine, "/lib/modules/%s/build/Makefile", machine->kernel)) {
		findings_ok(&doctor->findings, FINDING_KERNEL_HEADERS,
			    text_format("the headers are in /lib/modules/%s/build",
					machine->kernel));
		return;
	}
	text = text_format("the headers of kernel %s are not installed: no module can be built",
			   machine->kernel);
	if (doctor_has_modules(doctor))
		findings_note(&doctor->findings, FINDING_KERNEL_HEADERS, text,
			      headers_command(machine));
	else
		findings_problem(&doctor->findings, FINDING_KERNEL_HEADERS, text,
				 headers_command(machine));
}

void doctor_kernel(struct doctor *doctor)
{
	ask_range(doctor);
	note_machine(doctor);
	ask_headers(doctor);
}
