#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: ci.sh [rows | quick | row ID | packages | pkgtest [SUITE]]
#
# The jobs of the hosted runners, which run anywhere; without an argument, all of them.
#
# rows      the IDs of SUPPORTED as JSON, for the job matrix
# quick     lint, unit tests, the tools, probes of kernel features
# row ID    one kernel of SUPPORTED: build, and boot with as much of the suite as its row says;
#           results of the probes
# packages  Debian and rpm packages: build, check, install in a chroot of Debian
# pkgtest   the commands of the README, in a VM that boots Debian
#
# build/ci gets packages, probe reports and logs. Each job ends with "N passed, N failed,
# N skipped". CI=false skips what is not available, by name.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$(dirname "$0")/parts.sh"

export CI=${CI:-true}
kept=$top/build/ci

rows() {
	kernel_ids | awk '{ row = row (NR > 1 ? "," : "") "\"" $1 "\"" } END { print "[" row "]" }'
}

# Lets git work on sources that come from an archive or belong to another user.
prepare() {
	need_root "it builds in a chroot, as make check does"
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$top
	"$top/scripts/deps.sh"
	[ -e "$top/.git" ] || git init -q "$top"
}

quick() {
	begin "$kept/quick"
	quick_parts
	finish
}

# keep DIR FILE...: copies the files that exist to DIR
keep() {
	local dir=$1 file
	mkdir -p "$dir"
	for file in "${@:2}"; do
		[ ! -e "$file" ] || cp -R --preserve=timestamps "$file" "$dir"
	done
}

# row ID...
row() {
	local id status=0
	[ $# -gt 0 ] || die "row: which ID? $(kernel_ids | paste -sd' ')"
	for id; do
		kernel_row "$id"
	done
	begin "$kept/row-$([ $# = 1 ] && echo "$1" || echo s)"
	part matrix "$top/tests/bin/matrix.sh" "$@"
	finish || status=1
	for id; do
		keep "$logs" "$top/build/matrix/$id".* "$top/build/vm/$id"-*
		[ ! -d "$top/build/modules/$id/compat/generated" ] ||
			"$top/compat/report.sh" "$top/build/modules/$id/compat/generated" >"$logs/$id.probes"
	done
	return $status
}

packages() {
	local status=0
	begin "$kept/packages"
	part packages "$top/tests/pkg/packages.sh"
	finish || status=1
	keep "$logs" "$top/build/packages"
	return $status
}

pkgtest() {
	local status=0
	begin "$kept/pkgtest"
	part pkgtest "$top/tests/pkg/pkgtest.sh" "$@"
	finish || status=1
	keep "$logs" "$top/build/pkgtest"
	return $status
}

# all: all jobs, one at a time, each in its own process, then the sums
all() {
	local ids what
	mapfile -t ids < <(kernel_ids)
	rm -rf "$kept"
	for what in quick "row ${ids[*]}" packages pkgtest; do
		# shellcheck disable=SC2086 # a list
		"$0" $what || say "ci.sh: $what failed"
	done
	begin "$kept/all"
	cp "$kept"/*/*.log "$logs"
	finish
}

what=${1-all}
[ $# = 0 ] || shift
case $what in
rows) rows ;;
quick | row | packages | pkgtest | all)
	prepare
	"$what" "$@"
	;;
*) sed -n '3s/^# //p' "$0" >&2 && exit 2 ;;
esac
