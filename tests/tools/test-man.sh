#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The man pages are clean, and list every option of their program. Prints TAP.
# OD_BUILD: the build directory, OD_MAN: the man pages.
set -u
n=0 bad=0

result() {	# NAME WARNINGS
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		bad=$((bad + 1))
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/#   /'
	fi
}

# undocumented PAGE COMMAND...: prints long options in --help that the page lacks
undocumented() {
	page=$1
	shift
	"$@" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u | while read -r option; do
		grep -qF -- "$(echo "$option" | sed 's/-/\\-/g')" "$page" || echo "$option"
	done
}

for page in "$OD_MAN"/*.8; do
	name=$(basename "$page" .8)
	result "$name.8: man has no warnings" \
		"$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)"
	result "$name.8: mandoc has no warnings" "$(mandoc -T lint -W warning "$page" 2>&1)"
	result "$name.8: every option is told" "$(undocumented "$page" "$OD_BUILD/$name")"
done
for command in mount umount status trace prefetch doctor drop refresh adopt backup dropin; do
	result "erofs-od.8: every option of $command is told" \
		"$(undocumented "$OD_MAN/erofs-od.8" "$OD_BUILD/erofs-od" "$command")"
done
echo "1..$n"
[ $bad = 0 ]
