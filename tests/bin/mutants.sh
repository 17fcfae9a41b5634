#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mutants.sh [--unit] [NAME...]
#
# Breaks one guard at a time, as the patches of tests/mutants/ (or those whose
# names begin with NAME) say, in a copy of the sources, and demands that the
# test which the patch names notices. A mutant that does not build, or that
# nobody notices, is a failure. --unit leaves out those that need a machine.
# LANES=N tries that many at once, SECONDS_LEFT=N begins none after so long: what was
# not tried is skipped by name. SHUFFLE=yes: in any order, so that it is others next time.
#
# A patch begins with
#	Hazard: N...        rows of Documentation/hazards.rst
#	Breaks: what the patch takes away
#	Noticed-by: unit SUITE | vm CASE | debug CASE, ...
# where vm is the kernel 6.12 and debug the one of tests/kernels; all that are
# named have to notice. Before any mutant, the unbroken modules run the shortest of the
# guest tests the same way, which has to have nothing against them.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$top/build/mutants
# A machine ends with the first failure or complaint: a broken kernel may spin, and the rest
# of a test wait, until the time is over.
until_noticed="od.failures=1 softlockup_panic=1 hung_task_panic=1 sysctl.kernel.hung_task_timeout_secs=20"
lanes=${LANES:-$(nproc)}

# field FILE NAME
field() {
	sed -n "s/^$2: *//p" "$1" | head -n 1
}

# copy_sources TO
copy_sources() {
	"$top/scripts/source-tree.sh" "$1"
	mkdir -p "$1/build"
	ln -sfn "$top/build/tools" "$1/build/tools"
	ln -sfn "$top/build/tests" "$1/build/tests"
}

# put_in TREE PATCH: touched, or the objects of the last mutant would do
put_in() {
	local file
	patch -d "$1" -p1 -s --no-backup-if-mismatch --fuzz=0 <"$2" || return 1
	sed -n 's,^+++ b/,,p' "$2" | while read -r file; do
		touch "$1/$file"
	done
}

take_out() {
	local file
	sed -n 's,^+++ b/,,p' "$2" | while read -r file; do
		cp "$top/$file" "$1/$file"
		touch "$1/$file"
	done
}

# Each succeeds when the mutant was noticed; 2: it does not build.
noticed_by_unit() {
	local tree=$1 program=$1/build/unit/$2_test
	make -s -C "$tree/tests/unit" B="$tree/build/unit" "$program" || return 2
	! "$tree/tests/unit/run.sh" "$program"
}

# disk_for CASE: whose images it takes
disk_for() {
	case $1 in
	powercut-replay) "$top/tests/images/mkcutdisk.sh" ;;
	*) echo "$DISK" ;;
	esac
}

# noticed_in_vm TREE KERNEL CASE
noticed_in_vm() {
	local tree=$1 kernel=$2 modules=$1/build/modules/$2
	shift 2
	"$tree/scripts/build-modules.sh" "$kernel" "$modules" || return 2
	! DISK=$(disk_for "$1") CMDLINE="$until_noticed ${CMDLINE-}" MODULES=$modules LOGDIR=$tree/build/vm MEM=3072 \
		"$tree/tests/bin/vm.sh" "$kernel" "$@" || return 1
	# A machine that did not even start has noticed nothing, nor has one that was merely slow.
	grep -q '^# up after' "$tree/build/vm/results.log" || return 2
	grep -q '^not ok' "$tree/build/vm/results.log" ||
		grep -aqE "$complaint" "$tree/build/vm/console.log" || return 4
}

# notice TREE LOG HOW WHAT: prints who notices, or who does not and should
notice() {
	local status=0
	case $3 in
	unit) noticed_by_unit "$1" "$4" >"$2" 2>&1 || status=$? ;;
	vm) noticed_in_vm "$1" 6.12 "$4" >"$2" 2>&1 || status=$? ;;
	debug) CMDLINE=od.thin=8 noticed_in_vm "$1" debug "$4" >"$2" 2>&1 || status=$? ;;
	*) status=3 ;;
	esac
	case $status in
	0) echo "ok - mutant $name: $3 $4: $(why_noticed "$2")" ;;
	2) echo "not ok - mutant $name: it does not build: $(tail -n 1 "$2")" ;;
	3) echo "not ok - mutant $name: it does not say who notices" ;;
	4) echo "not ok - mutant $name: $3 $4 has no more against it than: $(why_noticed "$2")" ;;
	*) echo "not ok - mutant $name: $3 $4 does not notice" ;;
	esac
}

