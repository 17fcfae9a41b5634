#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: KERNEL=ID LOCAL=1 demo.sh
#
# The demo, from nothing: installs what is missing, builds, makes an image of
# this machine's files, and mounts it lazily in a throw-away machine that runs
# a stock kernel (default: this Debian's own). LOCAL=1 does it on this host,
# with its running kernel: the modules are loaded here.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

began=$SECONDS

step() {
	say "== $* ($((SECONDS - began)) s)"
}

need_root "it installs packages, makes device nodes for the image, and builds in a chroot"
step "what the demo needs"
"$top/scripts/deps.sh"
step "the tools"
make -s -C "$top/tools" >&2
make -s -C "$top/tools" origin >&2
make -s -C "$top/tests/vm" >&2

if [ -n "${LOCAL-}" ]; then
	step "the image, of this machine's own files"
	disk=$("$top/tests/images/mkimage.sh")
	step "the modules, for $(uname -r)"
	"$top/scripts/demo-local.sh" "$disk"
else
	id=${KERNEL:-$(own_kernel)}
	step "the modules, for the stock kernel $id"
	"$top/scripts/build-modules.sh" "$id" 2>&1 | tail -n 2 >&2
	step "the image, of this machine's own files"
	disk=$("$top/tests/images/mkimage.sh")
	step "a machine with kernel $id"
	DISK=$disk "$top/tests/bin/vm.sh" "$id" demo
fi
say "== the demo took $((SECONDS - began)) s"
