# SPDX-License-Identifier: GPL-2.0-only
# seconds: 5, debug 30
# where: stock rows short debug kasan
# Inodes without links, which the kernel would evict on their last iput(), and eviction
# while reads wait for the daemon.
WORK=$OD_MNT/scratch/nlink
image=v-4096-flat

ok "setup" od_setup
mkdir -p $WORK
ok "daemon" odd --source=$WORK --source=$OD_BLOBS
ok "mount" od_mount /mnt/a fsid=$image
file=$(cd /mnt/a && find . -type f -size +8k | sort | head -n 1)
dir=$(cd /mnt/a && find . -mindepth 1 -type d | sort | head -n 1)
link=$(cd /mnt/a && find . -type l | sort | head -n 1)
for kind in file dir link; do
	eval "path=\$$kind"
	ok "an image whose $kind has no links" \
		setinode $OD_BLOBS/$image $WORK/no-$kind "$(stat -c %i "/mnt/a/$path")" links 0
done
ok "an image whose root has no links" setinode $OD_BLOBS/$image $WORK/no-root root links 0
ok "an image whose root has 77 links" setinode $OD_BLOBS/$image $WORK/more-root root links 77
umount /mnt/a

for kind in file dir link; do
	eval "path=\$$kind"
	ok "$kind: mount" od_mount /mnt/a fsid=no-$kind
	od_log_mark
	out=$(stat "/mnt/a/$path" 2>&1)
	ok "$kind: rejected" expr "$out" : '.*Structure needs cleaning'
	ok "$kind: the log says why" expr "$(od_log)" : '.*no links'
	umount /mnt/a
done
mount_fails "a root without links" fsid=no-root 'Structure needs cleaning' 2
ok "a root with 77 links" od_mount /mnt/a fsid=more-root
is "stat shows them" "$(stat -c %h /mnt/a)" 77
umount /mnt/a
kill_daemons

# Killed readers leave their folios locked until the daemon replies.
od_fresh_cache
ok "a daemon" fake --delay-ms 50
ok "mount" od_mount /mnt/a fsid=one
stat /mnt/a/large/sequential >/dev/null
killall -STOP fakedaemon
oddriver wait-readers /mnt/a/large/sequential 4 >/dev/null 2>&1 &
readers=$!
ok "readers wait" od_wait 10 od_waiting 1
kill -9 $readers
killall -9 oddriver 2>/dev/null
ok "killed, they exit" od_wait 10 has_ended $readers
ok "drop_caches does not wait for the daemon" timeout -s KILL 20 sh -c 'echo 3 >/proc/sys/vm/drop_caches'
ok "nor does unmount, which evicts the inode" od_umount /mnt/a
is "no READ is pending" "$(grep -c '^[0-9].*READ' $OD_PROC/requests)" 0
kill_daemons
rm -rf $WORK
