# SPDX-License-Identifier: GPL-2.0-only
# seconds: 300, debug 2400
# where: stock rows pages debug
# thin
# Compressed images, of each algorithm and packing: every byte cold, warm, and from a cache
# that has every other pcluster; all read interfaces; low memory; algorithms that the kernel
# lacks are rejected by name; missing and corrupt bytes. On the kernel command line:
#   od.seed=N    seed of the corruption, to repeat it
#   od.steps=N   number of corrupt images
#   od.thin=8    two random images
#   od.images=NAME,NAME    these images
IMAGES='lz4 lz4-big lz4-huge lz4-legacy lz4-tails lz4-fragments lz4-dedupe lz4-all lz4-512 lz4-dirs
	lz4-old lz4-older lz4-48bit lz4-48bit-dedupe lz4-48bit-fragments lz4-metabox deflate
	deflate-big zstd zstd-1024 zstd-48bit zstd-48bit-fragments zstd-metabox lzma lzma-fragments'
STEPS=24
if [ "$(od_arg thin 1)" -ge 8 ]; then
	STEPS=8
	# The case images reads more of them.
	# shellcheck disable=SC2086 # a list
	IMAGES=$(printf '%s\n' $IMAGES | shuf -n 2)
fi
[ -z "$(od_arg images)" ] || IMAGES=$(od_arg images | tr , ' ')
WINDOW=/sys/module/cachefiles_od/parameters/window_kib
GOOD=$OD_MNT/scratch/good

# has_alg IMAGE: the kernel has its algorithm, whether or not the module finds it
has_alg() {
	local function
	case $1 in
	lz4*) function=LZ4_decompress_safe ;;
	deflate*) function=zlib_inflate ;;
	zstd*) function='(ZSTD_decompressStream|zstd_decompress_stream)' ;;
	lzma*) function=xz_dec_microlzma_run ;;
	esac
	grep -qE "[tT] $function(	|\$)" /proc/kallsyms
}

no_daemon() {
	od_daemon_is none || od_daemon_is gone
}

# fresh DAEMON...: starts a daemon with an empty cache
fresh() {
	kill_daemons
	od_wait 10 no_daemon
	od_fresh_cache
	"$@"
}

sum_of() {
	sha256sum | cut -d' ' -f1
}

# direct_sum FILE: the checksum of a file, read by direct I/O
direct_sum() {
	dd if="$1" bs=61440 iflag=direct 2>/dev/null | sum_of
}

# zip_of IMAGE: sets ZIP to the file with the sum of its tree, and DATA to the data's directory
zip_of() {
	ZIP=$OD_SUMS/zip DATA=/mnt/a/data
	case $1 in
	lz4-old*) ZIP=$OD_SUMS/zip-data DATA=/mnt/a ;;
	esac
}

# all_of IMAGE: reads it cold, warm, by direct I/O, and in stripes
all_of() {
	local name=$1 before
	zip_of "$name"
	ok "$name: daemon" fresh odd
	if ! od_mount /mnt/a "fsid=z-$name"; then
		fail "$name: mount" "$(dmesg | tail -n 5)"
		return
	fi
	ok "$name: every byte, cold" same_tree /mnt/a $ZIP
	before=$(od_reads)
	note "$name: $before READs, $(od_counter bytes_filled) bytes"
	od_drop_caches
	ok "$name: every byte, warm" same_tree /mnt/a $ZIP
	is "$name: no READ is sent" "$(od_reads)" "$before"
	is "$name: direct reads" "$(direct_sum $DATA/mixed)" "$(sum_of <$DATA/mixed)"
	ok "$name: many readers of one block agree" oddriver readers $DATA/code 40960 16
	umount /mnt/a
	ok "$name: another cache" fresh odd
	ok "$name: mount" od_mount /mnt/a fsid=z-$name
	# A READ must cover only what was requested.
	echo 4 >$WINDOW
	ok "$name: every other block" oddriver stripes /mnt/a 16384
	echo 1024 >$WINDOW
	note "$name: $(od_counter bytes_filled) bytes filled"
	od_drop_caches
	ok "$name: every byte, present and missing" same_tree /mnt/a $ZIP
	umount /mnt/a
}

ok "modules" od_load
case $(uname -r) in
5.10.* | 6.1.*) ;;
*)
	for name in lz4 deflate zstd lzma; do
		ok "this kernel has $name" has_alg $name
	done
	;;
