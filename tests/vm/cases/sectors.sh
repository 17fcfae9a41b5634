# SPDX-License-Identifier: GPL-2.0-only
# seconds: 35, debug 150
# where: stock rows pages debug
# A cache on a device with 4096-byte sectors, images with smaller blocks and files with
# tails: everything is read with direct I/O, in whole sectors.
BELOW=/mnt/scratch/sectors
SECTORS=/mnt/sectors
if [ ! -x /usr/bin/mke2fs ]; then
	skip "a device of 4096-byte sectors" "no mke2fs"
	return
fi

# pages NAME: prints the number of pages of the image's cache file in the page cache
pages() {
	storage resident "$(od_cache_file "$1")"
}

# by_sectors: direct reads at all offsets in a block agree with buffered ones
by_sectors() {
	local file
	find /mnt/a -type f -size +8k | while read -r file; do
		readways direct-sectors "$file" | cmp - "$file" || return 1
	done
}

ok "setup" od_load
rm -f $BELOW
truncate -s 600M $BELOW
ok "loop device" losetup /dev/loop0 $BELOW
ok "its sectors" storage sectors /dev/loop0 4096
is "are of 4096 bytes" "$(cat /sys/block/loop0/queue/logical_block_size)" 4096
ok "file system" /usr/bin/mke2fs -q -t ext4 -b 4096 -E nodiscard /dev/loop0
mkdir -p $SECTORS
ok "mount of it" mount -t ext4 /dev/loop0 $SECTORS
OD_CACHE=$SECTORS/cache
od_fresh_cache
ok "daemon" odd
for image in v-512-flat v-512-plain v-512-chunk v-512-index v-1024-flat v-4096-flat; do
	ok "mount of $image" od_mount /mnt/a fsid=$image
	ok "$image: cold, same as the source" same_tree /mnt/a $OD_SUMS/small
	od_drop_caches
	ok "$image: cached, same as the source" same_tree /mnt/a $OD_SUMS/small
	ok "$image: direct reads of sectors" by_sectors
	is "$image: pages of its cache file in the page cache" "$(pages $image)" 0
	umount /mnt/a
done
ok "a buffered read of the cache file" sh -c \
	"dd if=\$(find $OD_CACHE/cache -name Dv-512-flat) of=/dev/null bs=1 count=1"
ok "shows in its number of pages" test "$(pages v-512-flat)" -gt 0
kill_daemons
od_unload
umount $SECTORS
losetup -d /dev/loop0
rm -f $BELOW
