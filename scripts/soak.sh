#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: soak.sh [MINUTES]      default: 30
#
# The long forms of what check.sh does shortly: the whole guest suite on a kernel
# with KASAN, lockdep, kmemleak and gcov, what it reached, KCSAN, every mutant, a
# hostile daemon, changed images and stress until the time is over. Kernels made
# for testing are built before the time begins. Ends with the sums.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/parts.sh"

minutes=${1:-30}
need_root "it builds in a chroot and makes device nodes for the test images"
begin "$top/build/soak"
step "what it needs"
"$top/scripts/deps.sh"
for id in debug kcsan 6.12; do
	"$top/scripts/kernels.sh" fetch "$id" >/dev/null
done
make -s -C "$top/tools" all origin >&2
make -s -C "$top/tests/vm" >&2
DISK=$("$top/tests/images/mkimage.sh")
export DISK
"$top/scripts/build-modules.sh" 6.12 >"$logs/modules.out" 2>&1
end=$((SECONDS + minutes * 60))

left() {
	echo $((end - SECONDS))
}

# The guest suite in two machines side by side, so that the two take about as long.
first="debug-kunit debug-faults badinput cachefolder load options protocol tools tar tmpfs
	freeze overlay idmapped daemon"

others() {
	guest_tests | grep -vxF "$(tr -s ' \t' '\n\n' <<<"$first")"
}

# debug NAME CASE...: with KASAN, lockdep, kmemleak; what was reached goes to NAME.tar
debug() {
	local name=$1
	shift
	part "$name" env LOG="$name" GCOV="$logs/$name.tar" TIMEOUT="$(left)" "$top/scripts/debug.sh" debug "$@"
}

# shellcheck disable=SC2046,SC2086 # lists
suite() {
	debug debug-1 $first &
	debug debug-2 $(others)
	wait
	part coverage "$top/scripts/coverage.sh" "$top/build/modules/debug-gcov" "$logs"/debug-?.tar
}

# Until the time is over.
rounds() {
	local round
	for ((round = 1; $(left) > 200; round++)); do
		part "round-$round" env CMDLINE="od.seconds=60 od.steps=2000" TIMEOUT=900 LOGDIR="$top/build/vm/soak" \
			"$top/scripts/vm.sh" 6.12 hostile stress mutated
	done
}

step "for $minutes minutes: the guest suite with KASAN, lockdep, kmemleak and gcov"
suite
step "data races"
part kcsan env LOG=kcsan TIMEOUT="$(left)" "$top/scripts/debug.sh" kcsan protocol daemon domains hostile
step "each fuzzer finds a mistake, each mutant is noticed"
part planted "$top/tests/fuzz/planted.sh"
part mutants env SECONDS_LEFT="$(left)" "$top/scripts/mutants.sh"
step "a hostile daemon, stress, changed images"
rounds
finish
