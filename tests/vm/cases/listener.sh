# SPDX-License-Identifier: GPL-2.0-only
# seconds: 35, debug 200
# where: stock rows debug
# A fanotify listener for permission events on the cache's file system that never
# replies: reads, fills and deadlines must not generate such events.
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

# ends_in SECONDS COMMAND...: the command succeeds within that time; its output is in
# /tmp/ends-in
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

# a_deadline: a read of a block that the daemon does not fill times out
a_deadline() {
	ends_in 15 sh -c "! dd if=$LARGE of=/dev/null bs=4096 count=1 skip=9000 iflag=direct"
}

with_listener() {
	local name=$1
	shift
	od_fresh_cache
	ok "$name: daemon" odd
	ok "$name: mount" od_mount /mnt/a fsid=one
	ok "$name: mount of an image with inline tails" od_mount /mnt/b fsid=v-512-flat
	stat $LARGE >/dev/null
	if ! start_listener "$@"; then
		skip "$name" "$(cat /tmp/listener)"
		umount /mnt/a /mnt/b
		kill_daemons
		return
	fi
	file=$(find $OD_CACHE/cache -name Done)
	dd if="$file" of=/dev/null bs=1 count=1 2>/dev/null &
	ok "$name: the listener gets the event of a direct reader of the cache file" od_wait 10 grep -q Done /tmp/listener
	notok "$name: that reader is blocked" has_ended $!
	kill -9 $!
	ok "$name: fills and reads" large_is_right
	od_drop_caches
	ok "$name: reads of cached data" large_is_right
	ok "$name: fills and reads of the image with tails" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	od_drop_caches
	ok "$name: reads of its cached data" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	ok "$name: unmount" od_umount /mnt/b
	ok "$name: unmount of the other" od_umount /mnt/a
	# erofs-odd reads the maps of blobs that it opens, and would block itself.
	kill_daemons
	od_wait 5 od_daemon_is none
	ok "$name: a daemon that opens no file of the cache" fake
	ok "$name: mount of a cached image" ends_in 10 od_mount /mnt/a fsid=one
	if [ "$*" = precontent ]; then
		skip "$name: mount of an image that is not cached" "setting the size of a new file generates an event"
	else
		ok "$name: mount of an image that is not cached" ends_in 10 od_mount /mnt/b fsid=v-4096-flat
		ok "$name: it is read" ends_in 20 same_tree /mnt/b $OD_SUMS/small
	fi
	note "$name: $(grep -c pid /tmp/listener) events"
	stop_listener
	ok "$name: listener stopped: unmount" od_umount /mnt/a
	! grep -q ' /mnt/b ' /proc/mounts || ok "$name: listener stopped: unmount of the other" od_umount /mnt/b
	kill_daemons
	od_wait 10 od_daemon_is none
}

ok "setup" od_setup
# Since 6.14 every open generates an event.
case $(uname -r) in
[7-9].* | 6.1[4-9].*)
	skip "FAN_OPEN_PERM" "every open generates an event on this kernel"
	with_listener "FAN_ACCESS_PERM" access
	;;
*) with_listener "FAN_OPEN_PERM and FAN_ACCESS_PERM" open access ;;
esac
with_listener "FAN_PRE_ACCESS" precontent

# deadlines
od_fresh_cache
ok "a daemon that will be stopped" fake
ok "mount with a deadline" od_mount /mnt/a fsid=one,timeout=2000
stat $LARGE >/dev/null
# Not in "ok", which runs it in a subshell: LISTENER is needed to stop it.
start_listener access
ok "listener" grep -q ready /tmp/listener
killall -STOP fakedaemon
ok "the deadline passes" a_deadline
killall -CONT fakedaemon
stop_listener
ok "unmount" od_umount /mnt/a
kill_daemons
