#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: erofs-utils.sh PROGRAM [ARGUMENT...]     run a newer suite's mkfs.erofs, fsck.erofs, dump.erofs
#        erofs-utils.sh --version                 print the version of that package
#
# Debian 12's mkfs.erofs knows one block size and merges no images. So Debian
# 13's package is unpacked in the cache with its libraries, and run from there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

suite=trixie

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
	"$dir.tmp/$loader" --library-path "$dir.tmp/$libraries" "$dir.tmp/usr/bin/mkfs.erofs" -V |
		awk 'NR == 1 { print $NF }' >"$dir.tmp/version"
	chmod 755 "$dir.tmp"
	mv -T "$dir.tmp" "$dir"
}

libraries=usr/lib/x86_64-linux-gnu
loader=$libraries/ld-linux-x86-64.so.2
dir=$cache/erofs-utils/$suite
need_root "mmdebstrap unpacks erofs-utils"
with_lock erofs-utils unpack "$dir"

case ${1-} in
--version) cat "$dir/version" ;;
*.erofs)
	program=$1
	shift
	exec "$dir/$loader" --library-path "$dir/$libraries" "$dir/usr/bin/$program" "$@"
	;;
*) sed -n '3,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
