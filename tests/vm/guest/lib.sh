# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# What guest tests use. Each test is a script that is sourced in a shell of its
# own with these functions; it reports by ok, notok and skip, one TAP-like line
# per fact. After each test the harness puts everything away and checks that
# both modules unload and that the kernel log is clean.

OD_COUNT=/run/od-count
OD_FAILED=/run/od-failed
OD_COMPLAINT='Oops|BUG:|WARNING:|UBSAN|KASAN|INFO: task|possible circular|suspicious RCU|general protection|Call Trace'
OD_STOCK='cachefiles|fscache|netfs|erofs'

od_next() {
	local n
	n=$(($(cat $OD_COUNT) + 1))
	echo $n >$OD_COUNT
	echo $n
}

# pass NAME, fail NAME [WHY...], skip NAME WHY, note TEXT: one line each
pass() {
	echo "ok $(od_next) - $OD_TEST: $1"
}

fail() {
	local name=$1
	shift
	echo "not ok $(od_next) - $OD_TEST: $name"
	[ $# = 0 ] || echo "$*" | head -n 20 | sed 's/^/#   /'
	echo 1 >>$OD_FAILED
}

skip() {
	echo "ok $(od_next) - $OD_TEST: $1 # SKIP $2"
}

note() {
	echo "# $*"
}

# ok NAME COMMAND...: passes if the command succeeds; its output shows if not
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

# notok NAME COMMAND...: passes if the command fails
notok() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		fail "$name" "succeeded: $*
$out"
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

od_end_of_test() {
	local complaints loaded
	od_put_away
	od_unload || fail "both modules unload" "$(cat /proc/modules; dmesg | tail -n 5)"
	loaded=$(cut -d' ' -f1 /proc/modules | grep -xE "$OD_STOCK")
	[ -z "$loaded" ] || fail "no stock module is loaded" "$loaded"
	complaints=$(dmesg | grep -E "$OD_COMPLAINT")
	[ -z "$complaints" ] || fail "the kernel log is clean" "$complaints"
}

od_run_test() {
	local status
	OD_TEST=$1
	dmesg -c >/dev/null
	echo "od-test: $OD_TEST" >/dev/kmsg
	if [ ! -e "/tests/$1.sh" ]; then
		fail "there is a test of this name"
		return
	fi
	(
		cd /tmp || exit 1
		. "/tests/$1.sh"
	)
	status=$?
	[ $status = 0 ] || fail "the test script ends well" "status $status"
	od_end_of_test
	note "$OD_TEST: $(cut -d' ' -f1 /proc/uptime) s"
}

# od_run_tests NAME...: status 1 if anything failed
od_run_tests() {
	local name
	echo 0 >$OD_COUNT
	rm -f $OD_FAILED
	for name in "$@"; do
		od_run_test "$name"
	done
	[ ! -e $OD_FAILED ]
}

# --- both modules ---

od_load() {
	insmod /modules/od/cachefiles_od.ko "$@" && insmod /modules/od/erofs_od.ko
}

od_unload() {
	local module
	for module in erofs_od cachefiles_od; do
		grep -q "^$module " /proc/modules || continue
		rmmod $module || return 1
	done
}

# --- putting away whatever a test left ---

od_put_away() {
	local dir
	kill_daemons
	grep -E ' (erofs|erofs_od|overlay) ' /proc/mounts | cut -d' ' -f2 | sort -r |
		while read -r dir; do
			umount "$dir" || fail "unmount of $dir"
		done
	umount /mnt/tmpfs 2>/dev/null
	# fds of killed processes are closed a moment after the kill
	sleep 0.2
}

kill_daemons() {
	local name
	for name in erofs-odd fakedaemon origin; do
		killall -9 $name 2>/dev/null && while pidof $name >/dev/null; do sleep 0.05; done
	done
	return 0
}
