# SPDX-License-Identifier: GPL-2.0-only
# seconds: 9, debug 90
# where: stock rows short debug
# The command line, with the real modules and the real daemon.

exits 3 "mount without the modules" erofs-od mount one /mnt/a
exits 3 "status without the modules" erofs-od status
exits 2 "no command" erofs-od
exits 2 "an unknown option" erofs-od mount --zork one /mnt/a
ok "setup" od_setup
exits 4 "mount without a daemon" erofs-od mount one /mnt/a
ok "daemon" odd
exits 1 "mount of a missing image" erofs-od mount no-such-blob /mnt/a
says "the message names it" 'no-such-blob'
exits 0 "mount without a deadline" erofs-od mount --timeout=none v-4096-flat /mnt/a
ok "the mount option shows" grep -q " /mnt/a .*timeout=none" /proc/mounts
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
exits 0 "mount in a domain, with devices and a deadline" \
	erofs-od mount --domain d --device data-a --device data-b --timeout 5000 boot /mnt/b
exits 0 "status" erofs-od status
says "the first mount" '/mnt/a'
says "and its image" 'v-4096-flat'
says "the other mount" '/mnt/b'
exits 0 "status --json" erofs-od status --json
says "the domain" '"domain": *"d"'
says "a blob" '"data-b"'

killall -STOP erofs-odd
cat /mnt/b/large/sequential >/dev/null 2>&1 &
od_wait 5 od_waiting 1
exits 0 "status while a reader waits" erofs-od status -v
says "shows the pending READ" 'READ'
killall -CONT erofs-odd
wait $!

exits 0 "umount of both" erofs-od umount /mnt/a /mnt/b
exits 1 "umount of a directory that is not mounted" erofs-od umount /mnt/a
ok "mount" od_mount /mnt/a fsid=one
ln -s /mnt/a /tmp/link
exits 1 "umount of a link" erofs-od umount /tmp/link
says "says so" "it is a symbolic link"
exits 0 "umount of the directory" erofs-od umount /mnt/a
rm /tmp/link
killall erofs-odd
ok "the daemon exits on SIGTERM" od_wait 10 od_daemon_is none
