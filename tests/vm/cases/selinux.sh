# SPDX-License-Identifier: GPL-2.0-only
# seconds: 100
# where: selinux.sh
# Debian's reference policy, enforcing, with the module of packaging/selinux: a daemon and a
# reader, each in its own domain; labels from context=, and from the image.
SELINUX=/sys/fs/selinux
CONTAINER=system_u:object_r:container_ro_file_t:s0

# label TYPE FILE...
label() {
	local type=$1
	shift
	setfattr -h -n security.selinux -v "system_u:object_r:$type:s0" "$@"
}

# label_below TYPE DIR...
label_below() {
	local type=$1
	shift
	find "$@" -xdev -print0 |
		xargs -0 setfattr -h -n security.selinux -v "system_u:object_r:$type:s0"
}

label_of() {
	getfattr --only-values -h -n security.selinux "$1" 2>/dev/null | tr -d '\000' | cut -d: -f3
}

# in_domain DOMAIN PATH...: takes a path, as the shell runs some of its applets without exec(2)
in_domain() {
	local domain=$1
	shift
	sh -c "echo -n 'system_u:system_r:$domain:s0' >/proc/self/attr/exec && exec \"\$@\"" sh "$@"
}

domain_of() {
	tr -d '\000' <"/proc/$1/attr/current" | cut -d: -f3
}

denials() {
	dmesg | grep -c 'avc:  denied'
}

no_denials() {
	is "$1: denials" "$(denials)" 0
	dmesg | grep 'avc:  denied' | sort -u -t '{' -k 2 | head -n 20 | sed 's/^/#   /'
	dmesg -c >/dev/null
}

# denied NAME REGEX COMMAND...: it fails, and a matching denial is logged
denied() {
	local name=$1 regex=$2
	shift 2
	notok "$name" "$@"
	ok "$name: the denial is logged" od_wait 10 sh -c "dmesg | grep -q 'avc:  denied.*$regex'"
	dmesg -c >/dev/null
}

# confined_odd [OPTION...]: starts erofs-odd as init would. Redirecting only in_domain would
# keep the caller's stdout open.
confined_odd() {
	(
		exec >/dev/null 2>&1
		in_domain init_t /bin/busybox sh -c \
			'exec </dev/null >/dev/null 2>&1; /usr/bin/erofs-odd "$@" & wait' sh --dir=$OD_CACHE "$@"
	) &
	od_wait 5 od_daemon_is bound
}

load_policy() {
	dd if=/selinux/policy of=$SELINUX/load bs=64M 2>/dev/null && dmesg | grep -q 'policy capability'
}

# On a host, the installation labels these files, and udev the devices.
label_system() {
	label root_t / &&
		label_below lib_t /lib /lib64 /usr &&
		label ld_so_t /lib*/ld-linux-*.so.* &&
		label_below modules_object_t /modules &&
		label_below bin_t /bin /usr/bin &&
		label usr_t /usr &&
		label_below etc_t /etc &&
		label erofs_od_exec_t /usr/bin/erofs-odd &&
		label tmp_t /tmp && label mnt_t /mnt /mnt/a /mnt/b &&
		label null_device_t /dev/null && label zero_device_t /dev/zero &&
		label urandom_device_t /dev/urandom && label random_device_t /dev/random &&
		label var_t /mnt/scratch
}

# The disk has no labels.
remount_images() {
	umount /mnt/images &&
		mount -t ext4 -o "ro,noload,context=system_u:object_r:erofs_od_source_t:s0" /dev/vdb /mnt/images
}

setup() {
	od_load "$@" && label cachefiles_device_t /dev/cachefiles && od_fresh_cache &&
		label erofs_od_cache_t $OD_CACHE
}

reads_right() {
	in_domain container_t /bin/busybox sha256sum "$1" | cut -d' ' -f1 | grep -qx "$2"
}

mkdir -p $SELINUX
ok "selinuxfs" mount -t selinuxfs selinuxfs $SELINUX
if ! load_policy; then
	fail "the policy" "$(dmesg | tail -n 5)"
	return
