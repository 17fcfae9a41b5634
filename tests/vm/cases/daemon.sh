# SPDX-License-Identifier: GPL-2.0-only
# seconds: 50, debug 250
# where: stock rows short debug
# thin
# A daemon that dies, stops or never replies: readers and mounts do not hang,
# unmount works, present data is served, and a new daemon takes over. od.thin=N:
# an Nth of a thousand requests at once
ends_within() {
	local seconds=$1
	shift
	od_wait "$seconds" has_ended "$1"
}

start_readers() {
	oddriver wait-readers /mnt/a/large/sequential "$1" >/tmp/readers 2>&1 &
	READERS=$!
}

ok "setup" od_setup

# killed with readers waiting
ok "a slow daemon" fake --delay-ms 300
ok "mount" od_mount /mnt/a fsid=one
ls /mnt/a/large >/dev/null
stat /mnt/a/large/sequential >/dev/null
killall -STOP fakedaemon
start_readers 8
ok "readers wait" od_wait 5 od_waiting 8
killall -9 fakedaemon
ok "the readers return" ends_within 10 $READERS
is "each with EIO" "$(sort /tmp/readers | uniq -c | sed 's/^ *//')" '8 Input/output error'
ok "the daemon has exited" od_wait 5 od_daemon_is gone
ok "unmount" od_umount /mnt/a
kill_daemons

# killed with 1, 32, 1000 requests in flight
blocks_of() {
	local block
	for block in $(seq "$1"); do
		dd if=/mnt/a/large/sequential of=/dev/null bs=4096 skip=$((1000 + block * 11)) count=1 iflag=direct 2>/dev/null &
	done
}

# A thousand processes are too many to check one by one.
no_reader() {
	cat /proc/[0-9]*/status 2>/dev/null | awk '
		/^Name:/ { dd = $2 == "dd" }
		/^State:/ && dd && $2 !~ /[ZX]/ { left = 1 }
		END { exit left }'
}

outstanding() {
	local nr=$1
	od_fresh_cache
	ok "$nr requests: daemon" fake
	ok "$nr requests: mount" od_mount /mnt/a fsid=one
	stat /mnt/a/large/sequential >/dev/null
	killall -STOP fakedaemon
	blocks_of "$nr"
	ok "$nr requests: are in flight" od_wait 60 od_waiting "$nr"
}

# Each block is a separate request: direct I/O has no readahead.
for nr in 1 32 $((1000 / $(od_arg thin 1))); do
	outstanding $nr
	killall -9 fakedaemon
	ok "$nr requests: the readers return" od_wait 60 no_reader
	wait
	is "$nr requests: none is left" "$(grep -c '^[0-9]' $OD_PROC/requests)" 0
	ok "$nr requests: unmount" od_umount /mnt/a
	kill_daemons
done
od_unload
od_load

# killed readers
od_fresh_cache
fake
ok "mount" od_mount /mnt/a fsid=one
stat /mnt/a/large/sequential >/dev/null
killall -STOP fakedaemon
cat /mnt/a/large/sequential >/dev/null &
reader=$!
ok "a reader waits" od_wait 5 od_waiting 1
kill -9 $reader
ok "a waiting reader can be killed" ends_within 5 $reader
ok "unmount while the daemon is stopped" od_umount /mnt/a
mount -t erofs_od -o ro,fsid=one none /mnt/b 2>/dev/null &
mounter=$!
sleep 1
ok "a mount waits for a stopped daemon" kill -0 $mounter
ok "sync does not wait for it" timeout -s KILL 30 sync
ok "nor does drop_caches, which walks all superblocks" timeout -s KILL 60 sh -c 'echo 2 >/proc/sys/vm/drop_caches'
kill -9 $mounter
ok "the mount can be killed" ends_within 5 $mounter
kill_daemons

# an OPEN without a reply
od_fresh_cache
fake --mute-open
mount -t erofs_od -o ro,fsid=one none /mnt/b 2>/dev/null &
mounter=$!
ok "the daemon reads the OPEN" od_wait 5 grep -q OPEN /tmp/fake.log
ok "the mount waits" kill -0 $mounter
kill -9 $mounter
ok "and can be killed" ends_within 5 $mounter
mount_fails "timeout= ends the wait for an OPEN" fsid=v-4096-flat,timeout=500 'timed out'
kill_daemons

# a READ without a reply, with a deadline
od_fresh_cache
fake --mute-read
mount_fails "timeout= ends the wait for a READ" fsid=one,timeout=500 'timed out'
kill_daemons
od_unload
od_load timeout_ms=500
od_fresh_cache
fake --mute-read
mount_fails "timeout_ms= does so for all mounts" fsid=one 'timed out'
kill_daemons
od_unload
ok "setup again" od_setup

# present data outlives the daemon, a new daemon takes over
fake
ok "mount" od_mount /mnt/a fsid=v-4096-plain
ok "all of it is read" same_tree /mnt/a $OD_SUMS/small
ok "mount of a large image" od_mount /mnt/b fsid=one
ok "a part of it is read" head -c 100000 /mnt/b/large/sequential
killall -9 fakedaemon
ok "the daemon has exited" od_wait 5 od_daemon_is gone
od_drop_caches
ok "present data is right" same_tree /mnt/a $OD_SUMS/small
ok "missing data reads as an error" sh -c \
	"timeout 60 cat /mnt/b/large/sequential 2>&1 >/dev/null | grep -q 'Input/output error'"
umount /mnt/a
ok "an image that is entirely present mounts without a daemon" od_mount /mnt/a fsid=v-4096-plain
ok "and is right" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
ok "a new daemon binds to the same directory" odd
ok "the mounted image fetches from it" timeout 120 cmp /mnt/b/large/sequential /mnt/b/large/sequential
ok "its data is right" sh -c "treesum /mnt/b/large | grep '^sequential ' | cut -d' ' -f10 >/tmp/a
	grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10 | cmp - /tmp/a"
