# SPDX-License-Identifier: GPL-2.0-only
# seconds: 120, debug 1200
# where: stock rows short pages debug
# thin
# All read interfaces of user space, each on a partially cached file: reads cover
# present data, missing data and holes. od.thin=N: without the short files.
way_files="special/sparse special/one-block-and-a-byte special/hole-only"
[ "$(od_arg thin 1)" = 1 ] || way_files=special/sparse

wanted() {
	awk -v path="$1" '$1 == path { print $10 }' $OD_SUMS/tree
}

# A large file whose size is not a multiple of the block size.
large=$(awk '$1 ~ /^large\// && $7 > 1000000 && $7 < 6000000 && $7 % 4096 { print $1; exit }' $OD_SUMS/tree)
ok "the tree has a large file" test -n "$large"

start_over() {
	kill_daemons
	umount /mnt/a 2>/dev/null
	od_unload
	# The smallest window: only requested blocks are fetched.
	od_load window_kib=4 && od_fresh_cache && odd && od_mount /mnt/a "fsid=$1"
}

# Some pieces of 64 KiB, so that most reads are partial hits.
make_partial() {
	local at
	for at in 0 2 5 6 9 12 40 41 80; do
		dd if="$1" of=/dev/null bs=64k skip=$at count=1 2>/dev/null
	done
	od_drop_caches
}

# reads_right WAY FILE
reads_right() {
	local sum status
	readways "$1" "/mnt/a/$2" >/tmp/way.out 2>/tmp/way.err
	status=$?
	[ $status != 77 ] || return 77
	sum=$(sha256sum </tmp/way.out | cut -d' ' -f1)
	[ $status = 0 ] && [ "$sum" = "$(wanted "$2")" ] && return
	echo "status $status, sum $sum, wanted $(wanted "$2"): $(cat /tmp/way.err)"
	return 1
}

try_way() {
	local way=$1 file out status name
	for file in "$large" $way_files; do
		make_partial "/mnt/a/$file"
		out=$(reads_right "$way" "$file" 2>&1)
		status=$?
		name=${file##*/}
		[ "$file" != "$large" ] || name="a large file"
		case $status in
		0) pass "$way: $name" ;;
		77) skip "$way: $name" "not supported by this kernel" ;;
		*) fail "$way: $name" "$out" ;;
		esac
	done
}

for way in read pread random readv mmap-private mmap-shared sendfile splice copy_file_range direct \
	direct-sectors loop io_uring willneed readahead; do
	ok "$way: new mount" start_over boot
	try_way $way
done

ok "flat and inline: new mount" start_over one
for way in random direct direct-sectors loop mmap-private splice; do
	try_way $way
done

sparse=/mnt/a/special/sparse
ok "chunks: new mount" start_over boot
ok "unaligned direct reads are rejected" readways refuses-unaligned "/mnt/a/$large"
is "seek distinguishes data and holes" "$(readways seek $sparse | paste -sd' ')" \
	"hole 0 2818048 data 2818048 2883584 hole 2883584 6225920 data 6225920 6291456"
is "seek in a file that is a hole" "$(readways seek /mnt/a/special/hole-only)" "hole 0 1048576"
is "FIEMAP reports the same" "$(readways fiemap $sparse | awk '{ print $1, $3, $4 }' | paste -sd' ')" \
	"2818048 65536 0 6225920 65536 1"
is "FIEMAP of a file that is a hole" "$(readways fiemap /mnt/a/special/hole-only)" ""
is "FIEMAP of a large file covers all of it" \
	"$(readways fiemap "/mnt/a/$large" | awk '{ sum += $3 } END { print sum }')" \
	"$(stat -c %s "/mnt/a/$large")"
# The alignment is reported since 6.1.
case $(uname -r) in
5.*) dio=none ;;
*) dio=512/512 ;;
esac
is "statx: no birth time, immutable, direct I/O by sectors" "$(readways statx $sparse)" \
	"basic=1 btime=0 size=6291456 immutable=1/1 compressed=0/1 dio=$dio"
is "statx of a directory" "$(readways statx /mnt/a/special | sed 's/size=[0-9]* //')" \
	"basic=1 btime=0 immutable=1/1 compressed=0/1 dio=none"
out=$(readways huge /mnt/a/large/sequential 2>&1)
case $?,$(uname -r) in
77,*) skip "mappings that huge pages fit" "no huge pages, or too large ones" ;;
*,5.*) skip "mappings that huge pages fit" "only for DAX before v5.18" ;;
0,*) pass "mappings that huge pages fit" ;;
*) fail "mappings that huge pages fit" "$out" ;;
esac
ok "locks and inotify" sh -c "readways locks $sparse >/dev/null"

before=$(od_counter bytes_served)
readways direct "/mnt/a/$large" >/dev/null
readways direct "/mnt/a/$large" >/dev/null
ok "direct reads bypass the page cache" \
	test $(($(od_counter bytes_served) - before)) -ge $((2 * $(stat -c %s "/mnt/a/$large")))

