# SPDX-License-Identifier: GPL-2.0-only
# seconds: 10, debug 30
# where: stock debug
# A file system with DAX: stores may reach the device before any flush, in any order. Bind
# rejects a cache on it with a log line; without DAX the same device is accepted. The memory
# is reserved by memmap= on the kernel command line.
DEVICE=/dev/pmem0
DAX=/mnt/dax
if [ ! -x /usr/bin/mke2fs ]; then
	skip "a cache on DAX" "no mke2fs"
	return
fi
if [ -e /modules/pmem/order ]; then
	while read -r module; do
		insmod "/modules/pmem/$module"
	done </modules/pmem/order
fi
if ! od_wait 5 test -b $DEVICE; then
	case $(cat /proc/cmdline) in
	*memmap=*) fail "a pmem device" "$(dmesg | grep -iE 'pmem|e820' | tail -n 5)" ;;
	*) skip "a cache on DAX" "no memory is reserved for it" ;;
	esac
	return
fi

# dax_fs MODE: creates an ext4 and mounts it with dax=MODE
dax_fs() {
	mkdir -p $DAX
	/usr/bin/mke2fs -q -t ext4 -b 4096 -F $DEVICE && mount -t ext4 -o "dax=$1" $DEVICE $DAX
}

ok "modules" od_load
OD_CACHE=$DAX/cache
ok "ext4 with DAX" dax_fs always
ok "it is in use" grep -qE "^$DEVICE $DAX ext4 [^ ]*dax=always" /proc/mounts
mkdir -p $OD_CACHE
od_log_mark
if out=$(timeout 60 fakedaemon --cache $OD_CACHE --blobs $OD_BLOBS 2>&1); then
	fail "a cache on it is rejected" "it binds"
else
	case $out in
	*"Operation not supported"*) pass "a cache on it is rejected" ;;
	*) fail "a cache on it is rejected" "$out" ;;
	esac
fi
is "one log line names the file system and the reason" \
	"$(od_log | wc -l) $(od_log | grep -c "dir $OD_CACHE: file system \"ext4\" is not supported: DAX")" "1 1"
umount $DAX
ok "the same device without DAX" dax_fs never
mkdir -p $OD_CACHE
ok "is accepted" fake
ok "mount" od_mount /mnt/a fsid=v-4096-plain
ok "every byte is right" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
kill_daemons
od_unload
umount $DAX
