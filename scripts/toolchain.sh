#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: toolchain.sh SUITE         have the tool chain of a suite, print its folder
#
# Kernels are built with their own suite's compiler and C library (kbuild's
# host tools are linked against it), the host's own suite included. A tool
# chain is a small root made by mmdebstrap and kept as tar.zst in the cache,
# under a key of its inputs.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# gcc of the version that the suite's kernels were built with
packages_of() {
	local common=make,libc6-dev,kmod,sparse
	case $1 in
	bullseye) echo "$common,gcc-10,dwarves" ;;
	bookworm) echo "$common,gcc-12,pahole" ;;
	trixie) echo "$common,gcc-14,pahole" ;;
	sid) echo "$common,gcc-16,pahole" ;;
	*) die "no tool chain is known for suite $1" ;;
	esac
}

bootstrap() {
	local suite=$1 packages=$2 archive=$3
	say "tool chain of $suite"
	{
		"$top/scripts/aptroot.sh" sources "$suite"
		[ "$suite" = sid ] || "$top/scripts/aptroot.sh" sources "$suite-security"
	} | mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' \
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
