# SPDX-License-Identifier: GPL-2.0-only
# A cache on a file system without direct I/O.
ok "setup" od_setup
mkdir -p /mnt/tmpfs
mount -t tmpfs -o size=400m tmpfs /mnt/tmpfs
OD_CACHE=/mnt/tmpfs/cache
od_fresh_cache
touch $OD_CACHE/probe
if setfattr -n user.probe -v 1 $OD_CACHE/probe; then
	ok "daemon" odd
	ok "mount" od_mount /mnt/a fsid=v-4096-flat
	ok "it is the source" same_tree /mnt/a $OD_SUMS/small
	od_drop_caches
	ok "it still is" same_tree /mnt/a $OD_SUMS/small
	umount /mnt/a
	ok "mount of the large one" od_mount /mnt/a fsid=one
	ok "its data is right" sh -c "treesum /mnt/a/large | grep '^sequential ' | cut -d' ' -f10 >/tmp/a
		grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10 | cmp - /tmp/a"
else
	# tmpfs has user xattrs from 6.6 on, and the cache needs them.
	note "this kernel's tmpfs has no user xattrs"
	od_log_mark
	notok "bind fails" fakedaemon --cache $OD_CACHE --blobs $OD_BLOBS
	ok "with a line in the log" test -n "$(od_log)"
fi
