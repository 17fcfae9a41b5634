# SPDX-License-Identifier: GPL-2.0-only
# seconds: 7, debug 80
# where: stock rows short debug
# Module parameters and mount options.
shows() {
	grep " $1 " /proc/mounts | grep -q "$2"
}

# Every kernel has the misc device cpu_dma_latency.
od_log_mark
notok "devname= in use" insmod /modules/od/cachefiles_od.ko devname=cpu_dma_latency
ok "one line names the conflict" expr "$(od_log | grep -v taint | grep -v 'module verification')" : '.*cpu_dma_latency'
ok "devname= not in use" od_load devname=other_name
ok "is the name of the device" test -c /dev/other_name
notok "and the default name does not exist" test -e /dev/cachefiles
ok "unload" od_unload
notok "a device name with a slash" insmod /modules/od/cachefiles_od.ko devname=a/b
grep -q '^cachefiles_od ' /proc/modules && rmmod cachefiles_od

ok "setup" od_setup
ok "daemon" odd
notok "no file system type erofs" mount -t erofs -o ro,fsid=v-4096-flat none /mnt/a
ok "mount" od_mount /mnt/a fsid=v-4096-flat
ok "fsid shows" shows /mnt/a 'fsid=v-4096-flat'
ok "it is read-only" shows /mnt/a ' ro,'
notok "no file can be created" touch /mnt/a/new
notok "a second mount of the same fsid with other options" od_mount /mnt/b fsid=v-4096-flat,noacl
notok "rmmod of erofs_od while mounted" rmmod erofs_od
notok "rmmod of cachefiles_od while mounted" rmmod cachefiles_od
ok "statfs" sh -c 'df -P /mnt/a | tail -n 1 | awk "{ exit !(\$2 > 1000) }"'
ok "remount with another fsid" mount -o remount,ro,fsid=other none /mnt/a
ok "does not change fsid" shows /mnt/a 'fsid=v-4096-flat'
umount /mnt/a
ok "mount in a domain" od_mount /mnt/a domain_id=shared,fsid=v-4096-flat
ok "domain_id shows" shows /mnt/a domain_id=shared
ok "another fsid in the same domain" od_mount /mnt/b domain_id=shared,fsid=v-4096-plain
ok "every byte is right" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
notok "the same fsid in the same domain, with other options" od_mount /mnt/b domain_id=shared,fsid=v-4096-flat,noacl
umount /mnt/a
ok "mount without xattrs" od_mount /mnt/a fsid=v-4096-flat,nouser_xattr
notok "user xattrs are hidden" getfattr -n user.first /mnt/a/a/xattrs/several
umount /mnt/a

ok "mount for an overlay" od_mount /mnt/a fsid=v-4096-flat
mkdir -p /mnt/scratch/upper /mnt/scratch/work /mnt/overlay
ok "overlayfs above it" mount -t overlay -o lowerdir=/mnt/a,upperdir=/mnt/scratch/upper,workdir=/mnt/scratch/work none /mnt/overlay
ok "copy up" sh -c 'echo more >>/mnt/overlay/a/links/one && grep -q three /mnt/overlay/a/links/one'
umount /mnt/overlay
umount /mnt/a
kill_daemons
od_unload

insmod /modules/od/cachefiles_od.ko
ok "dropin=1" insmod /modules/od/erofs_od.ko dropin=1
od_fresh_cache
ok "daemon" odd
ok "mount -t erofs" mount -t erofs -o ro,fsid=v-4096-flat none /mnt/a
ok "every byte is right" same_tree /mnt/a $OD_SUMS/small
