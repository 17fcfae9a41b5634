#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: selinux.sh [KERNEL...]
#
# The guest case selinux, on kernels (default 6.12) that enforce Debian's reference policy
# with the module of packaging/selinux (scripts/selinux.sh), with an image whose files have
# labels.
#
# DISK=FILE  the disk with the test images
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/bin/parts.sh"

[ $# -gt 0 ] || set -- 6.12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# label TYPE FILE
label() {
	setfattr -n security.selinux -v "system_u:object_r:$1:s0" "$2"
}

labelled_image() {
	local tree=$work/tree
	mkdir -p "$tree" "$work/files/selinux/blobs"
	echo public >"$tree/public"
	echo secret >"$tree/secret"
	label container_ro_file_t "$tree"
	label container_ro_file_t "$tree/public"
	label shadow_t "$tree/secret"
	"$top/scripts/erofs-utils.sh" mkfs.erofs --quiet "$work/files/selinux/blobs/labelled" "$tree"
}

"$top/scripts/deps.sh"
labelled_image
cp "$("$top/scripts/selinux.sh" --tests)/policy" "$work/files/selinux/policy"
boot_secured selinux "$work/files" "security=selinux" "$@"
