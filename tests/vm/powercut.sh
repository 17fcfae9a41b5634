#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: powercut.sh [KERNEL]
#
# The power-cut tests: a cache on a disk whose writes are recorded and replayed to many
# cuts (cases/powercut-replay.sh), then a guest that is reset while its cache
# fills (cases/powercut.sh).
#
# CUTS=ext4:200,xfs:20,btrfs:20  how many, on which file systems
# SEED=N                         of a run that is to be repeated: of what is cut, dropped and torn
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

id=${1:-6.12}
cuts=${CUTS:-ext4:200,xfs:20,btrfs:20}
seed=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
splitblob=$top/build/tests/splitblob
status=0

mkfs() {
	local log
	log=$("$top/scripts/erofs-utils.sh" mkfs.erofs --quiet -Eforce-inode-extended "$@" 2>&1) ||
		die "mkfs.erofs $*: $log"
}

# A tree without a zero byte, of files that are a few READs or less than a block each.
make_tree() {
	local i
	mkdir -p "$1/small"
	for i in $(seq 10); do
		seq -f "large $i, line %.0f" 100000 | head -c $((60000 + i * 7001)) >"$1/large-$i" || true
	done
	for i in $(seq 40); do
		seq -f "small $i, line %.0f" 1000 | head -c $((i * 211)) >"$1/small/$i" || true
	done
}

# The tree as one blob, and as a bootstrap with three.
make_disk() {
	local disk=$work/disk i tag tags=() blobs=()
	mkdir -p "$disk"/{blobs,trees}
	make_tree "$disk/trees/cut"
	mkfs -Enoinline_data "$disk/blobs/whole" "$disk/trees/cut"
	for i in 1 2 3; do
		tag=$(sha256sum <<<"cut $i" | cut -c1-64)
		tags+=("$tag")
		blobs+=("$disk/blobs/$tag")
	done
	: >"$work/blob"
	mkfs --chunksize=16384 --blobdev="$work/blob" "$disk/blobs/parts" "$disk/trees/cut"
	"$splitblob" "$disk/blobs/parts" "$work/blob" "${blobs[@]}" "${tags[@]}"
	mke2fs -q -t ext4 -O ^has_journal -d "$disk" "$work/image" 32M >/dev/null
}

make -s -C "$top/tests/vm" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_disk
say "    power cuts: $cuts, SEED=$seed"
DISK=$work/image CMDLINE="od.cuts=$cuts od.seed=$seed ${CMDLINE-}" TIMEOUT=${TIMEOUT:-1500} \
	LOGDIR=$top/build/vm/powercut-replay "$top/scripts/vm.sh" "$id" powercut-replay || status=1
if [ -z "${REPLAY_ONLY-}" ]; then
	DISK=$("$top/tests/images/mkimage.sh")
	DISK=$DISK LOGDIR=$top/build/vm/powercut "$top/scripts/vm.sh" "$id" powercut || status=1
fi
exit $status
