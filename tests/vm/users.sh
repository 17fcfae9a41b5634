#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: users.sh KERNEL...
#
# Third-party programs that mount images as type erofs, in drop-in mode: composefs, and
# systemd's system extensions. They run unmodified in a Debian root of their own, which is
# the VM's second disk: only sid has composefs.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/bin/parts.sh"

suite=sid
packages=composefs,erofs-utils,mount,systemd,systemd-container,util-linux

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }

# make_disk FILE: packages are only unpacked, not configured, and no service runs
make_disk() {
	local root dir
	[ ! -e "$1" ] || return 0
	say "a root of $suite with composefs and systemd"
	root=$(mktemp -d "$cache/users/tmp.XXXXXX")
	"$top/scripts/aptroot.sh" sources $suite |
		mmdebstrap --quiet --mode=root --variant=extract --include=$packages \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			--aptopt='APT::Install-Recommends "false"' $suite "$root/root" -
	rm -rf "$root"/root/{dev,tmp,usr/share/{doc,locale,man},var/{cache,lib/apt}}
	# What base-files contains, or its scripts would create.
	mkdir -p "$root"/root/{data,dev,proc,sys,run,tmp,var/lib}
	for dir in bin sbin lib lib64; do
		ln -sfT usr/$dir "$root/root/$dir"
	done
	echo ID=debian >"$root/root/usr/lib/os-release"
	mke2fs -q -t ext4 -O ^has_journal -d "$root/root" "$root/image" \
		"$(($(du -sm "$root/root" | cut -f1) * 11 / 10 + 32))M" >/dev/null
	mv "$root/image" "$1"
	rm -rf "$root"
}

need_root "mmdebstrap unpacks packages"
mkdir -p "$cache/users"
disk=$cache/users/$(sha256sum <<<"$suite $packages" | cut -c1-12)
with_lock users make_disk "$disk"
status=0
for id; do
	DISK=$disk boot_tests "users-$id" "$id" users || status=1
done
exit $status
