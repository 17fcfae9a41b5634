# SPDX-License-Identifier: GPL-2.0-only
# seconds: 300
# where: powercut.sh
# A cache is filled on a disk whose writes and flushes are recorded. Then the power is cut
# at many points of the record: in every state that the disk may then be in, no byte reads
# wrong, and committed data is present.
# Run by tests/vm/powercut.sh, on the images of mkcutdisk.sh: dm-log-writes records,
# powercut.c replays. od.cuts=ext4:200,xfs:20,btrfs:20 od.seed=N

DISK=/tmp/cut
DISK_SIZE=128M
LOG_SIZE=384M
RECORDED=/mnt/recorded
OD_CACHE=$RECORDED/cache
IMAGES="fsid=whole fsid=parts,domain_id=cut"
TREE=/mnt/images/trees/cut
# How often the record mounts each image.
ROUNDS=4

load_modules() {
	local module
	[ ! -e /modules/disks/order ] || while read -r module; do
		grep -q "^$(basename "$module" .ko | tr - _) " /proc/modules ||
			insmod "/modules/disks/$module" || return 1
	done </modules/disks/order
}

unload_disks() {
	local module
	[ ! -e /modules/disks/order ] || for module in $(sed '1!G;h;$!d' /modules/disks/order); do
		rmmod "${module%.ko}" 2>/dev/null
	done
	return 0
}

# With a small window, so that no READ fetches a large part of a blob.
load_od() {
	od_load window_kib=16 commit_ms=200 2>/dev/null || { od_unload; od_load window_kib=16; }
}

make_fs() {
	case $1 in
	ext4) /usr/bin/mke2fs -q -t ext4 -F -J size=4 -E lazy_itable_init=0,nodiscard "$2" ;;
	# mkfs.xfs creates such small file systems only in its test mode.
	xfs) TEST_DEV=x TEST_DIR=x QA_CHECK_FS=1 mkfs.xfs -q -f -K -d agcount=2 "$2" ;;
	btrfs) mkfs.btrfs -q -f -K "$2" ;;
	esac
}

mount_options() {
	if [ "$1" = btrfs ]; then echo nodiscard; else echo noatime; fi
}

# new_disk FS: creates a file system in $DISK.rec, and a copy of its initial state
new_disk() {
	rm -f $DISK.*
	truncate -s $DISK_SIZE $DISK.rec $DISK.disk &&
		truncate -s $LOG_SIZE $DISK.log &&
		losetup /dev/loop0 $DISK.rec && make_fs "$1" /dev/loop0 && sync &&
		cp $DISK.rec $DISK.base &&
		losetup /dev/loop1 $DISK.log && losetup /dev/loop2 $DISK.disk
}

start_record() {
	local sectors
	sectors=$(($(stat -c %s $DISK.rec) / 512))
	dmsetup create recorded --table "0 $sectors log-writes /dev/loop0 /dev/loop1" &&
		mkdir -p $RECORDED &&
		mount -t "$1" -o "$(mount_options "$1")" /dev/mapper/recorded $RECORDED
}

stop_record() {
	od_wait 10 umount $RECORDED && dmsetup remove recorded &&
		losetup -d /dev/loop0 && losetup -d /dev/loop1
}

# There is no udev to create the device nodes.
export DM_DISABLE_UDEV=1

# mark WORD: adds a mark to the record
mark() {
	dmsetup message recorded 0 mark "$1"
}

# mark_committed: marks the committed bytes of each open blob; marks are short, so names are
# truncated
mark_committed() {
	mark "committed:$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "committed") c = i; next }
		c { printf "%s%s=%s", n++ ? "," : "", substr($2, 1, 12), $c }' $OD_PROC/blobs)"
}

# commit_all: commits each file by name, as a tool does
commit_all() {
	local file
	find $OD_CACHE/cache -name 'D*' | while read -r file; do
		(cd "${file%/*}" && echo "commit ${file##*/}" >$OD_PROC/control) 2>/dev/null
	done
}

