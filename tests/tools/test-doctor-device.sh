#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# erofs-od doctor on fake systems: the kernel's own modules, the device, the daemon,
# the cache's directory, and --fix. OD_BUILD is the build directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/sysroot.sh"

# --- the kernel's own modules ---

fresh
rm -r "${root:?}/sys/module"/{erofs_od,cachefiles_od} "${root:?}/proc/fs" "${root:?}/proc/77"
loaded cachefiles 1 1 0
finding "stock cachefiles" stock-cachefiles problem 'is loaded, and has /dev/cachefiles' '^rmmod cachefiles$'
finding "stock cachefiles" device note 'because of stock-cachefiles' ''
loaded cachefiles 1 1 1
finding "stock cachefiles, in use" stock-cachefiles problem 'loaded and in use' 'cachefilesd && rmmod cachefiles$'
loaded cachefiles_od "$version" AAAA
put /sys/module/cachefiles_od/parameters/devname od
finding "stock cachefiles, and another name" stock-cachefiles ok 'with another device name' ''
fresh
put "/lib/modules/$release/modules.builtin" kernel/fs/cachefiles/cachefiles.ko kernel/fs/erofs/erofs.ko
index
finding "cachefiles built into the kernel, ours is loaded" stock-cachefiles ok '' ''
rm -r "${root:?}/sys/module/cachefiles_od"
finding "cachefiles built into the kernel" stock-cachefiles problem 'built into this kernel' 'devname='
finding "erofs built into the kernel" dropin ok 'not configured' ''
fresh
loaded erofs 1 1 0
finding "stock erofs" dropin ok 'not configured' ''
"$od" dropin enable --sysroot "$root" >/dev/null 2>&1
finding "stock erofs in drop-in mode" dropin problem 'stock erofs is loaded$' '^erofs-od dropin enable --now$'
echo '30 20 7:0 / /mnt/snap ro - erofs /dev/loop0 ro' >>"$root/proc/self/mountinfo"
finding "stock erofs in drop-in mode, in use" dropin problem 'mounted on /mnt/snap' \
	'^umount -a -t erofs && erofs-od dropin enable --now$'
rm -r "${root:?}/sys/module/erofs"
put "/lib/modules/$release/modules.builtin" kernel/fs/erofs/erofs.ko
index
finding "erofs built in, in drop-in mode" dropin problem 'erofs is built into' '^erofs-od dropin disable$'

# --- drop-in mode ---

fresh
finding "no drop-in mode" dropin ok 'not configured' ''
"$od" dropin enable --sysroot "$root" >/dev/null 2>&1
finding "configured" dropin problem 'configured, but not active' '^erofs-od dropin enable --now$'
finding "configured, for another kernel" dropin ok 'is configured$' '' --kernel=6.12.1-other
put /sys/module/erofs_od/parameters/dropin Y
finding "active" dropin ok 'configured and active' ''
put /sys/module/cachefiles_od/parameters/devname od
finding "a device of another name" dropin problem 'not active' ''
put /sys/module/cachefiles_od/parameters/devname cachefiles
"$od" dropin disable --sysroot "$root" >/dev/null 2>&1
finding "active, and not configured" dropin note 'active, but not configured' '^erofs-od dropin enable$'
put /etc/modprobe.d/mine.conf 'options erofs_od dropin=1'
finding "a part of it by hand" dropin problem 'missing: alias fs-erofs erofs_od, alias cachefiles' \
	'^erofs-od dropin enable$'

# --- the device and the process that has it open ---

fresh
rm "${root:?}/dev/cachefiles"
finding "no device" device problem '/dev/cachefiles does not exist, though' '^mknod -m 600 /dev/cachefiles c 10 57$'
# Without permission to create a device node, only the rest is tested.
if mknod "$root/dev/cachefiles" c 10 56 2>/dev/null; then
	finding "another's device" device problem 'not the device of' '^rm /dev/cachefiles && mknod .* c 10 57$'
	rm "${root:?}/dev/cachefiles"
	mknod "$root/dev/cachefiles" c 10 57
	finding "the module's device" device ok "is open in erofs-odd" ''
