#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: scale.sh [KERNEL]
#
# What a thousand mounts in one domain cost, with a clock that counts instructions
# (cases/scale.sh). Slab caches are not merged, so that objects have names.
#
# IMAGES=1000  number of images
# LOGDIR=DIR   for the logs of the VM
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-6.12}
"$top/scripts/deps.sh"
make -s -C "$top/tools" all
make -s -C "$top/tests/vm"
disk=$("$top/tests/images/mkimage.sh")
DISK=$disk ACCEL=tcg,thread=single ICOUNT=shift=0,sleep=on CPU=qemu64 SMP=1 SCRATCH=4G \
	CMDLINE="nokaslr audit=0 slab_nomerge od.images=${IMAGES:-1000} ${CMDLINE-}" TIMEOUT=${TIMEOUT:-1800} \
	LOGDIR=${LOGDIR:-$top/build/vm/scale} "$top/tests/bin/vm.sh" "$id" scale
