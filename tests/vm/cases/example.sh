# SPDX-License-Identifier: GPL-2.0-only
# seconds: 19, debug 200
# where: stock debug
# The example for authors of daemons, examples/minimal-daemon.c: it serves every
# byte, and reads of data that it cannot deliver fail.

# example BLOB_DIR: sets EXAMPLE
example() {
	minimal-daemon $OD_CACHE "$1" >/tmp/example.log 2>&1 &
	EXAMPLE=$!
	od_wait 10 od_daemon_is bound || { cat /tmp/example.log; return 1; }
}

fds() {
	ls "/proc/$EXAMPLE/fd" | wc -l
}

has_fds() {
	[ "$(fds)" = "$1" ]
}

# sums DIR: prints the checksums of its files that can be read
sums() {
	(cd "$1" && find . -type f | sort | while read -r file; do
		md5sum "$file" 2>/dev/null
	done)
}

ok "setup" od_setup
minimal-daemon >/tmp/example.log 2>&1
is "without arguments it prints its usage" "$? $(grep -c '^minimal-daemon: usage: ' /tmp/example.log)" "2 1"
example $OD_BLOBS
ok "it binds a cache" od_daemon_is bound
before=$(fds)
mkdir -p /mnt/tags
ok "mount: one blob" od_mount /mnt/a fsid=v-4096-flat
ok "mount: a bootstrap with twenty data blobs" od_mount /mnt/tags domain_id=d,fsid=twenty
is "each of the 22 blobs has two files open" "$(fds)" $((before + 44))
ok "every byte of the first" same_tree /mnt/a $OD_SUMS/small
ok "every byte of the second" mountstorm same /mnt/tags $OD_MNT/images/trees/domain
note "$(od_reads) READs, $(od_counter bytes_filled) bytes filled"
mount_fails "a missing blob" fsid=no-such-blob "No such file" 4
mount_fails "a name that leads out of the directory" fsid=..,domain_id=x "Invalid argument" 4
umount /mnt/a /mnt/tags
ok "after CLOSE it has none open" od_wait 5 has_fds "$before"
ok "it is still running" kill -0 $EXAMPLE
kill $EXAMPLE
ok "it can be killed" od_wait 10 od_daemon_is none

od_cleanup
od_fresh_cache
mkdir /tmp/blobs
cp $OD_BLOBS/v-4096-flat /tmp/blobs/short
example /tmp/blobs
ok "mount" od_mount /mnt/a fsid=short
sums /mnt/a >/tmp/sums.all
umount /mnt/a
kill $EXAMPLE
od_wait 10 od_daemon_is none
od_fresh_cache
example /tmp/blobs
ok "mount, with an empty cache" od_mount /mnt/a fsid=short
truncate -s 65536 /tmp/blobs/short
sums /mnt/a >/tmp/sums.some
note "$(wc -l </tmp/sums.some) of $(wc -l </tmp/sums.all) files can be read from a truncated blob"
ok "data missing in the blob reads as an error" test "$(wc -l </tmp/sums.some)" -lt "$(wc -l </tmp/sums.all)"
notok "and not as zeroes" grep -vxFf /tmp/sums.all /tmp/sums.some
ok "the log names the missing range" sh -c "dmesg | grep -q 'cachefiles_od: .*short'"
