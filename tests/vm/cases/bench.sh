# SPDX-License-Identifier: GPL-2.0-only
# seconds: 150
# where: bench.sh
# The cost of reads, in instructions: both forms of this project, ext4 with the same tree, and
# other file systems with the same image. od.rounds=N: rounds, of every target each;
# od.peers=no: without the other file systems.
# Prints "measured CASE TARGET ROUND BUSY WALL [READS]" for each measurement, in nanoseconds;
# tests/bin/bench.py formats these as tables.
ROUNDS=$(od_arg rounds 5)
IMAGE=/mnt/scratch/one
COLD=/mnt/scratch/cold
DEVICE=/dev/cachefiles1
SEQUENTIAL=large/sequential
TARGETS=

# target NAME COMMAND...: mounts a target at /mnt/NAME and adds it to TARGETS
target() {
	local name=$1
	shift
	mkdir -p "/mnt/$name"
	ok "mount of $name" "$@" || return
	TARGETS="$TARGETS $name"
}

insmod_peers() {
	local module
	[ -e /modules/peers/order ] || return 0
	while read -r module; do
		insmod "/modules/peers/$module" || return 1
	done </modules/peers/order
}

rmmod_peers() {
	local module
	[ -e /modules/peers/order ] || return 0
	sed '1!G; h; $!d' /modules/peers/order | while read -r module; do
		module=$(echo "${module%.ko}" | tr - _)
		! grep -q "^$module " /proc/modules || rmmod "$module" || return 1
	done
}

# has_type NAME: the kernel has that file system type
has_type() {
	grep -qE "	$1\$" /proc/filesystems
}

copy_tree() {
	cp -a /mnt/od-a /mnt/scratch/tree && cp $OD_BLOBS/one $IMAGE && sync
}

make_squashfs() {
	mksquashfs /mnt/scratch/tree $IMAGE.squashfs -quiet -no-progress -noI -noD -noF -noX \
		-no-duplicates -processors 1
}

# on_loop TYPE FILE DIR: mount through a loop device with direct I/O
on_loop() {
	local device
	device=$(bench loop "$2") && bench mount "$1" "$device" "$3" ""
}

# with_fuse DIR: erofsfuse serves it until it is unmounted
with_fuse() {
	erofsfuse -f $IMAGE "$1" >/tmp/erofsfuse.log 2>&1 &
	od_wait 10 grep -q " $1 fuse" /proc/mounts || { cat /tmp/erofsfuse.log; return 1; }
}

# erofs_on_file: bypasses the page cache of that file where the kernel can
erofs_on_file() {
	mkdir -p /mnt/erofs-file
	if bench mount erofs $IMAGE /mnt/erofs-file directio 2>/dev/null; then
		note "erofs-file: directio"
	elif bench mount erofs $IMAGE /mnt/erofs-file "" 2>/dev/null; then
		note "erofs-file: this kernel has no directio: the data is in the page cache twice"
	else
		skip "mount of erofs-file" "this kernel cannot mount erofs from a file"
		return
	fi
	TARGETS="$TARGETS erofs-file"
}

mount_peers() {
	ok "the stock modules" insmod_peers
	if has_type erofs; then
		erofs_on_file
		target erofs-loop on_loop erofs $IMAGE /mnt/erofs-loop
	else
		skip "stock erofs" "this kernel has none"
	fi
	if [ ! -x /usr/bin/erofsfuse ]; then
		skip "erofsfuse" "it is not in the VM"
	elif has_type fuse; then
		target erofsfuse with_fuse /mnt/erofsfuse
	else
		skip "erofsfuse" "this kernel has no fuse"
	fi
	if [ ! -x /usr/bin/mksquashfs ]; then
		skip "squashfs" "mksquashfs is not in the VM"
	elif has_type squashfs; then
		ok "mksquashfs" make_squashfs
		target squashfs on_loop squashfs $IMAGE.squashfs /mnt/squashfs
	else
		skip "squashfs" "this kernel has none"
	fi
}

# same_data NAME: compares all data with ext4, which also fills the cache
same_data() {
	local sum
	sum=$(bench sum "/mnt/$1")
	is "$1 has the bytes of ext4" "$sum" "$(cat /tmp/sum)"
}

