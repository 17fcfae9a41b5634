# SPDX-License-Identifier: GPL-2.0-only
# seconds: 250
# where: bench.sh
# The cost of reads, in instructions: both forms of this project, ext4 with the same tree, the
# kernel's former on-demand mode, and other file systems with the same image. od.rounds=N: number
# of rounds over all targets;
# od.peers=no: without the other file systems; od.part=plain|compressed: one kind of images only.
# Prints "measured CASE TARGET ROUND BUSY WALL [FIGURE...]" for each measurement, in nanoseconds;
# tests/bin/bench.py formats these as tables.
ROUNDS=$(od_arg rounds 5)
IMAGE=/mnt/scratch/one
COLD=/mnt/scratch/cold
FORMER=/mnt/scratch/former
# /dev/cachefiles is the former mode's.
DEVICE=/dev/cachefiles_od
SEQUENTIAL=large/sequential
TARGETS=
ZIPPED=

# target NAME COMMAND...: mounts a target at /mnt/NAME and adds it to TARGETS
target() {
	local name=$1
	shift
	mkdir -p "/mnt/$name"
	ok "mount of $name" "$@" || return
	TARGETS="$TARGETS $name"
}

# peer_modules: prints their paths, in load order; erofs and cachefiles with the former mode, if
# it was built
peer_modules() {
	local module
	if [ -e /modules/former/erofs.ko ]; then
		grep -vx erofs.ko /modules/rivals/order | sed 's|^|/modules/rivals/|'
	fi
	[ ! -e /modules/peers/order ] || sed 's|^|/modules/peers/|' /modules/peers/order
}

# is_loaded FILE
is_loaded() {
	local name=${1##*/}
	grep -q "^$(echo "${name%.ko}" | tr - _) " /proc/modules
}

insmod_peers() {
	local path name
	peer_modules | while read -r path; do
		name=${path##*/}
		[ ! -e "/modules/former/$name" ] || path=/modules/former/$name
		is_loaded "$path" || insmod "$path" || return 1
	done
}

rmmod_peers() {
	local path name
	peer_modules | sed '1!G; h; $!d' | while read -r path; do
		name=${path##*/}
		! is_loaded "$path" || rmmod "$(echo "${name%.ko}" | tr - _)" || return 1
	done
}

# has_former: the former mode is loaded
has_former() {
	[ "$(od_arg peers)" != no ] && [ -e /modules/former/erofs.ko ]
}

# has_type NAME: the kernel supports that file system type
has_type() {
	grep -qE "	$1\$" /proc/filesystems
}

copy_tree() {
	cp -a /mnt/od-a /mnt/scratch/tree && cp $OD_BLOBS/one $IMAGE && sync
}

# make_squashfs TREE FILE OPTION...
make_squashfs() {
	mksquashfs "$@" -quiet -no-progress -no-duplicates -processors 1
}

# on_loop TYPE FILE DIR: mounts through a loop device with direct I/O
on_loop() {
	local device
	device=$(bench loop "$2") && bench mount "$1" "$device" "$3" ""
}

# with_fuse DIR: erofsfuse serves it until it is unmounted
with_fuse() {
	erofsfuse -f $IMAGE "$1" >/tmp/erofsfuse.log 2>&1 &
	od_wait 10 grep -q " $1 fuse" /proc/mounts || { cat /tmp/erofsfuse.log; return 1; }
}

# erofs_on_file: bypasses the page cache of the image file if the kernel can
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
		ok "mksquashfs" make_squashfs /mnt/scratch/tree $IMAGE.squashfs -noI -noD -noF -noX
		target squashfs on_loop squashfs $IMAGE.squashfs /mnt/squashfs
	else
		skip "squashfs" "this kernel has none"
	fi
}

# same_data NAME OTHER: compares all data with /tmp/sum; reading it also fills the cache
same_data() {
	local sum
	sum=$(bench sum "/mnt/$1")
	is "$1 has the bytes of $2" "$sum" "$(cat /tmp/sum)"
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
		measure "$1" "$name" readers-8 dropped readers "/mnt/$name/$SEQUENTIAL" 8
		measure "$1" "$name" readers-64 dropped readers "/mnt/$name/$SEQUENTIAL" 64
	done
	for name in $TARGETS; do
		measure "$1" "$name" walk dropped walk "/mnt/$name/tiny"
		measure "$1" "$name" hot-walk hot walk "/mnt/$name/tiny"
	done
	for name in $TARGETS; do
		measure "$1" "$name" small-files dropped files "/mnt/$name/tiny"
	done
}

# zipped NAME COMMAND...: mounts a compressed target of another file system at /mnt/NAME
zipped() {
	local name=$1 out
	shift
	mkdir -p "/mnt/$name"
	if out=$("$@" "/mnt/$name" 2>&1); then
		ZIPPED="$ZIPPED $name"
	else
		skip "mount of $name" "not by this kernel: $out"
	fi
}

# erofs_file FILE DIR: as erofs_on_file
erofs_file() {
	bench mount erofs "$1" "$2" directio 2>/dev/null || bench mount erofs "$1" "$2" ""
}

# zipped_peers ALGORITHM: stock erofs with the same image; squashfs with the same tree, in
# blocks of the size of the pclusters
zipped_peers() {
	local image=/mnt/scratch/c-$1 options
	if has_type erofs; then
		ok "c-$1 on ext4" cp "$OD_BLOBS/c-$1" "$image"
		zipped "erofs-file-$1" erofs_file "$image"
		zipped "erofs-loop-$1" on_loop erofs "$image"
	fi
	if [ -x /usr/bin/mksquashfs ] && has_type squashfs; then
		case $1 in
		lz4) options='-comp lz4 -b 16384' ;;
		zstd) options='-comp zstd -Xcompression-level 3 -b 65536' ;;
		esac
		# shellcheck disable=SC2086 # words
		ok "mksquashfs: $1" make_squashfs /mnt/od-plain "$image.squashfs" $options
		zipped "squashfs-$1" on_loop squashfs "$image.squashfs"
	fi
}

