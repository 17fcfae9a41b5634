#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: programs.sh [ARCH]   print the programs that go into the VM
#
# Programs that are not built are left out; a test that needs one reports that. For an
# architecture other than the host's, this script builds them, in the root that its
# other files come from.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

arch=${1:-amd64}
build=$top/build
root=

# Runs in its own mount namespace, with the sources at /work.
cross_build() {
	mount --bind "$top" "$root/work"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --bind /dev "$root/dev"
	set -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C \
		PKG_CONFIG_LIBDIR="/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig" \
		make -s -j"$(nproc)" CC="$cc"
	chroot "$root" "$@" -C /work/tools O="/work/build/$arch/tools"
	chroot "$root" "$@" -C /work/tests/vm B="/work/build/$arch/tests"
}

if [ "$arch" != amd64 ]; then
	need_root "it builds in a chroot"
	build+=/$arch
	root=$(root_for "$arch")
	triplet=$(triplet_of "$arch")
	cc=$(cd "$root/usr/bin" && ls "$triplet"-gcc-[0-9]* | head -n 1)
	export -f cross_build
	export arch cc root top triplet
	with_lock "programs-$arch" unshare -m --propagation private \
		bash -euo pipefail -c cross_build >&2
fi

for program in "$build"/tools/{erofs-od,erofs-odd,origin} \
	"$build"/tests/{treesum,fakedaemon,oddriver,protocol,readways,idmount} \
	"$build"/tests/{dirways,mountstorm,hostile,crossing,stress,failnth,oddimage,mutate,powercut} \
	"$build"/tests/{setinode,freezetasks,fscontext,storage,deaflistener,fdstore,manyreads,minimal-daemon,startlike}; do
	[ ! -x "$program" ] || echo "$program"
done
for program in getfattr setfattr fsck.erofs mke2fs; do
	if [ -n "$root" ]; then
		ls "$root"/usr/{bin,sbin}/"$program" 2>/dev/null || true
	else
		command -v "$program" || true
	fi
done
# For test kernels, which only run on this architecture, and for the real modprobe.
[ -n "$root" ] || command -v kmod mkfs.xfs mkfs.btrfs dmsetup apparmor_parser || true
