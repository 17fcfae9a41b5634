#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: demo-local.sh DISK
#
# The demo on this host: builds both modules for the running kernel, loads
# them, runs the guest's demo script in a temporary directory, and unloads them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

disk=$1
headers=/lib/modules/$(uname -r)/build
build=$top/build/modules/local
[ -d "$headers" ] || die "no headers of the running kernel: apt-get install linux-headers-$(uname -r)"
mkdir -p "$build"
"$top/scripts/module-sources.sh" | tar -C "$top" -T - -c | tar -C "$build" -x
make -s -C "$headers" M="$build" modules >&2

work=$(mktemp -d "${TMPDIR:-/var/tmp}/erofs-od.XXXXXX")
put_away() {
	umount "$work"/mnt/* 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap put_away EXIT
mkdir -p "$work"/{bin,mnt/images,mnt/scratch}
busybox --install -s "$work/bin"
cp "$top"/build/tools/{erofs-od,erofs-odd,origin} "$top/build/tests/treesum" "$work/bin/"
mount -o ro,loop "$disk" "$work/mnt/images"
OD_MNT=$work/mnt OD_MODULES=$build OD_TESTS=$top/tests/vm/cases \
	PATH=$work/bin:$PATH \
	"$work/bin/sh" -c '. "$0" && od_run_tests demo' "$top/tests/vm/guest/lib.sh"
