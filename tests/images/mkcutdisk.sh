#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mkcutdisk.sh
#
# Builds the disk with the images for cases/powercut-replay.sh, and prints its path; it is
# kept in the cache under a key of its inputs. The images are small, as all of them are read
# after each of many cuts.
#
# On the disk:
#   trees/cut      files without a zero byte, of a few blocks or less than one
#   blobs/whole    the tree as one blob
#   blobs/parts    its metadata, chunk-based, with a table of three data blobs
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

splitblob=$top/build/tests/splitblob

mkfs() {
	local log
	log=$("$top/scripts/erofs-utils.sh" mkfs.erofs --quiet -Eforce-inode-extended "$@" 2>&1) ||
		die "mkfs.erofs $*: $log"
}

make_tree() {
	local i
	mkdir -p "$1/small"
	for i in $(seq 7); do
		seq -f "large $i, line %.0f" 100000 | head -c $((60000 + i * 7001)) >"$1/large-$i" || true
	done
	for i in $(seq 24); do
		seq -f "small $i, line %.0f" 1000 | head -c $((i * 211)) >"$1/small/$i" || true
	done
}

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
	# mkfs.erofs opens the blob, but does not create it.
	: >"$work/blob"
	mkfs --chunksize=16384 --blobdev="$work/blob" "$disk/blobs/parts" "$disk/trees/cut"
	"$splitblob" "$disk/blobs/parts" "$work/blob" "${blobs[@]}" "${tags[@]}"
	mke2fs -q -t ext4 -O ^has_journal -d "$disk" "$work/image" 16M >/dev/null
	mv "$work/image" "$1"
}

have_locked() {
	local key
	key=$({ "$top/scripts/erofs-utils.sh" --version
		cat "$0" "$top/tests/images/"{image.h,splitblob.c}; } | sha256sum | cut -c1-16)
	if [ ! -e "$cache/images/cut-$key" ]; then
		work=$(mktemp -d "$cache/images/tmp.XXXXXX")
		trap 'rm -rf "$work"' EXIT
		make_disk "$cache/images/cut-$key"
	fi
	echo "$cache/images/cut-$key"
}

make -s -C "$top/tests/vm" >&2
mkdir -p "$cache/images"
with_lock cutdisk have_locked
