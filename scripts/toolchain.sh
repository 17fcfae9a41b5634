#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: toolchain.sh SUITE[-ARCH]  build or unpack the tool chain of a suite, print its directory
#
# Kernels are built with their own suite's compiler and C library (kbuild's
# host tools are linked against it), the host's own suite included. A tool
# chain is a small root made by mmdebstrap and kept as tar.zst in the cache,
# under a key of its inputs. With ARCH it builds modules and programs for that
# architecture, and contains its programs for VMs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# gcc, in the version that the suite's kernels were built with
packages_of() {
	local common=make,libc6-dev,kmod,sparse
	case $1 in
	bullseye) echo "$common,gcc-10,dwarves" ;;
	bookworm) echo "$common,gcc-12,pahole" ;;
	trixie) echo "$common,gcc-14,pahole" ;;
	sid) echo "$common,gcc-16,pahole" ;;
	trixie-kernel) echo "$common,gcc-14,flex,bison,bc,libelf-dev,xz-utils,perl,bash" ;;
	bookworm-llvm) echo "$common,clang-16,lld-16,llvm-16,pahole" ;;
	trixie-llvm) echo "$common,clang-19,libclang-rt-19-dev,lld-19,llvm-19,pahole" ;;
	trixie-arm64 | trixie-ppc64el)
		echo "make,kmod,perl,pahole,pkgconf,gcc-14-$(triplet_of "${1#*-}"),$(foreign_packages "${1#*-}")"
		;;
	bookworm-cross) printf '%s,' make perl kmod pahole gcc-12-{i686,s390x}-linux-gnu \
		gcc-12-arm-linux-gnueabihf {libc6-dev,libcmocka-dev}:{armhf,i386,s390x} | sed 's/,$//' ;;
	*-deb) echo "build-essential,lintian,$(build_dependencies)" ;;
	trixie-selinux) echo "make,selinux-policy-default,selinux-policy-dev,semodule-utils" ;;
	trixie-rpm) echo "rpm,rpmlint,gcc,make,selinux-policy-dev,semodule-utils,pkgconf,$(library_packages | paste -sd,)" ;;
	jammy) echo "make,libc6-dev,kmod,perl,gcc,gcc-12,libelf1" ;;
	noble) echo "make,libc6-dev,kmod,perl,gcc-13,libelf1t64,libdw1t64,python3" ;;
	*) die "no tool chain is known for suite $1" ;;
	esac
}

# The build dependencies in packaging/deb/control.
build_dependencies() {
	sed -n '/^Build-Depends:/,/^[^ ]/{ s/^Build-Depends://; /^[A-Z]/d; p }' "$top/packaging/deb/control" |
		sed 's/debhelper-compat *([^)]*)/debhelper/; s/dh-sequence-dkms/dh-dkms/; s/<[^>]*>//; s/ //g' | paste -sd '' | sed 's/,$//'
}

# The libraries that the tools are linked with.
library_packages() {
	grep -E '^lib.*-dev$' "$top/tools/packages.txt"
}

# foreign_packages ARCH: the libraries that the tools are linked with, and the
# programs that a VM gets from the host if both have the same architecture
foreign_packages() {
	{
		library_packages
		printf '%s\n' libc6-dev libssl-dev attr busybox-static e2fsprogs erofs-utils
	} | sed "s/\$/:$1/" | paste -sd,
}

# foreign_of NAME: the architecture that it builds for, if it is not the host's
foreign_of() {
	case $1 in
	*-arm64 | *-ppc64el) echo "${1#*-}" ;;
	*-cross) echo armhf,i386,s390x ;;
	esac
}

# sources_of NAME: all sources of the suite's packages
sources_of() {
	local suite=${1%%-*} foreign part
	local parts=("$suite")
	foreign=$(foreign_of "$1")
	# Libraries must have the same version on all architectures, but security updates
	# reach each architecture at a different time.
	[ "$suite" = sid ] || [ -n "$foreign" ] || parts+=("$suite-security")
	[ "$(distribution_of "$suite")" != ubuntu ] || parts+=("$suite-updates")
	for part in "${parts[@]}"; do
		"$top/scripts/aptroot.sh" sources "$part${foreign:+:$foreign}"
	done
}

bootstrap() {
	local suite=${1%%-*} packages=$2 archive=$3 foreign
	foreign=$(foreign_of "$1")
	say "tool chain of $1"
	sources_of "$1" | mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
		--architectures="amd64${foreign:+,$foreign}" --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='APT::Sandbox::User "root"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" - - | zstd -q -T0 -o "$archive.tmp" -f
	mv "$archive.tmp" "$archive"
}

have_locked() {
	local suite=$1 packages=$2 dir=$3 tmp
	if [ -e "$dir/work" ]; then
		return
	fi
	mkdir -p "$cache/toolchains"
	[ -s "$dir.tar.zst" ] || bootstrap "$suite" "$packages" "$dir.tar.zst"
	tmp=$dir.tmp
	rm -rf "$tmp" "$dir"
	mkdir "$tmp"
	tar -C "$tmp" --zstd -xpf "$dir.tar.zst"
	mkdir "$tmp/work"
	mv -T "$tmp" "$dir"
}

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "a tool chain is a root that mmdebstrap makes and chroot enters"
packages=$(packages_of "$1")
key=$1-$(sha256sum <<<"$1 $packages" | cut -c1-12)
with_lock "toolchain-$key" have_locked "$1" "$packages" "$cache/toolchains/$key"
echo "$cache/toolchains/$key"
