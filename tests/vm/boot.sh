#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: boot.sh KERNEL...
#
# Boots a Debian from an on-demand image: a test machine whose initramfs mounts
# it from an HTTP server on this host, under an overlay, and switches to it. The
# system comes up to its login prompt; how much of the image was fetched is
# shown; root logs in, reads what was not read before, and shuts it down. Then
# all of it once more, with the cache that there is now, and a daemon that dies.
#
# ACCEL=tcg,thread=multi|kvm  CPU=  SMP=2  MEM=1024 (MiB)  CMDLINE=  TIMEOUT=300 (s)
# SHOW=1   the console is shown as it comes
# LOGIN=1  the console is the user's: nothing is tested, it ends when the system does
# LOGDIR=build/vm/boot-KERNEL  {cold,warm}-{console,report}.log go there
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
timeout=${TIMEOUT:-300}
# What the system would do by itself in its first minutes, and what it lacks here.
masked="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
	fstrim.timer systemd-random-seed.service getty-static.service proc-sys-fs-binfmt_misc.automount"
# Escape sequences and carriage returns have no place in what is shown.
plain='s/\r//g; s/\x1b\[[0-9;?!]*[a-zA-Z]//g; s/^/| /'
passed=0
failed=0
skipped=0
work=
machine=
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

# fact NAME COMMAND...
fact() {
	if "${@:2}"; then
		pass "$1"
	else
		notok "$1"
	fi
}

put_away() {
	local pid
	for pid in $machine ${helpers[@]+"${helpers[@]}"}; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	machine=
	helpers=()
	[ -z "$work" ] || rm -rf "$work"
}
trap put_away EXIT

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

# make_machine: sets qemu, all of its command line but the two serial lines
make_machine() {
	GUEST=boot "$top/scripts/initramfs.sh" "$kernel" "$modules" "$work/initrd" \
		"$top"/build/tools/{erofs-od,erofs-odd}
	truncate -s 1G "$work/scratch"
	mke2fs -q -t ext4 -E lazy_itable_init=1,nodiscard -J size=16 "$work/scratch"
	start_origin "$system/blobs"
	qemu=(qemu-system-x86_64 -cpu "${CPU:-max,-erms,-fsrm}"
		-accel "${ACCEL:-tcg,thread=multi}" -smp "${SMP:-2}" -m "${MEM:-1024}"
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$(kernel_image "$kernel")" -initrd "$work/initrd"
		-drive "file=$work/scratch,if=virtio,format=raw,cache=unsafe"
		-netdev "user,id=net" -device "virtio-net-pci,netdev=net,romfile="
		-append "$(kernel_arguments | paste -sd' ')")
}

# start_machine STATE: of the cache. The first serial line is the system's console,
# the other is for the reports.
start_machine() {
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
	machine=$!
	# What comes has to be taken off the lines; the logs have it all.
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
	kill -0 "$machine" 2>/dev/null
}

# shows PATTERN: waits until the console has it, or the machine has ended
shows() {
	until grep -qaE -- "$1" "$log-console.log"; do
		is_running || return 1
		sleep 0.2
	done
}

# reports: the whole lines of the second serial line
reports() {
	head -n "$(wc -l <"$log-report.log")" "$log-report.log" | tr -d '\r'
}

# answered: waits for the line that begins with the question's name, sets answer
answered() {
	until answer=$(reports | grep -a "^q$question "); do
		is_running || return 1
		sleep 0.2
	done
	answer=${answer#* }
}

# put_in LINE TEXT. Opened for both, a pipe that nobody reads does not stop the test.
put_in() {
	echo "$2" 1<>"$work/$1.in"
}

# ask COMMAND: guest/boot-report answers, not the system
ask() {
	question=$((question + 1))
	put_in report "q$question $1"
	answered
}

# same_sum FOLDER NAME: the system reads it as the source of the image is
same_sum() {
	question=$((question + 1))
	put_in console "echo q$question \$(sh /run/initramfs/sum $1) >/dev/ttyS1"
	answered && [ "$answer" = "$(<"$system/sums/$2")" ]
}

is_overlay() {
	ask root && [ "$answer" = "overlay over erofs_od" ]
}

# fetched_part SHARE: at least a byte, at most this share of the image
fetched_part() {
	ask fetched || return 1
	echo "# boot $id $state: at the login prompt: $answer"
	[[ $answer =~ ^fetched\ ([0-9]+)\ of\ ([0-9]+)\  ]] || return 1
	((BASH_REMATCH[1] > 0 && BASH_REMATCH[1] * 100 < BASH_REMATCH[2] * $1))
}

# more_reads BEFORE
more_reads() {
	ask reads && ((answer > $1))
}

# fetched_now SHARE: what this boot has fetched is less than that of all that is here
fetched_now() {
	local now
	ask filled || return 1
	now=$answer
	ask fetched || return 1
	echo "# boot $id $state: at the login prompt: $now bytes fetched by this boot"
	[[ $answer =~ ^fetched\ ([0-9]+)\  ]] && ((now * 100 < BASH_REMATCH[1] * $1))
}

restarts() {
	ask restart && [ "$answer" = "done" ]
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
	put_in console root
	fact "root logs in" shows 'root@.*# '
}

# A system that is up has read its programs and libraries, not its documents.
use_cold() {
	local reads
	reaches_prompt || return 0
	fact "a part of the image was fetched, not most of it" fetched_part 75
	fact "its root is the image, under an overlay" is_overlay
	ask reads || true
	reads=${answer:-0}
	log_in
	fact "what was not read before is the source's" same_sum /usr/share part-of-usr
	fact "the daemon was asked for it, so it has survived" more_reads "$reads"
	put_in console 'systemctl poweroff'
}

use_warm() {
	reaches_prompt || return 0
	fact "what is in the cache is not fetched again" fetched_now 10
	log_in
	fact "the daemon can be killed and started again" restarts
	fact "all of /usr is the source's" same_sum /usr usr
	ask fetched || true
	echo "# boot $id $state: in the end: $answer"
	put_in console 'systemctl poweroff'
}

ends_well() {
	local line
	while is_running; do
		sleep 0.2
	done
	for line in 'the daemon is alive' 'the root is unmounted' 'the image is unmounted' \
		'the daemon has ended' 'the cache is unmounted' 'both modules are unloaded'; do
		fact "at the end $line" grep -qa "^end $line" "$log-report.log"
	done
	if wait "$machine"; then
		pass "it ends in time"
	else
		notok "it ends in time" "status $? after $((SECONDS - began)) s $(<"$work/qemu.err")"
	fi
	machine=
	if grep -qaE "$complaint" "$log-console.log"; then
		notok "the kernel has no complaint" "$(grep -aE "$complaint" "$log-console.log")"
	else
		pass "the kernel has no complaint"
	fi
}

boot() {
	question=0
	answer=
	logdir=${LOGDIR:-$top/build/vm/boot-$id}
	mkdir -p "$logdir"
	rm -f "$logdir"/*.log
	work=$(mktemp -d)
	make_machine
	if [ -n "${LOGIN-}" ]; then
		"${qemu[@]}" -serial mon:stdio -serial "file:$logdir/report.log" || true
		skip "you have seen it"
	else
		start_machine cold
		use_cold
		ends_well
		start_machine warm
		use_warm
		ends_well
	fi
	put_away
}

for id; do
	kernel_row "$id"
	if [ "$row_arch" != amd64 ]; then
		skip "there is no image of a system for $row_arch"
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