mount_zipped() {
	local algorithm
	mkdir -p /mnt/od-plain
	ok "mount of od-plain" od_mount /mnt/od-plain fsid=c-plain
	for algorithm in lz4 zstd; do
		mkdir -p /mnt/od-$algorithm
		ok "mount of od-$algorithm" od_mount /mnt/od-$algorithm fsid=c-$algorithm
		ZIPPED="$ZIPPED od-$algorithm"
		[ "$(od_arg peers)" = no ] || zipped_peers $algorithm
	done
}

zipped_round() {
	local name
	for name in $ZIPPED; do
		measure "$1" "$name" zip-sequential dropped sequential "/mnt/$name/$SEQUENTIAL"
	done
	for name in $ZIPPED; do
		measure "$1" "$name" zip-random-4k dropped random "/mnt/$name/$SEQUENTIAL" 4096 500
	done
	for name in $ZIPPED; do
		measure "$1" "$name" zip-small-files dropped files "/mnt/$name/tiny"
	done
}

# --- the former mode: one daemon at a time, without which its mounts fail ---

former_is_bound() {
	grep -q ' A former$' /proc/fs/fscache/caches
}

former_is_idle() {
	! grep -q ' erofs,' /proc/fs/fscache/volumes && ! grep -q ' former$' /proc/fs/fscache/caches
}

# former_daemon DIR: starts a daemon with that cache directory
former_daemon() {
	mkdir -p "$1"
	erofs-odd --device=/dev/cachefiles --dir="$1" --tag=former --source=$OD_BLOBS \
		>/tmp/former.log 2>&1 &
	od_wait 10 former_is_bound || { cat /tmp/former.log; return 1; }
}

# has_reported NR: its daemon has printed more than NR reports
has_reported() {
	[ "$(grep -c ' reads, ' /tmp/former.log)" -gt "$1" ]
}

# former_reads: READs that its daemon has had
former_reads() {
	local before
	before=$(grep -c ' reads, ' /tmp/former.log)
	killall -USR1 erofs-odd && od_wait 10 has_reported "$before" || return 1
	sed -n 's/.* \([0-9]*\) reads, .*/\1/p' /tmp/former.log | tail -n 1
}

former_mount() {
	former_daemon $FORMER && mount -t erofs -o ro,fsid=one none /mnt/former-a &&
		mount -t erofs -o ro,fsid=boot none /mnt/former-b
}

