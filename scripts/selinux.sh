#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: selinux.sh [--tests] [OUT]
#
# Builds the policy module of packaging/selinux with Debian's reference policy into OUT
# (default build/selinux): erofs_od.pp, and a copy of erofs_od_fs.cil. With --tests, also
# tests/vm/selinux, and OUT/policy: Debian's policy with all of them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

tests=
[ "${1-}" != --tests ] || { tests=yes && shift; }
out=${1:-$top/build/selinux}
need_root "it builds in a chroot"
toolchain=$("$top/scripts/toolchain.sh" trixie-selinux)
sources=("$top"/packaging/selinux/*)
[ -z "$tests" ] || sources+=("$top"/tests/vm/selinux/*)

# Runs in its own mount namespace; the policy store of the root is copied, as semodule
# changes it.
build() {
	local in=(chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C)
	mount --bind "$out" "$toolchain/work"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	"${in[@]}" make -s -C /work -f /usr/share/selinux/devel/Makefile
	[ -n "$tests" ] || return 0
	for store in /var/lib/selinux /etc/selinux; do
		mkdir -p "$toolchain/tmp$store"
		cp -a "$toolchain$store/." "$toolchain/tmp$store"
		mount --bind "$toolchain/tmp$store" "$toolchain$store"
	done
	# The newest policy version that Linux 5.10 to 6.12 all support.
	echo 'policy-version = 33' >>"$toolchain/etc/selinux/semanage.conf"
	"${in[@]}" sh -ec 'cd /work && semodule -n -s default -i *.pp *.cil &&
		cp /etc/selinux/default/policy/policy.33 /work/policy &&
		cp /etc/selinux/default/contexts/files/file_contexts /work/file_contexts'
}
export -f build
export toolchain out tests

build_locked() {
	local key
	key=$({ echo "$toolchain $tests" && cat "$0" "${sources[@]}"; } | sha256sum)
	[ "$(cat "$out/key" 2>/dev/null)" != "$key" ] || return 0
	rm -rf "$out"
	mkdir -p "$out"
	cp "${sources[@]}" "$out"
	unshare -m --propagation private bash -euo pipefail -c build >"$out/log" 2>&1 ||
		{ cat "$out/log" >&2 && die "failed to build the policy"; }
	echo "$key" >"$out/key"
}

say "SELinux policy"
with_lock "selinux-${out//\//_}" build_locked
echo "$out"
