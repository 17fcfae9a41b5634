#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: refused.sh LOG
#
# Succeeds if the compiler, which has failed, reported errors in the code in LOG. One that
# was killed, lacked a file or ran out of a resource has not: its probe has no result.
set -eu
[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
grep -qE '\.[ch]:[0-9]+:([0-9]+:)? (fatal )?error: ' "$1" &&
	! grep -qiE 'terminated program|internal compiler error|due to signal|unable to execute|error writing to|no space left|cannot allocate|out of memory|memory exhausted|can.t (open|create)' "$1"
