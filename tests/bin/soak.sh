#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: soak.sh [MINUTES]      default: 30
#
# The long forms of the tests in check.sh: the whole guest suite on a kernel with KASAN,
# lockdep, kmemleak and gcov, its coverage, KCSAN, a bug planted for each fuzzer; and, as
# time permits, mutants in random order, a hostile daemon, stress and changed images. Tests
# that do not fit are skipped by name. Debug kernels, and the modules for them, are built
# before the time starts. Ends with the sums.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"
. "$(dirname "$0")/cases.sh"

minutes=${1:-30}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "it builds in a chroot and makes device nodes for the test images"
begin "$top/build/soak"
step "dependencies"
"$top/scripts/deps.sh"
for id in debug kcsan 6.12; do
	"$top/scripts/kernels.sh" fetch "$id" >/dev/null
done
{
	GCOV=yes "$top/tests/bin/debug.sh" debug
	"$top/tests/bin/debug.sh" kcsan
	"$top/scripts/build-modules.sh" 6.12
} >"$logs/modules.out" 2>&1
DISK=$("$top/tests/images/mkimage.sh")
export DISK
end=$((SECONDS + minutes * 60))

left() {
	echo $((end - SECONDS))
}

# in_vm NAME KERNEL SECONDS CASE...: on a debug kernel, with a time limit
in_vm() {
	local name=$1 kernel=$2 limit=$3
	shift 3
	# The end takes a while as well: kmemleak scans all memory.
	part "$name" env LOG="$name" CMDLINE="od.limit=$limit" TIMEOUT=$((limit + 240)) \
		"$top/tests/bin/debug.sh" "$kernel" "$@"
}

# Demand no coverage if tests were skipped.
coverage() {
	local demand=yes
	! grep -q '# SKIP time limit reached' "$logs"/debug-?.log || demand=
	part coverage env DEMAND=$demand "$top/tests/bin/coverage.sh" "$top/build/modules/debug-gcov" "$logs"/debug-?.tar
}

# shellcheck disable=SC2046 # lists
suite() {
	local limit=$((minutes * 60 * 6 / 10))
	GCOV=$logs/debug-1.tar in_vm debug-1 debug $limit $(share 1 debug debug) &
	GCOV=$logs/debug-2.tar in_vm debug-2 debug $limit $(share 2 debug debug)
	wait
	coverage
}

# The last mutant takes up to a minute.
mistakes() {
	part planted "$top/tests/fuzz/planted.sh"
	part mutants env SHUFFLE=yes LANES=1 TIMEOUT=300 SECONDS_LEFT=$(($(left) - 60)) "$top/tests/bin/mutants.sh"
}

rounds() {
	local round
	for ((round = 1; $(left) > 120; round++)); do
		part "round-$round" env CMDLINE="od.limit=$(($(left) - 30)) od.seconds=60 od.steps=2000" \
			TIMEOUT=$(($(left) + 60)) LOGDIR="$top/build/vm/soak" \
			"$top/tests/bin/vm.sh" 6.12 hostile stress mutated
	done
}

step "for $minutes minutes: the guest suite with KASAN, lockdep, kmemleak and gcov"
suite
step "data races; in parallel: planted bugs for each fuzzer, mutants"
mistakes &
in_vm kcsan kcsan $((minutes * 60 / 5)) protocol daemon domains hostile
step "a hostile daemon, stress, changed images"
rounds
wait
finish
