#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh PROGRAM...      run test programs that print TAP, and count their results
#
# A program also fails as a whole, by its exit status or by reporting nothing. Programs wait
# more than they compute, so JOBS (2) of them run at a time; the output of each is kept
# together, in the given order.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
dir=$(mktemp -d) && [ -n "$dir" ] || exit 1
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

# run PROGRAM: writes its output, then its status and seconds, to files
run() {
	local name=${1##*/} status=0 since=$SECONDS
	timeout 900 "$1" >"$dir/$name.out" 2>&1 || status=$?
	echo "$status $((SECONDS - since))" >"$dir/$name.end"
}

# tell PROGRAM: prints and counts its results
tell() {
	local name=${1##*/} out=$dir/${1##*/}.out status took good bad
	read -r status took <"$dir/$name.end"
	echo "# $name: $took s"
	grep -vE '^TAP version|^[0-9]+\.\.[0-9]+$' "$out"
	good=$(grep -cE '^ok ' "$out")
	bad=$(grep -cE '^not ok ' "$out")
	if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }; then
		echo "not ok - $name: status $status, $good tests"
		bad=1
	fi
	passed=$((passed + good)) failed=$((failed + bad))
}

next=0
programs=("$@")
# tell_ended: reports the programs that have ended, up to the first that still runs
tell_ended() {
	while [ $next -lt ${#programs[@]} ] && [ -s "$dir/${programs[next]##*/}.end" ]; do
		tell "${programs[next]}"
		next=$((next + 1))
	done
}

for program; do
	while [ "$(jobs -pr | wc -l)" -ge "${JOBS:-2}" ]; do wait -n; done
	tell_ended
	run "$program" &
done
wait
tell_ended
echo "tools: $passed passed, $failed failed"
[ $failed = 0 ] && [ $next = $# ]