fi
ok "labels of the system" label_system
ok "a label for the source" remount_images
cp -r /selinux/blobs /selinux/other
label_below erofs_od_source_t /selinux/blobs
label_below var_spool_t /selinux/other
echo 1 >$SELINUX/enforce
is "SELinux is enforcing" "$(cat $SELINUX/enforce)" 1
dmesg -c >/dev/null

wanted=$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)
ok "modules" setup
ok "the daemon" confined_odd --source=$OD_BLOBS
is "its domain" "$(domain_of "$(pidof erofs-odd)")" erofs_od_t
is "the domain of the reader" \
	"$(in_domain container_t /bin/busybox cat /proc/self/attr/current 2>/dev/null | tr -d '\000' | cut -d: -f3)" container_t

# --- one label for the mount ---

ok "mount with context=" od_mount /mnt/a "fsid=one,context=$CONTAINER"
is "its label" "$(label_of /mnt/a/large/sequential)" container_ro_file_t
ok "cold, the reader reads" reads_right /mnt/a/large/sequential "$wanted"
ok "and the small files" in_domain container_t /usr/bin/treesum /mnt/a/tiny
od_drop_caches
ok "cached, the reader reads" reads_right /mnt/a/large/sequential "$wanted"
is "failed reads" "$(od_counter failures)" 0
no_denials "context="
file=$(od_cache_file one)
is "the label of the cache file" "$(label_of "$file")" erofs_od_cache_t
denied "the reader may not read the cache" 'scontext=[^ ]*:container_t.*erofs_od_cache_t' \
	in_domain container_t /bin/busybox head -c 1 "$file"
umount /mnt/a

# --- labels from the image ---

# labels_of_image TYPE
labels_of_image() {
	ok "$1: mount" mount -t "$1" -o ro,fsid=labelled none /mnt/a
	ok "$1: the kernel uses labels of files" grep -q " /mnt/a $1 .*seclabel" /proc/mounts
	is "$1: label of a public file" "$(label_of /mnt/a/public)" container_ro_file_t
	is "$1: label of a secret file" "$(label_of /mnt/a/secret)" shadow_t
	ok "$1: the reader reads the public file" in_domain container_t /bin/busybox grep -qx public /mnt/a/public
	no_denials "$1"
	denied "$1: the reader may not read the secret file" 'scontext=[^ ]*:container_t.*shadow_t' \
		in_domain container_t /bin/busybox cat /mnt/a/secret
	umount /mnt/a
}

kill_daemons
od_wait 10 od_daemon_is none
od_fresh_cache
label erofs_od_cache_t $OD_CACHE
ok "a daemon with another source" confined_odd --source=/selinux/blobs
labels_of_image erofs_od
kill_daemons
ok "unload" od_unload
od_load_dropin() {
	insmod $OD_MODULES/cachefiles_od.ko && insmod $OD_MODULES/erofs_od.ko dropin=1 &&
		label cachefiles_device_t /dev/cachefiles
}
ok "drop-in mode" od_load_dropin
ok "a daemon" confined_odd --source=/selinux/blobs
labels_of_image erofs

# --- what the daemon may and may not do ---

kill_daemons
od_wait 10 od_daemon_is none
od_origin --port=80
ok "a daemon with an HTTP source" confined_odd --source="$OD_URL" --source=/selinux/blobs
ok "mount" od_mount /mnt/a "fsid=v-4096-flat,context=$CONTAINER"
ok "every byte" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
ok "culling of a cache file" od_control cull "$(od_cache_file v-4096-flat)"
no_denials "HTTP"
kill_daemons
od_wait 10 od_daemon_is none
denied "a source that is not labelled as one" 'scontext=[^ ]*:erofs_od_t.*var_spool_t' \
	confined_odd --source=/selinux/other
kill_daemons
echo 0 >$SELINUX/enforce
umount $SELINUX
