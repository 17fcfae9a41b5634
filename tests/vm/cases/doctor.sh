# SPDX-License-Identifier: GPL-2.0-only
# seconds: 55, debug 140
# where: stock debug
# The doctor before and after the modules are loaded, with a daemon, and on directories
# that cannot hold a cache, which the module must reject as well. Then drop-in mode, with
# the real modprobe and the kernel's own modules: which module does a mount load?
#
# With CMDLINE="lockdown=integrity" the kernel rejects the modules, which are not
# signed, and the doctor says why.

release=$(uname -r)
lib=/lib/modules/$release
small=v-4096-flat

# doctor_says NAME STATE FINDING TEXT [ARGUMENT...]
doctor_says() {
	local name=$1 state=$2 finding=$3 text=$4
	shift 4
	erofs-od doctor "$@" >/tmp/doctor.out 2>&1
	if grep -qE "^$state +$finding +.*$text" /tmp/doctor.out; then
		pass "$name: $finding is $state"
	else
		fail "$name: $finding is $state" "$(cat /tmp/doctor.out)"
	fi
}

is_loaded() {
	grep -q "^$1 " /proc/modules
}

# Installs what modprobe and the kernel need to load modules by name.
install_modules() {
	mkdir -p /sbin /etc/modprobe.d "$lib/kernel" "$lib/updates/dkms"
	ln -s /usr/bin/kmod /sbin/modprobe
	ln -s /usr/bin/kmod /usr/bin/depmod
	cp /modules/stock/*.ko /modules/rivals/*.ko "$lib/kernel/"
	cp /modules/od/cachefiles_od.ko /modules/od/erofs_od.ko "$lib/updates/dkms/"
	touch "$lib/modules.builtin" "$lib/modules.builtin.modinfo" "$lib/modules.order"
}

put_back() {
	rm -rf /sbin/modprobe /usr/bin/depmod /etc/modprobe.d "/lib/modules/${release:?}" /mnt/scratch/fixed
	umount /sys/kernel/security 2>/dev/null
	true
}

mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
if grep -q '\[integrity\]' /sys/kernel/security/lockdown 2>/dev/null; then
	install_modules
	# Without the path, busybox's applet would run.
	/usr/bin/depmod -a
	doctor_says "lockdown" problem signature 'is not signed.*lockdown: integrity'
	doctor_says "lockdown" problem modules-loaded 'is not loaded'
	exits 1 "doctor --fix" erofs-od doctor --fix
	says "cannot load an unsigned module" "failed to load cachefiles_od: (Operation not permitted|.*[Kk]ey)"
	notok "nor can the kernel" is_loaded cachefiles_od
	put_back
	exit 0
fi

# --- nothing is loaded, nothing is installed ---

exits 1 "doctor without modules" erofs-od doctor --dir=$OD_CACHE
says "the kernel is in the range" "^ok +kernel-range +kernel ${release%%+*}.* is supported"
says "there are no modules" "^problem +modules-built"
says "so further checks are skipped" "^note +daemon +not checked"

# --- loaded by hand ---

ok "setup" od_setup
doctor_says "loaded by hand" note modules-built 'loaded, but not installed' --dir=$OD_CACHE
doctor_says "loaded by hand" ok modules-loaded '' --dir=$OD_CACHE
doctor_says "loaded by hand" ok device "/dev/cachefiles is the device of cachefiles_od" --dir=$OD_CACHE
doctor_says "no daemon" problem daemon 'no daemon serves' --dir=$OD_CACHE
ok "daemon" odd
exits 0 "doctor with a daemon" erofs-od doctor
says "names the process that has the device open" "^ok +device +/dev/cachefiles is open in erofs-odd \($(pidof erofs-odd)\)"
says "names the daemon's directory" "^ok +daemon +.*$OD_CACHE"
says "and its mount" "^ok +cache-mount +$OD_CACHE is on /mnt/scratch \(ext4\)"
ok "JSON output" sh -c "erofs-od doctor --json | grep -q '\"id\": \"daemon\"'"
ok "mount" od_mount /mnt/a fsid=$small
killall -9 erofs-odd
od_wait 5 od_daemon_is gone
doctor_says "a daemon that was killed" problem daemon 'has exited'
umount /mnt/a
od_wait 5 od_daemon_is none
( exec 3<>/dev/cachefiles; sleep 60 ) &
holder=$!
od_wait 5 test -e /proc/$holder/fd/3
doctor_says "another process has the device" problem device "\($holder\), which serves no images"
kill $holder

# --- directories: does the module agree? ---

# agrees NAME DIR VERDICT: a daemon can bind a cache there if VERDICT is yes, cannot if no
agrees() {
	local out
	if out=$(timeout 60 erofs-odd --dir="$2" --source=$OD_BLOBS 2>&1); then
		fail "$1: the module rejects it, too" "the daemon has exited with status 0"
	elif [ "$3" = no ]; then
		case $out in
		*"bind"* | *"$2"*) pass "$1: the module rejects it, too" ;;
		*) fail "$1: the module rejects it, too" "$out" ;;
		esac
	fi
}

doctor_says "no directory" problem cache-folder 'does not exist' --dir=/mnt/scratch/none
doctor_says "no directory, its file system" ok cache-mount 'on /mnt/scratch \(ext4\)' --dir=/mnt/scratch/none/of/it
agrees "no directory" /mnt/scratch/none no
doctor_says "read-only" problem cache-mount 'is on /mnt/images \(ext4\), which is read-only' --dir=/mnt/images
agrees "read-only" /mnt/images no
mkdir -p /mnt/ram
mount -t ramfs ram /mnt/ram
doctor_says "ramfs" problem cache-mount 'does not distinguish holes from data' --dir=/mnt/ram
agrees "ramfs" /mnt/ram no
umount /mnt/ram
mount -t tmpfs -o size=64m,mode=700 tmpfs /mnt/ram
touch /mnt/ram/probe
setfattr -n user.probe -v 1 /mnt/ram/probe 2>/dev/null && state=ok || state=note
rm /mnt/ram/probe
doctor_says "tmpfs" $state cache-mount '' --dir=/mnt/ram
is "no file is left" "$(ls -A /mnt/ram)" ""
dd if=/dev/zero of=/mnt/ram/full bs=64k count=975 2>/dev/null
doctor_says "nearly full" note cache-space 'culls' --dir=/mnt/ram
dd if=/dev/zero of=/mnt/ram/full bs=64k 2>/dev/null
doctor_says "full" problem cache-space 'not kept' --dir=/mnt/ram
umount /mnt/ram
mkdir -p /mnt/shifted
out=$(idmount /mnt/scratch /mnt/shifted 100000 2>&1)
if [ $? = 77 ]; then
	skip "an idmapped mount" "not supported by this kernel"
else
	doctor_says "an idmapped mount" problem cache-mount 'idmapped' --dir=/mnt/shifted
	agrees "an idmapped mount" /mnt/shifted no
	umount /mnt/shifted
fi
od_unload

# --- the real modprobe, and the kernel's own modules beside ours ---

if [ ! -x /usr/bin/kmod ] || [ ! -e /modules/rivals/erofs.ko ]; then
	skip "drop-in mode with modprobe" "kmod, or this kernel's own erofs, is not in this VM"
	put_back
	exit 0
fi
install_modules
is "the kernel calls this modprobe" "$(cat /proc/sys/kernel/modprobe)" /sbin/modprobe

doctor_says "no index" problem modules-built 'not in the index of modprobe' --dir=/mnt/scratch/fixed
rm -rf /mnt/scratch/fixed
exits 1 "doctor --fix" erofs-od doctor --fix --dir=/mnt/scratch/fixed
says "runs depmod" "ran depmod -a ${release%%+*}"
says "creates the directory" "created /mnt/scratch/fixed"
says "loads cachefiles_od" "loaded cachefiles_od"
says "loads erofs_od" "loaded erofs_od"
says "the modules are built" "^ok +modules-built"
says "and loaded" "^ok +modules-loaded"
says "and current" "^ok +modules-current"
says "does not start a daemon" "^problem +daemon"
is "mode of the directory" "$(stat -c %a /mnt/scratch/fixed)" 700
exits 1 "doctor --fix again" erofs-od doctor --fix --dir=/mnt/scratch/fixed
notok "has nothing to do" grep -qE "^erofs-od: (ran|created|loaded)" /tmp/out

# an installed build that differs from the loaded one
sed -i 's/srcversion=\(.\)/srcversion=#/' "$lib/updates/dkms/erofs_od.ko"
if grep -q 'srcversion=#' "$lib/updates/dkms/erofs_od.ko" && [ -e /sys/module/erofs_od/srcversion ]; then
	doctor_says "another build is installed" problem modules-current 'loaded erofs_od is not the installed build'
else
	skip "another build is installed" "this kernel has no srcversion"
fi
cp /modules/od/erofs_od.ko "$lib/updates/dkms/"

# --- drop-in mode ---

exits 0 "status" erofs-od dropin status
says "not configured" "configured: no"
says "not active" "active: no"
exits 0 "enable" erofs-od dropin enable
says "names the side effect" "fsc have no cache on disk"
says "names the next step" "modprobe -r erofs_od cachefiles_od"
exits 1 "status" erofs-od dropin status
doctor_says "configured" problem dropin 'not active'
exits 0 "enable --now" erofs-od dropin enable --now
exits 0 "status" erofs-od dropin status
says "active" "active: yes"
doctor_says "active" ok dropin ''
ok "daemon" odd
ok "mount of type erofs" mount -t erofs -o ro,fsid=$small none /mnt/a
is "it is erofs_od's" "$(grep -c ' /mnt/a erofs ' /proc/mounts)$(is_loaded erofs && echo stock)" 1
exits 1 "disable --now while that is mounted" erofs-od dropin disable --now
says "names the module in use" "failed to unload erofs_od"
exits 0 "enable again" erofs-od dropin enable
umount /mnt/a
kill_daemons
ok "unload" od_unload

# An unmodified client loads cachefiles by name; its mount loads the other module.
ok "modprobe cachefiles" /sbin/modprobe cachefiles
ok "has loaded cachefiles_od" is_loaded cachefiles_od
notok "and not stock cachefiles" is_loaded cachefiles
notok "nor erofs_od yet" is_loaded erofs_od
ok "daemon" odd
ok "mount of type erofs" mount -t erofs -o ro,fsid=$small none /mnt/a
ok "has loaded erofs_od" is_loaded erofs_od
notok "and not stock erofs" is_loaded erofs
ok "same as the source" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
ok "modprobe erofs" /sbin/modprobe erofs
notok "has loaded nothing" is_loaded erofs
exits 0 "disable --now" erofs-od dropin disable --now
is "nothing is left" "$(ls -A /etc/modprobe.d)" ""
exits 0 "status" erofs-od dropin status
notok "type erofs is unregistered" grep -qw erofs /proc/filesystems
kill_daemons
ok "unload" od_unload

# The same mount without drop-in mode.
ok "a mount of a file of type erofs" mount -t erofs -o ro,loop $OD_BLOBS/$small /mnt/b
ok "has loaded stock erofs" is_loaded erofs
notok "and not erofs_od" is_loaded erofs_od
ok "both modules load beside it" od_load
doctor_says "side by side" ok dropin ''
exits 1 "enable while that is mounted" erofs-od dropin enable
says "names the mount point" "stock erofs is mounted on /mnt/b"
is "has written nothing" "$(ls -A /etc/modprobe.d)" ""
umount /mnt/b
exits 0 "enable when it is idle" erofs-od dropin enable
says "warns that it is still loaded" "stock erofs is still loaded"
doctor_says "still loaded" problem dropin 'stock erofs is loaded'
exits 0 "enable --now" erofs-od dropin enable --now
says "has unloaded it" "unloaded erofs$"
notok "it is not loaded" is_loaded erofs
exits 0 "status" erofs-od dropin status
exits 0 "disable" erofs-od dropin disable
says "warns that erofs_od is still loaded" "erofs_od provides type erofs until"
exits 1 "status" erofs-od dropin status
ok "unload" od_unload

# Stock cachefiles owns the name of the device.
ok "modprobe cachefiles" /sbin/modprobe cachefiles
ok "has loaded stock cachefiles" is_loaded cachefiles
doctor_says "stock cachefiles" problem stock-cachefiles 'has /dev/cachefiles'
( exec 3<>/dev/cachefiles; sleep 60 ) &
holder=$!
od_wait 5 test -e /proc/$holder/fd/3
exits 1 "enable while its device is open" erofs-od dropin enable
says "names the process" "in use by .*\($holder\)"
kill $holder
od_wait 5 has_ended $holder
exits 0 "enable --now when it is idle" erofs-od dropin enable --now
says "has unloaded it" "unloaded cachefiles$"
ok "has loaded cachefiles_od" is_loaded cachefiles_od
exits 0 "disable" erofs-od dropin disable
ok "unload" od_unload

for module in $(cut -d' ' -f1 /proc/modules | grep -xE "$OD_STOCK"); do
	/sbin/modprobe -r "$module" 2>/dev/null
done
put_back
