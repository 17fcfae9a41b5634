# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# Library of the guest tests. Each test is a script that is sourced in its own
# shell with these functions; ok, notok and skip print one TAP-like line per
# check. After each test the harness cleans up, and checks that both modules
# unload and that the kernel log is clean.

OD_COUNT=/run/od-count
OD_FAILED=/run/od-failed
OD_TESTS=${OD_TESTS:-/tests}
OD_SPLAT='Oops|BUG:|WARNING:|UBSAN|KASAN|INFO: task|possible circular|suspicious RCU|general protection|Call Trace'
OD_STOCK='cachefiles|fscache|netfs|erofs'

# od_arg NAME [DEFAULT]: prints od.NAME= from the kernel's command line
od_arg() {
	local value
	value=$(sed -n "s/.*\\bod\\.$1=\\([^ ]*\\).*/\\1/p" /proc/cmdline)
	echo "${value:-${2-}}"
}

# od_next: sets OD_NR. Checks fork no processes: on debug kernels each fork takes half a
# second.
od_next() {
	read -r OD_NR <$OD_COUNT
	OD_NR=$((OD_NR + 1))
	echo $OD_NR >$OD_COUNT
}

# pass NAME, fail NAME [WHY...], skip NAME WHY, note TEXT: one line each
pass() {
	od_next
	echo "ok $OD_NR - $OD_TEST: $1"
}

fail() {
	local name=$1
	shift
	od_next
	echo "not ok $OD_NR - $OD_TEST: $name"
	[ $# = 0 ] || echo "$*" | head -n 40 | sed 's/^/#   /'
	echo 1 >>$OD_FAILED
	[ "$(od_arg failures)" != 1 ] || od_end 1
}

# od_end STATUS: powers off the VM; with od.failures=1 on the kernel command line, called on
# the first failure
od_end() {
	echo "od-vm: end status=$1"
	sync
	poweroff -f
	# Poweroff takes a moment; nothing must run in the meantime.
	sleep 100
}

skip() {
	od_next
	echo "ok $OD_NR - $OD_TEST: $1 # SKIP $2"
}

note() {
	echo "# $*"
}

# ok NAME COMMAND...: passes if the command succeeds; prints its output otherwise
ok() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "status $?: $*
$out"
	fi
}

# notok NAME COMMAND...: passes if the command fails, unless it was not found
notok() {
	local name=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status = 0 ]; then
		fail "$name" "succeeded: $*
$out"
	elif [ $status = 127 ]; then
		fail "$name" "$out"
	else
		pass "$name"
	fi
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got $2, wanted $3"
	fi
}

# exits STATUS NAME COMMAND...: its output goes to /tmp/out
exits() {
	local wanted=$1 name=$2 status=0
	shift 2
	"$@" >/tmp/out 2>&1 || status=$?
	if [ $status = "$wanted" ]; then
		pass "$name: exit status $wanted"
	else
		fail "$name: exit status $wanted" "$status
$(cat /tmp/out)"
	fi
}

# says NAME REGEX: the output of the last command run by `exits` matches
says() {
	ok "$1" grep -qE "$2" /tmp/out
}

od_end_of_test() {
	local loaded
	od_cleanup
	od_unload || fail "both modules unload" "$(cat /proc/modules; dmesg | tail -n 5)"
	loaded=$(cut -d' ' -f1 /proc/modules | grep -xE "$OD_STOCK")
	[ -z "$loaded" ] || fail "no stock module is loaded" "$loaded"
	od_check_log
}

od_check_log() {
	local splats
	splats=$(dmesg | grep -E -B 2 -A 30 "$OD_SPLAT")
	[ -z "$splats" ] || fail "the kernel log is clean" "$splats"
}

# --- time: a test that hangs fails, and the others still run. od.limit= is the time limit in
# seconds for all tests; those that do not fit are skipped by name ---

OD_STARTED=0
# Seconds that the tests have taken so far, and seconds that were expected.
OD_SPENT=1
OD_EXPECTED=1

