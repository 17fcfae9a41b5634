# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60
# where: powercut.sh
# The power is cut while a cache fills, twice. What was there by then is right
# afterwards and is not fetched again; what was not is fetched, never zeroes.
# Runs by itself: tests/bin/vm.sh boots the machine again.

OD_FILLED=/mnt/scratch/filled

# read_some FILES: that many are read
read_some() {
	find /mnt/a -type f | sort | head -n "$1" >/tmp/list
	xargs cat </tmp/list >/dev/null
}

# to_disk: what was filled is committed; this test is not about the disk's own cache
to_disk() {
	od_counter bytes_filled >$OD_FILLED
	sync
}

# present: bytes that are here of the mounted image
present() {
	awk -F '\t' '$2 == "one" { print $4 }' $OD_PROC/blobs
}

case $(od_arg boot 0) in
0)
	ok "setup" od_setup
	# Pieces that begin and end inside a block are what a file system does not remember.
	ok "a daemon that writes in odd pieces" fake --piece 100000 --delay-ms 20
	ok "mount" od_mount /mnt/a fsid=one
	read_some 400
	killall -USR1 fakedaemon
	find /mnt/a -type f -exec cat {} + >/dev/null &
	ok "which was in the middle of one" od_wait 10 grep -q HALF /tmp/fake.log
	to_disk
	od_cut_power
	;;
1)
	od_load
	ok "a daemon takes up the cache" odd
	ok "mount" od_mount /mnt/a fsid=one
	ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
	umount /mnt/a
	kill_daemons
	od_fresh_cache
	ok "a daemon with a fresh one" odd
	ok "mount" od_mount /mnt/a fsid=one
	read_some 3000
	to_disk
	find /mnt/a -type f -exec cat {} + >/dev/null &
	sleep 0.5
	od_cut_power
	;;
*)
	od_load
	ok "a daemon takes up the cache" odd
	ok "mount" od_mount /mnt/a fsid=one
	filled=$(cat $OD_FILLED)
	note "$filled bytes were on the disk, $(present) are found"
	ok "bytes were filled before the cut" test "$filled" -gt 1000000
	ok "all that was on the disk is found" test "$(present)" -ge "$filled"
	ok "and not all there is" test "$(present)" -lt "$(stat -c %s $OD_BLOBS/one)"
	ok "every byte is right" same_tree /mnt/a $OD_SUMS/tree
	;;
esac
