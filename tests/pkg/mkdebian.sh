#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mkdebian.sh SUITE
#
# Builds the disk of a new Debian: a small system with the second-latest kernel of the
# suite, current package lists, and in apt's cache everything that the tests install
# later, so that a VM without a network can run a user's commands. Prints the directory,
# which is kept in the cache under a key of its inputs.
#
#   disk     the system, ext4
#   old new  releases of two kernels
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

# Packages of a newly installed system.
packages=systemd-sysv,udev,dbus,login,kmod,initramfs-tools,ca-certificates,bash-completion
# Packages that are installed later, explicitly or as dependencies.
later="dkms erofs-utils nginx-light libcurl4-openssl-dev libjansson4 libmount1 libkmod2 libsystemd0 libssl-dev
	attr openssl libelf1 rpm"
flavour=cloud-amd64

sources_of() {
	local part
	for part in "$1" "$1-security"; do
		"$top/scripts/aptroot.sh" sources "$part"
	done
}

# has SUITE PACKAGE
has() {
	[ -n "$("$top/scripts/aptroot.sh" run "$1" apt-cache show "$2" 2>/dev/null)" ]
}

# releases_of SUITE: prints the releases of the suite's kernel series, oldest first. apt also
# lists names that other packages only mention, and a signed image may be released before or
# after its headers.
releases_of() {
	local part series release
	series=$("$top/scripts/aptroot.sh" run "$1" apt-cache show --no-all-versions "linux-image-$flavour" |
		sed -n 's/^Depends: linux-image-\([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
	for part in "$1" "$1-security"; do
		"$top/scripts/aptroot.sh" run "$part" apt-cache pkgnames "linux-image-$series" |
			sed -n "s/^linux-image-\($series\..*-$flavour\)\$/\1/p" | while read -r release; do
			! has "$part" "linux-image-$release" || ! has "$part" "linux-headers-$release" || echo "$release"
		done
	done | sort -Vu
}

bootstrap() {
	local suite=$1 root=$2 old=$3
	sources_of "$suite" | mmdebstrap --quiet --mode=root --variant=minbase --format=directory \
		--include="$packages,linux-image-$old" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='APT::Sandbox::User "root"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--customize-hook='echo fresh >"$1/etc/hostname"' \
		"$suite" "$root" - >&2
}

# Runs in its own mount namespace. Keeps the lists and the downloaded packages.
download() {
	local root=$1 old=$2 new=$3
	cp /etc/resolv.conf "$root/etc/resolv.conf"
	mount -t proc proc "$root/proc"
	mount --bind /dev "$root/dev"
	# shellcheck disable=SC2086 # a list
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		bash -euo pipefail -c 'apt-get -qq -o Acquire::Check-Valid-Until=false update
			apt-get -qq -y --download-only --no-install-recommends install "$@"' \
		bash $later linux-headers-"$old" linux-headers-"$new" linux-image-"$new"
	rm "$root/etc/resolv.conf"
}

make_debian() {
	local suite=$1 out=$2 old=$3 new=$4 root=$2/root
	say "new Debian: $suite, kernels $old and $new"
	bootstrap "$suite" "$root" "$old"
	export -f download
	export later
	unshare -m --propagation private bash -euo pipefail -c 'download "$@"' bash "$root" "$old" "$new" >&2
	: >"$root/etc/machine-id"
	truncate -s 8G "$out/disk"
	mke2fs -q -t ext4 -d "$root" "$out/disk"
	echo "$old" >"$out/old"
	echo "$new" >"$out/new"
	rm -rf --one-file-system "$root"
}

have_locked() {
	local suite=$1 dir=$2 old=$3 new=$4
	[ ! -e "$dir" ] || return 0
	work=$(mktemp -d "$cache/systems/tmp.XXXXXX")
	trap 'rm -rf --one-file-system "$work"' EXIT
	make_debian "$suite" "$work" "$old" "$new"
	chmod 755 "$work"
	mv -T "$work" "$dir"
}

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "mmdebstrap creates a root with its owners and modes"
mkdir -p "$cache/systems"
for part in "$1" "$1-security"; do
	"$top/scripts/aptroot.sh" update "$part"
done
mapfile -t releases < <(releases_of "$1")
[ ${#releases[@]} -ge 2 ] || die "$1 has less than two kernels of flavour $flavour: ${releases[*]}"
# The last two: QEMU 7.2 does not run some builds of 6.12 (6.12.107 crashes within a minute,
# without the modules of this project).
old=${releases[-2]}
new=${releases[-1]}
key=fresh-$1-$({
	echo "$1 $old $new"
	cat "$0"
} | sha256sum | cut -c1-12)
with_lock "system-$key" have_locked "$1" "$cache/systems/$key" "$old" "$new"
echo "$cache/systems/$key"
