#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: esp.sh OUT KERNEL INITRD ARGUMENTS
#
# Creates the disk that a VM with Secure Boot boots from, like that of an installed Debian:
# shim, which the firmware trusts, GRUB and the kernel, which shim trusts, each with the
# signature it is shipped with.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 4 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
out=$1
kernel=$2
suite=bookworm
shim=$("$top/scripts/aptroot.sh" unpack $suite shim-signed)/usr/lib/shim/shimx64.efi.signed
grub=$("$top/scripts/aptroot.sh" unpack $suite grub-efi-amd64-signed)/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Emulated firmware reads slowly: every megabyte counts.
zstd -q -1 "$3" -o "$work/initrd"
cat >"$work/grub.cfg" <<END
if linux /kernel $4; then
	initrd /initrd
	boot
fi
# If the kernel is not trusted, do not wait at a prompt forever.
halt
END
rm -f "$out"
truncate -s "$(($(du -cBM "$kernel" "$work/initrd" | awk 'END { print $1 + 0 }') + 64))M" "$out"
mformat -i "$out" -F ::
mmd -i "$out" ::/EFI ::/EFI/BOOT ::/EFI/debian
mcopy -i "$out" "$shim" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$out" "$grub" ::/EFI/BOOT/grubx64.efi
mcopy -i "$out" "$work/grub.cfg" ::/EFI/debian/grub.cfg
mcopy -i "$out" "$kernel" ::/kernel
mcopy -i "$out" "$work/initrd" ::/initrd
