#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: KERNEL=ID ACCEL=kvm LOGIN=1 demo-boot.sh
#
# On-demand system boot, from scratch: installs missing packages, builds, creates
# an image of a small Debian of the kernel's own suite, and boots a VM from it with
# a stock kernel (default: this Debian's own); the image is fetched from an HTTP
# server as it is read. LOGIN=1 gives you the console of the VM (root without
# a password) until it is shut down.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

need_root "it installs packages, makes a root for the image, and builds in a chroot"
step "installing packages"
"$top/scripts/deps.sh"
step "building the tools"
make -s -C "$top/tools" >&2
make -s -C "$top/tools" origin >&2
id=${KERNEL:-$(own_kernel)}
kernel_row "$id"
step "building the modules for the stock kernel $id"
"$top/scripts/build-modules.sh" "$id" 2>&1 | tail -n 2 >&2
step "creating a system image of $row_toolchain"
"$top/tests/images/mksystem.sh" "$row_toolchain" >/dev/null
step "booting a VM with kernel $id from it"
# Later arguments win: the kernel's boot messages are of no interest.
CMDLINE="loglevel=5 ${CMDLINE-}" SHOW=1 "$top/tests/vm/boot.sh" "$id"
say "== the demo took $((SECONDS - began)) s"
