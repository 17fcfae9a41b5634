#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: debug.sh KERNEL [CASE...]
#
# Guest tests on a debug kernel of tests/kernels: builds both modules and the KUnit
# suites for it and boots a VM with these cases; `all` means the whole suite and the
# cases that need such a kernel; without a case it only builds. Cases are sampled
# (od.thin=8), as debug kernels are several times as slow.
#
# GCOV=FILE  build the modules with gcov, in build/modules/KERNEL-gcov; FILE gets the
#            counts, for tests/bin/coverage.sh
# Other variables: see vm.sh.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"
. "$(dirname "$0")/cases.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
id=$1
shift
is_test_kernel "$id" || die "there is no tests/kernels/$id.config"
need_root "it builds in a chroot"
modules=$top/build/modules/$id${GCOV:+-gcov}
counting=()
[ -z "${GCOV-}" ] || counting=(GCOV_PROFILE=y)
wanted=("$@")
[ "${1-}" != all ] || mapfile -t wanted < <(cases_for debug)

# The KUnit suites are built second: they use the probe results of the first build.
build_modules() {
	"$top/scripts/build-modules.sh" "$id" "$modules" "${counting[@]}" modules
	"$top/scripts/build-modules.sh" "$id" "$modules" M=/work/kunit "${counting[@]}" modules
	cp "$modules"/kunit/*.ko "$modules/"
}

"$top/scripts/deps.sh"
make -s -C "$top/tools" all origin >&2
make -s -C "$top/tests/vm" >&2
DISK=$("$top/tests/images/mkimage.sh")
with_lock "debug-$id${GCOV:+-gcov}" build_modules
[ ${#wanted[@]} -gt 0 ] || exit 0
CMDLINE="od.thin=8 ${CMDLINE-}"
export CMDLINE DISK MODULES=$modules MEM=${MEM:-3072} TIMEOUT=${TIMEOUT:-3000}
boot_tests "${LOG:-debug-$id}" "$id" "${wanted[@]}"