# one LANE PATCH: a line for each who has to notice
one() {
	local tree=$work/tree$1 patch=$2 name how what
	name=$(basename "$patch" .patch)
	if ! put_in "$tree" "$patch" >"$work/$name.log" 2>&1; then
		echo "not ok - mutant $name: the patch does not apply"
		return
	fi
	while read -r how what; do
		[ -z "$unit_only" ] || [ "$how" = unit ] || continue
		notice "$tree" "$work/$name.$how-$what.log" "$how" "$what"
	done < <(field "$patch" Noticed-by | sed 's/, */\n/g')
	take_out "$tree" "$patch"
}

# control: with nothing broken, a machine notices nothing
control() {
	local tree=$work/control status=0
	copy_sources "$tree"
	noticed_in_vm "$tree" 6.12 load >"$work/control.log" 2>&1 || status=$?
	if [ $status = 1 ]; then
		echo "ok - mutants: what is not broken is not noticed"
	else
		echo "not ok - mutants: what is not broken is noticed, or not started: status $status," \
			"$(why_noticed "$work/control.log")"
	fi
	rm -rf "$tree"
}

# The first thing that the test had against it.
why_noticed() {
	{ grep -aE '^not ok|^FAILED|ERROR: AddressSanitizer|runtime error' "$1" || echo '?'; } |
		head -n 1 | cut -c1-100
}

# lane NR: takes what is next until there is nothing left
lane() {
	local patch
	copy_sources "$work/tree$1"
	while patch=$(next_patch); do
		if [ $SECONDS -gt "${SECONDS_LEFT:-1000000}" ]; then
			echo "ok - mutant $(basename "$patch" .patch) # SKIP the time is over"
			continue
		fi
		one "$1" "$patch"
	done
}

next_patch() {
	(
		flock 9
		patch=$(head -n 1 "$work/queue")
		sed -i 1d "$work/queue"
		[ -n "$patch" ] && echo "$patch"
	) 9>"$work/lock"
}

chosen() {
	local name patch
	for patch in "$top"/tests/mutants/*.patch; do
		name=$(basename "$patch")
		if [ -n "$unit_only" ] && [[ $(field "$patch" Noticed-by) != *unit* ]]; then continue; fi
		if [ $# = 0 ]; then echo "$patch"; fi
		for prefix; do
			[[ $name != "$prefix"* ]] || echo "$patch"
		done
	done
}

needs_machine() {
	[ -z "$unit_only" ] && xargs grep -lE "^Noticed-by: .*(vm|debug) " <"$work/queue" >/dev/null
}

unit_only=
[ "${1-}" != --unit ] || { unit_only=yes && shift; }
# With all its objects: those of a run that was stopped may be a mutant's, and would
# be noticed in the place of the next one.
rm -rf "$work"
mkdir -p "$work"
order="cat"
[ -z "${SHUFFLE-}" ] || order=shuf
chosen "$@" | $order >"$work/queue"
[ -s "$work/queue" ] || die "no mutant is called $*"
"$top/scripts/deps.sh"
if needs_machine; then
	need_root "it builds in a chroot"
	make -s -C "$top/tools" all origin >&2
	make -s -C "$top/tests/vm" >&2
	DISK=$("$top/tests/images/mkimage.sh")
	export DISK TIMEOUT=${TIMEOUT:-600}
fi
{
	! needs_machine || control
	for nr in $(seq "$lanes"); do
		lane "$nr" &
	done
	wait
} | tee "$work/results" >&2
grep '^not ok' "$work/results" || true
awk '/# SKIP/ { skipped++; next } /^ok/ { passed++ } /^not ok/ { failed++ }
	END { printf "mutants: %d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed || !passed }' "$work/results"
