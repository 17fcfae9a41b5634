#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: check.sh [--full] [--plan]
#
# Runs the tests in parts, two in parallel, and beside these, at low priority, the parts that
# only compile: VMs wait too much to keep two cores busy. Without --full, runs a selection that
# takes 16 to 30 minutes on two cores, with every test that a change is likely to break. With
# --full, runs all of them except the long forms in soak.sh.
#
# With CI=true, as much of --full as fits into BUDGET seconds (3000): first the parts of a
# plain check.sh, then the rest, starting with another part for each commit. A part is only
# started if its expected time fits into the rest of the budget, and skipped by name otherwise.
#
# --plan  print the parts that would run, and the expected seconds of each
#
# Ends with the ten slowest parts and with "N passed, N failed, N skipped", the sums over all
# parts. A kernel or tool that is not available is skipped by name; with CI=true it is a
# failure.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"
. "$(dirname "$0")/cases.sh"

stock=6.12
oldest=5.10
newest=7.3

# NAME FORMS SECONDS COLD COMMAND: the parts, the most important ones first, but for the
# halves of the suite, which the others run beside. FORMS: check, full, ci (in every
# run of CI), turn (in CI, in rotation), spare (uses CPU time that the others leave). SECONDS:
# with warm caches, beside others, on two cores, for spare parts estimated from their CPU
# seconds; COLD: additional seconds with cold caches.
all_parts() {
	cat <<-'END'
		suite-1      check,ci              540  100 env HALF=1 tests/bin/matrix.sh --thin $stock
		tools        check,ci,full         130    0 make -C tools all origin check
		unit         check,ci,full          20    0 make -C tests/unit check threads
		build        check,ci,full,spare   970  400 tests/bin/matrix.sh --build
		lint         check,ci,full          25    0 scripts/lint.sh
		compat       ci,full,spare         250    0 tests/compat/run.sh
		probes       check                   5    0 tests/compat/run.sh --quick
		suite-2      check,ci              470    0 env HALF=2 tests/bin/matrix.sh --thin $stock
		newest       check,ci              280   30 tests/bin/matrix.sh --brief $newest
		oldest       check,ci              225   30 tests/bin/matrix.sh --brief $oldest
		seeds        check,ci               60    0 tests/bin/fuzz.sh 0
		protocol     check                 180    0 debug_if_built protocol
		debug        ci,full               700  900 tests/bin/debug.sh debug $(cases_for kasan)
		packages     turn,full             800  200 tests/pkg/packages.sh
		portability  turn,full             300  200 tests/bin/portability.sh
		boot         turn,full             300  200 tests/vm/boot.sh 6.1 6.12
		powercut     turn,full             400   60 tests/vm/powercut.sh 6.12
		scale        turn,full             150   30 tests/vm/scale.sh 6.12
		users        turn,full             120   60 tests/vm/users.sh 6.12
		signing      turn,full             300   60 tests/vm/signing.sh 6.1 6.12
		selftest     turn,full             150    0 tests/vm/selftest.sh $oldest
		mutants      turn,full             200    0 tests/bin/mutants.sh --unit
		fuzz         turn,full             480   60 tests/bin/fuzz.sh 30
		rows-5.10    turn,full             600   30 tests/bin/matrix.sh --short 5.10
		rows-6.1     turn,full            1000   30 tests/bin/matrix.sh --short 6.1
		rows-6.12    full                 1600   30 tests/bin/matrix.sh --short 6.12
		rows-7.3     turn,full             600   30 tests/bin/matrix.sh --short 7.3
		pages        turn,full             900  250 tests/bin/matrix.sh --short 6.12-arm64 7.3-16k
		selinux      turn,full             150  150 tests/vm/selinux.sh 6.12
		apparmor     turn,full             150   30 tests/vm/apparmor.sh 6.12
		exhaustive   turn                  800   30 tests/bin/matrix.sh --exhaustive 6.12
		timed        turn,full             150   30 tests/bin/matrix.sh --timed 6.1 6.12
	END
}

# debug_if_built CASE...: on the kernel with KASAN, which takes ten minutes to build
debug_if_built() {
	if ls "$cache"/kernels/debug-*/release >/dev/null 2>&1; then
		"$top/tests/bin/debug.sh" debug "$@"
	else
		echo "ok - kernel debug: $* # SKIP not built, see make debug"
		echo "protocol: 0 passed, 0 failed, 1 skipped"
	fi
}

# of_form FORM: filters the parts on standard input
of_form() {
	awk -v form="$1" '("," $2 ",") ~ "," form ","'
}

parts_of() {
	all_parts | of_form "$1"
}