esac
tried=
for name in $IMAGES; do
	if has_alg "$name"; then
		all_of "$name"
		tried="$tried $OD_BLOBS/z-$name"
	else
		ok "$name: daemon" fresh odd
		mount_fails "$name" fsid=z-$name 'not supported'
		ok "$name: the log names the algorithm" \
			sh -c "dmesg | grep -i 'z-$name: unsupported feature: ${name%%-*} compression'"
	fi
done

# --- counters and tracepoints ---

# of_mount COLUMN
of_mount() {
	od_cell /proc/fs/erofs_od/stats fsid z-lz4-dirs "$1"
}

has_encoded() {
	[ "$(of_mount encoded_bytes)" -gt 0 ]
}

has_no_encoded() {
	[ "$(of_mount encoded_bytes)" = 0 ]
}

# queues_of COMMAND...: prints the workqueues that decompress what it reads
queues_of() {
	od_drop_caches
	echo >$TRACING/trace
	echo 1 >$TRACING/events/workqueue/workqueue_queue_work/enable
	"$@" >/dev/null
	echo 0 >$TRACING/events/enable
	sed -n 's/.*function=part_work \[erofs_od\] workqueue=\([^ ]*\).*/\1/p' $TRACING/trace | sort -u
}

TRACING=/sys/kernel/tracing
mkdir -p $TRACING
[ -e $TRACING/events ] || mount -t tracefs none $TRACING
echo 4 >$WINDOW
ok "a daemon" fresh odd
ok "mount" od_mount /mnt/a fsid=z-lz4-dirs,timeout=1000
is "no data has been read yet" "$(of_mount bytes_served)" 0
head -c 1 /mnt/a/data/code >/dev/null
ok "reads of a compressed file are counted for its mount" test "$(of_mount bytes_served)" -gt 0
cat /mnt/a/data/code >/dev/null
first=$(queues_of dd if=/mnt/a/data/code bs=4096 skip=20 count=1)
is "one workqueue decompresses a page that is read by itself" "$(echo "$first" | grep -c .)" 1
rest=$(queues_of cat /mnt/a/data/code)
note "a page: $first; readahead: $(echo "$rest" | paste -sd' ')"
ok "and begins each readahead" sh -c "echo '$rest' | grep -qxF '$first'"
ok "the rest of a readahead waits in another one" sh -c "echo '$rest' | grep -qvxF '$first'"
# The directory's map is in memory, its data is not.
ls /mnt/a/data >/dev/null
many=$(stat -c %i /mnt/a/data/many)
file=$(od_cache_file z-lz4-dirs)
ok "punch the whole cache file" od_control punch "$file" "0 $(stat -c %s "$file")"
killall -STOP erofs-odd
echo 1 >$TRACING/events/erofs_od/enable
notok "a compressed directory that cannot be fetched" dirways count /mnt/a/data/many
ok "is traced with its inode number" grep -q \
	"erofs_od_read_failed: dev=0:.* ino=$many .* error=-110" $TRACING/trace
is "no compressed data is in memory" "$(of_mount encoded_bytes)" 0
ok "longer waits" mount -o remount,ro,timeout=60000 none /mnt/a
# This file's map is in memory, too.
dd if=/mnt/a/data/code of=/dev/null bs=65536 count=1 iflag=direct 2>/dev/null &
reader=$!
ok "while a read waits, its compressed data is counted" od_wait 10 has_encoded
kill $reader
wait $reader
killall -CONT erofs-odd
ok "afterwards none is" od_wait 10 has_no_encoded
echo 0 >$TRACING/events/enable
echo 1024 >$WINDOW
umount /mnt/a
umount $TRACING 2>/dev/null

# --- all read interfaces ---

ok "a daemon" fresh odd
ok "mount" od_mount /mnt/a fsid=z-lz4-big
mkdir -p $GOOD
cp /mnt/a/data/code /mnt/a/data/mixed $GOOD/
wanted=$(sum_of <$GOOD/mixed)
for way in pread mmap-private mmap-shared sendfile splice direct direct-sectors loop io_uring \
	willneed readahead; do
	od_drop_caches
	readways $way /mnt/a/data/mixed >/tmp/way.out 2>/tmp/way.err
	case $? in
	0) is "$way" "$(sum_of </tmp/way.out)" "$wanted" ;;
	77) skip "$way" "not supported by this kernel" ;;
	*) fail "$way" "$(cat /tmp/way.err)" ;;
	esac
