#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: module-sources.sh [FOLDER...]    print the files that building both modules takes
#
# One list for all who build them elsewhere than here: a test machine's kernel, this
# host's, a DKMS package. FOLDERs are taken besides, kunit for instance.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$top"
find Kbuild SUPPORTED cachefiles_od erofs_od compat include "$@" -type f \
	\( -name '*.[ch]' -o -name 'Kbuild*' -o -name SUPPORTED -o -path 'compat/*.sh' \) \
	! -name '*.mod.c' ! -path 'compat/generated/*' | sort
