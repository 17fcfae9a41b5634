#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: dkms-range.sh
#
# Prints the regular expression for dkms.conf that matches the kernels from the
# minimum to the maximum of SUPPORTED, and those that it lists as "also".
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# minors FROM TO: a regular expression for these numbers
minors() {
	seq -s'|' "$1" "$2"
}

# No series has gone beyond 22 so far.
range=$(awk '$1 == "minimum" || $1 == "maximum" { print $2 }' "$top/SUPPORTED" | paste -sd' ')
read -r minimum maximum <<<"$range"
first=${minimum%.*}
last=${maximum%.*}
if [ "$first" = "$last" ]; then
	expression="$first\\.($(minors "${minimum#*.}" "${maximum#*.}"))"
else
	expression="$first\\.($(minors "${minimum#*.}" 29))"
	for ((major = first + 1; major < last; major++)); do
		expression+="|$major\\.[0-9]+"
	done
	expression+="|$last\\.($(minors 0 "${maximum#*.}"))"
fi
also=$(awk '$1 == "also" { printf "%s|", $2 }' "$top/SUPPORTED")
echo "^($also$expression)[^0-9]"
