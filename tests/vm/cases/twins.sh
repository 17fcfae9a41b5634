# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 120
# where: stock debug
# An image mounted twice: with the same options both mounts share one superblock, even if
# the first one still waits for the daemon. And the effects of remount and umount -f.

IMAGE=v-4096-plain
FILE=large/sequential

# mounting DIR OPTIONS: mounts in the background; sets pid
mounting() {
	od_mount "$1" "$2" >/tmp/out.mount 2>&1 &
	pid=$!
}

mkdir -p /mnt/a /mnt/b /mnt/c
ok "setup" od_setup

# --- the first one still waits for its OPEN ---

ok "a daemon that is slow to reply" fake --delay-ms 3000
mounting /mnt/a fsid=$IMAGE
first=$pid
od_wait 5 od_waiting 1
mounting /mnt/b fsid=$IMAGE
second=$pid
wait $first
is "the first mounts" $? 0
wait $second
is "the second mounts, too" $? 0
is "they share one superblock" "$(stat -c %d /mnt/a)" "$(stat -c %d /mnt/b)"
is "it is listed once" "$(grep -c "$IMAGE" /proc/fs/erofs_od/mounts)" 1
umount /mnt/a
umount /mnt/b

# --- the first one fails: the second one sends its own OPEN ---

mounting /mnt/a fsid=no-such-blob
first=$pid
od_wait 5 od_waiting 1
mounting /mnt/b fsid=no-such-blob
second=$pid
wait $first
is "the first fails" $? 255
wait $second
is "the second fails, too" $? 255
kill_daemons
od_wait 5 od_daemon_is none

# --- a remount changes the deadline ---

ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=one
ok "another mount" od_mount /mnt/c domain_id=d,fsid=one
is "readahead has one setting for all mounts" "$(cat /sys/class/bdi/erofs_od/read_ahead_kb)" 128
stat /mnt/c/$FILE >/dev/null
stat /mnt/a/$FILE >/dev/null
ok "remount" mount -o remount,ro,timeout=700 none /mnt/a
ok "the deadline shows" grep -q ' /mnt/a .*timeout=700' /proc/mounts
killall -STOP erofs-odd
before=$(od_uptime)
notok "a read that waits longer fails" dd if=/mnt/a/$FILE bs=4096 skip=8192 count=1
ok "in time" test $(($(od_uptime) - before)) -le 20
ok "remount without a deadline" mount -o remount,ro,timeout=none none /mnt/a
ok "timeout=none shows" grep -q ' /mnt/a .*timeout=none' /proc/mounts

# --- umount -f: waiting reads fail ---

dd if=/mnt/a/$FILE bs=4096 skip=10240 count=1 of=/dev/null 2>/tmp/out.dd &
reader=$!
ok "a reader waits" od_wait 5 od_waiting 1
notok "a forced unmount of a mount in use" umount -f /mnt/a
wait $reader
is "the reader fails" $? 1
ok "it can be unmounted" umount /mnt/a
killall -CONT erofs-odd
ok "the other mount is not affected" dd if=/mnt/c/$FILE bs=4096 skip=10240 count=1 of=/dev/null
umount /mnt/a /mnt/c
kill_daemons

# --- umount -f: directories in a blob that is data of one mount, metadata of another ---

# counts DIR OUT: counts the names of a directory in the background; sets pid
counts() {
	dirways count "$1" >"$2" 2>&1 &
	pid=$!
}

# forced_beside NAME DIR OTHER: unmounts DIR by force while both read the same directory
forced_beside() {
	local name=$1 dir=$2 other=$3 reader other_reader
	od_fresh_cache
	ok "$name: a daemon" fake
	ok "$name: a mount with a data blob" od_mount /mnt/a domain_id=d,fsid=over
	ok "$name: a mount of that blob" od_mount /mnt/c domain_id=d,fsid=v-4096-flat
	stat /mnt/a/b/many /mnt/c/b/many >/dev/null
	killall -STOP fakedaemon
	counts "$dir/b/many" /tmp/out.count
	reader=$pid
	ok "$name: a reader waits" od_wait 5 od_waiting 1
	counts "$other/b/many" /tmp/out.other
	other_reader=$pid
	notok "$name: a forced unmount of a mount in use" umount -f "$dir"
	ok "$name: the reader returns" od_wait 10 has_ended $reader
	wait $reader
	is "$name: it fails" $? 1
	counts "$dir/b/many" /tmp/out.count
	ok "$name: a new reader returns" od_wait 10 has_ended $pid
	ok "$name: it can be unmounted" umount "$dir"
	notok "$name: the reader of the other mount still waits" has_ended $other_reader
	killall -CONT fakedaemon
	wait $other_reader
	is "$name: the reader of the other mount succeeds" $? 0
	is "$name: with all names" "$(cat /tmp/out.other)" "302 entries"
	umount "$other"
	kill_daemons
}

forced_beside "directory in a data blob" /mnt/a /mnt/c
forced_beside "directory in a primary blob that is shared" /mnt/c /mnt/a

# --- a context without a superblock does not block mounts ---

od_fresh_cache
ok "a daemon that opens nothing" fake --mute-open
fscontext fsid=one timeout=500 >/tmp/context 2>&1 &
context=$!
ok "a context: fails to create its superblock" od_wait 20 grep -q 'timed out' /tmp/context
kill_daemons
ok "daemon" odd
ok "a context: a mount with other options, while it is open" od_mount /mnt/a fsid=one
ok "a context: it is still open" kill $context
ok "the mount is right" dd if=/mnt/a/$FILE bs=4096 count=1 of=/dev/null
