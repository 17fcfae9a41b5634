#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: NYDUS=DIR nydus.sh KERNEL...
#
# Images built by nydus-image, served by nydusd in drop-in mode, on stock kernels: a
# daemon for the kernel's former on-demand mode works unmodified. Debian packages
# neither program; DIR has both, built by
#     cargo install nydus-rs --version 2.2.0 --locked --root OUT      (OUT/bin)
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/bin/parts.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
[ -x "${NYDUS-}/nydusd" ] && [ -x "$NYDUS/nydus-image" ] || die "NYDUS= is not a directory with nydusd and nydus-image"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# entry IMAGE DOMAIN: without a domain, nydusd expects the name of the image
entry() {
	jq -n --arg id "$1" --arg domain "$2" '{
		type: "bootstrap", id: $id, domain_id: $domain,
		config_v2: {
			version: 2, id: $id, metadata_path: "/mnt/images/\($id).boot",
			backend: { type: "localfs", localfs: { dir: "/mnt/images/blobs" } },
			cache: { type: "fscache", fscache: { work_dir: "/mnt/scratch/cache" } }
		}
	}'
}

# make_image NAME COMPRESSOR
make_image() {
	"$NYDUS/nydus-image" create --type directory --fs-version 6 --compressor "$2" \
		--bootstrap "$work/disk/$1.boot" --blob-dir "$work/disk/blobs" "$work/source" >"$work/log" 2>&1 ||
		die "nydus-image failed: $(tail -n 1 "$work/log")"
	{ entry "$1" shop; entry "$1" "$1"; } | jq -s '{ blobs: . }' >"$work/disk/$1.json"
}

mkdir -p "$work/disk/blobs"
mkdir "$work/source"
cp -R "$top/Documentation" "$top/tests/vm" "$top/cachefiles_od" "$work/source"
ln -s Documentation/protocol.rst "$work/source/link"
head -c 3000000 /dev/urandom >"$work/source/random"
(cd "$work/source" && find . | sort) >"$work/disk/names"
(cd "$work/source" && find . -type f | sort | xargs md5sum) >"$work/disk/md5"
make_image plain none
make_image zstd zstd
truncate -s 64M "$work/image"
mke2fs -q -t ext4 -d "$work/disk" "$work/image"

status=0
for id; do
	DISK=$work/image PROGRAMS=$NYDUS/nydusd boot_tests "nydus-$id" "$id" nydus || status=1
done
exit $status
