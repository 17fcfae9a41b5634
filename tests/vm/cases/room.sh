# SPDX-License-Identifier: GPL-2.0-only
# seconds: 200, debug 1300
# where: stock debug
# shellcheck disable=SC2154 # $file
# A cache on a file system of 40 MB and an image several times as large: every byte is
# read, with a daemon that does not cull, while ranges are punched, and on a disk full of
# foreign files.

SMALL=/mnt/small
OD_CACHE=$SMALL/cache
LARGE=large/sequential

# small_fs: creates a file system of 40 MB without reserved blocks
small_fs() {
	mkdir -p $SMALL
	umount $SMALL 2>/dev/null
	rm -f /mnt/scratch/small
	truncate -s 40M /mnt/scratch/small &&
		/usr/bin/mke2fs -q -t ext4 -F -m 0 -J size=1 -E lazy_itable_init=0,nodiscard /mnt/scratch/small &&
		mount -o loop,noatime /mnt/scratch/small $SMALL && mkdir $OD_CACHE
}

# errno_of COMMAND...: prints the text of its errno
errno_of() {
	"$@" 2>&1 | sed 's/.*: //'
}

# map_used INODE: prints the time of the last use, from the newer slot of its map
map_used() {
	local map a b
	map=$OD_CACHE/maps/$(printf %x "$1")
	a=$(od -An -t u8 -j $((0 * 4096 + 848)) -N 8 "$map" | tr -d ' ')
	b=$(od -An -t u8 -j $((1 * 4096 + 848)) -N 8 "$map" | tr -d ' ')
	if [ "$a" -gt "${b:-0}" ]; then echo "$a"; else echo "${b:-0}"; fi
}

# column FILE BLOB NAME: prints a column of the blob's row
column() {
	od_cell "$OD_PROC/$1" blob "$2" "$3"
}

large_is_right() {
	local wanted
	wanted=$(grep "^$LARGE " $OD_SUMS/tree | cut -d' ' -f10)
	[ "$(sha256sum </mnt/a/$LARGE)" = "$wanted  -" ]
}

blocks_of() {
	stat -c %b "$1"
}

# --- a daemon that does not cull: missing data is passed to readers and not kept ---

ok "setup" od_load
ok "a small file system" small_fs
ok "a daemon that does not cull" fake
ok "mount" od_mount /mnt/a fsid=one
size=$(wc -c </mnt/images/blobs/one)
ok "the image is larger than the cache" test "$size" -gt $((100 << 20))
od_log_mark
ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
ok "some of it was not kept" test "$(od_counter bytes_passed)" -gt $((60 << 20))
is "which is logged once" "$(od_log | grep -c 'passed to readers and not kept')" 1
is "the cache is full" "$(od_counter room)" none
is "culling is requested" "$(od_counter culling)" yes
od_drop_caches
ok "right again, from cache and daemon" large_is_right
is "nothing failed" "$(od_counter failures)" 0
file=$(od_cache_file one)
is "punch of an empty range" "$(errno_of od_control punch "$file" "0 0")" "Invalid argument"
is "punch past the end" "$(errno_of od_control punch "$file" "$size 4096")" "Invalid argument"
is "cull of a blob in use" "$(errno_of od_control cull "$file")" "Device or resource busy"
before=$(blocks_of "$file")
present=$(column blobs one present)
ok "punch" od_control punch "$file" "0 $((16 << 20))"
ok "frees blocks" test "$(blocks_of "$file")" -lt "$((before - 16 * 1024))"
ok "the range is not present" test "$(column blobs one present)" -lt "$present"
is "nor committed" "$(column blobs one committed)" "$(column blobs one present)"
od_drop_caches
ok "the range is fetched again" large_is_right
ok "punch the whole blob" od_control punch "$file" "0 $size"
ok "nothing is present" test "$(column blobs one present)" -eq 0
od_drop_caches
ok "it is fetched again" large_is_right

# punch_all ROUNDS: punches the whole blob, in parts, repeatedly. A part that is left out
# would fill the disk, and nothing else would be kept.
punch_all() {
	local start left round part=$((8 << 20))
	for round in $(seq "$1"); do
		for start in $(seq 0 $part $((size - 1))); do
			left=$((size - start))
			od_control punch "$file" "$start $((left < part ? left : part))" 2>/dev/null
		done
		sleep 0.2
	done
}

