# SPDX-License-Identifier: GPL-2.0-only
# seconds: 45, debug 300
# where: stock rows short pages debug
# Block sizes from 512 to the page size, every layout, and other variants of
# metadata.
ok "setup" od_setup
ok "daemon" odd
for block in 512 1024 2048 4096; do
	for layout in flat plain chunk index; do
		name=v-$block-$layout
		ok "mount of $name" od_mount /mnt/a fsid=$name
		ok "$name: same as the source" same_tree /mnt/a $OD_SUMS/small
		umount /mnt/a
	done
	# All compact inodes have the same timestamp: timestamps are not compared.
	name=v-$block-compact
	ok "mount of $name" od_mount /mnt/a fsid=$name
	ok "$name: same as the source" same_tree /mnt/a $OD_SUMS/small 's/ -?[0-9]+\.[0-9]{9} / /'
	umount /mnt/a
done
# By erofs-utils 1.5 and 1.9; all other images are built by 1.8.
sed -n 's/^b\/many\///p' $OD_SUMS/small >/tmp/many
for name in u-bookworm-flat u-bookworm-chunk u-sid-flat u-sid-chunk; do
	sum=$OD_SUMS/small
	[ "${name#u-bookworm}" = "$name" ] || sum=/tmp/many
	ok "mount of $name" od_mount /mnt/a fsid=$name
	ok "$name: same as the source" same_tree /mnt/a $sum '/^\. /d'
	umount /mnt/a
done
# With 48-bit addresses, and without "." in the image.
for name in v-512-48bit v-4096-48bit v-4096-dot; do
	ok "mount of $name" od_mount /mnt/a fsid=$name
	ok "$name: same as the source" same_tree /mnt/a $OD_SUMS/small
	umount /mnt/a
done
ok "a file of zeroes: mount" od_mount /mnt/a fsid=v-512-hole
is "it has the length of its source" "$(stat -c %s /mnt/a/zeroes)" 3000000
is "it is a hole" "$(readways seek /mnt/a/zeroes)" "hole 0 3000000"
ok "it reads as zeroes" sh -c 'head -c 3000000 /dev/zero | cmp - /mnt/a/zeroes'
ok "a file beside it has its data" grep -qx data /mnt/a/data
umount /mnt/a
ok "mount with long xattr prefixes" od_mount /mnt/a fsid=v-4096-prefix
ok "long xattr prefixes: same as the source" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
# mkfs.erofs sets its own attributes on the root directory of a merged image.
ok "mount of flat data blobs by unified addresses" od_mount /mnt/a fsid=flat
ok "flat data blobs: the first half exists" test -d /mnt/a/links
sed -n 's/^[ab]\///p' $OD_SUMS/small | grep -v '^ ' | sort >/tmp/merged
treesum /mnt/a | grep -v '^\. ' | sort >/tmp/mine
sed -i -E 's/=a\//=/' /tmp/merged
ok "flat data blobs: same as the source" cmp /tmp/merged /tmp/mine
umount /mnt/a
