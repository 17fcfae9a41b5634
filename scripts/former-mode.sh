#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: former-mode.sh ID   build a kernel's own on-demand mode, print the directory of its modules
#
# Kernels up to 7.1 have an on-demand mode in erofs and cachefiles, which distributions do not
# enable. `make bench` measures it beside this project: both modules of the kernel's source
# package, with that option, against the headers of the kernel in the cache. Nothing else uses
# them. Exit status 3: the source has no such mode, or cannot be downloaded.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
need_root "it builds in a chroot"
id=$1
kernel_row "$id"
kernel=$("$top/scripts/kernels.sh" fetch "$id")
release=$(<"$kernel/release")
version=${kernel##*/"$release"_}
package=linux-source-${row_prefix%.}
modules="cachefiles erofs"

# The release is not enough: without a rebuild the same one may have other headers.
key=$release-$(cat "$0" <(echo "$version $row_toolchain") | sha256sum | cut -c1-12)
dir=$cache/former/$key

# fetch_source DIR: the directories of both modules
fetch_source() {
	local module deb=$1/deb
	mkdir "$deb"
	"$top/scripts/aptroot.sh" update "$row_suite"
	(cd "$deb" && "$top/scripts/aptroot.sh" run "$row_suite" \
		apt-get -qq download "$package=$version" >&2) ||
		cannot_be_had "$package $version cannot be downloaded"
	dpkg -x "$deb"/*.deb "$deb/root"
	for module in $modules; do
		mkdir "$1/$module"
		tar -C "$1/$module" --strip-components=3 -xf "$deb/root/usr/src/$package.tar.xz" \
			"$package/fs/$module"
		echo "obj-m += $module/" >>"$1/Kbuild"
	done
	rm -r "$deb"
}

# Runs in its own mount namespace.
build() {
	mount_for_build "$source"
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C \
		make -j"$(nproc)" -C "/usr/src/linux-headers-$release" M=/work \
		CONFIG_CACHEFILES=m CONFIG_CACHEFILES_ONDEMAND=y \
		CONFIG_EROFS_FS=m CONFIG_EROFS_FS_ONDEMAND=y \
		KCFLAGS='-DCONFIG_CACHEFILES_ONDEMAND=1 -DCONFIG_EROFS_FS_ONDEMAND=1' modules
}

has_mode() {
	grep -q '^config CACHEFILES_ONDEMAND' "$1/cachefiles/Kconfig" &&
		grep -q '^config EROFS_FS_ONDEMAND' "$1/erofs/Kconfig"
}

build_locked() {
	local tmp module log=$cache/former-$id.log
	[ ! -e "$dir" ] || return 0
	say "the on-demand mode of $release, from $package $version"
	mkdir -p "$cache/former"
	tmp=$(mktemp -d "$cache/former/tmp.XXXXXX")
	# shellcheck disable=SC2064 # the current directory
	trap "rm -rf '$tmp'" EXIT
	source=$tmp/source
	mkdir "$source" "$tmp/out"
	fetch_source "$source"
	has_mode "$source" || cannot_be_had "$package has no on-demand mode"
	unshare -m --propagation private bash -euo pipefail -c build >"$log" 2>&1 ||
		die "the on-demand mode of $release does not build: $(tail -n 5 "$log")"
	for module in $modules; do
		cp "$source/$module/$module.ko" "$tmp/out/"
	done
	chmod 755 "$tmp/out"
	mv -T "$tmp/out" "$dir"
}

toolchain=$("$top/scripts/toolchain.sh" "$row_toolchain")
export -f build mount_for_build
export kernel release toolchain source
[ -e "$dir" ] || with_lock "former-$id" build_locked
echo "$dir"
