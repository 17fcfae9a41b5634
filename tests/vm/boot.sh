#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: boot.sh KERNEL...
#
# Boots Debian from an on-demand image: the initramfs of a VM mounts it from an
# HTTP server on this host, under an overlay, and switches to it. The system
# reaches its login prompt; the share of the image fetched so far is printed; root
# logs in, reads missing data, and shuts it down. Then the same with a warm cache,
# and with the daemon killed and restarted.
#
# ACCEL=tcg,thread=single|kvm  CPU=  SMP=2  MEM=1024 (MiB)  CMDLINE=  TIMEOUT=300 (s)
# SHOW=1   print the console output as it arrives
# LOGIN=1  interactive console without tests, until the system shuts down
# LOGDIR=build/vm/boot-KERNEL  directory of {cold,warm}-{console,report}.log
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
timeout=${TIMEOUT:-300}
# Units that would run in the first minutes, or that cannot work in the VM.
masked="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
	fstrim.timer systemd-random-seed.service getty-static.service proc-sys-fs-binfmt_misc.automount"
# Strips escape sequences and carriage returns from the output.
plain='s/\r//g; s/\x1b\[[0-9;?!]*[a-zA-Z]//g; s/^/| /'
passed=0
failed=0
skipped=0
work=
vm=
helpers=()

pass() {
	passed=$((passed + 1))
	echo "ok - boot $id $state: $*"
}