punched_more_than() {
	[ "$(od_counter bytes_punched)" -gt "$1" ]
}

# read_while PID: reads while that process runs; prints the number of failed reads
read_while() {
	local wrong=0
	while ! has_ended "$1"; do
		od_drop_caches
		large_is_right || wrong=$((wrong + 1))
	done
	echo $wrong
}

# freezes TIMES: freezes and thaws the file system of the cache
freezes() {
	local i
	for i in $(seq "$1"); do
		fsfreeze --freeze $SMALL || return 1
		sleep 0.1
		fsfreeze --unfreeze $SMALL || return 1
		sleep 0.1
	done
	echo "$1 times"
}

# reads while ranges are punched
punch_all 5 &
is "reads while ranges are punched are right" "$(read_while $!)" 0
is "nothing failed" "$(od_counter failures)" 0

# fills and punches while the file system freezes: neither must wait for the other while it
# keeps the file system from freezing
punch_all 1000 &
puncher=$!
read_while $puncher >/tmp/room-wrong &
reader=$!
freezes 15 >/tmp/room-freezes 2>&1 &
freezer=$!
ok "it freezes while ranges are punched and filled" od_wait 120 has_ended $freezer
is "and thaws" "$(cat /tmp/room-freezes)" "15 times"
before=$(od_counter bytes_punched)
ok "punching continues" od_wait 60 punched_more_than $before
kill $puncher
ok "the reader exits" od_wait 60 has_ended $reader
is "and was right each time" "$(cat /tmp/room-wrong)" 0
is "nothing failed" "$(od_counter failures)" 0

# cull-deferred removes a blob after its last use
inode=$(stat -c %i "$file")
used=$(column blobs one used)
ok "last use is now" test $(($(date +%s) - used)) -lt 600
ok "cull-deferred" od_control cull-deferred "$file"
ok "the file still exists" test -e "$file"
ok "and is right" large_is_right
umount /mnt/a
ok "it is removed after its last use" od_wait 10 test ! -e "$file"
ok "and its map" test ! -e "$OD_CACHE/maps/$(printf %x "$inode")"
ok "the next image" od_mount /mnt/a fsid=v-4096-flat
ok "is right" same_tree /mnt/a $OD_SUMS/small
ok "and kept" test "$(column blobs v-4096-flat present)" -gt 100000
file=$(od_cache_file v-4096-flat)
umount /mnt/a
inode=$(stat -c %i "$file")
ok "its map has the time of its last use" test $(($(date +%s) - $(map_used "$inode"))) -lt 600
first=$(map_used "$inode")
sleep 1
ok "mount" od_mount /mnt/a fsid=v-4096-flat
umount /mnt/a
ok "a use without a fill updates it" test "$(map_used "$inode")" -gt "$first"
is "punch of a blob that is not open" "$(errno_of od_control punch "$file" "0 4096")" \
	"No such file or directory"
ok "cull, as any client does" od_control cull "$file"
ok "removes it" test ! -e "$file"

# --- a disk full of foreign files ---

kill_daemons
ok "a daemon" fake
ok "mount" od_mount /mnt/a fsid=one
ok "a part is read" head -c 4194304 /mnt/a/$LARGE
for unit in 64k 1k; do
	dd if=/dev/zero of=$SMALL/foreign.$unit bs=$unit 2>/dev/null
done
sync
sleep 1.1
ok "a full disk: the file is right" large_is_right
od_drop_caches
ok "a full disk: right again" large_is_right
file=$(od_cache_file one)
present=$(column blobs one present)
ok "no space is free" test "$(stat -f -c %a $SMALL)" -lt 64
ok "punch while the map cannot be written" od_control punch "$file" "0 $((2 << 20))"
ok "the range is not present" test "$(column blobs one present)" -lt "$present"
ok "the map is committed again" od_wait 20 sh -c "
	awk -F '\t' '\$2 == \"one\" { exit \$4 != \$7 }' $OD_PROC/blobs"
od_drop_caches
ok "the file is right again" large_is_right
is "nothing failed" "$(od_counter failures)" 0
rm $SMALL/foreign.*
sleep 1.1
filled=$(od_counter bytes_filled)
od_drop_caches
ok "with room again: the file is right" large_is_right
ok "and kept" test "$(od_counter bytes_filled)" -gt $((filled + (8 << 20)))
umount /mnt/a
kill_daemons
od_unload
umount $SMALL