ok "sectors: new mount" start_over boot
ok "the first sector of a block" sh -c "readways sector '/mnt/a/$large' 20480 >/dev/null"
before=$(od_reads)
ok "the last one" sh -c "readways sector '/mnt/a/$large' 24064 >/dev/null"
is "is read without the next block" "$(od_reads)" "$before"

ok "random reads: new mount" start_over boot
ok "of two blocks" readways apart "/mnt/a/$large" 20480 524288
kill_daemons
od_drop_caches
ok "of these from the cache" readways apart "/mnt/a/$large" 20480 524288
is "one of a missing block fails without a daemon" \
	"$(readways apart "/mnt/a/$large" 20480 655360 2>&1)" \
	"readways: second read: Input/output error"
ok "daemon" odd

if [ "$(uname -m)" = x86_64 ]; then
	is "execve of a static program" "$(/mnt/a/root/bin/busybox echo here)" here
	is "execve of a program with its libraries" "$(chroot /mnt/a/root /bin/env here=1 /bin/busybox echo here)" here
else
	skip "execve of programs in the image" "built for x86_64"
fi
for refused in "touch $sparse" "chmod 600 $sparse" "mv $sparse $sparse.new" "rm $sparse" \
	"ln $sparse /mnt/a/special/new" "mkdir /mnt/a/new" "truncate -s 0 $sparse" \
	"setfattr -n user.x -v y $sparse" "ln -s x /mnt/a/new" "mkfifo /mnt/a/new"; do
	# shellcheck disable=SC2086 # words
	out=$($refused 2>&1)
	case $out in
	*ead-only*) pass "fails with EROFS: ${refused%% *}" ;;
	*) fail "fails with EROFS: ${refused%% *}" "$out" ;;
	esac
done

# --- file handles ---
dir=/mnt/a/names/a/b/c/d/e/f
ok "handle of a file" readways handle "/mnt/a/$large" /tmp/handle.file
ok "handle of a directory" readways handle $dir /tmp/handle.dir
od_drop_caches
is "a file by its handle, after drop_caches" \
	"$(readways open-handle /mnt/a /tmp/handle.file | sha256sum | cut -d' ' -f1)" "$(wanted "$large")"
is "a directory by its handle has its path" "$(readways open-handle /mnt/a /tmp/handle.dir)" "$dir"
umount /mnt/a
ok "the image mounted again" od_mount /mnt/a fsid=boot
is "a handle outlives the mount" \
	"$(readways open-handle /mnt/a /tmp/handle.file | sha256sum | cut -d' ' -f1)" "$(wanted "$large")"
umount /mnt/a
# In another image, there may or may not be an inode at the nid of the handle.
kill_daemons
ok "the same image under another UUID" oddimage copies $OD_BLOBS/boot /mnt/scratch/twin 1
ok "daemon" odd --source=/mnt/scratch --source=$OD_BLOBS
for other in twin0 v-4096-flat; do
	ok "another image: $other" od_mount /mnt/a fsid=$other
	is "$other: a handle of another image is stale" \
		"$(readways open-handle /mnt/a /tmp/handle.file 2>&1 | tail -n 1)" \
		"readways: open_by_handle_at: Stale file handle"
	umount /mnt/a
done
ok "that with a label" od_mount /mnt/a fsid=twin0
is "the label, by a file" "$(readways label "/mnt/a/$large")" "copy 0"
is "the label, by a directory" "$(readways label /mnt/a)" "copy 0"
umount /mnt/a

# poke FILE OFFSET BYTES: writes BYTES, a format for printf
poke() {
	# shellcheck disable=SC2059 # a format
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# anonymous FILE BUILD-TIME: creates an image without UUID and checksum, with that build time
anonymous() {
	local compat zeroes='\0\0\0\0'
	rm -f "$1"
	cp $OD_BLOBS/boot "$1" && compat=$(od -An -tu1 -j1032 -N1 "$1") &&
		poke "$1" 1032 "$(printf '\\%03o' $((compat & ~1)))" && poke "$1" 1028 $zeroes &&
		poke "$1" 1048 "\\$2" && poke "$1" 1072 $zeroes$zeroes$zeroes$zeroes
}

ok "an image without UUID and checksum" anonymous /mnt/scratch/twin0 1
ok "mount" od_mount /mnt/a fsid=twin0
ok "handle of a file" readways handle "/mnt/a/$large" /tmp/handle.file
is "the file by its handle" \
	"$(readways open-handle /mnt/a /tmp/handle.file | sha256sum | cut -d' ' -f1)" "$(wanted "$large")"
umount /mnt/a
ok "another one, of another time" anonymous /mnt/scratch/twin0 2
ok "mount" od_mount /mnt/a fsid=twin0
is "a handle of the previous one is stale" \
	"$(readways open-handle /mnt/a /tmp/handle.file 2>&1 | tail -n 1)" \
	"readways: open_by_handle_at: Stale file handle"
umount /mnt/a
rm /mnt/scratch/twin0