# od_usual NAME: usual seconds, from the head of the test
od_usual() {
	sed -n 's/^# seconds: *//p' "$OD_TESTS/$1.sh" |
		awk -v kind="$(od_arg kind stock)" -f "$OD_TESTS/../guest/seconds.awk"
}

# od_expected NAME: expected seconds, scaled by the load of the host so far
od_expected() {
	local pace=$OD_SPENT
	[ "$pace" -gt "$OD_EXPECTED" ] || pace=$OD_EXPECTED
	echo $(($(od_usual "$1") * pace / OD_EXPECTED))
}

od_uptime() {
	cut -d. -f1 /proc/uptime
}

# od_left: seconds until the limit
od_left() {
	echo $(($(od_arg limit 1000000) + OD_STARTED - $(od_uptime)))
}

# od_patience NAME: seconds after which the test is killed
od_patience() {
	echo $(($(od_arg patience 120) + 6 * $(od_expected "$1")))
}

# od_user_tasks: prints the stacks of all user tasks
od_user_tasks() {
	local task
	for task in /proc/[0-9]*; do
		# Kernel threads are children of kthreadd, PID 2.
		grep -qE '^PPid:	[02]$' "$task/status" && continue
		echo "$(cat "$task/comm"): $(tr '\0' ' ' <"$task/cmdline") $(grep '^State:' "$task/status")"
		cat "$task/stack"
	done 2>/dev/null
}

# od_kill_test NAME SECONDS: kills a test that has run for SECONDS. At several times the
# expected time, it is considered hung rather than slow.
od_kill_test() {
	local tasks
	tasks=$(od_user_tasks)
	# All processes but this one and init, which may be the same.
	kill -9 -1
	if [ "$2" -gt $((4 * $(od_expected "$1"))) ]; then
		fail "the test ends" "$2 s, expected $(od_expected "$1") s
$tasks"
	else
		skip "the rest of the test" "time limit reached"
	fi
}

# A FIFO to which a test writes its name when it ends.
OD_ENDED=/run/od-ended

# od_in_time NAME PID: waits for the test, a child; fails on the time limit or a hang
od_in_time() {
	local since now rest end patience ended
	since=$(od_uptime)
	end=$((since + $(od_left)))
	patience=$(od_patience "$1")
	[ $end -lt $((since + patience)) ] || end=$((since + patience))
	# Uses no external commands, which are expensive on a slow host. The name that is read may
	# be that of an earlier test, which ended just as it was killed.
	while [ -d "/proc/$2" ]; do
		read -r now rest </proc/uptime
		if [ "${now%.*}" -ge $end ]; then
			od_kill_test "$1" $((${now%.*} - since))
			return 1
		fi
		ended=
		# shellcheck disable=SC3045 # busybox has it
		read -r -t 2 ended <&8
		[ "$ended" != "$1" ] || return 0
	done
}

od_run_test() {
	local status since
	OD_TEST=$1
	since=$(od_uptime)
	if [ ! -e "$OD_TESTS/$1.sh" ]; then
		fail "the test exists"
		return
	fi
	if [ "$(od_left)" -lt "$(od_expected "$1")" ]; then
		# A later, shorter test may still fit.
		skip "the whole test" "time limit reached"
		return
	fi
	# The console has the full log; from here on dmesg has only this test's lines.
	dmesg -c >/dev/null
	(
		(
			cd /tmp || exit 1
			# shellcheck disable=SC1090 # the test
			. "$OD_TESTS/$1.sh"
		) 8>&-
		status=$?
		echo "$1" >&8
		exit $status
	) &
	if od_in_time "$1" $!; then
		wait $!
		status=$?
		[ $status = 0 ] || fail "the test script succeeds" "status $status"
	fi
	od_end_of_test
	OD_SPENT=$((OD_SPENT + $(od_uptime) - since))
	OD_EXPECTED=$((OD_EXPECTED + $(od_usual "$1")))
	note "$OD_TEST took $(($(od_uptime) - since)) s"
}

# od_cut_power: reboots the VM at once; what has not reached the disk is lost
od_cut_power() {
	echo "od-vm: power cut"
	sleep 1
	echo 1 >/proc/sys/kernel/sysrq
	echo b >/proc/sysrq-trigger
	sleep 100
}

