#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: module-sources.sh [DIR...]    print the source files of both modules
#
# The only list for all builds outside the source tree: for VMs, for this host, for DKMS.
# DIRs, such as kunit, are included as well.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$top"
find Kbuild SUPPORTED cachefiles_od erofs_od compat include "$@" -type f \
	\( -name '*.[ch]' -o -name 'Kbuild*' -o -name SUPPORTED -o -path 'compat/*.sh' \) \
	! -name '*.mod.c' ! -path 'compat/generated/*' | sort
