#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# erofs-od dropin on fake systems, and how modprobe interprets its file. OD_BUILD is
# the build directory. Prints TAP.
set -u
. "$(dirname "$0")/tap.sh"
. "$(dirname "$0")/sysroot.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
file=/etc/modprobe.d/erofs-od-dropin.conf

dropin() {
	"$od" dropin --sysroot "$root" "$@"
}

# loads NAME: prints the modules that modprobe would load for it, one per line
loads() {
	modprobe -d "$root" -C "$root/etc/modprobe.d" -S $release -n -v "$1" 2>/dev/null |
		sed -n 's/^insmod .*\/\([a-z_]*\)\.ko */\1 /p' | sed 's/ $//'
}

# The kernel's own modules; erofs has the alias of the file system type.
stock() {
	module erofs 1 1 "$release SMP" "$root/lib/modules/$release/kernel/erofs.ko" fs-erofs
	module cachefiles 1 1 "$release SMP" "$root/lib/modules/$release/kernel/cachefiles.ko"
	index
}

# --- enable, disable, and again ---

fresh
stock
same erofs "$(loads fs-erofs)" "before: the type is the kernel's own"
exits 0 'configured: no' dropin status
exits 0 'active: no' dropin status
exits 0 "wrote $file" dropin enable
same 644 "$(stat -c %a "$root$file")" "everybody can read the file"
same "$(basename $file)" "$(ls -A "$root/etc/modprobe.d")" "nothing else is left there"
same 'erofs_od dropin=1' "$(loads fs-erofs)" "a mount of type erofs loads erofs_od"
same 'erofs_od dropin=1' "$(loads erofs)" "so does modprobe erofs"
same cachefiles_od "$(loads cachefiles)" "modprobe cachefiles loads cachefiles_od"
same 'erofs_od dropin=1' "$(loads erofs_od)" "modprobe erofs_od loads it as before"
exits 0 'already exists' dropin enable
exits 1 'configured: yes .*dropin.conf' dropin status
exits 1 'erofs_od is loaded without dropin=1' dropin status
put /sys/module/erofs_od/parameters/dropin Y
exits 0 'active: yes' dropin status
exits 0 'drop-in mode is active$' dropin enable
exits 0 "removed $file" dropin disable
same "" "$(ls -A "$root/etc/modprobe.d")" "nothing is left"
same erofs "$(loads fs-erofs)" "after: the type is the kernel's own"
same cachefiles "$(loads cachefiles)" "and so is cachefiles"
exits 0 'conf: does not exist' dropin disable
exits 0 'erofs_od provides type erofs until it is reloaded' dropin disable
exits 1 'configured: no' dropin status
put /sys/module/erofs_od/parameters/dropin N
exits 0 'active: no' dropin status

# --- messages ---

fresh
exits 0 'option fsc have no cache on disk' dropin enable
dropin disable >/dev/null 2>&1
exits 0 'modprobe -r erofs_od cachefiles_od && modprobe -a' dropin enable
rm -r "${root:?}/sys/module/erofs_od"
exits 0 "'erofs-od dropin enable --now'" dropin enable
exits 1 'erofs_od is not loaded' dropin status
dropin disable >/dev/null 2>&1
put /usr/sbin/update-initramfs
exits 0 'update-initramfs -u' dropin enable
exits 0 'update-initramfs -u' dropin disable
rm "${root:?}/usr/sbin/update-initramfs"
put /usr/bin/dracut
exits 0 'dracut -f' dropin enable

# --- obstacles ---

fresh
loaded erofs 1 1 0
exits 0 "stock erofs is still loaded.*'rmmod erofs'" dropin enable
fresh
loaded erofs 1 1 1
exits 1 'in use in another mount namespace' dropin enable
echo '30 20 7:0 / /mnt/snap ro - erofs /dev/loop0 ro' >>"$root/proc/self/mountinfo"
exits 1 'mounted on /mnt/snap: unmount that' dropin enable
for i in 2 3 4 5 6; do
	echo "3$i 20 7:$i / /mnt/snap$i ro - erofs /dev/loop$i ro" >>"$root/proc/self/mountinfo"
done
exits 1 'mounted on /mnt/snap, /mnt/snap2, /mnt/snap3, /mnt/snap4, \.\.\.: unmount' dropin enable
fresh
loaded cachefiles 1 1 1
put /proc/77/comm cachefilesd
exits 1 'in use by cachefilesd .77.: stop that' dropin enable
fresh
put "/lib/modules/$release/modules.builtin" kernel/fs/erofs/erofs.ko
index
exits 1 'erofs is built into this kernel' dropin enable
same no "$([ -e "$root$file" ] && echo yes || echo no)" "no file is written where it is refused"
fresh
put $file 'alias eth0 e1000'
exits 1 'not written by erofs-od: move it away' dropin enable
exits 1 'not written by erofs-od: not removed' dropin disable
same 'alias eth0 e1000' "$(cat "$root$file")" "somebody else's file is left alone"
fresh
dropin enable >/dev/null 2>&1
echo 'alias eth0 e1000' >>"$root$file"
exits 1 'dropin.conf, of another version' dropin status
exits 0 'wrote' dropin enable
same "" "$(grep eth0 "$root$file")" "what was added is gone"
put /etc/modprobe.d/zz.conf 'options erofs_od dropin=0'
exits 1 'another file in modprobe.d overrides it; missing: options erofs_od dropin=1' dropin enable
exits 1 'in part .missing: options' dropin status
put /etc/modprobe.d/zz.conf 'options erofs_od dropin=1'
exits 1 'another file in modprobe.d has options' dropin disable
fresh
rm -rf "${root:?}/etc/modprobe.d"
put /etc/modprobe.d
exits 1 'failed to write .*: Not a directory' dropin enable

# --- the packaged file ---

fresh
packaged=$top/packaging/modprobe.d/erofs-od.conf
same "" "$(grep -v '^#' "$packaged")" "the packaged file has comments alone"
dropin enable >/dev/null 2>&1
same "$(grep -v '^#' "$root$file")" \
	"$(sed -n '/^# Drop-in mode/,$s/^# \(\(options\|alias\|blacklist\) .*\)/\1/p' "$packaged")" \
	"and has the lines of drop-in mode"
finish
