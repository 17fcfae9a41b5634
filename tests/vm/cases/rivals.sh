# SPDX-License-Identifier: GPL-2.0-only
# seconds: 10, debug 60
# where: stock rows debug
# The stock cachefiles module bound to the same directory: it cannot cull files
# that are in use.
case $(uname -r) in
5.10.*)
	skip "a stock cachefiles on the same directory" "this kernel cannot mark files as in use"
	return
	;;
esac
if [ ! -e /modules/rivals/cachefiles.ko ]; then
	skip "a stock cachefiles on the same directory" "this kernel has none"
	return
fi

insmod_rivals() {
	local module
	while read -r module; do
		[ "$module" = erofs.ko ] || insmod "/modules/rivals/$module" || return 1
	done </modules/rivals/order
}

rmmod_rivals() {
	local module
	for module in erofs cachefiles fscache netfs; do
		grep -q "^$module " /proc/modules || continue
		rmmod $module || return 1
	done
}

# stock_cull FILE: culls the file with the stock module, whose device is fd 3
stock_cull() {
	cd "${1%/*}" && echo "cull ${1##*/}" >&3
}

DEVICE=/dev/cachefiles_od
ok "the stock modules" insmod_rivals
ok "both modules, with another device name" od_load devname=${DEVICE#/dev/}
od_fresh_cache
ok "daemon" odd --device=$DEVICE
for image in v-4096-plain v-4096-flat; do
	ok "mount of $image" od_mount /mnt/a fsid=$image
	ok "$image is read" same_tree /mnt/a $OD_SUMS/small
	umount /mnt/a
done
idle=$(find $OD_CACHE/cache -name Dv-4096-plain)
used=$(find $OD_CACHE/cache -name Dv-4096-flat)
ok "the second one is mounted" od_mount /mnt/a fsid=v-4096-flat

exec 3<>/dev/cachefiles
ok "stock: dir" sh -c "echo 'dir $OD_CACHE' >&3"
ok "stock: tag" sh -c "echo 'tag stock' >&3"
ok "stock: bind" sh -c "echo bind >&3"
out=$(stock_cull "$used" 2>&1)
is "stock: cull of a file in use fails" $? 1
case $out in
*busy*) pass "with EBUSY" ;;
*) fail "with EBUSY" "$out" ;;
esac
ok "the file still exists" test -e "$used"
od_drop_caches
ok "and can be read" same_tree /mnt/a $OD_SUMS/small
ok "stock: cull of an unused file" stock_cull "$idle"
ok "it is removed" test ! -e "$idle"
umount /mnt/a
ok "stock: cull of the other one, which is unused now" stock_cull "$used"
ok "it is removed, too" test ! -e "$used"
exec 3>&-
ok "the culled image can be mounted" od_mount /mnt/a fsid=v-4096-flat
ok "and is fetched again" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
kill_daemons
od_unload
ok "the stock modules unload" od_wait 5 rmmod_rivals