# od_run_tests NAME...: status 1 if anything failed
od_run_tests() {
	local name
	echo 0 >$OD_COUNT
	rm -f $OD_FAILED $OD_ENDED
	mkfifo $OD_ENDED
	# Open for both, so that neither end waits for the other.
	exec 8<>$OD_ENDED
	od_forget_leaks
	OD_STARTED=$(od_uptime)
	for name in "$@"; do
		od_run_test "$name"
	done
	OD_TEST=all
	# A killed test has not cleaned up after itself.
	if [ "$(od_left)" -gt 0 ]; then od_check_leaks; else od_skip_leaks; fi
	[ ! -e $OD_FAILED ]
}

# --- debug kernels only ---

OD_KMEMLEAK=/sys/kernel/debug/kmemleak

# Leaks from before the first test do not come from the modules.
od_forget_leaks() {
	[ -e $OD_KMEMLEAK ] || return 0
	echo scan >$OD_KMEMLEAK
	echo clear >$OD_KMEMLEAK
}

# The first scan may report memory that RCU or a work item is about to free; memory that the
# second one still reports is leaked.
od_check_leaks() {
	local leaks
	[ -e $OD_KMEMLEAK ] || return 0
	sleep 2
	echo scan >$OD_KMEMLEAK
	sleep 6
	echo scan >$OD_KMEMLEAK
	leaks=$(cat $OD_KMEMLEAK)
	if [ -z "$leaks" ]; then
		pass "no memory leaks"
	else
		fail "no memory leaks" "$leaks"
	fi
}

od_skip_leaks() {
	[ ! -e $OD_KMEMLEAK ] || skip "no memory leaks" "time limit reached"
}

OD_KCSAN=/sys/kernel/debug/kcsan

# Report a data race only if one of its two accesses is in the modules: races in the rest
# of the kernel are not under test.
od_watch_races() {
	local function
	[ -e $OD_KCSAN ] || return 0
	echo off >$OD_KCSAN
	echo whitelist >$OD_KCSAN
	awk '/\[(cachefiles_od|erofs_od)\]$/ && tolower($2) == "t" { print $3 }' /proc/kallsyms |
		while read -r function; do
			echo "!$function" >$OD_KCSAN || return 1
		done
	echo on >$OD_KCSAN
}

# od_save_gcov DIR DISK: copies the files first, as gcov's files report size 0 and tar
# would skip their data
od_save_gcov() {
	local file
	find "$1" -name '*.gcda' | while read -r file; do
		mkdir -p "/tmp/gcov${file%/*}"
		cat "$file" >"/tmp/gcov$file"
	done
	tar -C "/tmp/gcov$1" -c . >"$2"
}

# --- both modules ---

OD_MODULES=${OD_MODULES:-/modules/od}

# od_load [PARAMETER...]: loads both modules, with parameters for cachefiles_od
od_load() {
	insmod $OD_MODULES/cachefiles_od.ko "$@" && insmod $OD_MODULES/erofs_od.ko && od_watch_races
}

od_unload() {
	local module
	for module in erofs_od cachefiles_od; do
		grep -q "^$module " /proc/modules || continue
		rmmod $module || return 1
	done
}

# --- cleanup after a test ---

od_cleanup() {
	local dir
	kill_daemons
	grep -E ' (erofs|erofs_od|overlay) ' /proc/mounts | cut -d' ' -f2 | sort -r |
		while read -r dir; do
			umount "$dir" || fail "unmount of $dir"
		done
	umount /mnt/tmpfs 2>/dev/null
	# fds of killed processes are closed shortly after the kill
	sleep 0.2
}

# kill_daemons: returns once all have exited. A daemon that is not a child of this shell (in
# a pipe) stays a zombie, which has no open fds.
kill_daemons() {
	local name pid pids
	for name in fdstore erofs-odd fakedaemon minimal-daemon origin deaflistener; do
		pids=$(pidof $name) || continue
		killall -9 $name
		for pid in $pids; do
			while ! has_ended "$pid"; do sleep 0.05; done
		done
	done 2>/dev/null
	return 0
}

