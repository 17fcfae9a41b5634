#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: bench.sh [KERNEL]
#
# Measures the cost of reads: runs the guest case tests/vm/cases/bench.sh in a VM with one CPU
# whose clock counts instructions, so that the figures do not depend on the host or its load.
# Prints tables, and the changes since the last run; build/bench/KERNEL has the figures
# (bench.json) and, if python3-matplotlib is installed, plots.
#
# ROUNDS=5      rounds of all cases; the result is the median
# PART=plain|compressed|scale   only images of one kind; only what many mounts cost
# PEERS=no      without the former on-demand mode, stock erofs, erofsfuse and squashfs
# LAST=FILE     figures to compare with (default build/bench/KERNEL/last.json, of the last run)
# TIMEOUT=7200  seconds
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-6.12}
out=$top/build/bench/$id
rounds=${ROUNDS:-5}
suite=trixie

kernel_row "$id"
[ "$row_arch" = amd64 ] || die "only amd64 is supported"

# Debian 12 does not package erofsfuse.
unpack_erofsfuse() {
	local dir=$1
	[ ! -e "$dir/usr/bin/erofsfuse" ] || return 0
	rm -rf "$dir" "$dir.tmp"
	mkdir -p "${dir%/*}"
	say "erofsfuse of $suite"
	"$top/scripts/aptroot.sh" sources "$suite" |
		mmdebstrap --quiet --mode=root --variant=extract --include=erofsfuse \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			--aptopt='APT::Install-Recommends "false"' "$suite" "$dir.tmp" -
	mv -T "$dir.tmp" "$dir"
}

# add_erofsfuse DIR: to the files for the VM's root, with the loader and libraries of its suite
add_erofsfuse() {
	local from=$cache/erofs-utils/$suite-fuse own=/opt/erofsfuse
	with_lock erofsfuse unpack_erofsfuse "$from"
	mkdir -p "$1$own" "$1/usr/bin"
	cp "$from/usr/bin/erofsfuse" "$1$own/"
	find "$from/usr/lib/x86_64-linux-gnu" -maxdepth 1 -name '*.so*' -exec cp -L {} "$1$own/" \;
	cat >"$1/usr/bin/erofsfuse" <<-END
		#!/bin/sh
		exec $own/ld-linux-x86-64.so.2 --library-path $own $own/erofsfuse "\$@"
	END
	chmod 755 "$1/usr/bin/erofsfuse"
}

# add_former DIR: the kernel's own on-demand mode, if its source has it
add_former() {
	local from status=0
	from=$("$top/scripts/former-mode.sh" "$id") || status=$?
	[ $status != $no_archive ] || return 0
	[ $status = 0 ] || exit $status
	mkdir -p "$1/modules/former"
	cp "$from"/*.ko "$1/modules/former/"
}

need_root "mmdebstrap unpacks erofsfuse, and the test images have device nodes"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$top/scripts/deps.sh" squashfs-tools
make -s -C "$top/tools" all
make -s -C "$top/tests/vm"
disk=$("$top/tests/images/mkimage.sh")
add_erofsfuse "$work/files"
[ "${PEERS-}" = no ] || [ "${PART-}" = compressed ] || add_former "$work/files"
# mksquashfs loads it by dlopen() when its threads exit, so ldd does not list it.
library=$(ldconfig -p | awk '/libgcc_s\.so\.1 .*x86-64/ && !seen++ { print $NF }')
install -D "$library" "$work/files$library"
mkdir -p "$out"

# reads: what reads and single mounts cost
reads() {
	# qemu64 has no fast string instructions, which the emulator runs byte by byte.
	DISK=$disk FILES=$work/files PROGRAMS="$top/build/tests/bench $(command -v mksquashfs)" \
		ACCEL=tcg,thread=single ICOUNT=shift=0,sleep=on CPU=qemu64 SMP=1 SCRATCH=4G \
		CMDLINE="nokaslr audit=0 od.rounds=$rounds od.peers=${PEERS:-yes} ${PART:+od.part=$PART} ${CMDLINE-}" \
		TIMEOUT=${TIMEOUT:-7200} LOGDIR=$out "$top/tests/bin/vm.sh" "$id" bench
}

rm -f "$out/results.log" "$out/scale/results.log"
[ "${PART-}" = scale ] || reads
case ${PART:-scale} in
scale) LOGDIR=$out/scale "$top/tests/vm/scale.sh" "$id" ;;
esac
"$top/tests/bin/bench.py" --kernel "$id" --images "${disk##*/}" \
	--commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo unknown)" \
	--last "${LAST:-$out/last.json}" "$out"
[ -n "${PART-}" ] || cp "$out/bench.json" "$out/last.json"
