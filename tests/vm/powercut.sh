#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: powercut.sh [KERNEL]
#
# The power-cut tests: a cache on a disk whose writes are recorded and replayed up to many
# cuts (cases/powercut-replay.sh), then a VM that is reset while its cache is filled
# (cases/powercut.sh).
#
# CUTS=ext4:200,xfs:20,btrfs:20  number of cuts on each file system; FULL=1: 200 on each
# SEED=N        repeats a run: selects what is read, cut, dropped and torn
# REPLAY_ONLY=1 without the VM reset
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-6.12}
cuts=${CUTS:-ext4:200,xfs:20,btrfs:20}
[ -z "${FULL-}" ] || cuts=ext4:200,xfs:200,btrfs:200
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
status=0

disk=$("$top/tests/images/mkcutdisk.sh")
say "    power cuts: CUTS=$cuts SEED=$seed"
DISK=$disk CMDLINE="od.cuts=$cuts od.seed=$seed ${CMDLINE-}" TIMEOUT=${TIMEOUT:-1500} \
	LOGDIR=$top/build/vm/powercut-replay "$top/tests/bin/vm.sh" "$id" powercut-replay || status=1
if [ -z "${REPLAY_ONLY-}" ]; then
	disk=$("$top/tests/images/mkimage.sh")
	DISK=$disk LOGDIR=$top/build/vm/powercut "$top/tests/bin/vm.sh" "$id" powercut || status=1
fi
exit $status
