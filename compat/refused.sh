#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: refused.sh LOG
#
# Succeeds if the compiler, which has failed, said in LOG what is wrong with the code.
# One that was killed, lost a file or ran out of something has not: a probe that it did
# not compile has no answer.
set -eu
[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
grep -qE '\.[ch]:[0-9]+:([0-9]+:)? (fatal )?error: ' "$1" &&
	! grep -qiE 'terminated program|internal compiler error|due to signal|unable to execute|error writing to|no space left|cannot allocate|out of memory|memory exhausted|can.t (open|create)' "$1"
