# SPDX-License-Identifier: GPL-2.0-only
# seconds: 35, debug 200
# where: stock rows debug
# fanotify: somebody wants to be asked before a file of the cache's file system is
# opened or read, and never answers. Reads, fills and deadlines do not ask.
LARGE=/mnt/a/large/sequential
wanted=$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)

# start_listener EVENT...
start_listener() {
	: >/tmp/listener
	deaflistener /mnt/scratch "$@" >/tmp/listener 2>&1 &
	LISTENER=$!
	od_wait 5 grep -q ready /tmp/listener
}

stop_listener() {
	kill -9 $LISTENER
	od_wait 5 has_ended $LISTENER
}

# ends_in SECONDS COMMAND...: its output is in /tmp/ends-in
ends_in() {
	local seconds=$1
	shift
	"$@" >/tmp/ends-in 2>&1 &
	od_wait "$seconds" has_ended $! && wait $! && return
	cat /tmp/listener /tmp/ends-in
	kill -9 $!
	return 1
}

large_is_right() {
	ends_in 40 sha256sum $LARGE && [ "$(cut -d' ' -f1 /tmp/ends-in)" = "$wanted" ]
}

# a_deadline: passes, for a block that the daemon does not fill
a_deadline() {
	ends_in 15 sh -c "! dd if=$LARGE of=/dev/null bs=4096 count=1 skip=9000 iflag=direct"
}

with_listener() {
	local name=$1
	shift
	od_fresh_cache
	ok "$name: daemon" odd
	ok "$name: mount" od_mount /mnt/a fsid=one
	ok "$name: mount of one with tails" od_mount /mnt/b fsid=v-512-flat
	stat $LARGE >/dev/null
	if ! start_listener "$@"; then
		skip "$name" "$(cat /tmp/listener)"
		umount /mnt/a /mnt/b
		kill_daemons
		return
	fi
	file=$(find $OD_CACHE/cache -name Done)
	dd if="$file" of=/dev/null bs=1 count=1 2>/dev/null &
	ok "$name: the listener holds up who reads the file itself" od_wait 10 grep -q Done /tmp/listener
	notok "$name: who is still waiting" has_ended $!
	kill -9 $!
	ok "$name: fills and reads" large_is_right
	od_drop_caches
	ok "$name: reads of what is cached" large_is_right
	ok "$name: fills and reads of the one with tails" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	od_drop_caches
	ok "$name: reads of it" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	ok "$name: unmount" od_umount /mnt/b
	ok "$name: unmount of the other" od_umount /mnt/a
	# erofs-odd looks at the map of what it is asked for, and would be held up itself.
	kill_daemons
	od_wait 5 od_daemon_is none
	ok "$name: a daemon that opens no file of the cache" fake
	ok "$name: a mount of what is cached" ends_in 10 od_mount /mnt/a fsid=one
	if [ "$*" = precontent ]; then
		skip "$name: a mount of what is not" "the kernel asks about the length that a new file is given"
	else
		ok "$name: a mount of what is not" ends_in 10 od_mount /mnt/b fsid=v-4096-flat
		ok "$name: it is read" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	fi
	note "$name: $(grep -c pid /tmp/listener) events"
	stop_listener
	ok "$name: without the listener: unmount" od_umount /mnt/a
	! grep -q ' /mnt/b ' /proc/mounts || ok "$name: and the other" od_umount /mnt/b
	kill_daemons
	od_wait 10 od_daemon_is none
}

ok "setup" od_setup
# Since 6.14 nothing keeps an open from being asked about.
case $(uname -r) in
[7-9].* | 6.1[4-9].*)
	skip "FAN_OPEN_PERM" "this kernel asks about every open"
	with_listener "FAN_ACCESS_PERM" access
	;;
*) with_listener "FAN_OPEN_PERM and FAN_ACCESS_PERM" open access ;;
esac
with_listener "FAN_PRE_ACCESS" precontent

# deadlines
od_fresh_cache
ok "a daemon that gets stuck" fake
ok "mount with a deadline" od_mount /mnt/a fsid=one,timeout=2000
stat $LARGE >/dev/null
# Not in "ok", whose shell is another one: the listener is to be stopped.
start_listener access
ok "listener" grep -q ready /tmp/listener
killall -STOP fakedaemon
ok "the deadline passes" a_deadline
killall -CONT fakedaemon
stop_listener
ok "unmount" od_umount /mnt/a
kill_daemons
