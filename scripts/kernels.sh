#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: kernels.sh fetch ID...     fetch kernels of SUPPORTED or tests/kernels, print their directories
#        kernels.sh list            print the IDs
#
# The directory of a kernel in the cache, named after the exact package version, contains
# `release` and `root`, in which headers and kbuild are unpacked, and the image,
# if SUPPORTED marks the kernel as one to boot, or with IMAGE=1. The version for an
# ID is looked up once a day. Exit status 3: the mirror does not serve the archive
# that has the kernel, or a package in its lists.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

apt_in() {
	"$top/scripts/aptroot.sh" run "$@"
}

# version_of SUITE PACKAGE: prints the newest version, or nothing
version_of() {
	apt_in "$1" apt-cache show --no-all-versions "$2" 2>/dev/null |
		awk '$1 == "Version:" { print $2; exit }'
}

has() {
	[ -n "$(version_of "$1" "$2")" ]
}

# newest_release SUITE PREFIX FLAVOUR: prints the kernel release of the newest headers package
newest_release() {
	local pkg
	apt_in "$1" apt-cache pkgnames "linux-headers-$2" |
		{ grep -E "^linux-headers-[0-9][0-9a-z.+]*(-[0-9]+)?-$3\$" || true; } |
		sort -rV | while read -r pkg; do
			has "$1" "$pkg" && echo "${pkg#linux-headers-}" && break
		done
}

# Kernels that are not booted need no image.
is_booted() {
	[ "$row_status" != builds ] || [ -n "${IMAGE-}" ]
}

# is_here DIR: it has all files that this row needs
is_here() {
	[ -e "$1/release" ] && { ! is_booted || [ -n "$(kernel_image "$1")" ]; }
}

# common_headers SUITE PACKAGE: the package of common headers that those of a flavour depend
# on. A newer kernel of an older suite has a name of its own (linux-hwe-6.5-headers-...).
common_headers() {
	apt_in "$1" apt-cache show --no-all-versions "$2" |
		sed -n 's/^Depends: //p' | grep -oE 'linux-[a-z0-9.-]*headers-[0-9.-]+' | head -n 1
}

# packages_of SUITE RELEASE ABI VERSION: packages to download. Programs that run during the
# build are of this host's architecture, the rest are of the kernel's.
packages_of() {
	local suite=$1 release=$2 abi=$3 version=$4 kbuild image
	echo "linux-headers-$release:$row_arch"
	if [ "$(distribution_of "$suite")" = ubuntu ]; then
		common_headers "$suite" "linux-headers-$release"
	else
		kbuild=linux-kbuild-$abi
		has "$suite" "$kbuild" || kbuild=linux-kbuild-$(grep -oE '^[0-9]+\.[0-9]+' <<<"$abi")
		printf '%s\n' "linux-headers-$abi-common" "$kbuild:amd64"
	fi
	is_booted || return 0
	# A signed image may appear later than the rest of its version, or have another version.
	for image in linux-binary-"$release" linux-binary-unsigned-"$release" \
		linux-image-"$release" linux-image-"$release"-unsigned \
		linux-image-unsigned-"$release"; do
		if [ "$(version_of "$suite" "$image")" = "$version" ]; then
			echo "$image:$row_arch"
			break
		fi
	done
	# Ubuntu's modules are in a package of their own, as are Debian's since 7.1.
	if has "$suite" "linux-modules-$release"; then
		echo "linux-modules-$release:$row_arch"
	fi
	if has "$suite" "linux-base-$release"; then
		echo "linux-base-$release:$row_arch"
	fi
}

# download SUITE PACKAGE=VERSION...: to the current directory
download() {
	local suite=$1 said
	said=$(apt_in "$suite" apt-get -qq download "${@:2}" 2>&1) && return
	say "$said"
	[[ $said = *' 404 '* ]] || die "a package of $suite cannot be downloaded"
	"$top/scripts/aptroot.sh" outdated "$suite"
	cannot_be_had "the mirror's lists of $suite have what it has not: $(grep -oE '[^/ ]+\.deb ' <<<"$said" | head -n 1)"
}

# unpack SUITE RELEASE VERSION DIR
unpack() {
	local suite=$1 release=$2 version=$3 dir=$4 tmp deb list
	tmp=$(mktemp -d "$cache/kernels/tmp.XXXXXX")
	# shellcheck disable=SC2064 # the current directory
	trap "rm -rf '$tmp'" EXIT
	mkdir "$tmp/deb" "$tmp/root"
	mapfile -t list < <(packages_of "$suite" "$release" "${release%-"$row_flavour"}" "$version")
	say "kernel $release ($version) of $row_suite"
	(cd "$tmp/deb" && download "$suite" "${list[@]/%/=$version}")
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
	rm -rf "$dir"
	mv -T "$tmp" "$dir"
}

# lookup ID LINK: makes LINK refer to the directory of the newest version
lookup() {
	local id=$1 link=$2 suite release version dir
	kernel_row "$id"
	if is_here "$link" && [ -n "$(find "$link" -maxdepth 0 -mtime -1)" ]; then
		return
	fi
	mkdir -p "$cache/kernels"
	suite=$row_suite
	[ "$row_arch" = amd64 ] || suite+=:$row_arch
	"$top/scripts/aptroot.sh" update "$suite"
	release=$(newest_release "$suite" "$row_prefix" "$row_flavour")
	[ -n "$release" ] || die "$row_suite has no kernel $row_prefix* of flavour $row_flavour"
	version=$(version_of "$suite" "linux-headers-$release")
	dir=${release}_$version
	if ! is_here "$cache/kernels/$dir"; then
		unpack "$suite" "$release" "$version" "$cache/kernels/$dir"
	fi
	ln -sfn "$dir" "$link.new"
	mv -T "$link.new" "$link"
}

fetch() {
	local link status
	kernel_row "$1"
	if [ "$row_status" = made ]; then
		"$top/scripts/test-kernel.sh" "$1"
		return
	fi
	link=$cache/kernels/$1-$row_flavour
	# Retry if something is not served: the lists may have been outdated.
	for _ in 1 2; do
		status=0
		# A process of its own: within a condition, set -e does not apply to a function.
		with_lock "kernel-$1-$row_flavour" "$0" lookup "$1" "$link" || status=$?
		[ $status = "$no_archive" ] || break
	done
	# An unreachable mirror is not an error if the kernel is cached.
	is_here "$link" || return $status
	readlink -f "$link"
}

case ${1-} in
fetch)
	shift
	for id; do fetch "$id"; done
	;;
list) kernel_ids ;;
lookup) lookup "$2" "$3" ;;
*) sed -n '3,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