fi
put /proc/misc '183 hw_random'
finding "no device in the kernel" device problem 'no device cachefiles' '^modprobe -r'
fresh
finding "a daemon" device ok '/dev/cachefiles is open in erofs-odd .77.$' ''
finding "a daemon" daemon ok 'serves the cache in /var/cache/erofs-od' ''
rm -r "${root:?}/proc/77"
finding "a daemon whose files are not visible" device ok 'is the device of cachefiles_od$' ''
cache_state none
finding "no daemon" daemon problem 'no daemon serves' '^erofs-odd --dir=/var/cache/erofs-od --source=/srv/blobs$'
put /usr/lib/systemd/system/erofs-odd.service
finding "no daemon, but a service" daemon problem '' '^systemctl enable --now erofs-odd$'
cache_state gone
finding "a daemon that has exited" daemon problem 'the daemon has exited' '^systemctl'
mkdir -p "$root/proc/99/fd"
ln -s /dev/cachefiles "$root/proc/99/fd/7"
put /proc/99/comm cachefilesd
finding "another process has the device open" device problem 'open in cachefilesd .99., which serves no images' '^kill 99$'
rm -r "${root:?}/proc/fs" "${root:?}/sys/module"/{erofs_od,cachefiles_od}
finding "nothing is loaded" daemon note 'because of modules-loaded' ''

# --- the cache's directory ---

mounts() {	# LINE...
	put /proc/self/mountinfo '20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw' "$@"
}

fresh
finding "a good folder" cache-folder ok '/var/cache/erofs-od$' ''
finding "a good folder" cache-mount ok 'is on /var/cache .ext4.' ''
exits '0|1' 'cache-space +[0-9]+ % of the blocks and [0-9]+ % of the files are free' doctor
same "" "$(ls -A "$root/var/cache/erofs-od")" "nothing is left in it"
chmod 755 "$root/var/cache/erofs-od"
finding "a folder that others can enter" cache-folder note 'users other than root' '^chmod 700 /var/cache/erofs-od$'
finding "a folder with a blank" cache-folder problem '/srv/a b does not exist' "^install -d -m 700 '/srv/a b'\$" \
	--dir="/srv/a b"
finding "a folder elsewhere" cache-mount ok '/srv/cache is on / .ext4.' '' --dir=/srv/cache
put /srv/file
finding "a file" cache-folder problem 'is not a directory' '' --dir=/srv/file
sed -i 's|/var/cache/erofs-od|/srv/other|' "$root/proc/fs/cachefiles_od/cache"
finding "the daemon's own folder" cache-folder problem '/srv/other does not exist' ''
finding "the daemon's own folder, but another is given" cache-folder note '/var/cache/erofs-od' '' \
	--dir=/var/cache/erofs-od
fresh
mounts '21 20 0:40 / /var/cache rw,relatime - nfs4 server:/cache rw'
finding "NFS" cache-mount problem 'is on /var/cache .nfs4., a network file system' '--dir='
mounts '21 20 8:2 / /var/cache ro,relatime - ext4 /dev/sda2 rw'
finding "a read-only mount" cache-mount problem 'read-only' '^mount -o remount,rw /var/cache$'
mounts '21 20 8:2 / /var/cache rw,relatime - ext4 /dev/sda2 ro'
finding "a read-only file system" cache-mount problem 'read-only' '^mount -o remount,rw /var/cache$'
mounts '21 20 8:2 / /var/cache rw,relatime,idmapped - ext4 /dev/sda2 rw'
finding "an idmapped mount" cache-mount problem 'idmapped' '--dir='
mounts '21 20 0:40 / /var/cache rw,relatime - fuse.mergerfs pool rw'
finding "FUSE" cache-mount problem 'fuse.mergerfs.*cannot be made durable' '--dir='
mounts '21 20 8:2 / /var/cache ro - ext4 /dev/sda2 ro' '22 21 8:3 / /var/cache rw - xfs /dev/sda3 rw'
finding "one mount over another" cache-mount ok 'xfs' ''

# --- --fix ---

fix() {
	{ doctor --fix >"$dir/report"; } 2>&1
}

fresh
same "" "$(fix)" "--fix does nothing where nothing is wrong"
rm -r "${root:?}/var/cache"
same "erofs-od: created /var/cache/erofs-od" "$(fix)" "--fix creates the directory"
same 700 "$(stat -c %a "$root/var/cache/erofs-od")" "for its owner alone"
finding "after --fix" cache-folder ok '' ''
rm "${root:?}/lib/modules/$release/modules.dep" "${root:?}/lib/modules/$release/modules.dep.bin"
finding "an index that is gone" modules-built problem 'not in the index of modprobe' "^depmod -a $release\$"
same "erofs-od: ran depmod -a $release" "$(fix)" "--fix runs depmod"
finding "after --fix" modules-built ok '' ''
fresh
rm -r "${root:?}/sys/module/erofs_od"
before=$(cd "$root" && find . | sort)
same "" "$(fix)" "--fix loads nothing into a copy"
same "$before" "$(cd "$root" && find . | sort)" "--fix leaves all else alone"
finish
