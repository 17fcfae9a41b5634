#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: erofs-utils.sh PROGRAM [ARGUMENT...]     run a newer suite's mkfs.erofs, fsck.erofs, dump.erofs
#        erofs-utils.sh --version                 print the version of that package
#
# Debian 12's mkfs.erofs supports only one block size and cannot merge images. So
# Debian 13's package is unpacked in the cache with its libraries, and run from there.
# EROFS_UTILS_SUITE=trixie selects the suite.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=${EROFS_UTILS_SUITE:-trixie}

unpack() {
	local dir=$1
	if [ -e "$dir/version" ]; then
		return
	fi
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "$cache/erofs-utils"
	say "erofs-utils of $suite"
	"$top/scripts/aptroot.sh" sources "$suite" |
		mmdebstrap --quiet --mode=root --variant=extract --include=erofs-utils \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			--aptopt='APT::Install-Recommends "false"' "$suite" "$dir.tmp" -
	# 1.5 prints its version, too, with an error about the unknown option.
	{ run_from "$dir.tmp" mkfs.erofs -V 2>/dev/null || true; } |
		awk 'NR == 1 { print $NF }' >"$dir.tmp/version"
	chmod 755 "$dir.tmp"
	mv -T "$dir.tmp" "$dir"
}

# run_from DIR PROGRAM ARGUMENT...: suites differ in their library directories
run_from() {
	local dir=$1 program=$2 libraries loader
	shift 2
	libraries=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu
	loader=$dir/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
	[ -e "$loader" ] || loader=$dir/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
	"$loader" --library-path "$libraries" "$dir/usr/bin/$program" "$@"
}

dir=$cache/erofs-utils/$suite
need_root "mmdebstrap unpacks erofs-utils"
with_lock "erofs-utils-$suite" unpack "$dir"

case ${1-} in
--version) cat "$dir/version" ;;
*.erofs)
	program=$1
	shift
	run_from "$dir" "$program" "$@"
	;;
*) sed -n '3,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
