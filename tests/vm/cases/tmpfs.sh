# SPDX-License-Identifier: GPL-2.0-only
# seconds: 30, debug 170
# where: stock rows debug
# A cache on a file system without direct I/O. Before 6.6 tmpfs has no user xattrs
# either: then blobs cannot be told from foreign files at the next mount, and are
# fetched again.
ok "setup" od_setup
mkdir -p /mnt/tmpfs
mount -t tmpfs -o size=400m tmpfs /mnt/tmpfs
OD_CACHE=/mnt/tmpfs/cache
od_fresh_cache
touch $OD_CACHE/probe
setfattr -n user.probe -v 1 $OD_CACHE/probe 2>/dev/null && xattrs=yes || xattrs=no
note "user xattrs on tmpfs: $xattrs"
od_log_mark
ok "daemon" odd
is "the log warns that the cache does not last" "$(od_log | grep -c 'cached data is lost')" \
	"$([ $xattrs = yes ] && echo 0 || echo 1)"
ok "mount" od_mount /mnt/a fsid=v-4096-flat
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
od_drop_caches
ok "same as the source, with cold page cache" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
filled=$(od_counter bytes_filled)
ok "mount again" od_mount /mnt/a fsid=v-4096-flat
ok "same as the source again" same_tree /mnt/a $OD_SUMS/small
is "nothing is fetched again if there are xattrs" "$([ "$(od_counter bytes_filled)" = "$filled" ] && echo yes || echo no)" \
	$xattrs
umount /mnt/a
ok "mount of a large image" od_mount /mnt/a fsid=one
ok "its data is right" sh -c "treesum /mnt/a/large | grep '^sequential ' | cut -d' ' -f10 >/tmp/a
	grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10 | cmp - /tmp/a"
umount /mnt/a