former_umount() {
	umount /mnt/former-a && umount /mnt/former-b && former_end
}

# What is committed after the unmount has to be on disk before the daemon goes.
former_end() {
	od_wait 20 former_has_closed
	kill_daemons
	od_wait 10 former_is_idle
}

former_has_closed() {
	! grep -q ' erofs,' /proc/fs/fscache/volumes
}

# former_data NAME: as same_data, but tolerates what the kernel's mode does wrong: after a hole, it
# zeroes the rest of a readahead
former_data() {
	local sum differ
	sum=$(bench sum "/mnt/$1")
	if [ "$sum" = "$(cat /tmp/sum)" ]; then
		pass "$1 has the bytes of ext4"
		return
	fi
	differ=$(bench compare /mnt/ext4 "/mnt/$1" 2>&1)
	case $differ in
	*', 0 others') skip "$1 has the bytes of ext4" "blocks that differ: $differ" ;;
	*) fail "$1 has the bytes of ext4" "$sum, blocks that differ: $differ" ;;
	esac
}

# --- empty caches ---

# cold_counter COLUMN: a counter of the cache that is created for each measurement
cold_counter() {
	od_cell $OD_PROC/caches tag cold "$1"
}

cold_is() {
	[ "$(cold_counter daemon)" = "$1" ]
}

# cold_daemon TARGET: starts its daemon with an empty cache
cold_daemon() {
	mkdir -p $COLD /mnt/cold
	case $1 in
	former-*) former_daemon $COLD ;;
	*)
		erofs-odd --device=${DEVICE}1 --dir=$COLD --tag=cold --source=$OD_BLOBS \
			>/tmp/cold.log 2>&1 &
		od_wait 10 cold_is bound
		;;
	esac
}

# cold_mount TARGET FSID: prints what it takes
cold_mount() {
	case $1 in
	former-*) bench mount erofs none /mnt/cold "fsid=$2" ;;
	*) bench mount erofs_od none /mnt/cold "fsid=$2,cache=cold" ;;
	esac
}

cold_start() {
	cold_daemon "$1" && cold_mount "$1" "$2" && stat /mnt/cold/$SEQUENTIAL
}

# cold_umount TARGET: waits until its blobs are closed
cold_umount() {
	umount /mnt/cold
	case $1 in former-*) od_wait 20 former_has_closed ;; esac
}

# cold_end TARGET: stops its daemon and removes the cache
cold_end() {
	case $1 in
	former-*) former_end ;;
	*)
		kill_daemons
		od_wait 10 cold_is ""
		;;
	esac
	rm -rf $COLD
}

cold_stop() {
	cold_umount "$1"
	cold_end "$1"
}

# cold_reads TARGET: number of READs until now
cold_reads() {
	case $1 in
	former-*) former_reads ;;
	*) cold_counter reads_sent ;;
	esac
}

# cold ROUND TARGET FSID CASE COMMAND...: measures with a new cache; adds the number of READs
cold() {
	local round=$1 name=$2 fsid=$3 case=$4 reads out
	shift 4
	if ! out=$(cold_start "$name" "$fsid" 2>&1); then
		fail "cold start of $name" "$out $(cat /tmp/cold.log)"
		cold_stop "$name"
		return
	fi
	od_drop_caches
	reads=$(cold_reads "$name")
	if out=$(bench "$@" 2>&1); then
		reads=$(($(cold_reads "$name") - reads))
		note "measured $case $name $round $out $reads"
		echo "$reads" >/tmp/reads.$name
	else
		fail "$case: $name" "$out"
	fi
	cold_stop "$name"
}

# measure_mount ROUND TARGET CASE COMMAND...: of a command that mounts it and prints what it takes
measure_mount() {
	local round=$1 target=$2 case=$3 out
	shift 3
	if out=$("$@" 2>&1); then
		note "measured $case $target $round $out"
	else
		fail "$case: $target" "$out"
	fi
}

# cold_mounts ROUND TARGET FSID: the first mount with a new cache, and one of what is cached
cold_mounts() {
	local case
	ok "daemon of $2 with a new cache" cold_daemon "$2"
	for case in mount-new mount-known; do
		measure_mount "$1" "$2" $case cold_mount "$2" "$3"
		cold_umount "$2"
	done
	cold_end "$2"
}

