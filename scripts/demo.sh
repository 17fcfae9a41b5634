#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: KERNEL=ID LOCAL=1 demo.sh
#
# The demo, from scratch: installs missing packages, builds, creates an image of
# this host's files, and mounts it on demand in a VM that runs a stock kernel
# (default: this Debian's own). LOCAL=1 mounts it on this host instead, with its
# running kernel, into which the modules are loaded.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

need_root "it installs packages, makes device nodes for the image, and builds in a chroot"
step "installing packages"
"$top/scripts/deps.sh"
step "building the tools"
make -s -C "$top/tools" >&2
make -s -C "$top/tools" origin >&2
make -s -C "$top/tests/vm" >&2

if [ -n "${LOCAL-}" ]; then
	step "creating an image of this host's files"
	disk=$("$top/tests/images/mkimage.sh")
	step "building the modules for $(uname -r)"
	"$top/scripts/demo-local.sh" "$disk"
else
	id=${KERNEL:-$(own_kernel)}
	step "building the modules for the stock kernel $id"
	"$top/scripts/build-modules.sh" "$id" 2>&1 | tail -n 2 >&2
	step "creating an image of this host's files"
	disk=$("$top/tests/images/mkimage.sh")
	step "booting a VM with kernel $id"
	DISK=$disk "$top/tests/bin/vm.sh" "$id" demo
fi
say "== the demo took $((SECONDS - began)) s"