# by_turns: the parts in rotation, starting with a different one for each commit
by_turns() {
	local list nr first
	mapfile -t list < <(parts_of turn)
	nr=${#list[@]}
	first=$((16#$(git -C "$top" rev-parse --short=7 HEAD 2>/dev/null || date +%j) % nr))
	printf '%s\n' "${list[@]:first}" "${list[@]:0:first}"
}

chosen() {
	if [ -n "$budget" ]; then parts_of ci && by_turns
	elif [ -n "$full" ]; then parts_of full
	else parts_of check
	fi
}

# left: remaining seconds of the budget
left() {
	echo $((${budget:-1000000} - SECONDS))
}

# expected SECONDS COLD: scaled by the speed of the parts that have finished
expected() {
	local usual=$1
	[ -z "$cold" ] || usual=$((usual + $2))
	awk -v usual="$usual" '
		FNR == NR { should[$2] = $1; next }
		$2 in should { planned += should[$2]; spent += $1 }
		END {
			pace = planned ? spent / planned : 1
			print int(usual * (pace < 0.7 ? 0.7 : pace > 3 ? 3 : pace))
		}' "$logs/usual" "$logs/times"
}

# leave_out NAME SECONDS
leave_out() {
	echo "ok - check: $1 # SKIP needs $2 s, $(left) s are left" >"$logs/$1.log"
	echo "$1: 0 passed, 0 failed, 1 skipped" >>"$logs/$1.log"
	head -n 1 "$logs/$1.log"
}

# run_part NAME COMMAND: COMMAND as in the table
run_part() {
	local name=$1
	cd "$top"
	eval "set -- $2"
	LOGS=$logs/$name LANES=1 part "$name" "$@"
}

# Downloads and builds for later parts, in parallel with the first ones. Reports nothing: the
# parts report what is not available.
prepare() {
	local id
	for id in $stock $(kernel_ids); do
		kernel_row "$id"
		[ "$row_arch" = amd64 ] || row_toolchain+=-$row_arch
		if "$top/scripts/kernels.sh" fetch "$id"; then
			"$top/scripts/toolchain.sh" "$row_toolchain" || true
		fi
		[ "$id" != $stock ] || "$top/tests/images/mkimage.sh" || true
	done
}

# two_lanes NAME FORMS: waits until one of two lanes is free, or both for tests of throughput.
# Beside parts of a plain check.sh the spare parts need no lane; beside others they take one.
two_lanes() {
	local busy=1 others=("-e$preparer")
	[ "$1" != timed ] || busy=0
	[[ ,$2, != *,check,* ]] || others+=("-e$spare")
	while [ "$(jobs -pr | grep -cvx "${others[@]}")" -gt $busy ]; do
		wait -n || true
	done
}

one_lane() {
	wait
}

# run_all LANES: runs the parts on standard input, each as soon as LANES returns
run_all() {
	local name forms seconds more command usual
	while read -r name forms seconds more command; do
		"$1" "$name" "$forms"
		usual=$(expected "$seconds" "$more")
		if [ "$usual" -gt "$(left)" ]; then
			leave_out "$name" "$usual"
			continue
		fi
		[ -z "$cold" ] || seconds=$((seconds + more))
		# The time that spare parts take says nothing about the others.
		[[ ,$forms, = *,spare,* ]] || echo "$seconds $name" >>"$logs/usual"
		step "$name, usually $usual s"
		if [ "$name" = timed ]; then
			run_part "$name" "$command" </dev/null
		else
			run_part "$name" "$command" </dev/null &
		fi
	done
	wait
}

run_spare() {
	renice -n 10 $BASHPID >/dev/null
	chosen | of_form spare | run_all one_lane
	: >"$logs/spare.ended"
}

# plan: prints the schedule, assuming that each part takes its expected time
plan() {
	chosen | awk -v budget="${budget:-1000000}" -v cold="$cold" '
		function min(a, b) { return a < b ? a : b }
		function max(a, b) { return a > b ? a : b }
		{
			seconds = $3 + (cold ? $4 : 0)
			lane = $2 ~ /spare/ ? 3 : busy[1] <= busy[2] ? 1 : 2
			from = busy[lane] + 0
			if ($2 !~ /check/) from = max(from, min(busy[3 - lane], busy[3]))
			if (from + seconds > budget) {
				printf "%-12s %5d s  left out: %d s are left\n", $1, seconds, budget - from
				next
			}
			printf "%-12s %5d s  from %5d s on%s\n", $1, seconds, from, lane == 3 ? ", spare" : ""
			busy[lane] = from + seconds
		}
		END { print "total: " max(max(busy[1], busy[2]), busy[3]) " s" }'
}

full=''
planned=''
for argument; do
	case $argument in
	--full) full=yes ;;
	--plan) planned=yes ;;
	*) sed -n '3s/^# //p' "$0" >&2 && exit 2 ;;
	esac
done
budget=
[ "${CI-}" != true ] || [ -n "$full" ] || budget=${BUDGET:-3000}
cold=
[ -d "$cache/kernels" ] && [ -d "$cache/toolchains" ] || cold=yes
if [ -n "$planned" ]; then
	plan
	exit
fi

need_root "it builds in a chroot and makes device nodes for the test images"
begin "$top/build/check"
: >"$logs/usual"
: >"$logs/times"
step "dependencies"
"$top/scripts/deps.sh"
make -s -j"$(nproc)" -C "$top/tools" all origin >&2
make -s -C "$top/tests/vm" >&2
prepare >"$logs/prepare.out" 2>&1 &
preparer=$!
run_spare &
spare=$!
run_all two_lanes < <(chosen | awk '$2 !~ /spare/')
[ -e "$logs/spare.ended" ] || echo "not ok - check: the spare parts: 0 passed, 1 failed" >"$logs/spare.log"
finish
