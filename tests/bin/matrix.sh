#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: matrix.sh [--short | --thin | --brief | --exhaustive | --timed | --build] [ID...]
#
# For every kernel of SUPPORTED, or for the given ones: fetches it, builds both modules and
# boots it: with the whole guest suite if its row says tested, or with the cases whose heads
# say pages and samples of an eighth if it says short; two in parallel. Tests of throughput
# run afterwards, alone. Ends with a table, the probes whose result is the same for all
# kernels, and "N passed, N failed, N skipped".
#
# --short  the whole suite only on kernels of Debian releases, with samples of a quarter
#          (od.thin=4) except on the last of them; boots only the last build of a series, and
#          only the last series after 6.12
# --thin   the whole suite, with samples of an eighth
# --brief  cases whose heads say short, with samples of an eighth
# --exhaustive  cases that --thin samples, in full
# --timed  tests of throughput; otherwise only the whole suite includes them
# --build  build only
#
# LANES=2  number of kernels at a time
# HALF=1|2  with --thin: one half of the suite
# LOGS=build/matrix
#
# A kernel that is not available is skipped by name; with CI=true it is a failure,
# unless the configured mirror does not carry its archive.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"
. "$(dirname "$0")/cases.sh"

logs=${LOGS:-$top/build/matrix}

# count LOG PASSED FAILED SKIPPED TEXT: adds a result of this script
count() {
	echo "$5: $2 passed, $3 failed, $4 skipped" >>"$1"
}

# fetch ID: succeeds if the kernel is available
fetch() {
	local log=$logs/$1.fetch status=0 why
	"$top/scripts/kernels.sh" fetch "$1" >"$log.out" 2>&1 || status=$?
	[ $status != 0 ] || return 0
	why=$(tail -n 1 "$log.out")
	if [ "${CI-}" = true ] && [ $status != "$no_archive" ]; then
		echo "not ok - kernel $1: $why" >"$log"
		count "$log" 0 1 0 "kernel $1"
	else
		echo "ok - kernel $1 # SKIP $why" >"$log"
		count "$log" 0 0 1 "kernel $1"
	fi
	return 1
}

build() {
	local log=$logs/$1.build

	if "$top/scripts/build-modules.sh" "$1" >"$log" 2>&1; then
		count "$log" 1 0 0 "kernel $1: both modules build without a warning"
	else
		grep -E '(warning|error|erofs-od):' "$log" | sed "s/^/not ok - kernel $1: build: /" >>"$log.why"
		cat "$log.why" >>"$log"
		count "$log" 0 1 0 "kernel $1: both modules build without a warning"
		return 1
	fi
}

# boot ID NAME TEST...
boot() {
	local log=$logs/$1.$2
	if ! LOGDIR=$top/build/vm/$1-$2 "$top/tests/bin/vm.sh" "$1" "${@:3}" >"$log" 2>&1 &&
		! grep -qE ' [1-9][0-9]* failed' "$log"; then
		count "$log" 0 1 0 "kernel $1: the VM runs"
	fi
}

# has_all ID: whether this kernel runs all cases with --short
has_all() {
	[[ $1 = 6.1 || $1 = 6.12 ]]
}

# tests_for ID
tests_for() {
	if [ "$row_status" = short ]; then
		cases_for pages
		return
	fi
	case $mode in
	suite) cases_for stock ;;
	thin) if [ -n "${HALF-}" ]; then share "$HALF" thin stock; else cases_for stock; fi ;;
	short) if has_all "$1"; then cases_for stock; else cases_for rows; fi ;;
	brief) cases_for short ;;
	exhaustive) comm -12 <(cases_for stock | sort) <(cases_that_are thin | sort) ;;
	esac
}

# thinned ID: prints od.thin= for the kernel command line
thinned() {
	if [ "$row_status" = short ]; then
		echo od.thin=8
		return
	fi
	case $mode in
	thin | brief) echo od.thin=8 ;;
	short) [ "$1" = 6.12 ] || echo od.thin=4 ;;
	esac
}