done
rm -f /tmp/way.out
# FIEMAP and lseek(2) report compressed data as such.
size=$(stat -c %s /mnt/a/data/text)
is "lseek: a compressed file is all data" "$(readways seek /mnt/a/data/text)" "data 0 $size"
ok "FIEMAP: its extents are encoded" sh -c \
	"readways fiemap /mnt/a/data/text | awk '\$4 !~ /[89]\$/ { bad = 1 } END { exit bad || !NR }'"
is "statx: it is immutable and compressed" \
	"$(readways statx /mnt/a/data/text | grep -o 'immutable=.*compressed=[^ ]*')" \
	"immutable=1/1 compressed=1/1"
ok "st_blocks of a compressed file is less than its size" \
	test $((512 * $(stat -c %b /mnt/a/data/text))) -lt "$size"

mkdir -p /tmp/cg
ok "cgroups" mount -t cgroup2 none /tmp/cg
echo +memory >/tmp/cg/cgroup.subtree_control
mkdir -p /tmp/cg/little
ok "a cgroup with 12 MiB of memory" sh -c 'echo 12M >/tmp/cg/little/memory.max'
# in_little_memory COMMAND...: runs it in that cgroup
in_little_memory() {
	sh -c 'echo $$ >/tmp/cg/little/cgroup.procs && exec "$@"' sh "$@"
}
od_drop_caches
pids=
for i in 1 2 3 4; do
	in_little_memory sha256sum /mnt/a/data/mixed >/tmp/little.$i &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # PIDs
wait $pids
is "four readers with little memory" \
	"$(cut -d' ' -f1 /tmp/little.[1-4] | sort | uniq -c | awk '{ print $1, $2 }')" "4 $wanted"
rmdir /tmp/cg/little
umount /tmp/cg
umount /mnt/a

# --- a file of more than 4 GiB ---

ok "a daemon" fresh odd
ok "mount" od_mount /mnt/a fsid=large
is "a file of 4300 MiB" "$(stat -c %s /mnt/a/file)" $((4300 << 20))
dd if=/mnt/a/file of=/tmp/large bs=1M skip=4249 count=3 2>/dev/null
ok "its bytes past 4 GiB" sh -c '{ head -c 1048576 /dev/zero; seq 3000; head -c 2097152 /dev/zero; } |
	head -c 3145728 | cmp - /tmp/large'
dd if=/mnt/a/file of=/tmp/large bs=1M skip=4299 2>/dev/null
ok "its last bytes" sh -c 'head -c 1048576 /dev/zero | cmp - /tmp/large'
rm /tmp/large
umount /mnt/a

# --- missing bytes, corrupt bytes ---

# extent_of FILE: sets LOGICAL, LENGTH and PHYSICAL of the extent in its middle
extent_of() {
	# shellcheck disable=SC2046 # words
	set -- $(readways fiemap "$1" | awk '$1 + $3 > 700000 { print; exit }')
	LOGICAL=$1 PHYSICAL=$2 LENGTH=$3
}

ok "daemon" fresh odd
ok "mount" od_mount /mnt/a fsid=z-lz4-big
extent_of /mnt/a/data/code
umount /mnt/a
note "bytes $LOGICAL to $((LOGICAL + LENGTH)) are at $PHYSICAL"
ok "a daemon that leaves out a part of a pcluster" fresh fake --hole $((PHYSICAL + 4096)),4096
ok "mount" od_mount /mnt/a fsid=z-lz4-big
is "an incomplete pcluster cannot be read, all others can" \
	"$(oddriver confined /mnt/a/data/code $GOOD/code $LOGICAL $((LOGICAL + LENGTH)) 2>&1)" \
	"Input/output error"
killall -USR2 fakedaemon
is "once the daemon has the bytes, it is right" "$(sum_of </mnt/a/data/code)" "$(sum_of <$GOOD/code)"
umount /mnt/a

