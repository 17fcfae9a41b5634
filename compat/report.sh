#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Usage: report.sh DIR
#
# Prints the results of a build's compile probes, which are in its compat/generated:
# a line for each interface with its form, or why it has none.
set -eu
[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
cd "$1"
grep -H . ./*/*.answer | sed 's,^\./,,; s,/, ,; s/\.answer:/ /' | awk '
	$1 == "control" { next }
	!($1 in forms) { order[++n] = $1; forms[$1] = "" }
	$3 == "yes" { forms[$1] = forms[$1] " " $2; next }
	{ tried[$1] = tried[$1] " " $2 }
	$3 != "no" { form = $2; $1 = $1; sub(/^[^ ]+ [^ ]+ /, ""); hidden[order[n]] = hidden[order[n]] "; " form " calls what is not exported: " $0 }
	END {
		for (i = 1; i <= n; i++) {
			name = order[i]
			if (forms[name] != "")
				printf "%-28s%s\n", name, forms[name]
			else
				printf "%-28s UNKNOWN, is none of:%s%s\n", name, tried[name], hidden[name]
		}
	}'
