# SPDX-License-Identifier: GPL-2.0-only
# seconds: 30, debug 90
# where: stock debug
# An image that is mounted again: with the same options both mounts are one superblock,
# also when the first still waits for the daemon. What a remount and umount -f change.

IMAGE=v-4096-plain
FILE=large/sequential

# mounting DIR OPTIONS: in the background; its pid is in $pid
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
is "they are one" "$(stat -c %d /mnt/a)" "$(stat -c %d /mnt/b)"
is "it is listed once" "$(grep -c "$IMAGE" /proc/fs/erofs_od/mounts)" 1
umount /mnt/a
umount /mnt/b

# --- the first one fails: the second one is on its own ---

mounting /mnt/a fsid=no-such-blob
first=$pid
od_wait 5 od_waiting 1
mounting /mnt/b fsid=no-such-blob
second=$pid
wait $first
is "the first fails" $? 255
wait $second
is "the second fails by itself" $? 255
kill_daemons
od_wait 5 od_daemon_is none

# --- a remount changes the deadline ---

ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=one
ok "another mount" od_mount /mnt/c domain_id=d,fsid=one
stat /mnt/c/$FILE >/dev/null
stat /mnt/a/$FILE >/dev/null
ok "remount" mount -o remount,ro,timeout=700 none /mnt/a
ok "the deadline shows" grep -q ' /mnt/a .*timeout=700' /proc/mounts
killall -STOP erofs-odd
before=$(od_uptime)
notok "a read that waits longer fails" dd if=/mnt/a/$FILE bs=4096 skip=8192 count=1
ok "soon" test $(($(od_uptime) - before)) -le 20
ok "remount without a deadline" mount -o remount,ro,timeout=none none /mnt/a
ok "that shows, too" grep -q ' /mnt/a .*timeout=none' /proc/mounts

# --- umount -f: what waits fails ---

dd if=/mnt/a/$FILE bs=4096 skip=10240 count=1 of=/dev/null 2>/tmp/out.dd &
reader=$!
ok "a reader waits" od_wait 5 od_waiting 1
notok "a forced unmount of what is in use" umount -f /mnt/a
wait $reader
is "the reader has an error" $? 1
ok "it can be unmounted" umount /mnt/a
killall -CONT erofs-odd
ok "the other mount reads on" dd if=/mnt/c/$FILE bs=4096 skip=10240 count=1 of=/dev/null