# measure ROUND TARGET CASE hot|dropped COMMAND...
measure() {
	local round=$1 target=$2 case=$3 out
	[ "$4" = hot ] || od_drop_caches
	shift 4
	if out=$(bench "$@" 2>&1); then
		note "measured $case $target $round $out"
	else
		fail "$case: $target" "$out"
	fi
}

warm_round() {
	local name
	for name in $TARGETS; do
		measure "$1" "$name" sequential dropped sequential "/mnt/$name/$SEQUENTIAL"
	done
	for name in $TARGETS; do
		measure "$1" "$name" random-4k dropped random "/mnt/$name/$SEQUENTIAL" 4096 2000
	done
	for name in $TARGETS; do
		measure "$1" "$name" random-64k dropped random "/mnt/$name/$SEQUENTIAL" 65536 500
	done
	for name in $TARGETS; do
		measure "$1" "$name" walk dropped walk "/mnt/$name/tiny"
		measure "$1" "$name" hot-walk hot walk "/mnt/$name/tiny"
	done
	for name in $TARGETS; do
		measure "$1" "$name" small-files dropped files "/mnt/$name/tiny"
	done
}

# cold_counter COLUMN: of the cache, which is created for each measurement
cold_counter() {
	od_cell $OD_PROC/caches tag cold "$1"
}

cold_is() {
	[ "$(cold_counter daemon)" = "$1" ]
}

cold_start() {
	mkdir -p $COLD /mnt/cold
	erofs-odd --device=$DEVICE --dir=$COLD --tag=cold --source=$OD_BLOBS >/tmp/cold.log 2>&1 &
	od_wait 10 cold_is bound && od_mount /mnt/cold "fsid=$1,cache=cold" &&
		stat /mnt/cold/$SEQUENTIAL >/dev/null
}

cold_stop() {
	umount /mnt/cold
	kill_daemons
	od_wait 10 cold_is ""
	rm -rf $COLD
}

# cold ROUND TARGET FSID CASE COMMAND...: with a new cache; adds the number of READs
cold() {
	local round=$1 name=$2 fsid=$3 case=$4 reads out
	shift 4
	if ! out=$(cold_start "$fsid" 2>&1); then
		fail "cold start of $name" "$out $(cat /tmp/cold.log)"
		cold_stop
		return
	fi
	od_drop_caches
	reads=$(cold_counter reads_sent)
	if out=$(bench "$@" 2>&1); then
		note "measured $case $name $round $out $(($(cold_counter reads_sent) - reads))"
	else
		fail "$case: $name" "$out"
	fi
	cold_stop
}

cold_round() {
	local pair name fsid
	for pair in od-a:one od-b:boot; do
		name=${pair%:*}
		fsid=${pair#*:}
		cold "$1" "$name" "$fsid" cold-sequential sequential /mnt/cold/$SEQUENTIAL
		cold "$1" "$name" "$fsid" cold-small-files files /mnt/cold/tiny
		cold "$1" "$name" "$fsid" first-byte first /mnt/cold/$SEQUENTIAL 3145728 16
	done
}

mkdir -p /mnt/od-a /mnt/od-b
ok "both modules" od_load devices=2
od_fresh_cache
ok "daemon" odd
ok "mount of od-a" od_mount /mnt/od-a fsid=one
ok "mount of od-b" od_mount /mnt/od-b fsid=boot
ok "the tree and the image on ext4" copy_tree
mkdir -p /mnt/ext4
ok "mount of ext4" mount -o bind /mnt/scratch/tree /mnt/ext4
TARGETS="ext4 od-a od-b"
[ "$(od_arg peers)" = no ] || mount_peers
bench sum /mnt/ext4 >/tmp/sum
note "the tree has $(cat /tmp/sum)"
for name in ${TARGETS#ext4 }; do
	same_data "$name"
done
# All data is present: the daemon is not needed, and would disturb the measurement.
kill_daemons
for round in $(seq "$ROUNDS"); do
	warm_round "$round"
	cold_round "$round"
done
for name in $TARGETS; do
	ok "unmount of $name" umount "/mnt/$name"
done
ok "the stock modules unload" od_wait 10 rmmod_peers
