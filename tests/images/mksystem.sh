#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mksystem.sh SUITE
#
# Builds the image of a system for a VM to boot from: a small Debian with systemd,
# udev and login, as one blob. Prints its directory, which is kept in the cache
# under a key of its inputs.
#
#   blobs/root        the image
#   sums/part-of-usr  guest/boot-sum of usr/share
#   sums/usr          guest/boot-sum of usr
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

boot_sum=$top/tests/vm/guest/boot-sum
packages=systemd-sysv,udev,login

sources_of() {
	local part parts=("$1" "$1-security")
	[ "$(distribution_of "$1")" != ubuntu ] || parts+=("$1-updates")
	for part in "${parts[@]}"; do
		"$top/scripts/aptroot.sh" sources "$part"
	done
}

# Removes the files that mmdebstrap copies from the host; root has no password.
bootstrap() {
	sources_of "$1" | mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
		--include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='APT::Sandbox::User "root"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--customize-hook='rm -f "$1/etc/resolv.conf"' \
		--customize-hook='echo on-demand >"$1/etc/hostname"' \
		--customize-hook='sed -i "s/^root:[^:]*:/root::/" "$1/etc/shadow"' \
		"$1" "$2" - >&2
	: >"$2/etc/machine-id"
}

make_system() {
	local suite=$1 out=$2 root=$2/root
	say "system image: $suite by mmdebstrap"
	bootstrap "$suite" "$root"
	mkdir "$out/blobs" "$out/sums"
	sh "$boot_sum" "$root/usr/share" >"$out/sums/part-of-usr"
	sh "$boot_sum" "$root/usr" >"$out/sums/usr"
	say "system image: mkfs.erofs $("$top/scripts/erofs-utils.sh" --version)"
	# Compact inodes have no timestamp of their own.
	"$top/scripts/erofs-utils.sh" mkfs.erofs --quiet -Eforce-inode-extended \
		"$out/blobs/root" "$root" >&2
	rm -rf --one-file-system "$root"
}

have_locked() {
	local suite=$1 dir=$2
	[ ! -e "$dir" ] || return 0
	work=$(mktemp -d "$cache/systems/tmp.XXXXXX")
	trap 'rm -rf --one-file-system "$work"' EXIT
	make_system "$suite" "$work"
	chmod 755 "$work"
	mv -T "$work" "$dir"
}

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "mmdebstrap creates a root with its owners and modes"
mkdir -p "$cache/systems"
key=$1-$({
	echo "$1"
	"$top/scripts/erofs-utils.sh" --version
	cat "$0" "$boot_sum"
} | sha256sum | cut -c1-12)
with_lock "system-$key" have_locked "$1" "$cache/systems/$key"
echo "$cache/systems/$key"