# --- a cache, a daemon, a source ---

OD_MNT=${OD_MNT:-/mnt}
OD_CACHE=${OD_CACHE:-$OD_MNT/scratch/cache}
OD_BLOBS=$OD_MNT/images/blobs
OD_SUMS=$OD_MNT/images/sums
OD_PROC=/proc/fs/cachefiles_od

# od_wait SECONDS COMMAND...: waits until the command succeeds; fails after that time
od_wait() {
	local left=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.05
	done
}

# has_ended PID: also true for a zombie
has_ended() {
	! grep -qE '^State:	[^ZX]' "/proc/$1/status"
}

od_fresh_cache() {
	rm -rf $OD_CACHE
	mkdir -p $OD_CACHE
}

# od_cache_file BLOB: prints the path of its cache file
od_cache_file() {
	find $OD_CACHE/cache -name "D$1"
}

# od_map_file FILE: prints the path of the map of a cache file
od_map_file() {
	printf '%s/maps/%x' $OD_CACHE "$(stat -c %i "$1")"
}

# od_control COMMAND FILE [ARGUMENTS]: writes the command in the file's directory, as a
# culling client does; without a child process, so that a caller that runs it in the
# background can kill it
od_control() {
	local here=$PWD done=
	cd "${2%/*}" || return 1
	echo "$1 ${2##*/}${3+ $3}" >$OD_PROC/control && done=yes
	cd "$here" && [ -n "$done" ]
}

# od_cell FILE KEY NAME COLUMN: prints COLUMN of a table in /proc, for each row whose column
# KEY is NAME
od_cell() {
	awk -F '\t' -v key="$2" -v name="$3" -v column="$4" '
		NR == 1 { for (i = 1; i <= NF; i++) nr[$i] = i; next }
		(column in nr) && $nr[key] == name { print $nr[column] }' "$1"
}

# od_counter NAME: prints a counter of the cache
od_counter() {
	awk -F '\t' -v name="$1" '$1 == name { print $2 }' $OD_PROC/cache
}

od_reads() {
	od_counter reads_sent
}

