# SPDX-License-Identifier: GPL-2.0-only
# seconds: 30, debug 200
# where: stock rows debug kasan
# The cache's file system is frozen (fsfreeze): only tasks that write to it wait, and
# readers that need more than one write, until they are killed or it thaws. Everything else works.
LARGE=/mnt/a/large/sequential

# in_time NAME COMMAND...: succeeds within 10 s
in_time() {
	local name=$1
	shift
	"$@" >/tmp/in-time 2>&1 &
	if od_wait 10 has_ended $!; then
		wait $! && pass "$name" && return
		fail "$name" "$(cat /tmp/in-time)"
	else
		fail "$name" "it hangs: $(cat /proc/$!/wchan /proc/$!/stack)"
	fi
}

# waits NAME PID: the process is still running after a second
waits() {
	sleep 1
	notok "$1 waits" has_ended "$2"
}

# ends NAME PID: the process ends when it is killed
ends() {
	kill -9 "$2"
	ok "$1 exits when killed" od_wait 5 has_ended "$2"
}

cull_other() {
	od_control cull "$other"
}

# Prints the number of threads of the daemon that sleep in write(2) or pwrite(2).
writers() {
	local nr=0 thread
	for thread in /proc/"$(pidof erofs-odd)"/task/*; do
		case $(cat "$thread/syscall" 2>/dev/null) in
		1\ * | 18\ *) nr=$((nr + 1)) ;;
		esac
	done
	echo $nr
}

a_writer() {
	[ "$(writers)" -gt 0 ]
}

everything_else() {
	in_time "$1: files in /proc" sh -c "cat $OD_PROC/cache $OD_PROC/blobs $OD_PROC/requests"
	in_time "$1: mount of another, cached image" od_mount /mnt/b fsid=v-4096-plain
	in_time "$1: it is read" same_tree /mnt/b $OD_SUMS/small
	in_time "$1: it is unmounted" umount /mnt/b
	in_time "$1: inuse" od_control inuse "$other"
}

ok "setup" od_setup
ok "daemon" odd
for image in v-4096-plain v-4096-flat; do
	ok "mount of $image" od_mount /mnt/b fsid=$image
	ok "$image is read" same_tree /mnt/b $OD_SUMS/small
	umount /mnt/b
done
other=$(find $OD_CACHE/cache -name Dv-4096-flat)
ok "mount" od_mount /mnt/a fsid=one
stat $LARGE >/dev/null

ok "freeze" fsfreeze --freeze /mnt/scratch
everything_else "frozen"
cat $LARGE >/dev/null 2>&1 &
READER=$!
ok "the daemon blocks in a write" od_wait 10 a_writer
waits "a reader" $READER
everything_else "the daemon blocked"

cull_other >/dev/null 2>&1 &
CULLER=$!
waits "cull" $CULLER
everything_else "cull waiting"
ends "cull" $CULLER
ok "and has removed nothing" test -e "$other"

od_mount /mnt/b fsid=v-4096-chunk >/dev/null 2>&1 &
MOUNTER=$!
waits "mount of an image that is not cached" $MOUNTER
in_time "meanwhile: a third image" sh -c \
	'mkdir -p /mnt/c && mount -t erofs_od -o ro,fsid=v-4096-flat none /mnt/c && umount /mnt/c'
kill -9 $MOUNTER
killall -9 mount 2>/dev/null
ok "the waiting mount exits when killed" od_wait 5 has_ended $MOUNTER

ends "the reader" $READER
ok "unmount while the daemon is blocked" od_umount /mnt/a
DAEMON=$(pidof erofs-odd)
kill -9 "$DAEMON"
ok "the daemon exits when killed" od_wait 5 has_ended "$DAEMON"
ok "the cache has no daemon" od_wait 5 od_daemon_is none
ok "thaw" fsfreeze --unfreeze /mnt/scratch

# a reader and a cull that wait until it thaws
ok "another daemon" odd
ok "mount" od_mount /mnt/a fsid=one
ok "freeze again" fsfreeze --freeze /mnt/scratch
in_time "frozen: 4 KiB that are missing are served before they are stored" \
	dd if=$LARGE of=/tmp/frozen.block bs=4096 skip=10240 count=1
sha256sum $LARGE >/tmp/frozen.sum 2>&1 &
READER=$!
cull_other >/dev/null 2>&1 &
CULLER=$!
waits "a reader" $READER
waits "cull" $CULLER
ok "thaw" fsfreeze --unfreeze /mnt/scratch
ok "the reader finishes" od_wait 60 has_ended $READER
is "with the right data" "$(cut -d' ' -f1 /tmp/frozen.sum)" \
	"$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)"
od_drop_caches
dd if=$LARGE of=/tmp/thawed.block bs=4096 skip=10240 count=1 2>/dev/null
ok "as had what was read while it was frozen" cmp /tmp/frozen.block /tmp/thawed.block
ok "cull finishes" od_wait 10 has_ended $CULLER
ok "and has removed the file" test ! -e "$other"
umount /mnt/a
kill_daemons

# a write(2) of 2 GiB
od_fresh_cache
ok "a daemon that fills 2 GiB at once" fake --lie $((2 << 30)) --burst $((2 << 30))
od_mount /mnt/a fsid=v-4096-flat >/dev/null 2>&1 &
MOUNTER=$!
ok "it is writing" od_wait 10 sh -c "[ \$(awk '\$1 == \"bytes_filled\" { print \$2 }' $OD_PROC/cache) -gt 1000000 ]"
DAEMON=$(pidof fakedaemon)
ok "and has not exited" test -n "$DAEMON"
kill -9 "$DAEMON"
ok "killed, it exits at once" od_wait 2 has_ended "$DAEMON"
filled=$(od_counter bytes_filled)
note "$filled bytes of 2147479552 were written"
ok "long before the end" test "$filled" -lt $((1 << 30))
ok "the mount returns" od_wait 10 has_ended $MOUNTER
umount /mnt/a 2>/dev/null
kill_daemons
od_fresh_cache