# Makes the journal commit between the steps of a write.
sync_often() {
	local nr=0
	while [ -e /tmp/recording ]; do
		sync
		nr=$(((nr + 3) % 8))
		sleep 0.0$nr
	done
}

# read_part NR: reads every third file of the list
read_part() {
	local path
	awk -v nr="$1" 'NR % 3 == nr' /tmp/list | while read -r path; do
		cat "$path" >/dev/null || echo "$path" >>/tmp/unreadable
	done
}

# read_random FILES: three readers read that many files in random order
read_random() {
	local part pids=''
	find /mnt/a -type f | shuf | head -n "$1" >/tmp/list
	for part in 0 1 2; do
		read_part $part &
		pids="$pids $!"
	done
	for part in 1 2 3 4; do
		mark_committed || return 1
		[ $part != 3 ] || commit_all
	done
	# shellcheck disable=SC2086 # a list
	wait $pids
	mark_committed
	[ ! -e /tmp/unreadable ]
}

# remove_blob: removes the blob, so that another file reuses its inode
remove_blob() {
	local file
	file=$(find $OD_CACHE/cache -name Dwhole)
	mark "committed:whole=0"
	rm "$file"
}

record() {
	local status
	touch /tmp/recording
	sync_often &
	local syncs=$!
	fill
	status=$?
	rm /tmp/recording
	wait $syncs
	kill_daemons
	return $status
}

fill() {
	local round image
	od_fresh_cache
	mark begin
	for round in $(seq $ROUNDS); do
		# Either in pieces that begin and end within a block, or in one piece.
		if [ $((round % 2)) = 0 ]; then fake --piece 100000; else fake; fi || return 1
		for image in $IMAGES; do
			od_mount /mnt/a "$image" && read_random $((round * 7)) || return 1
			umount /mnt/a || return 1
		done
		kill_daemons
		[ "$round" != 2 ] || remove_blob || return 1
	done
	mark end
}

# replay FS CUTS LIE: runs the replay; its output is in /tmp/replay
replay() {
	# shellcheck disable=SC2046 # a list
	powercut $DISK.log $DISK.base $DISK.disk /dev/loop2 "$1" "$2" "$seed" "$3" $OD_BLOBS \
		$(for image in $IMAGES; do echo "$image=$TREE"; done) >/tmp/replay 2>&1
}

# check NAME BIT STATUS: BIT is clear in STATUS
check() {
	if [ $(($3 & $2)) = 0 ]; then
		pass "$1"
	else
		fail "$1" "seed $seed
$(cat /tmp/replay)"
	fi
}

# noticed STATUS: the replay went through all cuts, and reported failures
noticed() {
	cat /tmp/replay
	[ "$1" != 0 ] && grep -q ' failures$' /tmp/replay
}

# Quicker this way: the replay checks the data, not how it was fetched.
quicker() {
	echo 1024 >/sys/module/cachefiles_od/parameters/window_kib
	echo 60000 >/sys/module/cachefiles_od/parameters/commit_ms
}

one_fs() {
	local fs=$1 cuts=$2 status
	ok "$fs: disks" new_disk "$fs"
	ok "$fs: its writes are recorded" start_record "$fs"
	ok "$fs: modules" load_od
	ok "$fs: a cache is filled" record
	ok "$fs: the record ends" stop_record
	quicker
	replay "$fs" "$cuts" 0
	status=$?
	tail -n 2 /tmp/replay | sed "s/^/# $fs: seed $seed: /"
	check "$fs: $cuts cuts: every byte is right" 1 $status
	check "$fs: $cuts cuts: committed data is present" 2 $status
	check "$fs: $cuts cuts: it mounts, it binds, nothing hangs" 252 $status
	replay "$fs" 5 400
	ok "$fs: a disk that loses flushed writes is detected" noticed $?
	od_unload
	losetup -d /dev/loop2
}

seed=$(od_arg seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')")
note "seed $seed"
ok "kernel modules" load_modules
for pair in $(od_arg cuts ext4:40,xfs:10,btrfs:10 | tr , ' '); do
	one_fs "${pair%:*}" "${pair#*:}"
done
unload_disks
