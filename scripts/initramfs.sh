#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: initramfs.sh KERNEL_DIR MODULES_DIR OUT [PROGRAM...]
#
# Creates the initramfs of a VM: busybox, the stock modules that the tests need with
# their dependencies, both modules of this project, the guest side of tests/vm, and
# host programs with their shared libraries.
#
# GUEST=boot   boot a system on demand, instead of running tests
# FILES=DIR    files to copy to its root
# ROOT=DIR     root with busybox and libraries of another architecture
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 3 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
kernel=$1
modules=$2
out=$3
from=${ROOT-}
shift 3

# Stock modules that the tests need, unless they are built in.
stock="virtio_pci virtio_blk ext4 crc32c libcrc32c overlay loop"
# Modules that a single test loads and unloads.
nfs="nfsd nfsv4"
rivals="erofs cachefiles"
disks="dm-log-writes xfs btrfs"
pmem="nd_e820 nd_pmem"
peers="erofs squashfs fuse"

root=$(mktemp -d)
# It becomes the VM's /, which users other than root must be able to access.
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,etc,lib,mnt,modules/stock,modules/nfs,modules/rivals,modules/disks,modules/pmem,modules/peers,modules/od,proc,run,sys,tests,tmp,usr/bin}

# modules_for NAME...: the files of these modules and of their dependencies, in load order
modules_for() {
	local release name
	release=$(<"$kernel/release")
	for name; do
		modprobe -d "$kernel/root" -S "$release" --show-depends "$name" 2>/dev/null |
			awk '$1 == "insmod" { print $2 }' || true
	done | awk '!seen[$0]++'
}

# add_modules DIR NAME...
add_modules() {
	local folder=$root/modules/$1 path name
	shift
	modules_for "$@" | while read -r path; do
		name=$(basename "$path")
		name=${name%%.ko*}.ko
		[ ! -e "$root/modules/stock/$name" ] || continue
		case $path in
		*.zst) zstd -dqc "$path" >"$folder/$name" ;;
		*.xz) xz -dc "$path" >"$folder/$name" ;;
		*) cp "$path" "$folder/$name" ;;
		esac
		echo "$name" >>"$folder/order"
	done
}

# add_program PATH: to /usr/bin; its libraries to the same paths as on this host
add_program() {
	local lib
	cp "$1" "$root/usr/bin/"
	libraries_of "$1" | sort -u | while read -r lib; do
		[ -e "$root$lib" ] || install -D "$from$lib" "$root$lib"
	done
}

libraries_of() {
	if [ -n "$from" ]; then
		foreign_libraries "$1"
	else
		{ ldd "$1" 2>/dev/null || true; } | { grep -oE '/[^ ]+' || true; }
	fi
}

# Programs of another architecture do not run on this host, nor does their loader: the
# libraries that a file needs are looked up in the one directory that can have them.
foreign_libraries() {
	local folder name
	readelf -l "$1" | sed -n 's/.*program interpreter: \(.*\)]$/\1/p'
	folder=$(readelf -h "$1" | awk '$1 == "Machine:" { print tolower($2) }')
	folder=/$(cd "$from" && echo usr/lib/"$folder"*-linux-gnu*)
	readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)]$/\1/p' | while read -r name; do
		[ -e "$from$folder/$name" ] || die "$1 needs $name, which $from$folder has not"
		echo "$folder/$name"
		foreign_libraries "$from$folder/$name"
	done
}

add_guest_tests() {
	cp "$top/tests/vm/guest/init" "$root/init"
	cp "$top/tests/vm/guest/lib.sh" "$root/lib/od.sh"
	cp "$top"/tests/vm/cases/*.sh "$root/tests/"
	mkdir "$root/guest"
	cp "$top/tests/vm/guest/seconds.awk" "$root/guest/"
}

add_guest_boot() {
	local file
	for file in init shutdown report sum; do
		install -m 755 "$top/tests/vm/guest/boot-$file" "$root/$file"
	done
	add_modules stock virtio_net
}

if [ -n "$from" ]; then
	cp "$from/usr/bin/busybox" "$root/bin/busybox"
else
	cp "$(command -v busybox)" "$root/bin/busybox"
fi
# shellcheck disable=SC2086 # lists
add_modules stock $stock
# shellcheck disable=SC2086
add_modules nfs $nfs
# shellcheck disable=SC2086
add_modules rivals $rivals
# shellcheck disable=SC2086
add_modules disks $disks
# shellcheck disable=SC2086
add_modules pmem $pmem
# shellcheck disable=SC2086
add_modules peers $peers
cp "$modules"/*.ko "$root/modules/od/"
add_guest_"${GUEST:-tests}"
chmod 755 "$root/init"
echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
for program; do
	add_program "$program"
done
[ -z "${FILES-}" ] || cp -a "$FILES/." "$root/"
(cd "$root" && find . -print0 | cpio --null --quiet -o -H newc) >"$out"
