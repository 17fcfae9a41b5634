# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 300
# where: stock debug
# The disk loses a part of a cache file: it is asked for again, and read right; or does not
# take what is written to it: nothing of that is data. And files of /proc that are read
# while everything else goes on.

DISK=/tmp/lost
OD_CACHE=/mnt/lost/cache
IMAGE=v-4096-plain
export DM_DISABLE_UDEV=1

load_dm() {
	[ ! -e /modules/disks/dm-mod.ko ] || insmod /modules/disks/dm-mod.ko
	dmsetup version >/dev/null 2>&1
}

# table TEXT...: what the disk is made of from now on, a line each
table() {
	dmsetup suspend --noflush --nolockfs lost && printf '%s\n' "$@" | dmsetup reload lost &&
		dmsetup resume lost
}

# lose SECTOR NR: these
lose() {
	table "0 $1 linear $loop 0" "$1 $2 error" "$(($1 + $2)) $((sectors - $1 - $2)) linear $loop $(($1 + $2))"
}

whole_disk() {
	table "0 $sectors linear $loop 0"
}

new_disk() {
	sectors=131072
	truncate -s 64M $DISK
	loop=$(losetup -f)
	mkdir -p /mnt/lost
	losetup "$loop" $DISK && dmsetup create lost --table "0 $sectors linear $loop 0" &&
		/usr/bin/mke2fs -q -t ext4 -F /dev/mapper/lost && mount -t ext4 /dev/mapper/lost /mnt/lost
}

old_disk() {
	od_unload && umount /mnt/lost && dmsetup remove lost && losetup -d "$loop"
}

fill_all() {
	od_mount /mnt/a fsid=$IMAGE && same_tree /mnt/a $OD_SUMS/small
}

nr_reads() {
	grep -c READ /tmp/fake.log
}

# lost_part: the file's data, and where it is on the disk
lost_part() {
	file=/mnt/a/b/many/a-name-of-some-length-7
	offset=$(oddriver where $file 0) && cached=$(od_cache_file $IMAGE) &&
		sector=$(($(oddriver where "$cached" "$offset") / 512))
}

lose_and_read() {
	ok "daemon" fake --wide
	ok "all is there" fill_all
	umount /mnt/a
	kill_daemons
	od_wait 5 od_daemon_is none
	ok "another daemon" fake
	ok "mount" od_mount /mnt/a fsid=$IMAGE
	lost_part
	ok "where a file is" test "$sector" -gt 0
	before=$(nr_reads)
	od_drop_caches
	ok "its sectors fail" lose $((sector - sector % 8)) 8
	# Until there are sectors to write to.
	killall -STOP fakedaemon
	od_log_mark
	cat $file >/tmp/got 2>/tmp/why &
	reader=$!
	ok "the daemon is asked again" od_wait 20 od_waiting 1
	ok "others take their place" whole_disk
	killall -CONT fakedaemon
	ok "the reader has it" od_wait 20 has_ended $reader
	ok "from the daemon" test "$(nr_reads)" -gt "$before"
	is "and right" "$(cat /tmp/got)" "file 7"
	ok "the log tells of it" sh -c "dmesg | grep -q 'D$IMAGE: read of .* failed: -5, dropping them'"
	before=$(nr_reads)
	od_drop_caches
	is "later too" "$(cat $file)" "file 7"
	is "and not fetched once more" "$(nr_reads)" "$before"
	umount /mnt/a
	kill_daemons
}

# A write of half a block goes through the page cache of the disk's file system, and what
# it leaves in the file if the disk takes nothing is zeroes. The blocks have their place
# beforehand, so that there is one that can fail.
lose_and_fill() {
	od_unload
	# No block comes along with another one.
	ok "modules" od_load window_kib=4
	od_fresh_cache
	ok "a daemon that writes half blocks" fake --piece 2048
	ok "mount" od_mount /mnt/a fsid=$IMAGE
	file=/mnt/a/b/many/a-name-of-some-length-7
	offset=$(oddriver where $file 0) && cached=$(od_cache_file $IMAGE) &&
		fallocate -l "$(stat -c %s "$cached")" "$cached"
	sector=$(($(oddriver where "$cached" "$offset") / 512))
	ok "where a file is to be" test "$sector" -gt 0
	sync
	ok "its sectors fail" lose $((sector - sector % 8)) 8
	: >/tmp/fake.log
	notok "what did not reach the disk is no data" cat $file
	ok "the daemon is told" grep -q '^pwrite .*error' /tmp/fake.log
	ok "others take their place" whole_disk
	is "then it can be read" "$(cat $file)" "file 7"
	od_drop_caches
	is "later too" "$(cat $file)" "file 7"
	umount /mnt/a
	kill_daemons
}

# read_proc: until told to end; status 1 if a file could not be read
read_proc() {
	while [ -e /tmp/reading ]; do
		cat $OD_PROC/blobs $OD_PROC/requests $OD_PROC/cache >/dev/null || return 1
	done
}

read_proc_meanwhile() {
	local readers='' status=0 pid
	touch /tmp/reading
	for pid in 1 2; do
		read_proc &
		readers="$readers $!"
	done
	for pid in 1 2 3; do
		od_mount /mnt/b fsid=$IMAGE && same_tree /mnt/b $OD_SUMS/small && umount /mnt/b &&
			od_mount /mnt/b domain_id=proc,fsid=twenty && find /mnt/b -type f -exec cat {} + >/dev/null &&
			umount /mnt/b || status=1
	done
	rm /tmp/reading
	for pid in $readers; do
		wait "$pid" || status=1
	done
	return $status
}

ok "modules" od_load
if load_dm; then
	if new_disk >/tmp/out 2>&1; then pass "a disk"; else fail "a disk" "$(cat /tmp/out)"; fi
	mkdir -p $OD_CACHE
	lose_and_read
	lose_and_fill
	ok "the disk is put away" old_disk
	rmmod dm_mod 2>/dev/null
	ok "modules" od_load
else
	skip "a disk that loses sectors" "the kernel has no device mapper"
fi
OD_CACHE=/mnt/scratch/cache
od_fresh_cache
for name in blobs requests cache; do
	is "$name is for root alone" "$(stat -c %a $OD_PROC/$name)" 400
done
is "control can be written alone" "$(stat -c %a $OD_PROC/control)" 200
ok "daemon" odd
ok "they can be read while blobs open, fill and close" read_proc_meanwhile
