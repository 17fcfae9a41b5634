#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: deb.sh SUITE [OUT]
#
# Builds the Debian packages and the source package into OUT (default
# build/packages/SUITE), in a root of that suite, whose libraries they depend on.
#
# The output of lintian is in OUT.lintian.
#
# VARY=1  builds them in another directory, at another time, with another umask, language
#         and time zone. The packages must come out identical.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
suite=$1
out=${2:-$top/build/packages/$suite}
need_root "it builds in a chroot"
toolchain=$("$top/scripts/toolchain.sh" "$suite-deb")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$("$top/scripts/version.sh")
place=/build/erofs-od
options=nocheck
settings=(LC_ALL=C TZ=UTC)
if [ -n "${VARY-}" ]; then
	umask 027
	# The source package contains the last component of the path: keep that the same.
	place=/build/some/other/place/erofs-od
	options="nocheck parallel=1"
	settings=(LC_ALL=C.UTF-8 TZ=Pacific/Kiritimati)
fi

# make check has already run the tests. Building the source package elsewhere runs those
# in debian/rules.
build() {
	mount -t tmpfs tmpfs "$toolchain/build"
	mkdir -p "$toolchain$place"
	cp -a "$work/source/." "$toolchain$place/"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	# shellcheck disable=SC2016 # for the shell in the root
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp "${settings[@]}" \
		DEB_BUILD_OPTIONS="$options" bash -euo pipefail -c 'cd "$1" && dpkg-buildpackage -us -uc' bash "$place"
	find "$toolchain$(dirname "$place")" -maxdepth 1 -type f -exec cp -t "$out" {} +
	# shellcheck disable=SC2016
	chroot "$toolchain" env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C.UTF-8 bash -c 'cd "$1" &&
		lintian --allow-root --pedantic --display-info --tag-display-limit 0 *.changes' bash "$(dirname "$place")" >"$out.lintian" 2>&1 || true
}

install -d -m 755 "$work/source"
mkdir -p "$out" "$toolchain/build"
rm -f "$out"/*
"$top/scripts/source-tree.sh" "$work/source"
mv "$work/source/packaging/deb" "$work/source/debian"
export toolchain work place options out
export -f build
say "packages of $version for $suite"
log=$out.log
if ! unshare -m --propagation private bash -euo pipefail -c "settings=(${settings[*]}); build" >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "failed to build the packages: $log"
fi
ls "$out"/*.deb
