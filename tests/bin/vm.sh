#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: vm.sh KERNEL [TEST...]
#
# Boots a stock kernel of SUPPORTED in QEMU with both modules, the tools and
# the tests of tests/vm/cases (default: all but demo), shows the tests' own
# lines as they come and ends with the tests' status. The run fails as well on
# any complaint of the kernel in the console, on a timeout, and when the
# guest's last line is missing. A guest that says that it cuts its own power is
# booted again, with the disk as it is.
#
# ACCEL=tcg,thread=multi|kvm  CPU=  SMP=2  MEM=2048 (MiB)  CMDLINE=  TIMEOUT=900 (s)
# FIRMWARE=FILE  UEFI starts the kernel, with a copy of this store of its variables (amd64)
# SECURE_BOOT=1  with it: shim, GRUB and the kernel start each other, with signatures only
# ICOUNT=  QEMU's -icount: a clock that counts instructions
# PROGRAMS=  more of them for the machine, by their paths
# FILES=FOLDER  what goes into its root as it is
# DISK=FILE  a second disk, read-only, for the tests: /dev/vdb
# GCOV=FILE  what gcov has counted, as tar; modules built with GCOV_PROFILE=y, kernel debug
# LOGDIR=build/vm/KERNEL  console.log and results.log go there
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
id=$1
shift
tests=$*
logdir=${LOGDIR:-$top/build/vm/$id}
timeout=${TIMEOUT:-900}
modules=${MODULES:-$top/build/modules/$id}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kernel_row "$id"
kernel=$(IMAGE=1 "$top/scripts/kernels.sh" fetch "$id")
[ -e "$modules/erofs_od.ko" ] || "$top/scripts/build-modules.sh" "$id" "$modules"
root=
[ "$row_arch" = amd64 ] || root=$(root_for "$row_arch")
"$top/scripts/programs.sh" "$row_arch" >"$work/programs"
mapfile -t programs <"$work/programs"
# shellcheck disable=SC2206 # a list
programs+=(${PROGRAMS-})

# Two serial lines: the console for the kernel, the other for the tests, so
# that neither breaks into the other's lines.
case $row_arch in
amd64)
	# TCG runs the string instructions that these two bits promise to be fast byte
	# by byte: copies in the kernel take several times as long with them.
	machine=(qemu-system-x86_64 -cpu "${CPU:-max,-erms,-fsrm}")
	serial=(-serial chardev:console -serial stdio)
	# On a busy host the timer's interrupts come too late for the kernel's check of them.
	arguments="console=ttyS0 od.report=ttyS1 tsc=reliable no_timer_check"
	# Memory that is a disk, for the case dax. Firmware may have put something there.
	[ -n "${FIRMWARE-}" ] || arguments+=" memmap=64M!256M"
	# Kernels that check everything take longer than ACPI's interpreter may.
	[ "$row_status" != made ] || arguments+=" od.kind=debug pci=noacpi kcsan.early_enable=0"
	;;
arm64)
	# Later processors authenticate pointers, which takes TCG long; earlier ones
	# have no 16 KiB pages.
	machine=(qemu-system-aarch64 -M virt -cpu "${CPU:-neoverse-n1}")
	serial=(-serial chardev:console
		-chardev "stdio,id=report" -device "pci-serial,chardev=report")
	arguments="console=ttyAMA0 od.report=ttyS0"
	;;
ppc64el)
	machine=(qemu-system-ppc64 -M pseries -cpu "${CPU:-power9}")
	serial=(-serial chardev:console -serial stdio)
	arguments="console=hvc0 od.report=hvc1"
	;;
esac

mkdir -p "$logdir"
rm -f "$logdir"/{console,console-[0-9],results}.log
ROOT=$root FILES=${FILES-} "$top/scripts/initramfs.sh" "$kernel" "$modules" "$work/initrd" "${programs[@]}"
truncate -s "${SCRATCH:-2G}" "$work/scratch"
mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -J size=16 "$work/scratch"

disks=(-drive "file=$work/scratch,if=virtio,format=raw,cache=unsafe")
if [ -n "${DISK-}" ]; then
	disks+=(-drive "file=$DISK,if=virtio,format=raw,cache=unsafe,readonly=on")
fi
if [ -n "${GCOV-}" ]; then
	rm -f "$GCOV"
	truncate -s 64M "$GCOV"
	disks+=(-drive "file=$GCOV,if=virtio,format=raw,cache=unsafe")
	arguments+=" od.gcov"
fi

