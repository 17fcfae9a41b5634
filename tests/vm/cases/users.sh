# SPDX-License-Identifier: GPL-2.0-only
# seconds: 90
# where: users.sh
# Programs that mount images as type erofs, unmodified, with erofs_od in drop-in mode in place of
# the kernel's module: mkcomposefs and mount.composefs; systemd-dissect and systemd-sysext. Run
# by tests/vm/users.sh, whose disk is the root that they run in. As in an initramfs, there is no
# systemd as PID 1, and no udev: the programs do without them.
ROOT=/mnt/users
WORK=/mnt/scratch/users

# in_root COMMAND...
in_root() {
	chroot $ROOT env -i PATH=/usr/sbin:/usr/bin HOME=/tmp LC_ALL=C SYSTEMD_LOG_TARGET=console \
		SYSTEMD_IGNORE_CHROOT=1 "$@"
}

# is_ours DIR: a file system of type erofs is mounted there, which is that of erofs_od
is_ours() {
	awk -v dir="$1" '$2 == dir && $3 == "erofs" { found = 1 } END { exit !found }' /proc/mounts
}

# source_tree DIR
source_tree() {
	mkdir -p $1/folder/below
	seq 1000 >$1/numbers
	head -c 300000 /bin/busybox >$1/folder/program
	echo small >$1/folder/below/small
	: >$1/empty
	ln -s folder/below/small $1/link
	chmod 2751 $1/folder/below
}

modprobe_loop() {
	[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
	losetup -f >/dev/null
}

mkdir -p $ROOT $WORK/upper $WORK/work
insmod $OD_MODULES/cachefiles_od.ko
ok "modules, with dropin=1" insmod $OD_MODULES/erofs_od.ko dropin=1
notok "the kernel's own module is not loaded" grep -q '^erofs ' /proc/modules
ok "the root of the programs" mount -t overlay -o \
	lowerdir=/mnt/images,upperdir=$WORK/upper,workdir=$WORK/work users $ROOT
for dir in dev proc sys; do
	mount -o bind /$dir $ROOT/$dir
done
mount -t tmpfs none $ROOT/run
mkdir $WORK/data
mount -o bind $WORK/data $ROOT/data
# systemd-sysext mounts in a namespace of its own, and relies on propagation.
ok "mounts in it propagate" mount --make-rshared $ROOT
ok "loop devices" modprobe_loop
source_tree $WORK/data/tree
treesum $WORK/data/tree >/tmp/sum

# --- composefs ---

mkdir -p $WORK/data/objects $WORK/data/mnt
ok "mkcomposefs" in_root mkcomposefs --digest-store=/data/objects /data/tree /data/image.cfs
ok "mount.composefs" in_root mount.composefs -o basedir=/data/objects /data/image.cfs /data/mnt
ok "composefs: the tree is the source" same_tree $ROOT/data/mnt /tmp/sum
od_drop_caches
ok "composefs: and again" same_tree $ROOT/data/mnt /tmp/sum
note "$(grep composefs /proc/mounts)"
ok "composefs: unmount" umount $ROOT/data/mnt

# --- systemd ---

mkdir -p $WORK/data/extension/usr/lib/extension-release.d $WORK/data/extension/usr/share
echo ID=_any >$WORK/data/extension/usr/lib/extension-release.d/extension-release.tool
mv $WORK/data/tree $WORK/data/extension/usr/share/tool
mkdir -p $ROOT/run/extensions
ok "mkfs.erofs, compressed" in_root mkfs.erofs --quiet -zlz4hc -Eforce-inode-extended \
	/run/extensions/tool.raw /data/extension
ok "systemd-dissect --mount" in_root systemd-dissect --mkdir --mount --read-only \
	/run/extensions/tool.raw /data/dissected
ok "systemd-dissect: erofs_od serves it" is_ours $ROOT/data/dissected
ok "systemd-dissect: the tree is the source" same_tree $ROOT/data/dissected/usr/share/tool /tmp/sum
ok "systemd-dissect --umount" in_root systemd-dissect --umount /data/dissected
ok "systemd-sysext merge" in_root systemd-sysext merge --no-reload
ok "systemd-sysext: the tree is the source" same_tree $ROOT/usr/share/tool /tmp/sum
ok "systemd-sysext: /usr keeps its own files" test -x $ROOT/usr/bin/systemd-sysext
note "$(in_root systemd-sysext status 2>&1 | tail -n 3 | paste -sd';')"
ok "systemd-sysext unmerge" in_root systemd-sysext unmerge --no-reload
notok "systemd-sysext: it is removed" test -e $ROOT/usr/share/tool

umount $ROOT/data $ROOT/run
for dir in sys proc dev; do
	umount $ROOT/$dir
done
ok "unmount" umount $ROOT
rm -rf $WORK
