# SPDX-License-Identifier: GPL-2.0-only
# seconds: 15, debug 190
# where: stock rows short debug
# Bad input: an errno and one log line each.
ok "setup" od_setup
mount_fails "no daemon" fsid=one 'not connected'
ok "daemon" odd
mount_fails "missing bootstrap" fsid=no-such-blob 'No such file or directory'
mount_fails "a file that is not an image" fsid=no-image 'Invalid argument'
mount_fails "a missing data blob" domain_id=d1,fsid=boot,device=data-a,device=none 'No such file or directory'
mount_fails "too few data blobs" domain_id=d2,fsid=boot,device=data-a 'Invalid argument'
mount_fails "too many data blobs" domain_id=d3,fsid=boot,device=data-a,device=data-b,device=one 'Invalid argument'
mount_fails "no fsid" domain_id=d4 'Invalid argument'
mount_fails "unknown option" fsid=one,no_such_option=1 'Invalid argument'
mount_fails "fsid too long" "fsid=$(printf 'x%.0s' $(seq 253))" 'File name too long'
mount_fails "fsid with a slash" fsid=../one 'Invalid argument'
ok "a valid mount afterwards" od_mount /mnt/a fsid=v-4096-flat
ok "every byte is right" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a

kill_daemons

for errno in 1:'permission denied' 13:'Permission denied' 110:'timed out' 5:'Input/output error' 28:'No space left'; do
	od_fresh_cache
	fake --copen -${errno%%:*}
	mount_fails "mount fails with the errno of copen -${errno%%:*}" fsid=one "${errno#*:}"
	kill_daemons
done
fake --copen -13 --close-first
mount_fails "fd closed before the negative copen" fsid=one 'Permission denied'
kill_daemons
fake --copen zork
mount_fails "copen with garbage" fsid=one 'Invalid argument'
ok "the garbage is rejected" grep -q '^rejected: copen' /tmp/fake.log
kill_daemons
fake --copen -99999
mount_fails "copen with an invalid errno" fsid=one 'Invalid argument'
kill_daemons

od_fresh_cache
fake --leave-hole
# one line for each READ and one for the mount
mount_fails "a READ completed without data" fsid=one 'Input/output error' 3
kill_daemons
od_fresh_cache
fake --lie $((1 << 20))
ok "mount of a blob with a wrong size from the daemon" od_mount /mnt/a fsid=v-4096-plain
ok "all data is right" same_tree /mnt/a $OD_SUMS/small
