# SPDX-License-Identifier: GPL-2.0-only
# seconds: 30, debug 120
# where: stock debug
# What a reader had from the daemon is in the cache, even if the reader gets it before it is
# stored, and unmounts at once. The daemon shares a processor with a busy task here, so that all of
# that can happen between its serving of a reader and its store.
FILE=/mnt/a/large/sequential
BLOCKS="3000 6000 9000 12000"

# block NR: reads a block of the file
block() {
	dd if=$FILE bs=4096 skip="$1" count=1 of=/tmp/block."$1" 2>/dev/null
}

# slow_down PID: all of its threads to the second processor, with little of it
slow_down() {
	local thread
	for thread in /proc/"$1"/task/*; do
		taskset -p 2 "${thread##*/}" && renice -n 19 -p "${thread##*/}" || return 1
	done >/dev/null
}

ok "setup" od_setup
ok "daemon" odd
ok "another image keeps the cache in use" od_mount /mnt/b fsid=v-4096-plain
ok "slow daemon" slow_down "$(pidof erofs-odd)"
for nr in $BLOCKS; do
	ok "mount" od_mount /mnt/a fsid=one
	stat $FILE >/dev/null
	taskset 2 sh -c 'while :; do :; done' &
	busy=$!
	ok "block $nr is read" block "$nr"
	umount /mnt/a &
	umounter=$!
	sleep 0.5
	kill $busy
	ok "and the image unmounted" od_wait 10 has_ended $umounter
	sleep 1
done
kill_daemons
od_wait 5 od_daemon_is gone
ok "mount without a daemon" od_mount /mnt/a fsid=one
for nr in $BLOCKS; do
	mv "/tmp/block.$nr" "/tmp/had.$nr"
	ok "block $nr is in the cache" block "$nr"
	ok "with the same data" cmp "/tmp/had.$nr" "/tmp/block.$nr"
done
umount /mnt/a
umount /mnt/b