# stock_mount ROUND: the same image, with stock erofs
stock_mount() {
	case " $TARGETS " in
	*' erofs-file '*)
		measure_mount "$1" erofs-file mount-known erofs_file $IMAGE /mnt/cold
		umount /mnt/cold
		;;
	esac
}

cold_round() {
	local pair name fsid pairs="od-a:one od-b:boot"
	! has_former || pairs="$pairs former-a:one former-b:boot"
	stock_mount "$1"
	for pair in $pairs; do
		name=${pair%:*}
		fsid=${pair#*:}
		cold_mounts "$1" "$name" "$fsid"
		cold "$1" "$name" "$fsid" cold-sequential sequential /mnt/cold/$SEQUENTIAL
		cold "$1" "$name" "$fsid" cold-small-files files /mnt/cold/tiny
		cold "$1" "$name" "$fsid" first-byte first /mnt/cold/$SEQUENTIAL 3145728 16
	done
}

# few_reads NAME: at most 1.2 times as many as for the uncompressed image
few_reads() {
	echo "$(cat /tmp/reads.od-plain) READs, compressed $(cat "/tmp/reads.$1")"
	test $(($(cat "/tmp/reads.$1") * 10)) -le $(($(cat /tmp/reads.od-plain) * 12))
}

cold_zipped_round() {
	local name
	for name in plain lz4 zstd; do
		cold "$1" od-$name c-$name cold-small-files files /mnt/cold/tiny
	done
	ok "LZ4: small files take few READs" few_reads od-lz4
	ok "ZSTD: small files take few READs" few_reads od-zstd
}

# wants PART: whether to measure it
wants() {
	[ "$(od_arg part "$1")" = "$1" ]
}

# mount_plain: mounts the targets that are compared with ext4
mount_plain() {
	local name
	mkdir -p /mnt/od-a /mnt/od-b /mnt/ext4 /mnt/cold
	ok "mount of od-a" od_mount /mnt/od-a fsid=one
	ok "mount of od-b" od_mount /mnt/od-b fsid=boot
	ok "the tree and the image on ext4" copy_tree
	ok "mount of ext4" mount -o bind /mnt/scratch/tree /mnt/ext4
	TARGETS="ext4 od-a od-b"
	if has_former; then
		mkdir -p /mnt/former-a /mnt/former-b
		ok "mount of former-a and former-b" former_mount
		TARGETS="$TARGETS former-a former-b"
	elif [ "$(od_arg peers)" != no ]; then
		skip "former-a and former-b" "scripts/former-mode.sh has not built them: no such mode, or no source"
	fi
	[ "$(od_arg peers)" = no ] || mount_peers
	bench sum /mnt/ext4 >/tmp/sum
	note "the tree has $(cat /tmp/sum)"
	for name in ${TARGETS#ext4 }; do
		case $name in
		former-*) former_data "$name" ;;
		*) same_data "$name" ext4 ;;
		esac
	done
}

mount_compressed() {
	local name
	mount_zipped
	bench sum /mnt/od-plain >/tmp/sum
	note "the compressed tree has $(cat /tmp/sum)"
	for name in $ZIPPED; do
		same_data "$name" od-plain
	done
}

ok "both modules" od_load devices=2 devname=${DEVICE#/dev/}
[ "$(od_arg peers)" = no ] || ok "the stock modules" insmod_peers
od_fresh_cache
ok "daemon" odd --device=$DEVICE
! wants plain || mount_plain
! wants compressed || mount_compressed
# All data is present: the daemon is not needed, and would distort the measurement.
! has_former || ! wants plain || ok "unmount of former-a and former-b" former_umount
kill_daemons
for round in $(seq "$ROUNDS"); do
	if wants plain; then
		! has_former || ok "mount of former-a and former-b" former_mount
		warm_round "$round"
		! has_former || ok "unmount of former-a and former-b" former_umount
		cold_round "$round"
	fi
	if wants compressed; then
		zipped_round "$round"
		cold_zipped_round "$round"
	fi
done
for name in $TARGETS $ZIPPED; do
	case $name in former-*) continue ;; esac
	ok "unmount of $name" umount "/mnt/$name"
done
! wants compressed || umount /mnt/od-plain
ok "the stock modules unload" od_wait 10 rmmod_peers
