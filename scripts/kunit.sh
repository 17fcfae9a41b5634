#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: kunit.sh [KERNEL]      debug, or another kernel of tests/kernels
#
# Builds the KUnit suites of kunit/ as modules for that kernel and loads them in
# a test machine: one line for each case, and the sums as vm.sh prints them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

id=${1:-debug}
is_test_kernel "$id" || die "KUnit is in no kernel of SUPPORTED; it is in: $(cd "$top/tests/kernels" &&
	find . -name '*.config' ! -name base.config -printf '%P\n' | sed 's/\.config$//' | sort | paste -sd' ')"
need_root "it builds in a chroot"
out=$top/build/kunit/$id

"$top/scripts/deps.sh"
make -s -C "$top/tools" >&2
make -s -C "$top/tests/vm" >&2
"$top/scripts/build-modules.sh" "$id" "$out"
# The second time in the folder of the tests, where the first has left its answers.
"$top/scripts/build-modules.sh" "$id" "$out" M=/work/kunit modules
cp "$out"/kunit/*.ko "$out/"
MODULES=$out LOGDIR=${LOGDIR:-$top/build/vm/kunit-$id} "$top/scripts/vm.sh" "$id" debug-kunit
