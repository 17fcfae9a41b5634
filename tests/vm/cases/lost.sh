# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 300
# where: stock debug
# Sectors of a cache file fail on read: their data is requested again, and reads are right; or
# on write: no part of the write counts as data. A mount that ends while one is read on its
# behalf. And /proc files that are read while blobs are opened, filled and closed.

DISK=/tmp/lost
OD_CACHE=/mnt/lost/cache
IMAGE=v-4096-plain
COPIES=$OD_MNT/scratch/lost
export DM_DISABLE_UDEV=1

load_dm() {
	[ ! -e /modules/disks/dm-mod.ko ] || insmod /modules/disks/dm-mod.ko
	dmsetup version >/dev/null 2>&1
}

# table TEXT...: loads a new device-mapper table, one argument per line
table() {
	dmsetup suspend --noflush --nolockfs lost && printf '%s\n' "$@" | dmsetup reload lost &&
		dmsetup resume lost
}

# lose SECTOR NR: these sectors fail
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

nr_reads() {
	grep -c READ /tmp/fake.log
}

# lost_part: sets file, and sector, the location of its data on the disk
lost_part() {
	file=/mnt/a/b/many/a-name-of-some-length-7
	offset=$(oddriver where $file 0) && cached=$(od_cache_file $IMAGE) &&
		sector=$(($(oddriver where "$cached" "$offset") / 512))
}

lose_and_read() {
	ok "daemon" fake --wide
	ok "all data is filled" od_mount_right $IMAGE
	umount /mnt/a
	kill_daemons
	od_wait 5 od_daemon_is none
	ok "another daemon" fake
	ok "mount" od_mount /mnt/a fsid=$IMAGE
	lost_part
	ok "the sector of a file is known" test "$sector" -gt 0
	before=$(nr_reads)
	od_drop_caches
	ok "its sectors fail" lose $((sector - sector % 8)) 8
	# Stops the daemon until the sectors can be written again.
	killall -STOP fakedaemon
	od_log_mark
	cat $file >/tmp/got 2>/tmp/why &
	reader=$!
	ok "the data is requested again" od_wait 20 od_waiting 1
	ok "the sectors are replaced" whole_disk
	killall -CONT fakedaemon
	ok "the reader returns" od_wait 20 has_ended $reader
	ok "with data from the daemon" test "$(nr_reads)" -gt "$before"
	is "which is right" "$(cat /tmp/got)" "file 7"
	ok "the failed read is logged" sh -c "dmesg | grep -q 'D$IMAGE: read of .* failed: -5, dropping them'"
	before=$(nr_reads)
	od_drop_caches
	is "a later read is right, too" "$(cat $file)" "file 7"
	is "and fetches nothing" "$(nr_reads)" "$before"
	umount /mnt/a
	kill_daemons
}

# lost_extent: the sector of an extent in the middle of $code fails; nothing else may be unreadable
lost_extent() {
	od_drop_caches
	ok "$1: a sector fails" lose $sector 1
	is "$1: only its extent cannot be read" \
		"$(oddriver confined $code /tmp/code $first $last 2>&1)" "Input/output error"
	ok "$1: the sector is replaced" whole_disk
}

# What is read ahead reads many extents at once. A lost block costs one: of the others nothing is
# requested again. Without a daemon it costs that only until it can be read again.
lose_alone() {
	local code=/mnt/a/data/code first last
	ok "daemon" fake --wide
	ok "mount of a compressed image" od_mount /mnt/a fsid=z-lz4
	ok "a file is filled" cp $code /tmp/code
	# Logical and physical offset, length, flags
	# shellcheck disable=SC2046 # several words
	set -- $(readways fiemap $code | awk '$1 > 300000 { print; exit }')
	sector=$(($(oddriver where "$(od_cache_file z-lz4)" "$2") / 512))
	first=$1
	last=$(($1 + $3))
	ok "short waits" mount -o remount,ro,timeout=300 none /mnt/a
	killall -STOP fakedaemon
	lost_extent "a daemon that is stopped"
	killall -CONT fakedaemon
	ok "longer waits" mount -o remount,ro,timeout=60000 none /mnt/a
	ok "then the whole file can be read" cmp $code /tmp/code
	kill_daemons
	ok "the daemon is gone" od_wait 5 od_daemon_is gone
	lost_extent "no daemon"
	ok "then the whole file can be read, still without a daemon" cmp $code /tmp/code
	umount /mnt/a
	rm /tmp/code
}

