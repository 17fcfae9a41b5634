# SPDX-License-Identifier: GPL-2.0-only
# seconds: 70, debug 500
# where: stock rows debug
# thin
# One page cache for files with the same data in images of a domain (share=on): read through
# every interface, dropped, unmounted and waited for from either side. od.thin=N: fewer files
COPIES=$OD_MNT/scratch/copies
BUSYBOX=root/bin/busybox
PAGE=$(getconf PAGESIZE 2>/dev/null || echo 4096)

sum() {
	sha256sum "$1" | cut -d' ' -f1
}

# all_right DIR: all files of the list are right
all_right() {
	(cd "$1" && sha256sum -c $LIST) >/tmp/sums.$$.${1##*/} || { grep -v ': OK$' /tmp/sums.$$.${1##*/}; return 1; }
}

# cached: prints the size of the page cache, in KiB
cached() {
	awk '$1 == "Cached:" { print $2 }' /proc/meminfo
}

resident() {
	readways resident "$1"
}

pages() {
	echo $((($(stat -c %s "$1") + PAGE - 1) / PAGE))
}

# shares NAME READ OTHER, alone NAME READ OTHER: after reading one file, the other one is, or is
# not, in memory. Mapped, since read(2) of a small file needs no page cache of the file, and
# through a pipe, since a write to /dev/null reads nothing.
shares() {
	od_drop_caches
	readways mmap-private "$2" | wc -c >/dev/null
	is "$1" "$(resident "$3")" "$(pages "$3")"
}

alone() {
	od_drop_caches
	readways mmap-private "$2" | wc -c >/dev/null
	is "$1" "$(resident "$3")" 0
}

# mount_copies: mounts two copies that share, and one that does not
mount_copies() {
	od_mount /mnt/a domain_id=d,fsid=copy0,share=on &&
		od_mount /mnt/b domain_id=d,fsid=copy1,share=on &&
		od_mount /mnt/c domain_id=d,fsid=copy2
}

umount_all() {
	umount /mnt/a /mnt/b /mnt/c
}

start() {
	kill_daemons
	od_fresh_cache
	odd --source=$COPIES --source=$OD_BLOBS "$@"
}

# block DIR NR OUT: reads a block of a file that was not fetched, in the background
block() {
	dd if="$1/large/sequential" of="$3" bs=4096 skip="$2" count=1 2>/dev/null &
	pid=$!
}

# block_is NR FILE
block_is() {
	dd if=/mnt/c/large/sequential bs=4096 skip="$1" count=1 2>/dev/null | cmp - "$2"
}

# asleep PID: the process waits for a page
asleep() {
	grep -qE 'folio|page|shared_read' "/proc/$1/stack" || grep -qE '^State:	D' "/proc/$1/status"
}

# number FILE OFFSET BYTES: prints the little-endian number at that offset
number() {
	od -An -tu"$3" -j"$2" -N"$3" "$1" | tr -d ' '
}

# inode_at IMAGE NID: prints the inode's offset; blocks have 4096 bytes
inode_at() {
	echo $(($(number "$1" 1064 4) * 4096 + $2 * 32))
}

# poke FILE OFFSET NUMBER BYTES: writes NUMBER, little-endian
poke() {
	local value=$3 left=$4 text=
	while [ "$left" -gt 0 ]; do
		text="$text\\$(printf %03o $((value & 255)))"
		value=$((value >> 8))
		left=$((left - 1))
	done
	# shellcheck disable=SC2059 # a format
	printf "$text" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

LIST=/tmp/list
large=$(awk '$1 ~ /^large\// && $7 > 1000000 && $7 < 6000000 && $7 % 4096 { print $1; exit }' $OD_SUMS/tree)
good=$(awk -v path="$large" '$1 == path { print $10 }' $OD_SUMS/tree)
awk -v large="$large" -v nr=$((24 / $(od_arg thin 1) + 2)) '
	$1 == large || $1 ~ /^many\/00[01]/ || $1 ~ /^special\/(sparse|hole-only|a-block|one-block)/ ||
		$1 ~ /^large\// && $7 > 1000000 && $7 < 6000000 && n++ < nr { print $10 "  " $1 }' \
	$OD_SUMS/tree >$LIST
ok "the tree has large and small files" test "$(wc -l <$LIST)" -gt 50

mkdir -p $COPIES /mnt/c /mnt/tmp
ok "setup" od_setup
ok "four images of the same chunks" oddimage copies $OD_BLOBS/boot $COPIES/copy 4
ok "daemon" start

# --- options ---
ok "mounts" mount_copies
ok "share=on shows" grep -q ' /mnt/a .*share=on' /proc/mounts
notok "off does not" grep -q ' /mnt/c .*share' /proc/mounts
notok "the same image with another share=" od_mount /mnt/tmp domain_id=d,fsid=copy0
mount_fails "share=maybe" domain_id=d,fsid=copy3,share=maybe 'Invalid argument' 2
umount_all

# --- one copy ---
ok "mounts" mount_copies
ok "metadata is in memory" sh -c 'find /mnt/a /mnt/b -xdev | wc -l'
ok "the first image is right" all_right /mnt/a
# The daemon has also read its source through the page cache.
first=$(cached)
ok "the second image is right" all_right /mnt/b
second=$(cached)
ok "without share=on it is right" all_right /mnt/c
third=$(cached)
size=$((($(cut -c67- $LIST | (cd /mnt/c && xargs stat -c %s) | paste -sd+)) / 1024))
note "page cache: $size KiB in files, $((second - first)) KiB more for the second image," \
	"$((third - second)) KiB for one without share=on"
ok "the second image adds 5 % at most" test $((20 * (second - first))) -le "$size"
ok "one without share=on adds all" test $((third - second)) -ge $((size * 9 / 10))
shares "a large file is in memory for the other image" /mnt/a/$large /mnt/b/$large
shares "and the other way round" /mnt/b/$large /mnt/a/$large
shares "a small one, too" /mnt/a/many/00001 /mnt/b/many/00001
shares "a sparse one" /mnt/a/special/sparse /mnt/b/special/sparse
alone "not without share=on" /mnt/a/$large /mnt/c/$large
ok "remount with share=on" mount -o remount,ro,share=on none /mnt/c
shares "takes effect" /mnt/a/$large /mnt/c/$large
ok "remount without" mount -o remount,ro,share=off none /mnt/c
notok "it does not show" grep -q ' /mnt/c .*share' /proc/mounts
umount /mnt/c
ok "mount" od_mount /mnt/c domain_id=d,fsid=copy2
is "sizes, blocks and links are those of the file" "$(stat -c '%s %b %h %i' /mnt/b/$large)" \
	"$(stat -c '%s %b %h %i' /mnt/c/$large)"

# --- every interface ---
for way in read mmap-private mmap-shared sendfile splice copy_file_range direct loop io_uring \
	willneed readahead; do
	od_drop_caches
	readways $way /mnt/a/$large >/tmp/way.a 2>/dev/null
	case $? in
	77) skip "$way" "not supported by this kernel"; continue ;;
	esac
	readways $way /mnt/b/$large >/tmp/way.b
	is "$way: the first image" "$(sum /tmp/way.a)" "$good"
	is "$way: the second image" "$(sum /tmp/way.b)" "$good"
done
rm -f /tmp/way.a /tmp/way.b
cat /mnt/a/$large >/dev/null
ok "fadvise(DONTNEED)" readways dontneed /mnt/b/$large
is "drops it for both" "$(resident /mnt/a/$large)" 0
is "execve" "$(/mnt/a/$BUSYBOX echo here)" here
is "execve from the other image" "$(/mnt/b/$BUSYBOX echo here)" here
/mnt/b/$BUSYBOX sleep 1000 &
sleeper=$!
ok "maps show the file's own path" od_wait 10 grep -q " $(stat -c %i /mnt/b/$BUSYBOX) *"/mnt/b/$BUSYBOX /proc/$sleeper/maps
kill $sleeper
wait $sleeper 2>/dev/null

# --- a uprobe affects one file, not all that share its pages ---
TRACING=/sys/kernel/tracing
[ -e $TRACING/uprobe_events ] || mount -t tracefs none $TRACING 2>/dev/null
entry=$(number /mnt/a/$BUSYBOX 24 8)
[ "$entry" -lt 4194304 ] || entry=$((entry - 4194304))
hits() {
	awk '$2 == "od_share" { n += $3 } END { print n + 0 }' $TRACING/uprobe_profile
}
if [ -e $TRACING/uprobe_events ] && /mnt/b/$BUSYBOX true &&
	echo "p:od_share /mnt/a/$BUSYBOX:$entry" >$TRACING/uprobe_events; then
	echo 1 >$TRACING/events/uprobes/od_share/enable
	/mnt/b/$BUSYBOX true
	is "a uprobe is not hit by the other image's program" "$(hits)" 0
	is "its own program runs" "$(/mnt/a/$BUSYBOX echo here)" here
	is "and hits it" "$(hits)" 1
	echo 0 >$TRACING/events/uprobes/od_share/enable
	echo >$TRACING/uprobe_events
	is "the probe leaves no trace in the pages" "$(sum /mnt/b/$BUSYBOX)" "$(sum /mnt/c/$BUSYBOX)"
else
	skip "uprobes" "not supported by this kernel"
fi

# --- overlayfs, file handles ---
mkdir -p /mnt/scratch/upper /mnt/scratch/work /mnt/overlay
ok "overlayfs above it" mount -t overlay -o lowerdir=/mnt/a,upperdir=/mnt/scratch/upper,workdir=/mnt/scratch/work none /mnt/overlay
shares "a file is in memory through the overlay, too" /mnt/b/$large /mnt/overlay/$large
is "and right" "$(readways mmap-private /mnt/overlay/$large | sha256sum | cut -d' ' -f1)" "$good"
umount /mnt/overlay
ok "a file handle" readways handle /mnt/a/$large /tmp/handle
od_drop_caches
is "opens the file" "$(readways open-handle /mnt/a /tmp/handle | sha256sum | cut -d' ' -f1)" "$good"

# --- a device node: before 5.11 its inode uses the page cache of the device ---
ok "an image with a device node" od_mount /mnt/tmp fsid=dirs,share=on
for nr in 1 2 3 4; do
	dd if=/mnt/tmp/types/block of=/dev/null count=0 2>/dev/null
	echo 2 >/proc/sys/vm/drop_caches
done
ok "it is unmounted after the node was opened" od_umount /mnt/tmp

# --- dropped and unmounted while others read ---
(while sleep 0.2; do echo 3 >/proc/sys/vm/drop_caches; done) &
dropper=$!
for dir in /mnt/a /mnt/b; do
	(all_right $dir && all_right $dir) >/tmp/out.${dir##*/} 2>&1 &
	eval "${dir##*/}=$!"
done
# shellcheck disable=SC2154 # by eval
wait $a
is "right while caches are dropped" $? 0
# shellcheck disable=SC2154
wait $b
is "the second image, too" $? 0
kill $dropper
wait $dropper 2>/dev/null
(all_right /mnt/b && all_right /mnt/b) >/tmp/out.b 2>&1 &
reader=$!
failures=0
for nr in 1 2 3 4 5 6; do
	dd if=/mnt/a/$large of=/dev/null bs=64k count=$nr 2>/dev/null
	umount /mnt/a && od_mount /mnt/a domain_id=d,fsid=copy0,share=on || failures=$((failures + 1))
done
is "the first image unmounted six times" $failures 0
wait $reader
is "the second one stays right" $? 0
cat /mnt/a/$large >/dev/null
umount /mnt/a
is "its data stays cached for the other mount" "$(resident /mnt/b/$large)" "$(pages /mnt/b/$large)"
umount /mnt/b
ok "mount" od_mount /mnt/b domain_id=d,fsid=copy1,share=on
is "and is freed with the last user" "$(resident /mnt/b/$large)" 0
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on

# --- memory pressure ---
mkdir -p /mnt/tmpfs
ok "tmpfs" mount -t tmpfs -o size=100% none /mnt/tmpfs
free=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
(all_right /mnt/a && all_right /mnt/b) >/tmp/out.a 2>&1 &
reader=$!
# Faster than writing data.
fallocate -l $(((free - 80) << 20)) /mnt/tmpfs/ballast 2>/dev/null ||
	dd if=/dev/zero of=/mnt/tmpfs/ballast bs=1M count=$((free - 80)) 2>/dev/null
wait $reader
is "right under memory pressure" $? 0
umount /mnt/tmpfs
umount_all

# --- readers that wait for the same page ---
ok "a daemon that fetches what is asked" start
ok "mounts" mount_copies
stat /mnt/?/large/sequential >/dev/null
head -c 1 /mnt/a/large/sequential >/dev/null
head -c 1 /mnt/b/large/sequential >/dev/null
head -c 1 /mnt/c/large/sequential >/dev/null

# two_wait NAME NR [WAY]: stops the daemon; two processes wait for such a block: $one reads it
# that WAY through /mnt/a, $two through /mnt/b
two_wait() {
	killall -STOP erofs-odd
	${3:-block} /mnt/a "$2" /tmp/block.a
	one=$pid
	ok "$1: the first waits" od_wait 10 od_waiting 1
	block /mnt/b "$2" /tmp/block.b
	two=$pid
	ok "$1: the second waits for the same page" od_wait 10 asleep $two
}

two_wait "two readers" 5000
kill -9 $one
wait $one 2>/dev/null
ok "the first is killed and its image unmounted" od_umount /mnt/a
notok "the second still waits" has_ended $two
killall -CONT erofs-odd
wait $two
is "and gets its data" $? 0
ok "which is right" block_is 5000 /tmp/block.b
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
stat /mnt/a/large/sequential >/dev/null
head -c 1 /mnt/a/large/sequential >/dev/null

# pieces: prints the number of pieces of reads that wait for the daemon
pieces() {
	awk -F'\t' 'NR > 1 { n += $6 } END { print n + 0 }' $OD_PROC/blobs
}

killall -STOP erofs-odd
block /mnt/a 6000 /tmp/block.a
a=$pid
ok "a reader waits" od_wait 10 od_waiting 1
kill -9 $a
wait $a 2>/dev/null
before=$(pieces)
ok "it is killed; its read goes on" test "$before" -gt 0
for nr in 1 2 3; do
	echo 2 >/proc/sys/vm/drop_caches
done
is "and is not ended when the inode is reclaimed" "$(pieces)" "$before"
ok "the image is unmounted" od_umount /mnt/a
is "which ends it" "$(pieces)" 0
killall -CONT erofs-odd
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
stat /mnt/a/large/sequential >/dev/null
head -c 1 /mnt/a/large/sequential >/dev/null

# fault DIR NR OUT: reads one byte of such a block through a mapping, in the background
fault() {
	readways fault "$1/large/sequential" $(($2 * 4096)) >"$3" &
	pid=$!
}

# byte_is NR FILE
byte_is() {
	dd if=/mnt/c/large/sequential bs=4096 skip="$1" count=1 2>/dev/null | head -c 1 | cmp - "$2"
}

# forced WHICH NR [WAY]: two processes wait for a page of both images, by WAY and by read(2);
# one of the images is forcibly unmounted
forced() {
	local nr=$2 way=${3-block} one two
	two_wait "$1, $way" "$nr" "$way"
	sleep 0.5
	case $1-$way in
	first-*) set -- "$1" /mnt/a $one $two /tmp/block.b block_is ;;
	second-block) set -- "$1" /mnt/b $two $one /tmp/block.a block_is ;;
	second-fault) set -- "$1" /mnt/b $two $one /tmp/block.a byte_is ;;
	esac
	notok "$1, $way: forced unmount" umount -f $2
	ok "$1, $way: its reader ends" od_wait 10 has_ended $3
	wait $3
	notok "$1, $way: with an error" test $? = 0
	sleep 1
	notok "$1, $way: the other one waits" has_ended $4
	# By now the other one has started a read of its own, without readahead.
	ok "$1, $way: it can be unmounted, by force again" umount -f $2
	sleep 1
	notok "$1, $way: the other one still waits" has_ended $4
	killall -CONT erofs-odd
	wait $4
	is "$1, $way: the other one gets its data" $? 0
	ok "$1, $way: which is right" $6 "$nr" $5
}
forced second 7000
ok "mount" od_mount /mnt/b domain_id=d,fsid=copy1,share=on
head -c 1 /mnt/b/large/sequential >/dev/null
forced first 9000
cp /tmp/block.b /tmp/good
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
head -c 1 /mnt/a/large/sequential >/dev/null
forced second 13000 fault
ok "mount" od_mount /mnt/b domain_id=d,fsid=copy1,share=on
head -c 1 /mnt/b/large/sequential >/dev/null
forced first 15000 fault
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
head -c 1 /mnt/a/large/sequential >/dev/null

