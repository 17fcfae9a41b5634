#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: test-kernel.sh NAME    have the kernel of tests/kernels/NAME.config, print its folder
#
# A kernel that no distribution ships, made from its source package: tinyconfig,
# tests/kernels/base.config and NAME.config on top of each other. The folder is
# laid out like those of kernels.sh, so that what builds for a kernel and boots
# it does not see the difference. It is kept in the cache under a key of all
# that it is made from.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "it builds in a chroot"
id=$1
kernel_row "$id"
fragments=("$top/tests/kernels/base.config" "$top/tests/kernels/$id.config")
package=linux-source-${row_prefix%.}
log=$cache/test-kernel-$id.log

apt_in() {
	"$top/scripts/aptroot.sh" run "$row_suite" "$@"
}

# source_version: newest one of the suite, looked up once a day
source_version() {
	"$top/scripts/aptroot.sh" update "$row_suite"
	apt_in apt-cache show --no-all-versions "$package" | awk '$1 == "Version:" { print $2; exit }'
}

# fetch_source FOLDER VERSION: the kernel's sources into that folder
fetch_source() {
	local tmp=$1.deb
	rm -rf "$tmp" && mkdir -p "$tmp"
	(cd "$tmp" && apt_in apt-get -qq download "$package=$2" >&2)
	dpkg -x "$tmp"/*.deb "$tmp/root"
	tar -C "$1" --strip-components=1 -xf "$tmp/root/usr/src/$package.tar.xz"
	rm -rf "$tmp"
}

# Runs in a mount namespace of its own; the sources are at /work there.
in_toolchain() {
	mount --bind "$source" "$toolchain/work"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C \
		KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=erofs-od KBUILD_BUILD_HOST=test \
		bash -euo pipefail -c 'cd /work && "$@"' bash "$@"
}
export -f in_toolchain

# kernel_make ARGUMENT...
kernel_make() {
	unshare -m --propagation private bash -euo pipefail -c 'in_toolchain "$@"' bash \
		make -s CC=gcc-14 HOSTCC=gcc-14 "$@" >>"$log" 2>&1 ||
		die "kernel $id does not build: $(tail -n 5 "$log")"
}

configure() {
	local missing option
	kernel_make tinyconfig
	"$source/scripts/kconfig/merge_config.sh" -m -O "$source" "$source/.config" "${fragments[@]}" >>"$log"
	kernel_make olddefconfig
	missing=$(sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=.*/\1/p' "${fragments[@]}" | while read -r option; do
		grep -q "^$option=" "$source/.config" || echo "$option"
	done)
	[ -z "$missing" ] || die "kernel $id has not: $(paste -sd' ' <<<"$missing")"
}

# What modules are built with stays: all but objects and sources.
strip_tree() {
	find "$source" \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '*.order' \) \
		! -path '*/scripts/*' ! -path '*/tools/objtool/*' -delete
	find "$source" -name '*.[cS]' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
	rm -rf "$source"/{Documentation,vmlinux,vmlinux.unstripped,samples,drivers,sound,net,fs}
}

make_locked() {
	local dir=$1 version=$2 tmp release
	[ ! -e "$dir/release" ] || return 0
	say "kernel $id, from $package $version: this takes ten minutes and more, once"
	mkdir -p "$cache/kernels"
	tmp=$(mktemp -d "$cache/kernels/tmp.XXXXXX")
	# shellcheck disable=SC2064 # this very folder
	trap "rm -rf '$tmp'" EXIT
	chmod 755 "$tmp"
	source=$tmp/source
	toolchain=$("$top/scripts/toolchain.sh" trixie-kernel)
	export source toolchain
	mkdir -p "$source" "$tmp/root/usr/src" "$tmp/root/boot"
	fetch_source "$source" "$version"
	: >"$log"
	configure
	kernel_make -j"$(nproc)" bzImage modules
	kernel_make INSTALL_MOD_PATH=/work/installed DEPMOD=true modules_install
	release=$(<"$source/include/config/kernel.release")
	cp "$source/arch/x86/boot/bzImage" "$tmp/root/boot/vmlinuz-$release"
	strip_tree
	mv "$source/installed/lib" "$tmp/root/lib"
	rm -rf "$source/installed"
	mv "$source" "$tmp/root/usr/src/linux-headers-$release"
	depmod -b "$tmp/root" "$release" 2>/dev/null
	echo "$release" >"$tmp/release"
	mv -T "$tmp" "$dir"
}

version=$(source_version)
[ -n "$version" ] || die "$row_suite has no $package"
key=$(cat "$0" "${fragments[@]}" <(echo "$version") | sha256sum | cut -c1-12)
dir=$cache/kernels/$id-$key
# Not behind another tree's, which may take half an hour for fragments of its own.
[ -e "$dir/release" ] || with_lock "kernel-$id" make_locked "$dir" "$version"
echo "$dir"
