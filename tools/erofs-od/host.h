/* SPDX-License-Identifier: GPL-2.0-only */
/* The host to examine: this one, or a copy of its files in a directory. */
#ifndef OD_HOST_H
#define OD_HOST_H

#include <stdbool.h>

/**
 * enum family - of distributions: the package manager
 * @FAMILY_OTHER: unknown
 * @FAMILY_DEBIAN: apt
 * @FAMILY_FEDORA: dnf
 * @FAMILY_SUSE: zypper
 */
enum family {
	FAMILY_OTHER,
	FAMILY_DEBIAN,
	FAMILY_FEDORA,
	FAMILY_SUSE,
};

/**
 * struct host - a host
 * @sysroot: directory that represents /, without a trailing slash; "" for / itself
 * @running: release of the running kernel
 * @kernel: release of the kernel to examine
 * @distribution: name and version
 * @family: of the distribution
 */
struct host {
	char *sysroot;
	char *running;
	char *kernel;
	char *distribution;
	enum family family;
};

void host_init(struct host *host, const char *sysroot, const char *kernel);
void host_free(struct host *host);
bool host_is_local(const struct host *host);
bool host_runs_kernel(const struct host *host);
char *host_path(const struct host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *host_read(const struct host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool host_has(const struct host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *host_type_mounts(const struct host *host, const char *type);
char *host_openers(const struct host *host, const char *device, int *pid);

#endif
