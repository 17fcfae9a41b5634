// SPDX-License-Identifier: GPL-2.0-only
/* The kernel, and the headers for building modules. */
#include "doctor.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static bool series_of(const char *release, unsigned int *series)
{
	unsigned int major, minor;

	if (sscanf(release, "%u.%u", &major, &minor) != 2 || major > 9999 || minor > 9999)
		return false;
	*series = major * 10000 + minor;
	return true;
}

static bool is_match(const char *release, const char *expression)
{
	regex_t regex;
	bool match;

	if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB))
		return false;
	match = !regexec(&regex, release, 0, NULL, 0);
	regfree(&regex);
	return match;
}

/**
 * doctor_range - is a kernel between two series, inclusive?
 * @release: of the kernel, such as 6.12.118+deb13-amd64
 * @minimum: first series, such as 5.10
 * @maximum: last series
 * @also: extended regular expression of releases that count as within
 */
enum range doctor_range(const char *release, const char *minimum, const char *maximum,
			const char *also)
{
	unsigned int series, first, last;

	if (!series_of(release, &series) || !series_of(minimum, &first) ||
	    !series_of(maximum, &last))
		return RANGE_UNKNOWN;
	if (series < first)
		return is_match(release, also) ? RANGE_WITHIN : RANGE_BELOW;
	return series > last ? RANGE_ABOVE : RANGE_WITHIN;
}

static void check_range(struct doctor *doctor)
{
	static const char range[] = OD_KERNEL_MINIMUM " to " OD_KERNEL_MAXIMUM
				    ", and " OD_KERNEL_ALSO_NAME;
	const char *release = doctor->host.kernel;

	if (doctor_range(release, OD_KERNEL_MINIMUM, OD_KERNEL_MAXIMUM,
			 "^" OD_KERNEL_ALSO "[^0-9]") == RANGE_WITHIN)
		findings_ok(&doctor->findings, FINDING_KERNEL_RANGE,
			    text_format("kernel %s is supported (%s)", release, range));
	else
		findings_problem(&doctor->findings, FINDING_KERNEL_RANGE,
				 text_format("kernel %s is not supported (%s)", release, range),
				 text_format("boot a kernel from %s", range));
}

/* SUSE names packages after the flavour, the last part of the release. */
static char *suse_headers(const char *release)
{
	const char *flavour = strrchr(release, '-');

	return text_format("zypper install kernel-%s-devel", flavour ? flavour + 1 : "default");
}

/* RHEL's other flavours are suffixes of the release: 5.14.0-503.el9.aarch64+64k. */
static char *fedora_headers(const char *release)
{
	const char *flavour = strchr(release, '+');

	if (strstr(release, "uek"))
		return text_format("dnf install kernel-uek-devel-%s", release);
	if (!flavour || !strstr(release, ".el"))
		return text_format("dnf install kernel-devel-%s", release);
	return text_format("dnf install kernel-%s-devel-%.*s", flavour + 1,
			   (int)(flavour - release), release);
}

static char *headers_command(const struct host *host)
{
	switch (host->family) {
	case FAMILY_DEBIAN:
		return text_format("apt install linux-headers-%s", host->kernel);
	case FAMILY_FEDORA:
		return fedora_headers(host->kernel);
	case FAMILY_SUSE:
		return suse_headers(host->kernel);
	case FAMILY_OTHER:
		break;
	}
	return text_format("install the headers of kernel %s, so that /lib/modules/%s/build has "
			   "its Makefile", host->kernel, host->kernel);
}

/* Modules that are installed already work; an update will need the headers. */
static void check_headers(struct doctor *doctor)
{
	const struct host *host = &doctor->host;
	char *text;

	if (host_has(host, "/lib/modules/%s/build/Makefile", host->kernel)) {
		findings_ok(&doctor->findings, FINDING_KERNEL_HEADERS,
			    text_format("kernel headers: /lib/modules/%s/build",
					host->kernel));
		return;
	}
	text = text_format("the headers of kernel %s are not installed: cannot build modules",
			   host->kernel);
	if (doctor_has_modules(doctor))
		findings_note(&doctor->findings, FINDING_KERNEL_HEADERS, text,
			      headers_command(host));
	else
		findings_problem(&doctor->findings, FINDING_KERNEL_HEADERS, text,
				 headers_command(host));
}

void doctor_kernel(struct doctor *doctor)
{
	check_range(doctor);
	check_headers(doctor);
}
