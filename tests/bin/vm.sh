#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: vm.sh KERNEL [TEST...]
#
# Boots a kernel of SUPPORTED in QEMU with both modules, the tools and the tests
# of tests/vm/cases (default: those for stock kernels), prints the tests' output
# as it arrives and exits with the tests' status. The run also fails on any kernel
# splat on the console, on a timeout, and if the guest's last line is missing. A
# guest that reports a power cut is booted again, with the same disk.
#
# ACCEL=tcg,thread=single|tcg,thread=multi|kvm  CPU=  SMP=2  MEM=2048 (MiB)  CMDLINE=  TIMEOUT=900 (s)
# FIRMWARE=FILE  boot by UEFI, with a copy of this variable store (amd64)
# SECURE_BOOT=1  with FIRMWARE: boot by signed shim, GRUB and kernel
# ICOUNT=  QEMU's -icount: a clock that counts instructions
# PROGRAMS=  paths of further programs for the VM
# FILES=DIR  files to copy to the VM's root
# DISK=FILE  a second disk, read-only, for the tests: /dev/vdb
# GCOV=FILE  output of gcov, as tar; for modules built with GCOV_PROFILE=y, kernel debug
# LOGDIR=build/vm/KERNEL  directory of console.log and results.log
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

# The CPUs of a VM share one host thread. With a thread each, they spin waiting for each other
# whenever VMs share two cores, and need twice the CPU time. Debug kernels get a thread per CPU:
# their purpose is to find races between CPUs.
threads=single
[ "$row_status" != made ] || threads=multi

# Two serial lines, one for the kernel's console and one for the tests, so that
# their output does not mix.
case $row_arch in
amd64)
	# These two bits declare string instructions as fast, but TCG emulates them byte by
	# byte: with the bits set, copies in the kernel take several times as long.
	qemu=(qemu-system-x86_64 -cpu "${CPU:-max,-erms,-fsrm}")
	serial=(-serial chardev:console -serial stdio)
	# On a busy host timer interrupts arrive too late for the kernel's check.
	arguments="console=ttyS0 od.report=ttyS1 tsc=reliable no_timer_check"
	# Memory as a pmem device, for the case dax. With firmware the range may be in use.
	[ -n "${FIRMWARE-}" ] || arguments+=" memmap=64M!256M"
	# Debug kernels exceed the time limits of the ACPI interpreter.
	[ "$row_status" != made ] || arguments+=" od.kind=debug pci=noacpi kcsan.early_enable=0"
	;;
arm64)
	# Later CPUs have pointer authentication, which is slow in TCG; earlier ones have
	# no 16 KiB pages.
	qemu=(qemu-system-aarch64 -M virt -cpu "${CPU:-neoverse-n1}")
	serial=(-serial chardev:console
		-chardev "stdio,id=report" -device "pci-serial,chardev=report")
	arguments="console=ttyAMA0 od.report=ttyS0"
	;;
ppc64el)
	qemu=(qemu-system-ppc64 -M pseries -cpu "${CPU:-power9}")
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

# On a busy host, a CPU that is not scheduled for twenty seconds has not stalled, and a task
# that waits that long for the emulated disk does not hang: make the kernel warn only after a
# minute or more. Debug kernels have their own limit for hung tasks, half a minute.
patience="rcupdate.rcu_cpu_stall_timeout=90 sysctl.kernel.watchdog_thresh=30"
[ "$row_status" = made ] || patience+=" sysctl.kernel.hung_task_timeout_secs=60"

kernel_line() {
	echo "$arguments $patience loglevel=7 panic=-1 oops=panic mitigations=off od.tests=${tests// /,} od.boot=$boots ${CMDLINE-}"
}

# start_with: sets QEMU's arguments to boot the kernel directly, or from a disk with it
start_with() {
	start=(-kernel "$(kernel_image "$kernel")" -initrd "$work/initrd" -append "$(kernel_line)")
	[ -n "${SECURE_BOOT-}" ] || return 0
	"$top/scripts/esp.sh" "$work/esp" "$(kernel_image "$kernel")" "$work/initrd" "$(kernel_line)"
	start=(-machine "q35,smm=on" -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "file=$work/esp,if=ide,format=raw,cache=unsafe")
}

boot() {
	timeout --foreground "$timeout" "${qemu[@]}" \
		-accel "${ACCEL:-tcg,thread=$threads}" ${ICOUNT:+-icount "$ICOUNT"} \
		-smp "${SMP:-2}" -m "${MEM:-2048}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$logdir/console.log,append=on" "${serial[@]}" \
		"${start[@]}" "${disks[@]}" </dev/null
}

# A stock kernel that crashes before init has hit a TCG bug (a CPU executes the breakpoint of a
# jump label that another CPU has just patched): no test has run yet.
never_started() {
	[ ! -s "$logdir/results.log" ] && [ $status != 124 ] && [ $((failed_starts += 1)) -le 2 ] &&
		grep -aqE "$splat" "$logdir/console.log"
}

boots=0
failed_starts=0
while :; do
	status=0
	start_with
	boot 2>"$work/qemu.err" | sed -u 's/\r$//' | tee -a "$logdir/results.log" || status=${PIPESTATUS[0]}
	if never_started; then
		say "vm $id: the kernel exited before init, restarting"
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
		echo "the guest exited without its last line (QEMU status $status) $(<"$work/qemu.err")"
	fi
	if grep -aqE "$splat" "$logdir/console.log"; then
		echo "kernel splat: $(grep -aE "$splat" "$logdir/console.log" | head -n 3 | tr -d '\r')"
	fi
	# An error message of the shell: the case called a missing command.
	if grep -qE "$unknown_command" "$logdir/results.log"; then
		echo "no such command: $(grep -E "$unknown_command" "$logdir/results.log" | head -n 3)"
	fi
	if [ "${end:-0}" != 0 ] && ! grep -q '^not ok ' "$logdir/results.log"; then
		echo "the guest exited with status $end"
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
	grep -a -m 1 -A 40 -E "$splat" "$logdir/console.log" | sed 's/\r$//; s/^/#   /' || true
	say "console: $logdir/console.log"
	tail -n 15 "$logdir/console.log" | sed 's/^/| /' >&2
fi
echo "vm $id: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