seed=$(od_arg seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')")
steps=$(od_arg steps $STEPS)
note "od.seed=$seed od.steps=$steps"
BLOBS=$OD_MNT/scratch/blobs
mkdir -p $BLOBS

# --- a compressed link, which no mkfs.erofs writes ---

link=b/many/a-name-of-some-length-8
ok "daemon" fresh odd --source=$BLOBS --source=$OD_BLOBS
ok "mount" od_mount /mnt/a fsid=z-lz4-all
ok "an image with a compressed link" setinode $OD_BLOBS/z-lz4-all $BLOBS/link \
	"$(stat -c %i /mnt/a/$link)" mode $((0120777))
umount /mnt/a
ok "mount" od_mount /mnt/a fsid=link
is "its target" "$(readlink /mnt/a/$link)" "file 8"
umount /mnt/a
rm $BLOBS/link

# damaged NAME IMAGE OFFSET BYTES: writes BYTES (a format for printf) into a copy of the image,
# reads a file of it and prints the outcome
damaged() {
	local out
	cp $OD_BLOBS/z-$2 $BLOBS/$1
	# shellcheck disable=SC2059 # a format
	printf "$4" | dd of=$BLOBS/$1 bs=1 seek=$3 conv=notrunc 2>/dev/null
	od_mount /mnt/b fsid=$1 || return 1
	out=$(oddriver confined /mnt/b/data/code $GOOD/code $LOGICAL $((LOGICAL + LENGTH)) 2>&1)
	echo "$out"
	umount /mnt/b
	rm $BLOBS/$1
}

# is_logged REGEX: reads the block again first, as log lines are rate-limited
is_logged() {
	dd if=/mnt/b/data/code of=/dev/null bs=4096 skip=$((LOGICAL / 4096 + 1)) count=1 \
		iflag=direct 2>/dev/null
	expr "$(od_log)" : "$1" >/dev/null
}

# The first block of a pcluster has data at its end, even if padding precedes it.
ok "a daemon" fresh odd --source=$BLOBS --source=$OD_BLOBS
for name in lz4 lz4-big deflate zstd lzma; do
	has_alg $name || continue
	ok "$name: mount" od_mount /mnt/a fsid=z-$name
	extent_of /mnt/a/data/code
	umount /mnt/a
	cp $OD_BLOBS/z-$name $BLOBS/blank
	dd if=/dev/zero of=$BLOBS/blank bs=512 count=8 seek=$((PHYSICAL / 512)) conv=notrunc 2>/dev/null
	ok "$name: mount with a pcluster of zeroes" od_mount /mnt/b fsid=blank
	od_log_mark
	is "$name: its bytes cannot be read, all others can" \
		"$(oddriver confined /mnt/b/data/code $GOOD/code $LOGICAL $((LOGICAL + LENGTH)) 2>&1)" \
		"Input/output error"
	ok "$name: the log names inode, pcluster and blob" od_wait 20 is_logged \
		".*blank: inode [0-9]*: pcluster of [0-9]* bytes for byte [0-9]*, blob .*blank.*, offset $PHYSICAL: corrupt: -117"
	is "$name: direct reads fail with EUCLEAN" \
		"$(readways direct /mnt/b/data/code 2>&1 >/dev/null | grep -o 'Structure needs cleaning')" \
		"Structure needs cleaning"
	umount /mnt/b
	rm $BLOBS/blank
	# No decompressor accepts this as a stream, except perhaps LZMA's.
	cp $OD_BLOBS/z-$name $BLOBS/ones
	head -c 4096 /dev/zero | tr '\000' '\377' |
		dd of=$BLOBS/ones bs=512 seek=$((PHYSICAL / 512)) conv=notrunc 2>/dev/null
	ok "$name: mount with a pcluster of 0xff bytes" od_mount /mnt/b fsid=ones
	out=$(oddriver confined /mnt/b/data/code $GOOD/code $LOGICAL $((LOGICAL + LENGTH)) 2>&1)
	[ $name = lzma ] || is "$name: 0xff bytes are rejected" "$out" "Input/output error"
	umount /mnt/b
	rm $BLOBS/ones
	: >/tmp/outcomes
	for i in 1 2 3 4 5 6; do
		seed=$(((seed * 1103515245 + 12345) & 0x7fffffff))
		# Another byte in the last 2 KiB of the first block
		damaged "d$i" $name $((PHYSICAL + 2048 + seed / 65536 % 2048)) "\\$(printf %o $((seed / 256 % 256)))" \
			>>/tmp/outcomes || echo "no mount" >>/tmp/outcomes
	done
	note "$name: $(sort /tmp/outcomes | uniq -c | tr -s ' \n' ' ')"
	is "$name: a corrupt byte affects no other pcluster" \
		"$(grep -cxE 'same|different|Input/output error' /tmp/outcomes)" 6
done

# Corrupt maps, inodes, data: an error or some data, but no hang.
# shellcheck disable=SC2086 # a list
ok "$steps corrupt images: no hang" mutate "$seed" 0 1 "$steps" $BLOBS /mnt/a $tried
ok "mount of an intact image" od_mount /mnt/a fsid=z-lz4-all
ok "every byte is right" same_tree /mnt/a $OD_SUMS/zip
umount /mnt/a
rm -rf $BLOBS $GOOD
