#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: apparmor.sh [KERNEL...]
#
# The guest case apparmor, on kernels (default 6.12) that enforce the profile of
# packaging/apparmor, loaded by Debian's apparmor_parser with Debian's abstractions.
#
# DISK=FILE  the disk with the test images
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/bin/parts.sh"

[ $# -gt 0 ] || set -- 6.12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The abstractions that the profile includes, and the profile as `make install` installs it.
policy() {
	mkdir -p "$work/files/etc/apparmor.d"
	cp -r /etc/apparmor.d/{abi,abstractions,tunables} "$work/files/etc/apparmor.d/"
	make -s -C "$top" install-apparmor DESTDIR="$work/files"
}

"$top/scripts/deps.sh"
policy
boot_secured apparmor "$work/files" "apparmor=1 security=apparmor" "$@"