# --- the daemon dies ---
two_wait "two readers again" 11000
kill_daemons
wait $one
is "the daemon dies: it fails" $? 1
wait $two
is "and so does the other one" $? 1
ok "present data is right" block_is 9000 /tmp/good
umount_all

# --- different data is not shared ---
ok "daemon" start
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0
nid=$(stat -c %i /mnt/a/$large)
size=$(stat -c %s /mnt/a/$large)
umount /mnt/a
at=$(inode_at $COPIES/copy0 $nid)
is "the inode of the large file" "$(number $COPIES/copy0 $((at + 8)) 8)" "$size"
for what in size chunk; do cp $COPIES/copy3 $COPIES/other-$what; done
poke $COPIES/other-size $((at + 8)) $((size - 1)) 8
# Entries follow the inode, which has no xattrs; the block number is in the upper half.
poke $COPIES/other-chunk $((at + 64 + 4)) $(($(number $COPIES/copy0 $((at + 64 + 4)) 4) + 1)) 4
for what in size chunk; do
	ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
	ok "another $what: mount" od_mount /mnt/b domain_id=d,fsid=other-$what,share=on
	alone "another $what: not shared" /mnt/a/$large /mnt/b/$large
	other=$(sum /mnt/b/$large)
	is "another $what: the first file is right" "$(sum /mnt/a/$large)" "$good"
	umount /mnt/b
	ok "another $what: mount without share=on" od_mount /mnt/b domain_id=d,fsid=other-$what
	is "another $what: the same data without share=on" "$(sum /mnt/b/$large)" "$other"
	notok "another $what: is other data" test "$other" = "$good"
	umount /mnt/a /mnt/b
