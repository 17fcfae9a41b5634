/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that is looked at: this one, or a copy of its files in a folder. */
#ifndef OD_MACHINE_H
#define OD_MACHINE_H

#include <stdbool.h>

/**
 * enum family - of distributions: how a package is installed
 * @FAMILY_OTHER: not known
 * @FAMILY_DEBIAN: by apt
 * @FAMILY_FEDORA: by dnf
 * @FAMILY_SUSE: by zypper
 */
enum family {
	FAMILY_OTHER,
	FAMILY_DEBIAN,
	FAMILY_FEDORA,
	FAMILY_SUSE,
};

/**
 * struct machine - what all questions are asked about
 * @sysroot: folder that stands for /, without a slash at its end; "" for / itself
 * @running: release of the running kernel
 * @kernel: release of the kernel that is asked about
 * @distribution: name and version
 * @family: of the distribution
 */
struct machine {
	char *sysroot;
	char *running;
	char *kernel;
	char *distribution;
	enum family family;
};

void machine_init(struct machine *machine, const char *sysroot, const char *kernel);
void machine_free(struct machine *machine);
bool machine_is_here(const struct machine *machine);
bool machine_runs_it(const struct machine *machine);
char *machine_path(const struct machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *machine_read(const struct machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool machine_has(const struct machine *machine, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *machine_type_mounts(const struct machine *machine, const char *type);
char *machine_openers(const struct machine *machine, const char *device, int *pid);

#endif
