# SPDX-License-Identifier: GPL-2.0-only
# seconds: 19, debug 200
# where: stock debug
# The example for authors of daemons, examples/minimal-daemon.c: every byte comes
# through it, and what it cannot give is an error.

# example BLOB_FOLDER: sets EXAMPLE
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

# sums FOLDER: of its files, as far as they can be read
sums() {
	(cd "$1" && find . -type f | sort | while read -r file; do
		md5sum "$file" 2>/dev/null
	done)
}

ok "setup" od_setup
minimal-daemon >/tmp/example.log 2>&1
is "without arguments it says how it is used" "$? $(grep -c '^minimal-daemon: usage: ' /tmp/example.log)" "2 1"
example $OD_BLOBS
ok "it binds a cache" od_daemon_is bound
before=$(fds)
mkdir -p /mnt/tags
ok "mount: one blob" od_mount /mnt/a fsid=v-4096-flat
ok "mount: a bootstrap with twenty data blobs" od_mount /mnt/tags domain_id=d,fsid=twenty
is "each of the 22 blobs has two files open" "$(fds)" $((before + 44))
ok "every byte of the one" same_tree /mnt/a $OD_SUMS/small
ok "every byte of the other" mountstorm same /mnt/tags $OD_MNT/images/trees/domain
note "$(od_reads) READs, $(od_counter bytes_filled) bytes filled"
mount_fails "a blob that is not there" fsid=no-such-blob "No such file" 4
mount_fails "a name that leads out of the folder" fsid=..,domain_id=x "Invalid argument" 4
umount /mnt/a /mnt/tags
ok "behind CLOSE it has none open" od_wait 5 has_fds "$before"
ok "it is alive" kill -0 $EXAMPLE
kill $EXAMPLE
ok "it can be killed" od_wait 10 od_daemon_is none

od_put_away
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
note "$(wc -l </tmp/sums.some) of $(wc -l </tmp/sums.all) files can be read of a blob that was cut off"
ok "what the blob has no more is an error" test "$(wc -l </tmp/sums.some)" -lt "$(wc -l </tmp/sums.all)"
notok "and nothing is zeroes" grep -vxFf /tmp/sums.all /tmp/sums.some
ok "the log says which range is missing" sh -c "dmesg | grep -q 'cachefiles_od: .*short'"
