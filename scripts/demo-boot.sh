#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: KERNEL=ID ACCEL=kvm LOGIN=1 demo-boot.sh
#
# On-demand system boot, from nothing: installs what is missing, builds, makes
# an image of a small Debian of the kernel's own suite, and boots a throw-away
# machine from it with a stock kernel (default: this Debian's own), the image
# being fetched from an HTTP server as it is read. With LOGIN=1 the machine's
# console is yours (root, no password), until it is shut down.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

need_root "it installs packages, makes a root for the image, and builds in a chroot"
step "what the demo needs"
"$top/scripts/deps.sh"
step "the tools"
make -s -C "$top/tools" >&2
make -s -C "$top/tools" origin >&2
id=${KERNEL:-$(own_kernel)}
kernel_row "$id"
step "the modules, for the stock kernel $id"
"$top/scripts/build-modules.sh" "$id" 2>&1 | tail -n 2 >&2
step "the image of a system, $row_toolchain"
"$top/tests/images/mksystem.sh" "$row_toolchain" >/dev/null
step "a machine with kernel $id boots from it"
# Later arguments win: what a kernel says at the start is of no interest here.
CMDLINE="loglevel=5 ${CMDLINE-}" SHOW=1 "$top/tests/vm/boot.sh" "$id"
say "== the demo took $((SECONDS - began)) s"