# pieces: prints the number of pieces of reads that wait for the daemon
pieces() {
	awk -F'\t' 'NR > 1 { n += $6 } END { print n + 0 }' $OD_PROC/blobs
}

is_asleep() {
	grep -q '^State:	D' "/proc/$1/status"
}

# find_block: sets sector, the location on the disk of the only block of data; other cache files
# are those of the images
find_block() {
	local cached from
	find $OD_CACHE/cache -name 'D*' ! -name 'Dcopy*' >/tmp/data
	while read -r cached; do
		from=$(readways seek "$cached" | awk '$1 == "data" { print $2; exit }')
		[ -z "$from" ] || sector=$(($(oddriver where "$cached" "$from") / 512))
	done </tmp/data
}

# A mount is unmounted while the disk reads a page on its behalf that another mount shares. Only
# then that read fails, and its data is requested from the daemon.
end_while_reading() {
	local file=large/sequential offset=4096000 reader mount
	od_unload
	ok "modules" od_load window_kib=4
	od_fresh_cache
	mkdir -p $COPIES
	ok "two images of the same chunks" oddimage copies $OD_BLOBS/boot $COPIES/copy 2
	ok "daemon" odd --source=$COPIES --source=$OD_BLOBS
	ok "a mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
	ok "another mount" od_mount /mnt/b domain_id=d,fsid=copy1,share=on
	ok "a block is read" readways fault /mnt/a/$file $offset
	sector=0
	find_block
	ok "its sector is known" test "$sector" -gt 0
	ok "its page is dropped" readways dontneed /mnt/a/$file
	killall -STOP erofs-odd
	ok "the disk stops" dmsetup suspend --noflush --nolockfs lost
	readways fault /mnt/a/$file $offset >/tmp/out 2>&1 &
	reader=$!
	ok "a reader waits for the disk" od_wait 10 is_asleep $reader
	kill -9 $reader
	ok "it is killed" od_wait 10 has_ended $reader
	umount /mnt/a &
	mount=$!
	sleep 1
	notok "its mount does not end before the read" has_ended $mount
	ok "the read fails" lose $((sector - sector % 8)) 8
	ok "the mount ends" od_wait 20 has_ended $mount
	is "and no read on its behalf is left" "$(pieces)" 0
	ok "the sectors are replaced" whole_disk
	killall -CONT erofs-odd
	ok "the other mount gets the block" readways fault /mnt/b/$file $offset
	umount /mnt/b
	kill_daemons
	rm -r $COPIES
}

# A write of half a block goes through the page cache of the disk's file system; if the disk
# write fails, the file has zeroes there. The blocks are preallocated, so that the sector to
# fail is known.
lose_and_fill() {
	od_unload
	# Without widening, each block is requested separately.
	ok "modules" od_load window_kib=4
	od_fresh_cache
	ok "a daemon that writes half blocks" fake --piece 2048
	ok "mount" od_mount /mnt/a fsid=$IMAGE
	file=/mnt/a/b/many/a-name-of-some-length-7
	offset=$(oddriver where $file 0) && cached=$(od_cache_file $IMAGE) &&
		fallocate -l "$(stat -c %s "$cached")" "$cached"
	sector=$(($(oddriver where "$cached" "$offset") / 512))
	ok "the sector of a file is known" test "$sector" -gt 0
	sync
	ok "its sectors fail" lose $((sector - sector % 8)) 8
	: >/tmp/fake.log
	notok "data that did not reach the disk cannot be read" cat $file
	ok "the daemon's write fails" grep -q '^pwrite .*error' /tmp/fake.log
	ok "the sectors are replaced" whole_disk
	is "then it can be read" "$(cat $file)" "file 7"
	od_drop_caches
	is "a later read is right, too" "$(cat $file)" "file 7"
	umount /mnt/a
	kill_daemons
}

# read_proc: reads /proc until /tmp/reading is removed; fails if a file could not be read
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
	lose_alone
	end_while_reading
	lose_and_fill
	ok "the disk is removed" old_disk
	rmmod dm_mod 2>/dev/null
	ok "modules" od_load
else
	skip "a disk that loses sectors" "the kernel has no device mapper"
fi
OD_CACHE=/mnt/scratch/cache
od_fresh_cache
for file in $OD_PROC/* /proc/fs/erofs_od/*; do
	[ $file = $OD_PROC/control ] || is "$file is readable by root only" "$(stat -c %a $file)" 400
done
is "control is write-only, for root" "$(stat -c %a $OD_PROC/control)" 200
ok "daemon" odd
ok "/proc files can be read while blobs open, fill and close" read_proc_meanwhile
