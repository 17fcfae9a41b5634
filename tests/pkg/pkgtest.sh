#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: pkgtest.sh [SUITE...]      default: bookworm trixie, Debian 12 and 13
#
# The steps of a new user, in a VM that boots a new Debian, with packages from apt only:
# the commands of the README as typed (packages, modprobe, first mount from an HTTP
# server), a new kernel and an upgrade of the packages, both while an image is mounted,
# drop-in mode, removal and purge. Building the modules three times in an emulated VM takes
# most of an hour; tests/pkg/packages.sh runs the steps that need no VM in a chroot.
#
# ACCEL=tcg,thread=single|kvm  SMP=2  MEM=2048 (MiB)  TIMEOUT=2400 (s, for each boot)
# IN_ROOT=1  install the packages in a chroot before the boot, at the speed of the host
# FRESH=1    only the first of the two boots: installation, use, a new kernel
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/pkg/lib.sh"

timeout=${TIMEOUT:-2400}

# prepare SUITE: adds the unit that runs the steps after boot to the disk
prepare() {
	local mnt=$work/mnt
	fresh_disk "$1" "$work/disk"
	mount -o loop "$work/disk" "$mnt"
	cat >"$mnt/etc/systemd/system/od-pkgtest.service" <<-'END'
		[Unit]
		After=multi-user.target network-online.target
		[Service]
		Type=oneshot
		TimeoutStartSec=infinity
		ExecStart=/bin/bash -c 'exec /pkg/run /dev/ttyS1 yes $(sed -n "s/.*od.steps=\\([^ ]*\\).*/\\1/p" /proc/cmdline | tr , " ")'
		ExecStopPost=/bin/systemctl poweroff --no-block
	END
	mkdir -p "$mnt/etc/systemd/system/graphical.target.wants"
	ln -s /etc/systemd/system/od-pkgtest.service "$mnt/etc/systemd/system/graphical.target.wants/"
	umount "$mnt"
}

# take_kernel RELEASE: copies the kernel from the disk, like a boot loader
take_kernel() {
	local file
	for file in vmlinuz initrd.img; do
		debugfs -R "dump /boot/$file-$1 $work/$file" "$work/disk" 2>/dev/null
		[ -s "$work/$file" ] || die "the disk has no /boot/$file-$1"
	done
}

# boot SUITE NAME RELEASE STEP...
boot() {
	local suite=$1 name=$2 release=$3 log=$logs/$1-$2 steps started=$SECONDS
	shift 3
	steps=$*
	take_kernel "$release"
	rm -f "$log.console" "$log.results"
	timeout --foreground "$timeout" qemu-system-x86_64 -cpu "${CPU:-max,-erms,-fsrm}" \
		-accel "${ACCEL:-tcg,thread=single}" -smp "${SMP:-2}" -m "${MEM:-2048}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$log.console" -serial chardev:console \
		-chardev "file,id=report,path=$log.report" -serial chardev:report \
		-device virtio-rng-pci \
		-kernel "$work/vmlinuz" -initrd "$work/initrd.img" \
		-drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" \
		-append "root=/dev/vda rw console=ttyS0 panic=-1 oops=panic mitigations=off tsc=reliable audit=0 systemd.condition-needs-update=0 od.steps=${steps// /,}" \
		</dev/null >"$log.qemu" 2>&1 || notok "$suite, $name: the VM exits" "status $? after $((SECONDS - started)) s: $(<"$log.qemu")"
	tr -d '\r' <"$log.report" >"$log.results"
	add_results "$log.results" "$suite, $name"
	if grep -aqE "$splat" "$log.console"; then
		notok "$suite, $name: no kernel splat" "$(grep -aE "$splat" "$log.console" | head -n 3)"
	fi
	echo "# $suite, $name: $((SECONDS - started)) s"
}

need_root "it creates systems and mounts their disks"
logs=$top/build/pkgtest
mkdir -p "$logs"
"$top/scripts/deps.sh"
[ $# -gt 0 ] || set -- bookworm trixie
for suite; do
	"$top/scripts/deb.sh" "$suite" >/dev/null
	work=$(mktemp -d "$top/build/pkgtest/tmp.XXXXXX")
	prepare "$suite"
	if [ -n "${IN_ROOT-}" ]; then
		steps_in_root "$work/disk" "$logs/$suite-root" "$suite, root" install
		boot "$suite" fresh "$old" use new_kernel
	else
		boot "$suite" fresh "$old" install use new_kernel
	fi
	[ -n "${FRESH-}" ] || boot "$suite" upgraded "$new" use_again upgrade dropin remove
	cleanup
done
finish_packages