# od_blob_fds PID: prints the number of blob fds that a daemon has open
od_blob_fds() {
	local fd
	for fd in "/proc/$1"/fd/*; do readlink "$fd"; done | grep -c '\[cachefiles_od\]'
}

od_daemon_is() {
	[ "$(od_counter daemon)" = "$1" ]
}

# od_waiting NR: at least that many requests wait for the daemon
od_waiting() {
	[ "$(grep -c '^[0-9]' $OD_PROC/requests)" -ge "$1" ]
}

# od_nothing_waits: no request waits for the daemon
od_nothing_waits() {
	! od_waiting 1
}

# odd [OPTION...]: starts erofs-odd, by default with a directory as its source
odd() {
	local source="--source=$OD_BLOBS"
	case " $* " in
	*' --source='*) source= ;;
	esac
	# shellcheck disable=SC2086 # no argument if empty
	erofs-odd --dir=$OD_CACHE $source "$@" >>/tmp/erofs-odd.log 2>&1 &
	od_wait 10 od_daemon_is bound || { cat /tmp/erofs-odd.log; return 1; }
}

# fake [OPTION...]: starts fakedaemon, which misbehaves on request; its log is /tmp/fake.log
fake() {
	# A previous log would have "ready" in it.
	: >/tmp/fake.log
	fakedaemon --cache $OD_CACHE --blobs "${OD_FAKE_BLOBS:-$OD_BLOBS}" "$@" >/tmp/fake.log 2>&1 &
	od_wait 10 grep -q ready /tmp/fake.log || { cat /tmp/fake.log; return 1; }
}

# od_origin [OPTION...]: starts an HTTP server on the loopback interface; sets OD_URL
od_origin() {
	: >/tmp/origin.log
	origin "$@" $OD_BLOBS >/tmp/origin.log 2>&1 &
	od_wait 10 grep -q '^port' /tmp/origin.log || { cat /tmp/origin.log; return 1; }
	OD_URL=http://127.0.0.1:$(sed -n 's/^port //p' /tmp/origin.log)/
}

od_setup() {
	od_load && od_fresh_cache
}

# od_mount DIR OPTIONS
od_mount() {
	mount -t erofs_od -o "ro,$2" none "$1"
}

# od_mount_right IMAGE: mounts an image of the small tree at /mnt/a; all of its data is right
od_mount_right() {
	od_mount /mnt/a "fsid=$1" && same_tree /mnt/a $OD_SUMS/small
}

# od_use IMAGE: same, and unmounts it; what is used next has a later time of last use, which
# is in seconds
od_use() {
	local status=0 until
	od_mount_right "$1" || status=$?
	umount /mnt/a
	until=$(($(date +%s) + 1))
	od_wait 10 od_clock_is_past "$until"
	return $status
}

od_clock_is_past() {
	[ "$(date +%s)" -ge "$1" ]
}

od_drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# od_pinned: prints the memory that is not reclaimable, in KiB: drops the caches, and waits
# for memory that is freed after a grace period
od_pinned() {
	od_drop_caches
	sleep 1
	od_drop_caches
	echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "MemTotal:" { t = $2 } $1 == "MemAvailable:" { a = $2 } END { print t - a }' /proc/meminfo
}

# od_umount DIR: unmounts within 10 s, whatever the daemon does. A hung umount cannot be
# killed, and must not keep a pipe open that the caller reads from.
od_umount() {
	umount "$1" >/dev/null 2>&1 &
	od_wait 10 has_ended $! && wait $!
}

# od_log: prints what the modules have logged since od_log_mark
od_log_mark() {
	local now rest
	read -r now rest </proc/uptime
	OD_MARK="od-mark $now"
	echo "$OD_MARK" >/dev/kmsg
}

od_log() {
	dmesg | awk -v mark="$OD_MARK" '
		seen && /(erofs_od|cachefiles_od)/ { print; nr++ }
		index($0, mark) { seen = 1 }
		END { exit !nr }'
}

# mount_fails NAME OPTIONS ERROR [LINES]: the mount fails with that errno's text and one log
# line, or up to LINES
mount_fails() {
	local out lines
	od_log_mark
	if out=$(timeout 60 mount -t erofs_od -o "ro,$2" none /mnt/a 2>&1); then
		umount /mnt/a
		fail "$1" "it mounts"
		return
	fi
	case $out in
	*"$3"*) ;;
	*)
		fail "$1" "wanted $3, got $out
$(od_log)"
		return
		;;
	esac
	lines=$(od_log | wc -l)
	if [ "$lines" -ge 1 ] && [ "$lines" -le "${4:-1}" ]; then
		pass "$1: $3, and it is logged"
	else
		fail "$1: logged once" "$lines lines:
$(od_log)"
	fi
}

# compare_all NAME FORM...: compares the trees mounted on $OD_MNT/FORM in parallel, one check
# each
compare_all() {
	local name=$1 form pids='' pair
	shift
	for form in "$@"; do
		same_tree "$OD_MNT/$form" $OD_SUMS/tree >"/tmp/out.$form" 2>&1 &
		pids="$pids $form:$!"
	done
	for pair in $pids; do
		form=${pair%:*}
		if wait "${pair#*:}"; then
			pass "$name: $form"
		else
			fail "$name: $form" "$(cat "/tmp/out.$form")"
		fi
	done
}

# same_tree DIR SUM [SED]: the treesum of DIR equals SUM, after applying the sed script, if
# any, to both
same_tree() {
	local mine=/tmp/sum.$$.${1##*/} theirs=/tmp/wanted.$$.${1##*/} status=0
	if ! treesum "$1" >"$mine"; then
		status=1
	fi
	ln -sf "$2" "$theirs"
	if [ -n "${3-}" ]; then
		rm "$theirs"
		sed -E "$3" "$2" >"$theirs"
		sed -i -E "$3" "$mine"
	fi
	if ! cmp -s "$theirs" "$mine"; then
		diff "$theirs" "$mine" | head -n 12 | cut -c1-300
		status=1
	fi
	[ -s "$mine" ] || status=1
	rm -f "$mine" "$theirs"
	return $status
}
