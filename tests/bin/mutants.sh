#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mutants.sh [--unit] [NAME...]
#
# Applies the patches of tests/mutants/ (or those whose names begin with NAME) one at
# a time to a copy of the sources. Each removes a guard, and the test that the patch
# names must notice. A mutant that does not build, or that no test notices, is a
# failure. --unit leaves out mutants that need a VM. LANES=N tests that many at once;
# SECONDS_LEFT=N starts none after that time: the rest is skipped by name. SHUFFLE=yes
# tests them in random order, so that time-limited runs cover different ones.
#
# A patch begins with
#	Hazard: N...        rows of Documentation/hazards.rst
#	Breaks: what the code does without the guard
#	Noticed-by: unit SUITE | tools PROGRAM:TEST | vm CASE | debug CASE, ...
# where PROGRAM is one of tests/tools, vm is kernel 6.12 and debug the one of tests/kernels;
# all tests named must notice. First, as a control, the shortest guest test runs the same way
# on unmodified modules and must pass.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

work=$top/build/mutants
# The VM exits on the first failure or splat: with a mutant, the kernel may spin and the rest
# of a test may hang until the time limit.
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

# apply_patch TREE PATCH: touches the files, otherwise make would reuse the last mutant's objects
apply_patch() {
	local file
	patch -d "$1" -p1 -s --no-backup-if-mismatch --fuzz=0 <"$2" || return 1
	sed -n 's,^+++ b/,,p' "$2" | while read -r file; do
		touch "$1/$file"
	done
}

# revert_patch TREE PATCH
revert_patch() {
	local file
	sed -n 's,^+++ b/,,p' "$2" | while read -r file; do
		cp "$top/$file" "$1/$file"
		touch "$1/$file"
	done
}

# Each succeeds if the mutant was noticed; 2: it does not build.
noticed_by_unit() {
	local tree=$1 program=$1/build/unit/$2_test
	make -s -C "$tree/tests/unit" B="$tree/build/unit" "$program" || return 2
	! "$tree/tests/unit/run.sh" "$program"
}

# noticed_by_tools TREE PROGRAM:TEST: one test of a program that plays the kernel
noticed_by_tools() {
	local tree=$1 program=${2%%:*} out=$1/build/mutant-tools
	make -s -C "$tree/tools" O="$out" CFLAGS=-O1 "$out/$program" "$out/erofs-odd-fake" \
		"$out/origin" || return 2
	! OD_BUILD=$out OD_TEST=${2#*:} "$tree/tests/tools/run.sh" "$out/$program"
}

# disk_for CASE: prints the disk with the images of the case
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
	# A VM that did not start, or was merely slow, has not noticed anything.
	grep -q '^# up after' "$tree/build/vm/results.log" || return 2
	grep -q '^not ok' "$tree/build/vm/results.log" ||
		grep -aqE "$splat" "$tree/build/vm/console.log" || return 4
}

# notice TREE LOG HOW WHAT: runs a test; prints whether it notices
notice() {
	local status=0
	case $3 in
	unit) noticed_by_unit "$1" "$4" >"$2" 2>&1 || status=$? ;;
	tools) noticed_by_tools "$1" "$4" >"$2" 2>&1 || status=$? ;;
	vm) noticed_in_vm "$1" 6.12 "$4" >"$2" 2>&1 || status=$? ;;
	debug) CMDLINE=od.thin=8 noticed_in_vm "$1" debug "$4" >"$2" 2>&1 || status=$? ;;
	*) status=3 ;;
	esac
	case $status in
	0) echo "ok - mutant $name: $3 $4: $(why_noticed "$2")" ;;
	2) echo "not ok - mutant $name: it does not build: $(tail -n 1 "$2")" ;;
	3) echo "not ok - mutant $name: no valid Noticed-by" ;;
	4) echo "not ok - mutant $name: $3 $4 reports no failed check, only: $(why_noticed "$2")" ;;
	*) echo "not ok - mutant $name: $3 $4 does not notice" ;;
	esac
}

# one LANE PATCH: prints a line for each test that must notice
one() {
	local tree=$work/tree$1 patch=$2 name how what
	name=$(basename "$patch" .patch)
	if ! apply_patch "$tree" "$patch" >"$work/$name.log" 2>&1; then
		echo "not ok - mutant $name: the patch does not apply"
		return
	fi
	while read -r how what; do
		[ -z "$unit_only" ] || [ "$how" = unit ] || [ "$how" = tools ] || continue
		notice "$tree" "$work/$name.$how-$what.log" "$how" "$what"
	done < <(field "$patch" Noticed-by | sed 's/, */\n/g')
	revert_patch "$tree" "$patch"
}

# control: a guest test passes on unmodified modules
control() {
	local tree=$work/control status=0
	copy_sources "$tree"
	noticed_in_vm "$tree" 6.12 load >"$work/control.log" 2>&1 || status=$?
	if [ $status = 1 ]; then
		echo "ok - mutants: the unmodified modules pass"
	else
		echo "not ok - mutants: the unmodified modules fail, or do not start: status $status," \
			"$(why_noticed "$work/control.log")"
	fi
	rm -rf "$tree"
}

# The first failure that the test reports.
why_noticed() {
	{ grep -aE '^not ok|^FAILED|ERROR: AddressSanitizer|runtime error' "$1" || echo '?'; } |
		head -n 1 | cut -c1-100
}

# lane NR: takes patches until none is left
lane() {
	local patch
	copy_sources "$work/tree$1"
	while patch=$(next_patch); do
		if [ $SECONDS -gt "${SECONDS_LEFT:-1000000}" ]; then
			echo "ok - mutant $(basename "$patch" .patch) # SKIP time limit reached"
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
		if [ -n "$unit_only" ] && [[ ! $(field "$patch" Noticed-by) =~ (unit|tools)\  ]]; then
			continue
		fi
		if [ $# = 0 ]; then echo "$patch"; fi
		for prefix; do
			[[ $name != "$prefix"* ]] || echo "$patch"
		done
	done
}

needs_vm() {
	[ -z "$unit_only" ] && xargs grep -lE "^Noticed-by: .*(vm|debug) " <"$work/queue" >/dev/null
}

unit_only=
[ "${1-}" != --unit ] || { unit_only=yes && shift; }
# All objects, too: an interrupted run may have left those of a mutant, which would be
# noticed in place of the next one.
rm -rf "$work"
mkdir -p "$work"
order="cat"
[ -z "${SHUFFLE-}" ] || order=shuf
chosen "$@" | $order >"$work/queue"
[ -s "$work/queue" ] || die "no mutant is named $*"
"$top/scripts/deps.sh"
if needs_vm; then
	need_root "it builds in a chroot"
	make -s -C "$top/tools" all origin >&2
	make -s -C "$top/tests/vm" >&2
	DISK=$("$top/tests/images/mkimage.sh")
	export DISK TIMEOUT=${TIMEOUT:-600}
fi
{
	! needs_vm || control
	for nr in $(seq "$lanes"); do
		lane "$nr" &
	done
	wait
} | tee "$work/results" >&2
grep '^not ok' "$work/results" || true
awk '/# SKIP/ { skipped++; next } /^ok/ { passed++ } /^not ok/ { failed++ }
	END { printf "mutants: %d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed || !passed }' "$work/results"
