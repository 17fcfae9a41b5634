#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: run.sh PROGRAM...      run test programs that speak TAP, count, say so
#
# A program fails as a whole too: by its exit status, or by reporting nothing.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0 failed=0

for program; do
	echo "# $(basename "$program")"
	timeout 900 "$program" >"$out" 2>&1
	status=$?
	grep -vE '^TAP version|^[0-9]+\.\.[0-9]+$' "$out"
	good=$(grep -cE '^ok ' "$out")
	bad=$(grep -cE '^not ok ' "$out")
	if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$good" = 0 ]; }; then
		echo "not ok - $(basename "$program"): status $status, $good tests"
		bad=1
	fi
	passed=$((passed + good)) failed=$((failed + bad))
done
echo "tools: $passed passed, $failed failed"
[ $failed = 0 ]
