#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: rpm.sh [OUT]
#
# Builds the rpm packages of packaging/rpm, and the source packages, into OUT (default
# build/packages/rpm), in a root with Debian's rpm. This script substitutes the macros of
# an rpm distribution for the directories and scriptlets of systemd, and its build
# dependencies. The output of rpmlint is in OUT.rpmlint.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

out=${1:-$top/build/packages/rpm}
need_root "it builds in a chroot"
toolchain=$("$top/scripts/toolchain.sh" trixie-rpm)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$("$top/scripts/version.sh")

# In Fedora these come with systemd-rpm-macros.
macros() {
	cat <<-'END'
		%_unitdir /usr/lib/systemd/system
		%_udevrulesdir /usr/lib/udev/rules.d
		%_modprobedir /usr/lib/modprobe.d
		%_usrsrc /usr/src
		%systemd_requires Requires: systemd
		%systemd_post() systemctl --no-reload preset %{?*} || :
		%systemd_preun() [ $1 -gt 0 ] || systemctl --no-reload disable --now %{?*} || :
		%systemd_postun_with_restart() [ $1 -eq 0 ] || systemctl try-restart %{?*} || :
		%_topdir /build
		%_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm
		%_buildhost reproducible
		%use_source_date_epoch_as_buildtime 1
		%build_mtime_policy clamp_to_source_date_epoch
		%debug_package %{nil}
		%source_date_epoch_from_changelog 1
	END
}

build() {
	mount -t tmpfs tmpfs "$toolchain/build"
	mkdir -p "$toolchain"/build/{SOURCES,SPECS,BUILD,RPMS,SRPMS}
	cp "$work"/*.tar.gz "$toolchain/build/SOURCES/"
	cp "$top"/packaging/rpm/*.spec "$toolchain/build/SPECS/"
	cp "$top/packaging/rpm/rpmlint.toml" "$toolchain/build/SPECS/"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	mkdir -p "$toolchain/tmp/home"
	macros >"$toolchain/tmp/home/.rpmmacros"
	# Debian's packages have other names, and rpm does not know which are installed.
	# shellcheck disable=SC2016 # for the shell in the root
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home LC_ALL=C.UTF-8 \
		bash -euo pipefail -c 'cd /build
			rpmbuild -ba --nodeps --without check SPECS/erofs-od.spec
			rpmbuild -bs --nodeps SPECS/erofs-od-kmod.spec
			rpmlint -c SPECS/rpmlint.toml SPECS/*.spec RPMS/*.rpm SRPMS/*.rpm >rpmlint 2>&1 || true'
	cp "$toolchain"/build/RPMS/*.rpm "$toolchain"/build/SRPMS/*.rpm "$out/"
	cp "$toolchain/build/rpmlint" "$out.rpmlint"
}

mkdir -p "$work/erofs-od-$version" "$out" "$toolchain/build"
rm -f "$out"/*
"$top/scripts/source-tree.sh" "$work/erofs-od-$version"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c "erofs-od-$version" |
	gzip -n >"$work/erofs-od-$version.tar.gz"
export toolchain work out top
export -f build macros
say "rpm packages of $version"
log=$out.log
if ! unshare -m --propagation private bash -euo pipefail -c build >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "failed to build the packages: $log"
fi
ls "$out"/*.rpm
