# SPDX-License-Identifier: GPL-2.0-only
# seconds: 145, debug 600
# where: stock debug
# erofs-odd culls on a file system of 40 MB: the least recently used blobs are removed,
# pinned blobs and blobs in use are kept, a large image is read through a small cache, and
# the cache stays within its size limit.

SMALL=/mnt/small
OD_CACHE=$SMALL/cache

small_fs() {
	mkdir -p $SMALL
	rm -f /mnt/scratch/small
	truncate -s 40M /mnt/scratch/small &&
		/usr/bin/mke2fs -q -t ext4 -F -m 0 -J size=1 -E lazy_itable_init=0,nodiscard /mnt/scratch/small &&
		mount -o loop,noatime /mnt/scratch/small $SMALL && mkdir $OD_CACHE
}

has() {
	[ -n "$(od_cache_file "$1")" ]
}

has_not() {
	! has "$1"
}

stop_daemon() {
	kill_daemons
	od_wait 5 od_daemon_is none
}

large_is_right() {
	treesum /mnt/a/large | grep '^sequential ' | cut -d' ' -f10 >/tmp/room-got
	grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10 | cmp - /tmp/room-got
}

not_culling() {
	[ "$(od_counter culling)" = no ]
}

ok "setup" od_load
ok "a small file system" small_fs
ok "daemon" odd --brun=33 --bcull=30 --bstop=5 --cold=3600
for image in v-1024-flat v-4096-flat v-2048-plain; do
	ok "$image" od_use $image
done
is "there is room" "$(od_counter room)" plenty
ok "pin" erofs-od pin v-4096-flat
ok "pin of a blob that is not cached" erofs-od pin other
ok "the pin is on disk" test -e $OD_CACHE/pins/Dv-4096-flat
ok "status shows it" sh -c "erofs-od status | grep -qx 'v-4096-flat *'"
ok "status --json, too" sh -c "erofs-od status --json | grep -q '\"other\"'"
ok "unpin" erofs-od unpin other
notok "unpin of a blob that is not pinned" erofs-od unpin other
before=$(od_counter bytes_filled)
ok "the first image is used again" od_use v-1024-flat
is "and nothing is fetched" "$(od_counter bytes_filled)" "$before"

ok "a fourth image" od_mount /mnt/b fsid=v-1024-plain
ok "is right" same_tree /mnt/b $OD_SUMS/small
ok "the least recently used image is culled" od_wait 10 has_not v-2048-plain
ok "culling stops" od_wait 10 not_culling
ok "a more recently used image is kept" has v-1024-flat
ok "the pinned image is kept" has v-4096-flat
ok "the image in use is kept" has v-1024-plain
is "one blob was culled" "$(od_counter culled)" 1
dd if=/dev/zero of=$SMALL/foreign bs=64k 2>/dev/null
od_drop_caches
ok "foreign files fill the disk: the image in use is right" same_tree /mnt/b $OD_SUMS/small
ok "the next image mounts" od_wait 30 od_mount /mnt/a fsid=v-4096-plain
ok "and is right" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
ok "all unused images are culled" od_wait 10 has_not v-1024-flat
ok "except the pinned one" has v-4096-flat
is "drop keeps the pinned image" "$(erofs-od drop v-4096-flat 2>&1 | grep -c pinned)" 1
rm $SMALL/foreign
umount /mnt/b

# a size limit for the cache
stop_daemon
ok "a daemon with a size limit" odd --cache-size=12M --bcull=2 --brun=3 --bstop=1
for image in v-1024-flat v-1024-plain; do
	ok "$image" od_use $image
done
ok "the older one is culled" od_wait 20 has_not v-1024-flat
ok "the pinned one is kept" has v-4096-flat
ok "unpin" erofs-od unpin v-4096-flat
ok "the next one" od_use v-2048-plain
ok "the unpinned one is culled" od_wait 20 has_not v-4096-flat
ok "the cache is within its limit" od_wait 20 sh -c "[ \$(du -sk $OD_CACHE/cache | cut -f1) -le 12288 ]"

# an image several times as large as the cache
stop_daemon
ok "a daemon that punches cold ranges" odd --cold=1
ok "mount" od_mount /mnt/a fsid=one
ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
ok "culling stops" od_wait 20 not_culling
ok "ranges of it were punched" test "$(od_counter bytes_punched)" -gt $((8 << 20))
note "207.5 MiB through a cache of 36 MiB: $(od_counter bytes_filled) bytes kept, $(od_counter bytes_passed) passed on, $(od_counter bytes_punched) punched"
od_drop_caches
ok "and right again" large_is_right
is "nothing failed" "$(od_counter failures)" 0
ok "the next image" od_wait 30 od_mount /mnt/b fsid=v-4096-flat
ok "is right" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
umount /mnt/a
stop_daemon
od_unload
umount $SMALL