# is_booted ID: its row (read by kernel_row) says short, or tested; with --short, no later
# row that says tested has another build of its series, or a later series after 6.12
is_booted() {
	local last
	[ "$row_status" != short ] || return 0
	last=$(awk -v prefix="$row_prefix" '$1 == "kernel" && $7 == "tested" &&
			($5 == prefix || prefix ~ /^7\./ && $5 ~ /^7\./) { id = $2 }
		END { print id }' "$supported")
	[ "$row_status" = tested ] && { [ $mode != short ] || [ "$1" = "$last" ]; }
}

# row ID: everything except timed tests; writes the times of build and suite to files
row() {
	local id=$1 started=$SECONDS
	kernel_row "$id"
	fetch "$id" && build "$id" || return 0
	echo "$((SECONDS - started))" >"$logs/$id.build_s"
	if [[ $mode = build || $mode = timed ]]; then
		:
	elif is_booted "$id"; then
		started=$SECONDS
		# shellcheck disable=SC2046 # a list
		CMDLINE="$(thinned "$id") ${CMDLINE-}" boot "$id" "$mode${HALF-}" $(tests_for "$id")
		echo "$((SECONDS - started))" >"$logs/$id.suite_s"
	elif [ "$row_status" = tested ]; then
		echo "ok - kernel $id: the guest suite # SKIP another build, or a later series, is booted" >"$logs/$id.suite"
		count "$logs/$id.suite" 0 0 1 "kernel $id: the guest suite"
	fi
	say "== kernel $id: done, $(numbers "$logs/$id".* | awk '{ print $2 }') failed"
}

# numbers LOG...: prints the numbers of passed, failed and skipped checks
numbers() {
	grep -hoE '[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$@" |
		awk '{ p += $1; f += $3; s += $5 } END { print p + 0, f + 0, s + 0 }'
}

value() {
	cat "$1" 2>/dev/null || echo -
}

table() {
	local id release passed failed skipped
	local format='| %-12s %-36s %-11s %7s %7s %7s %7s %8s\n'
	# shellcheck disable=SC2059 # the format is ours
	printf "$format" kernel release 'tool chain' 'build s' 'suite s' passed failed skipped
	for id in "${ids[@]}"; do
		kernel_row "$id"
		release=-
		[ ! -e "$logs/$id.build_s" ] || release=$(<"$("$top/scripts/kernels.sh" fetch "$id")/release")
		read -r passed failed skipped < <(numbers "$logs/$id".*)
		# shellcheck disable=SC2059
		printf "$format" "$id" "$release" "$row_toolchain" "$(value "$logs/$id.build_s")" \
			"$(value "$logs/$id.suite_s")" "$passed" "$failed" "$skipped"
	done
}

# No row of SUPPORTED is as old as the kernel of RHEL 8.
probes_for_rhel8() {
	(cd "$top/compat/probe" && grep -l 'drop when RHEL 8' ./*/*.c) | sed 's,^\./,,; s,\.c$, ,'
}

# A probe that has the same result on all kernels is dead.
dead_probes() {
	local id built=()
	for id in "${ids[@]}"; do
		[ ! -e "$logs/$id.build_s" ] || built+=("$id")
	done
	[ ${#built[@]} -gt 1 ] || return 0
	for id in "${built[@]}"; do
		(cd "$top/build/modules/$id/compat/generated" && grep -H . ./*/*.answer)
	done | sed 's,^\./,,; s/\.answer:/ /' | grep -v '^control/' | grep -vFf <(probes_for_rhel8) | sort | uniq -c |
		awk -v n=${#built[@]} '$1 == n { print "# dead probe: " $2 " is " $3 " on all " n " kernels" }'
}

need_root "it builds in a chroot and makes device nodes for the test images"
rm -rf "$logs"
mkdir -p "$logs"
mode=suite
case ${1-} in
--short | --thin | --brief | --exhaustive | --timed | --build) mode=${1#--} && shift ;;
-*) sed -n '3s/^# //p' "$0" >&2 && exit 2 ;;
esac
if [ $# -gt 0 ]; then ids=("$@"); else mapfile -t ids < <(kernel_ids); fi
"$top/scripts/deps.sh"
make -s -C "$top/tools" all origin >&2
make -s -C "$top/tests/vm" >&2
[ $mode = build ] || DISK=$("$top/tests/images/mkimage.sh")
export DISK TIMEOUT=${TIMEOUT:-3600}

running=0
for id in "${ids[@]}"; do
	{ row "$id" || count "$logs/$id.row" 0 1 0 "kernel $id: this script"; } &
	running=$((running + 1))
	if [ $running = "${LANES:-2}" ]; then
		wait -n
		running=$((running - 1))
	fi
done
wait
for id in "${ids[@]}"; do
	if [[ $mode = suite && -e $logs/$id.suite_s || $mode = timed && -e $logs/$id.build_s ]]; then
		# shellcheck disable=SC2046 # a list
		boot "$id" timed $(cases_that_are alone)
	fi
done

show_failures "$logs"/*.*
grep -hE '^(ok .*# SKIP|# .*(MB/s|READs))' "$logs"/*.* || true
dead_probes
table
read -r passed failed skipped < <(numbers "$logs"/*.*)
echo "matrix: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
