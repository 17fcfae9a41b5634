# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60
# where: powercut.sh
# Two power cuts while a cache is filled. Data that was on disk by then is right
# afterwards and is not fetched again; other data is fetched, and never reads as zeroes.
# tests/bin/vm.sh boots the VM again.

OD_FILLED=/mnt/scratch/filled

# read_some FILES: reads that many files
read_some() {
	find /mnt/a -type f | sort | head -n "$1" >/tmp/list
	xargs cat </tmp/list >/dev/null
}

# to_disk: commits filled data; this test does not cover the disk's own cache
to_disk() {
	od_counter bytes_filled >$OD_FILLED
	sync
}

# present: prints the number of present bytes of the mounted image
present() {
	awk -F '\t' '$2 == "one" { print $4 }' $OD_PROC/blobs
}

case $(od_arg boot 0) in
0)
	ok "setup" od_setup
	# Pieces begin and end within a block: the file system does not keep track of those.
	ok "a daemon that writes in odd pieces" fake --piece 100000 --delay-ms 20
	ok "mount" od_mount /mnt/a fsid=one
	read_some 400
	killall -USR1 fakedaemon
	find /mnt/a -type f -exec cat {} + >/dev/null &
	ok "it is in the middle of a piece" od_wait 10 grep -q HALF /tmp/fake.log
	to_disk
	od_cut_power
	;;
1)
	od_load
	# The same daemon: erofs-odd would report a version of the blob, and everything would
	# be fetched again.
	ok "a daemon binds the cache" fake
	ok "mount" od_mount /mnt/a fsid=one
	filled=$(cat $OD_FILLED)
	note "$filled bytes were on the disk, $(present) are present"
	ok "all that was on the disk is present" test "$(present)" -ge "$filled"
	ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
	umount /mnt/a
	kill_daemons
	od_fresh_cache
	ok "a daemon with an empty cache" odd
	ok "mount" od_mount /mnt/a fsid=one
	read_some 3000
	to_disk
	find /mnt/a -type f -exec cat {} + >/dev/null &
	sleep 0.5
	od_cut_power
	;;
*)
	od_load
	ok "a daemon binds the cache" odd
	ok "mount" od_mount /mnt/a fsid=one
	filled=$(cat $OD_FILLED)
	note "$filled bytes were on the disk, $(present) are present"
	ok "bytes were filled before the cut" test "$filled" -gt 1000000
	ok "all that was on the disk is present" test "$(present)" -ge "$filled"
	ok "but not the whole image" test "$(present)" -lt "$(stat -c %s $OD_BLOBS/one)"
	ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
	;;
esac
