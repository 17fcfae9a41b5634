#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: kernels.sh fetch ID...     have these kernels of SUPPORTED, print their folders
#        kernels.sh list            print the ids
#
# A kernel's folder in the cache, named after the exact package version, holds
# `release` and `root`, in which headers, kbuild and image are unpacked. Which
# version an id means is looked up once a day.
# FLAVOUR=cloud-amd64 (the smallest one) or amd64.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

apt_in() {
	"$top/scripts/aptroot.sh" run "$@"
}

# version_of SUITE PACKAGE: newest version, or nothing
version_of() {
	apt_in "$1" apt-cache show --no-all-versions "$2" 2>/dev/null |
		awk '$1 == "Version:" { print $2; exit }'
}

has() {
	[ -n "$(version_of "$1" "$2")" ]
}

# newest_release SUITE PREFIX: kernel release of the newest headers package
newest_release() {
	local pkg
	apt_in "$1" apt-cache pkgnames "linux-headers-$2" | grep -E -- "-$flavour\$" |
		{ [ "$flavour" = amd64 ] && grep -vE -- '-(cloud|rt)-amd64$' || cat; } |
		sort -rV | while read -r pkg; do
			has "$1" "$pkg" && echo "${pkg#linux-headers-}" && break
		done
}

# packages SUITE RELEASE VERSION: what to download, one PACKAGE=VERSION a line
packages() {
	local suite=$1 release=$2 version=$3 abi=${2%-"$flavour"} kbuild image
	kbuild=linux-kbuild-$abi
	has "$suite" "$kbuild" || kbuild=linux-kbuild-$(grep -oE '^[0-9]+\.[0-9]+' <<<"$abi")
	printf "%s=$version\n" "linux-headers-$release" "linux-headers-$abi-common" "$kbuild"
	for image in linux-binary-"$release" linux-binary-unsigned-"$release" \
		linux-image-"$release"; do
		if has "$suite" "$image"; then
			printf "%s=$version\n" "$image"
			break
		fi
	done
	case $image in
	# From 7.1 on the modules are a package of their own.
	linux-binary-*) printf "%s=$version\n" "linux-modules-$release" "linux-base-$release" ;;
	esac
}

unpack() {
	local suite=$1 release=$2 version=$3 dir=$4 tmp deb list
	tmp=$(mktemp -d "$cache/kernels/tmp.XXXXXX")
	# shellcheck disable=SC2064 # this very folder
	trap "rm -rf '$tmp'" EXIT
	mkdir "$tmp/deb" "$tmp/root"
	mapfile -t list < <(packages "$suite" "$release" "$version")
	say "kernel $release ($version) of $suite"
	(cd "$tmp/deb" && apt_in "$suite" apt-get -qq download "${list[@]}" >&2)
	for deb in "$tmp"/deb/*.deb; do
		dpkg -x "$deb" "$tmp/root"
	done
	rm -r "$tmp/deb"
	# Suites with a merged /usr ship usr/lib alone; modprobe and kbuild look in lib.
	if [ ! -e "$tmp/root/lib/modules/$release" ]; then
		mkdir -p "$tmp/root/lib"
		ln -s ../usr/lib/modules "$tmp/root/lib/modules"
	fi
	depmod -b "$tmp/root" "$release"
	echo "$release" >"$tmp/release"
	chmod 755 "$tmp"
	mv -T "$tmp" "$dir"
}

fetch_locked() {
	local id=$1 link=$cache/kernels/$1-$flavour release version dir
	kernel_row "$id"
	if [ -e "$link/release" ] && [ -n "$(find "$link" -maxdepth 0 -mtime -1)" ]; then
		return
	fi
	mkdir -p "$cache/kernels"
	"$top/scripts/aptroot.sh" update "$row_suite"
	release=$(newest_release "$row_suite" "$row_prefix")
	[ -n "$release" ] || die "$row_suite has no kernel $row_prefix* of flavour $flavour"
	version=$(version_of "$row_suite" "linux-headers-$release")
	dir=${release}_$version
	if [ ! -e "$cache/kernels/$dir/release" ]; then
		rm -rf "${cache:?}/kernels/$dir"
		unpack "$row_suite" "$release" "$version" "$cache/kernels/$dir"
	fi
	ln -sfn "$dir" "$link.new"
	mv -T "$link.new" "$link"
}

fetch() {
	local link=$cache/kernels/$1-$flavour
	kernel_row "$1"
	# A mirror that cannot be reached is no reason to stop when the kernel is here.
	if ! with_lock "kernel-$1-$flavour" fetch_locked "$1" && [ ! -e "$link/release" ]; then
		die "kernel $1 cannot be had"
	fi
	readlink -f "$link"
}

case ${1-} in
fetch)
	shift
	for id; do fetch "$id"; done
	;;
list) kernel_ids ;;
*) sed -n '3,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
