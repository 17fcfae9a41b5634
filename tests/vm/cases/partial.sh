# SPDX-License-Identifier: GPL-2.0-only
# seconds: 15, debug 100
# where: stock rows short pages debug
# A blob of which some pages are in memory: an image that ends within the map of a file, a file
# whose page is read together with others that are missing, and windows of metadata.
IMAGE=/tmp/blobs/crafted
BLOCK=512
MAX_WAIT=20

# le BYTES NUMBER: little-endian
le() {
	local left=$1 nr=$2
	while [ "$left" -gt 0 ]; do
		# shellcheck disable=SC2059 # a format
		printf "\\$(printf %03o $((nr & 255)))"
		nr=$((nr >> 8))
		left=$((left - 1))
	done
}

# put OFFSET: standard input
put() {
	dd of=$IMAGE bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# inode OFFSET LAYOUT MODE SIZE U
inode() {
	{ le 2 $(($2 << 1)); le 2 0; le 2 "$3"; le 2 2; le 4 "$4"; le 4 0; le 4 "$5"; le 12 0; } | put "$1"
}

# entries NAME OFFSET TYPE...: a block of a directory, sorted
entries() {
	local names='' at=$(($# / 3 * 12))
	while [ $# -gt 0 ]; do
		le 8 $(($2 / 32)); le 2 $at; le 1 "$3"; le 1 0
		names=$names$1
		at=$((at + ${#1}))
		shift 3
	done
	printf %s "$names"
}

# Of blocks of 512 bytes: a directory at 128 KiB, a file 4 KiB after it, two files before it, and
# at the end a file of two chunks, of which the map has only the first one, a hole.
craft() {
	local root dir=131072 f=135168 g=81920 h=122880 cut=262144
	mkdir -p /tmp/blobs && cp $OD_BLOBS/tiny $IMAGE || return 1
	root=$((($(stat -c %s $IMAGE) + BLOCK - 1) / BLOCK * BLOCK))
	test $root -lt $g || return 1
	# No checksum; the root; inodes are numbered from the start of the image on.
	printf '\000' | put 1032
	le 2 $((root / 32)) | put 1038
	le 4 0 | put 1064
	entries . $root 2 .. $root 2 cut $cut 1 dir $((root + 128)) 2 f $((root + 160)) 1 \
		g $((root + 192)) 1 h $((root + 224)) 1 >/tmp/root
	inode $root 2 $((0040755)) "$(stat -c %s /tmp/root)" 0
	put $((root + 32)) </tmp/root
	entries . $((root + 128)) 2 .. $root 2 >/tmp/dir
	inode $((root + 128)) 0 $((0040755)) "$(stat -c %s /tmp/dir)" $((dir / BLOCK))
	put $dir </tmp/dir
	inode $((root + 160)) 0 $((0100644)) $BLOCK $((f / BLOCK))
	inode $((root + 192)) 0 $((0100644)) $BLOCK $((g / BLOCK))
	inode $((root + 224)) 0 $((0100644)) $BLOCK $((h / BLOCK))
	printf 'the file' | put $f
	inode $cut 4 $((0100644)) $((2 * BLOCK)) $((0x20))
	{ le 4 0; le 4 $((0xffffffff)); } | put $((cut + 32))
}

# block NAME NR: prints a block of a file
block() {
	dd if="/mnt/a/$1" bs=$BLOCK skip="$2" count=1 2>/dev/null
}

ok "an image" craft
ok "both modules" od_load window_kib=4
od_fresh_cache
OD_FAKE_BLOBS=/tmp/blobs
ok "a daemon that accepts wide READs" fake --wide
ok "mount" od_mount /mnt/a fsid=crafted

ok "the map of a file is read along with its inode" stat /mnt/a/cut
notok "a chunk that the map ends before cannot be read" block cut 1
is "the one before it is a hole" "$(block cut 0 | tr -d '\0' | wc -c)" 0
od_drop_caches
stat /mnt/a/cut >/dev/null
notok "nor can all of the file" cat /mnt/a/cut

block g 0 >/dev/null
block h 0 >/dev/null
stat /mnt/a/f /mnt/a/dir >/dev/null
killall -USR1 fakedaemon
ls /mnt/a/dir >/dev/null 2>&1 &
lister=$!
ok "a READ for a directory is filled in part" od_wait 10 grep -q HALF /tmp/fake.log
ok "a file in that part is read without waiting for the rest" \
	sh -c "timeout $MAX_WAIT head -c 8 /mnt/a/f | grep -qx 'the file'"
kill -9 $lister
wait $lister 2>/dev/null
umount /mnt/a
kill_daemons

od_unload
ok "both modules" od_load
od_fresh_cache
ok "daemon" odd
ok "mount of boot" od_mount /mnt/a fsid=boot
ok "all of its metadata is read" sh -c 'find /mnt/a -type f | wc -l'
umount /mnt/a
kill_daemons
od_unload
ok "both modules" od_load
ok "daemon" odd
ok "once more" od_mount /mnt/a fsid=boot
served=$(od_cell $OD_PROC/caches cache 1 bytes_served)
note "$served bytes in $(od_cell $OD_PROC/caches cache 1 hits) reads"
ok "the first window of metadata has 64 KiB, if these are present" test "$served" -ge 65536
umount /mnt/a
