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

# one lane: what tells most of the modules
suite() {
	part debug env GCOV="$logs/gcov.tar" TIMEOUT="$(left)" "$top/scripts/debug.sh" debug all
	part coverage "$top/scripts/coverage.sh" "$top/build/modules/debug-gcov" "$logs/gcov.tar"
}

# the other: every mutant, then one round after the other until the time is over
rounds() {
	local round
	part kcsan env TIMEOUT="$(left)" "$top/scripts/debug.sh" kcsan protocol daemon domains hostile stress
	part planted "$top/tests/fuzz/planted.sh"
	part mutants env LANES=1 "$top/scripts/mutants.sh"
	for ((round = 1; $(left) > 300; round++)); do
		part "round-$round" env CMDLINE="od.seconds=90 od.steps=3000" TIMEOUT=900 \
			"$top/scripts/vm.sh" 6.12 hostile stress mutated
	done
}

step "for $minutes minutes"
suite &
rounds
wait
finish
