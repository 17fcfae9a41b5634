#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: EMULATOR=COMMAND run.sh PROGRAM...
#
# Runs cmocka programs: one line each, the whole output of one that fails, and
# the sums at the end. A program that crashes, leaks, or runs no test has failed.
set -u

export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1
passed=0 failed=0

for program; do
	output=$(timeout "${TIMEOUT:-120}" ${EMULATOR-} "$program" 2>&1)
	status=$?
	ok=$(grep -c '^ok ' <<<"$output")
	bad=$(grep -c '^not ok ' <<<"$output")
	if [ $status != 0 ] || [ "$ok" = 0 ]; then
		# What ended it early counts, though it had no number.
		[ "$bad" = 0 ] && bad=1
		printf 'FAILED  %-20s exit status %d\n%s\n' "${program##*/}" $status "$output"
	else
		printf 'passed  %-20s %d tests\n' "${program##*/}" "$ok"
	fi
	passed=$((passed + ok)) failed=$((failed + bad))
done
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ] && [ $passed != 0 ]