if [ -n "${FIRMWARE-}" ]; then
	cp "$FIRMWARE" "$work/variables"
	disks+=(-drive "file=/usr/share/OVMF/OVMF_CODE_4M${SECURE_BOOT:+.secboot}.fd,if=pflash,unit=0,format=raw,readonly=on"
		-drive "file=$work/variables,if=pflash,unit=1,format=raw")
fi

# A processor that the emulator did not run for twenty seconds, on a busy machine, has not
# stalled, nor is a task stuck that waited so long for the emulated disk: the kernel says so
# after a minute or more. One made for testing has its own time for tasks, half a minute.
patience="rcupdate.rcu_cpu_stall_timeout=90 sysctl.kernel.watchdog_thresh=30"
[ "$row_status" = made ] || patience+=" sysctl.kernel.hung_task_timeout_secs=60"

kernel_line() {
	echo "$arguments $patience loglevel=7 panic=-1 oops=panic mitigations=off od.tests=${tests// /,} od.boot=$boots ${CMDLINE-}"
}

# start_with: sets what QEMU starts: the kernel, or a disk that has it
start_with() {
	start=(-kernel "$(kernel_image "$kernel")" -initrd "$work/initrd" -append "$(kernel_line)")
	[ -n "${SECURE_BOOT-}" ] || return 0
	"$top/scripts/esp.sh" "$work/esp" "$(kernel_image "$kernel")" "$work/initrd" "$(kernel_line)"
	start=(-machine "q35,smm=on" -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "file=$work/esp,if=ide,format=raw,cache=unsafe")
}

boot() {
	timeout --foreground "$timeout" "${machine[@]}" \
		-accel "${ACCEL:-tcg,thread=multi}" ${ICOUNT:+-icount "$ICOUNT"} \
		-smp "${SMP:-2}" -m "${MEM:-2048}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$logdir/console.log,append=on" "${serial[@]}" \
		"${start[@]}" "${disks[@]}" </dev/null
}

# A stock kernel that ends before it has started init met a fault of TCG (a processor runs the
# breakpoint of a jump label that another one has just patched): nothing was tested yet.
never_started() {
	[ ! -s "$logdir/results.log" ] && [ $status != 124 ] && [ $((failed_starts += 1)) -le 2 ] &&
		grep -aqE "$complaint" "$logdir/console.log"
}

boots=0
failed_starts=0
while :; do
	status=0
	start_with
	boot 2>"$work/qemu.err" | sed -u 's/\r$//' | tee -a "$logdir/results.log" || status=${PIPESTATUS[0]}
	if never_started; then
		say "vm $id: the kernel ended before init; once more"
		mv "$logdir/console.log" "$logdir/console-$failed_starts.log"
		continue
	fi
	[ "$(tail -n 1 "$logdir/results.log")" = "od-vm: power cut" ] && [ $((boots += 1)) -lt 10 ] || break
done

unknown_command='line [0-9]+: .*: not found$'

verdict() {
	local end
	if [ "$status" = 124 ]; then
		echo "timeout after $timeout s"
		return
	fi
	end=$(sed -n 's/^od-vm: end status=\([0-9]*\)$/\1/p' "$logdir/results.log" | tail -n 1)
	if [ -z "$end" ]; then
		echo "the guest ended without its last line (QEMU status $status) $(<"$work/qemu.err")"
	fi
	if grep -aqE "$complaint" "$logdir/console.log"; then
		echo "the kernel complains: $(grep -aE "$complaint" "$logdir/console.log" | head -n 3 | tr -d '\r')"
	fi
	# The shell's own words: what a case wanted to do was not done.
	if grep -qE "$unknown_command" "$logdir/results.log"; then
		echo "no such command: $(grep -E "$unknown_command" "$logdir/results.log" | head -n 3)"
	fi
	if [ "${end:-0}" != 0 ] && ! grep -q '^not ok ' "$logdir/results.log"; then
		echo "the guest ended with status $end"
	fi
}

failures=$(verdict)
count() {
	grep -cE "$1" "$logdir/results.log" || true
}
skipped=$(count '^ok .*# SKIP')
passed=$(($(count '^ok ') - skipped))
failed=$(count '^not ok ')
if [ -n "$failures" ]; then
	sed "s/^/not ok - vm $id: /" <<<"$failures"
	failed=$((failed + $(wc -l <<<"$failures")))
	grep -a -m 1 -A 40 -E "$complaint" "$logdir/console.log" | sed 's/\r$//; s/^/#   /' || true
	say "console: $logdir/console.log"
	tail -n 15 "$logdir/console.log" | sed 's/^/| /' >&2
fi
echo "vm $id: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