# notok NAME [WHY]
notok() {
	failed=$((failed + 1))
	echo "not ok - boot $id $state: $1"
	[ $# -lt 2 ] || sed 's/^/#   /' <<<"$2"
}

skip() {
	skipped=$((skipped + 1))
	echo "ok - boot $id: it boots # SKIP $*"
}

# check NAME COMMAND...
check() {
	if "${@:2}"; then
		pass "$1"
	else
		notok "$1"
	fi
}

cleanup() {
	local pid
	for pid in $vm ${helpers[@]+"${helpers[@]}"}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	vm=
	helpers=()
	[ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT

start_origin() {
	"$top/build/tools/origin" "$1" >"$work/origin" &
	helpers+=($!)
	until grep -qs '^port' "$work/origin"; do
		kill -0 $! || die "the HTTP server does not start"
		sleep 0.1
	done
	port=$(sed -n 's/^port //p' "$work/origin")
}

kernel_arguments() {
	local unit
	echo "console=ttyS0 od.report=ttyS1 od.fsid=root od.source=http://10.0.2.2:$port/"
	echo "loglevel=7 panic=-1 oops=panic mitigations=off tsc=reliable no_timer_check audit=0 TERM=dumb"
	echo "systemd.condition-needs-update=0 systemd.show_status=1"
	for unit in $masked; do
		echo "systemd.mask=$unit"
	done
	echo "${CMDLINE-}"
}

# prepare_vm: sets qemu, its command line except for the two serial lines
prepare_vm() {
	GUEST=boot "$top/scripts/initramfs.sh" "$kernel" "$modules" "$work/initrd" \
		"$top"/build/tools/{erofs-od,erofs-odd}
	truncate -s 1G "$work/scratch"
	mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -J size=16 "$work/scratch"
	start_origin "$system/blobs"
	qemu=(qemu-system-x86_64 -cpu "${CPU:-max,-erms,-fsrm}"
		-accel "${ACCEL:-tcg,thread=single}" -smp "${SMP:-2}" -m "${MEM:-1024}"
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$(kernel_image "$kernel")" -initrd "$work/initrd"
		-drive "file=$work/scratch,if=virtio,format=raw,cache=unsafe"
		-netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile="
		-append "$(kernel_arguments | paste -sd' ')")
}

# start_vm STATE: cold or warm cache. The first serial line is the system's console,
# the second is for reports.
start_vm() {
	local line lines=()
	began=$SECONDS
	state=$1
	log=$logdir/$state
	for line in console report; do
		: >"$log-$line.log"
		rm -f "$work/$line.in" "$work/$line.out"
		mkfifo "$work/$line.in" "$work/$line.out"
		lines+=(-chardev "pipe,id=$line,path=$work/$line,logfile=$log-$line.log"
			-serial "chardev:$line")
	done
	timeout --foreground "$timeout" "${qemu[@]}" "${lines[@]}" </dev/null >"$work/qemu.err" 2>&1 &
	vm=$!
	# The pipes must be drained; the logs have all output.
	cat "$work/report.out" >/dev/null &
	helpers+=($!)
	if [ -n "${SHOW-}" ]; then
		sed -u "$plain" "$work/console.out" >&2 &
	else
		cat "$work/console.out" >/dev/null &
	fi
	helpers+=($!)
}

is_running() {
	kill -0 "$vm" 2>/dev/null
}

# shows PATTERN: waits until it is on the console, or the VM has exited
shows() {
	until grep -qaE -- "$1" "$log-console.log"; do
		is_running || return 1
		sleep 0.2
	done
}

# reports: the complete lines of the second serial line
reports() {
	head -n "$(wc -l <"$log-report.log")" "$log-report.log" | tr -d '\r'
}

# await_reply: waits for the line that begins with the request's number, sets reply
await_reply() {
	until reply=$(reports | grep -a "^q$request "); do
		is_running || return 1
		sleep 0.2
	done
	reply=${reply#* }
}

# send LINE TEXT: to a serial line. Opened read-write, as a pipe without a reader blocks.
send() {
	echo "$2" 1<>"$work/$1.in"
}

# ask COMMAND: the reply comes from guest/boot-report, not from the system
ask() {
	request=$((request + 1))
	send report "q$request $1"
	await_reply
}

# same_sum DIR NAME: the sum that the system computes equals that of the source
same_sum() {
	request=$((request + 1))
	send console "echo q$request \$(sh /run/initramfs/sum $1) >/dev/ttyS1"
	await_reply && [ "$reply" = "$(<"$system/sums/$2")" ]
}

is_overlay() {
	ask root && [ "$reply" = "overlay over erofs_od" ]
}

# fetched_part PERCENT: some of the image was fetched, but less than this share
fetched_part() {
	ask fetched || return 1
	echo "# boot $id $state: at the login prompt: $reply"
	[[ $reply =~ ^fetched\ ([0-9]+)\ of\ ([0-9]+)\  ]] || return 1
	((BASH_REMATCH[1] > 0 && BASH_REMATCH[1] * 100 < BASH_REMATCH[2] * $1))
}

# more_reads BEFORE
more_reads() {
	ask reads && ((reply > $1))
}

# fetched_now PERCENT: this boot has fetched less than this share of the present bytes
fetched_now() {
	local now
	ask filled || return 1
	now=$reply
	ask fetched || return 1
	echo "# boot $id $state: at the login prompt: $now bytes fetched by this boot"
	[[ $reply =~ ^fetched\ ([0-9]+)\  ]] && ((now * 100 < BASH_REMATCH[1] * $1))
}

restarts() {
	ask restart && [ "$reply" = "done" ]
}

reaches_prompt() {
	if ! shows 'login: '; then
		notok "it reaches a login prompt" "$(tail -n 20 "$log-console.log" | tr -d '\r')"
		return 1
	fi
	pass "it reaches a login prompt"
	echo "# boot $id $state: after $((SECONDS - began)) s"
}

log_in() {
	send console root
	check "root logs in" shows 'root@.*# '
}

# A booted system has read its programs and libraries, but not its documentation.
use_cold() {
	local reads
	reaches_prompt || return 0
	check "only a part of the image was fetched" fetched_part 75
	check "its root is the image, under an overlay" is_overlay
	ask reads || true
	reads=${reply:-0}
	log_in
	check "missing data is right" same_sum /usr/share part-of-usr
	check "it was fetched, so the daemon has survived" more_reads "$reads"
	send console 'systemctl poweroff'
}

use_warm() {
	reaches_prompt || return 0
	check "cached data is not fetched again" fetched_now 10
	log_in
	check "the daemon can be killed and restarted" restarts
	check "all of /usr is right" same_sum /usr usr
	ask fetched || true
	echo "# boot $id $state: in the end: $reply"
	send console 'systemctl poweroff'
}

shuts_down() {
	local line
	while is_running; do
		sleep 0.2
	done
	for line in 'the daemon is running' 'the root is unmounted' 'the image is unmounted' \
		'the daemon has exited' 'the cache is unmounted' 'both modules are unloaded'; do
		check "shutdown: $line" grep -qa "^end $line" "$log-report.log"
	done
	if wait "$vm"; then
		pass "the VM exits in time"
	else
		notok "the VM exits in time" "status $? after $((SECONDS - began)) s $(<"$work/qemu.err")"
	fi
	vm=
	if grep -qaE "$splat" "$log-console.log"; then
		notok "no kernel splat" "$(grep -aE "$splat" "$log-console.log")"
	else
		pass "no kernel splat"
	fi
}

boot() {
	request=0
	reply=
	logdir=${LOGDIR:-$top/build/vm/boot-$id}
	mkdir -p "$logdir"
	rm -f "$logdir"/*.log
	work=$(mktemp -d)
	prepare_vm
	if [ -n "${LOGIN-}" ]; then
		"${qemu[@]}" -serial mon:stdio -serial "file:$logdir/report.log" || true
		skip "interactive"
	else
		start_vm cold
		use_cold
		shuts_down
		start_vm warm
		use_warm
		shuts_down
	fi
	cleanup
}

for id; do
	kernel_row "$id"
	if [ "$row_arch" != amd64 ]; then
		skip "no system image for $row_arch"
		continue
	fi
	kernel=$(IMAGE=1 "$top/scripts/kernels.sh" fetch "$id")
	modules=${MODULES:-$top/build/modules/$id}
	[ -e "$modules/erofs_od.ko" ] || "$top/scripts/build-modules.sh" "$id" "$modules"
	system=$("$top/tests/images/mksystem.sh" "$row_toolchain")
	boot
done
echo "boot: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