done
ok "mount" od_mount /mnt/a domain_id=d,fsid=copy0,share=on
ok "another deadline: mount" od_mount /mnt/b domain_id=d,fsid=copy1,share=on,timeout=60000
alone "another deadline: not shared" /mnt/a/$large /mnt/b/$large
umount /mnt/a /mnt/b
ok "two images with inline data" oddimage copies $OD_BLOBS/tiny $COPIES/tiny 2
ok "and one with other inline data" oddimage nul $COPIES/tiny1 $COPIES/other 'a tail'
ok "mount" od_mount /mnt/a domain_id=d,fsid=tiny0,share=on
ok "mount" od_mount /mnt/b domain_id=d,fsid=tiny1,share=on
shares "inline data: shared" /mnt/a/tail /mnt/b/tail
is "and right" "$(cat /mnt/b/tail)" 'a tail'
alone "a block of another blob and inline data: not shared" /mnt/a/block-and-tail /mnt/b/block-and-tail
umount /mnt/b
ok "mount" od_mount /mnt/b domain_id=d,fsid=other,share=on
alone "other inline data: not shared" /mnt/a/tail /mnt/b/tail
notok "and different" cmp /mnt/a/tail /mnt/b/tail
umount /mnt/b
ok "mount" od_mount /mnt/b domain_id=e,fsid=tiny1,share=on
alone "another domain: not shared" /mnt/a/tail /mnt/b/tail
umount /mnt/a /mnt/b
rm -rf $COPIES
kill_daemons
ok "both modules unload" od_unload
