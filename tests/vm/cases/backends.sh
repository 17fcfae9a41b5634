# SPDX-License-Identifier: GPL-2.0-only
# seconds: 110, debug 600
# where: stock rows pages debug
# thin
# Images that are files and block devices of this host, as type erofs and as type erofs_od:
# every byte, with fsoffset=, device= and directio, stacked on other file systems; truncated
# files; rejected options; what is left after unmounting. od.thin=8: fewer images
IMAGES='v-512-flat v-512-plain v-1024-chunk v-2048-index v-4096-flat v-4096-48bit v-512-48bit
	z-lz4-big z-lz4-512 z-lz4-fragments z-lz4-metabox z-deflate z-zstd-1024'
[ "$(od_arg thin 1)" -lt 8 ] || IMAGES='v-512-plain z-lz4-512 z-lz4-metabox z-zstd-1024'
WORK=$OD_MNT/scratch/local
DOMAIN=$OD_MNT/images/trees/domain
TWENTY=$OD_BLOBS/twenty

# lm TYPE SOURCE DIR [OPTIONS]: calls mount(2), as mount(8) sets up a loop device for a file
lm() {
	storage mount "$1" "$2" "$3" "${4-}"
}

# attach NAME FILE: attaches the file to a loop device; sets DEV to its name
attach() {
	DEV=$(losetup -f)
	ok "$1: loop device" losetup -r "$DEV" "$2"
}

# is_attached DEVICE
is_attached() {
	[ -e "/sys/block/${1#/dev/}/loop/backing_file" ]
}

is_detached() {
	! is_attached "$1"
}

# detach NAME DEVICE: the device detaches at once, as no process has it open
detach() {
	losetup -d "$2"
	ok "$1: the loop device detaches" od_wait 5 is_detached "$2"
}

# sum_for IMAGE
sum_for() {
	case $1 in
	z-*) echo $OD_SUMS/zip ;;
	*) echo $OD_SUMS/small ;;
	esac
}

# right NAME SUM TYPE SOURCE [OPTIONS]: it mounts, and every byte is right after dropping caches
right() {
	local name=$1 sum=$2
	shift 2
	if ! lm "$1" "$2" /mnt/a "${3-}" >/tmp/out 2>&1; then
		fail "$name: mount" "$(cat /tmp/out; dmesg | tail -n 3)"
		return
	fi
	od_drop_caches
	ok "$name: every byte is right" same_tree /mnt/a $sum
	umount /mnt/a
}

# refused NAME TYPE SOURCE OPTIONS ERROR LINE: it fails with that error and a kernel log line
refused() {
	local name=$1 error=$5 line=$6 out
	od_log_mark
	if out=$(timeout 60 storage mount "$2" "$3" /mnt/a "$4" 2>&1); then
		umount /mnt/a
		fail "$name" "it mounts"
		return
	fi
	case $out in
	*"$error") ;;
	*)
		fail "$name" "wanted $error, got $out"
		return
		;;
	esac
	ok "$name: $error, and the log says why" sh -c "dmesg | sed '1,/$OD_MARK/d' | grep -F '$line'"
}

same_domain() {
	diff -r $DOMAIN /mnt/a
}

# number FILE OFFSET BYTES
number() {
	od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# devices_of IMAGE: "NAME BLOCK BLOCKS" of each slot of its device table
devices_of() {
	local nr count at
	count=$(number "$1" $((1024 + 86)) 2)
	at=$(($(number "$1" $((1024 + 88)) 2) * 128))
	for nr in $(seq "$count"); do
		echo "$(dd if="$1" bs=1 skip=$at count=64 2>/dev/null | tr -d '\0')" \
			"$(number "$1" $((at + 68)) 4)" "$(number "$1" $((at + 64)) 4)"
		at=$((at + 128))
	done
}

# wrong_or_missing: sets WRONG to the number of files on /mnt/a whose bytes differ from the
# source, and MISSING to the number of those that cannot be read, which treesum shows as "!"
wrong_or_missing() {
	treesum /mnt/a >/tmp/tree 2>/dev/null
	MISSING=$(grep -c ' ! ' /tmp/tree)
	WRONG=$(grep -v ' ! ' /tmp/tree | grep -cvxF -f $OD_SUMS/small)
}

rm -rf $WORK
mkdir -p $WORK /mnt/a /mnt/b /mnt/c
insmod $OD_MODULES/cachefiles_od.ko
ok "modules, with dropin=1" insmod $OD_MODULES/erofs_od.ko dropin=1
od_watch_races
ok "type erofs is one of devices" grep -qx '	erofs' /proc/filesystems
ok "type erofs_od is not" grep -qx 'nodev	erofs_od' /proc/filesystems

# --- every byte ---

for image in $IMAGES; do
	sum=$(sum_for $image)
	right "$image, a file" "$sum" erofs $OD_BLOBS/$image
	right "$image, a file, directio" "$sum" erofs_od $OD_BLOBS/$image directio
	attach $image $OD_BLOBS/$image
	right "$image, a loop device" "$sum" erofs "$DEV"
	detach "$image" "$DEV"
done
cp $OD_BLOBS/v-512-plain $WORK/sectors
truncate -s $((($(stat -c %s $WORK/sectors) + 4095) / 4096 * 4096)) $WORK/sectors
DEV=$(losetup -f)
ok "a loop device of 4096-byte sectors" losetup "$DEV" $WORK/sectors
ok "its sectors" storage sectors "$DEV" 4096
right "sectors larger than blocks" $OD_SUMS/small erofs_od "$DEV"
detach "sectors larger than blocks" "$DEV"

# --- parts of a file ---

{ head -c 8192 /dev/urandom; cat $OD_BLOBS/v-4096-flat; } >$WORK/offset
right "fsoffset=8192" $OD_SUMS/small erofs $WORK/offset fsoffset=8192
right "fsoffset=8192, directio" $OD_SUMS/small erofs_od $WORK/offset fsoffset=8192,directio
attach "fsoffset=" $WORK/offset
right "fsoffset= of a device" $OD_SUMS/small erofs "$DEV" fsoffset=8192
refused "a device without fsoffset=" erofs "$DEV" '' 'Invalid argument' 'no EROFS superblock'
detach "fsoffset=" "$DEV"
size=$(stat -c %s $OD_BLOBS/v-4096-flat)
cat $OD_BLOBS/v-4096-flat $OD_BLOBS/v-512-plain >$WORK/two
attach "two images" $WORK/two
ok "the first of two images" lm erofs "$DEV" /mnt/b
refused "another fsoffset= of a mounted device" erofs "$DEV" "fsoffset=$size" \
	'Device or resource busy' 'already mounted with other options'
umount /mnt/b
right "the second of two images" $OD_SUMS/small erofs "$DEV" "fsoffset=$size"
detach "two images" "$DEV"
rm $WORK/two
{ head -c 512 /dev/urandom; cat $OD_BLOBS/v-512-flat; } >$WORK/offset-512
right "fsoffset=512" $OD_SUMS/small erofs $WORK/offset-512 fsoffset=512
{ head -c 512 /dev/urandom; cat $OD_BLOBS/v-4096-flat; } >$WORK/odd
refused "fsoffset= that is not a multiple of the block size" erofs $WORK/odd fsoffset=512 'Invalid argument' fsoffset=
refused "fsoffset= beyond the file" erofs_od $WORK/offset fsoffset=1099511627776 'Invalid argument' \
	"$WORK/offset"
refused "fsoffset= that is not a number" erofs $WORK/odd fsoffset=8192k 'Invalid argument' fsoffset=
rm $WORK/odd

# --- several devices ---

# claim_storm OPTIONS: mounts eight images at once, twelve times; prints what failed
claim_storm() {
	local nr
	for nr in 1 2 3 4 5 6 7 8; do
		mkdir -p /mnt/storm/$nr
		cp $TWENTY $WORK/storm$nr
	done
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		for nr in 1 2 3 4 5 6 7 8; do
			lm erofs_od $WORK/storm$nr /mnt/storm/$nr "$1" 2>&1 &
		done
		wait
		umount /mnt/storm/* 2>&1
	done
	rm -r $WORK/storm* /mnt/storm
}

# claim_relay OPTIONS: mounts an image while another is unmounted, forty times; prints what failed
claim_relay() {
	local nr
	for nr in 0 1; do
		mkdir -p /mnt/relay/$nr
		cp $TWENTY $WORK/relay$nr
	done
	lm erofs_od $WORK/relay0 /mnt/relay/0 "$1" 2>&1
	for nr in $(seq 40); do
		umount /mnt/relay/$(((nr + 1) % 2)) 2>&1 &
		lm erofs_od $WORK/relay$((nr % 2)) /mnt/relay/$((nr % 2)) "$1" 2>&1 || break
		wait
	done
	wait
	umount /mnt/relay/* 2>/dev/null
	rm -r $WORK/relay* /mnt/relay
}

options=
while read -r name block blocks; do
	options=$options,device=$OD_BLOBS/$name
done <<END
$(devices_of $TWENTY)
END
options=${options#,}
ok "an image of twenty blobs" lm erofs $TWENTY /mnt/a "$options"
ok "twenty blobs: every byte is right" same_domain
ok "twenty blobs: device= shows" grep -q " /mnt/a .*device=$OD_BLOBS" /proc/mounts
umount /mnt/a
refused "a device too few" erofs $TWENTY "${options#*,}" 'Invalid argument' '19 device= options for 20'
refused "a missing device" erofs $TWENTY "device=$WORK/none,${options#*,}" 'No such file or directory' \
	"$WORK/none"
first=${options#device=}
attach "a device for two mounts" "${first%%,*}"
ok "an image whose first blob is a device" lm erofs $TWENTY /mnt/b "device=$DEV,${options#*,}"
ok "another mount of it" lm erofs_od $TWENTY /mnt/a "device=$DEV,${options#*,}"
ok "a device for two mounts: every byte is right" same_domain
umount /mnt/b
od_drop_caches
ok "a device after the first unmount: every byte is right" same_domain
umount /mnt/a
is "mounts of it at the same moment" "$(claim_storm "device=$DEV,${options#*,}")" ""
detach "a device for two mounts" "$DEV"
# The last one is the first to be closed.
attach "a device to hand over" "${options##*=}"
is "mounts of it while it is unmounted" "$(claim_relay "${options%,*},device=$DEV")" ""
detach "a device to hand over" "$DEV"
attach "files of the same names" $TWENTY
mkdir $WORK/names
ln -s $OD_BLOBS/* $WORK/names
first=${first%%,*}
rm "$WORK/names/${first##*/}"
cp "$first" $WORK/names
names=$(echo "$options" | sed "s|=$OD_BLOBS/|=|g")
cd $OD_BLOBS || exit
ok "a device, and names of files" lm erofs "$DEV" /mnt/b "$names"
ok "the same files by other names" lm erofs "$DEV" /mnt/a "$options"
umount /mnt/a
cd $WORK/names || exit
refused "files of the same names" erofs "$DEV" "$names" 'Device or resource busy' \
	'already mounted with other options'
cd /
umount /mnt/b
detach "files of the same names" "$DEV"
refused "a device that is mounted" erofs $TWENTY "device=/dev/vda,${options#*,}" \
	'Device or resource busy' /dev/vda

cp $TWENTY $WORK/flat
devices_of $TWENTY >/tmp/slots
while read -r name block blocks; do
	dd if=$OD_BLOBS/$name of=$WORK/flat bs=4096 seek="$block" conv=notrunc 2>/dev/null
done </tmp/slots
ok "an image that contains its blobs" lm erofs $WORK/flat /mnt/a
ok "it contains its blobs: every byte is right" same_domain
umount /mnt/a
attach "it contains its blobs" $WORK/flat
ok "an image that contains its blobs, on a device" lm erofs "$DEV" /mnt/a
ok "it contains its blobs, on a device: every byte is right" same_domain
umount /mnt/a
detach "it contains its blobs" "$DEV"
refused "an image without its blobs" erofs $TWENTY '' 'Invalid argument' "$TWENTY"

# --- mounts of the same source ---

attach "mounted twice" $OD_BLOBS/v-4096-flat
ok "a device" lm erofs "$DEV" /mnt/a
ok "a device, once more" lm erofs "$DEV" /mnt/b noacl
is "they share a superblock" "$(stat -c %d /mnt/a)" "$(stat -c %d /mnt/b)"
is "its number is that of the device" "$(stat -c %d /mnt/a)" \
	"$((0x$(stat -c %t "$DEV") * 256 + 0x$(stat -c %T "$DEV")))"
refused "the same device as another type" erofs_od "$DEV" '' 'Device or resource busy' "$DEV"
losetup -d "$DEV"
ok "the loop device stays while it is mounted" is_attached "$DEV"
umount /mnt/a
ok "every byte is right after the first unmount" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
ok "it detaches after the last one" od_wait 5 is_detached "$DEV"
ok "a file" lm erofs $OD_BLOBS/v-4096-flat /mnt/a
ok "a file, once more" lm erofs $OD_BLOBS/v-4096-flat /mnt/b
ok "they are two file systems" test "$(stat -c %d /mnt/a)" != "$(stat -c %d /mnt/b)"
ok "statfs" sh -c 'df -P /mnt/a | tail -n 1 | awk "{ exit !(\$2 > 1000) }"'
ok "remount" mount -o remount,ro,noacl /mnt/a
ok "noacl shows" grep -q ' /mnt/a .*,noacl' /proc/mounts
notok "a remount with timeout=" mount -o remount,ro,timeout=5 /mnt/a
cd /mnt/a || exit
notok "a forced unmount of what is in use" umount -f /mnt/a
cd /
notok "neither shows" grep -q ' /mnt/a .*timeout=' /proc/mounts
ok "a forced unmount" umount -f /mnt/a
umount /mnt/b
ok "mount" lm erofs_od $WORK/offset /mnt/a fsoffset=8192,directio
ok "options show" grep -q "^$WORK/offset /mnt/a erofs_od ro,.*fsoffset=8192,directio" /proc/mounts
is "direct reads" "$(cat /mnt/a/b/many/*-7 /mnt/a/b/many/*-77)" "$(printf 'file 7\nfile 77')"
umount /mnt/a

fscontext "source=$OD_BLOBS/v-4096-flat" directio >/tmp/context 2>&1 &
context=$!
ok "fsconfig(2) with source=" od_wait 10 grep -qx 0 /tmp/context
kill $context

# --- what a mount holds ---

mkdir -p /mnt/tmpfs
mount -t tmpfs none /mnt/tmpfs
cp $OD_BLOBS/v-4096-plain /mnt/tmpfs/image
ok "a file on tmpfs" lm erofs /mnt/tmpfs/image /mnt/a
notok "it is in use" umount /mnt/tmpfs
umount /mnt/a
right "directio on tmpfs" $OD_SUMS/small erofs /mnt/tmpfs/image directio
cp /mnt/tmpfs/image /mnt/tmpfs/huge
truncate -s 9223372036854775807 /mnt/tmpfs/huge
refused "a file of 8 EiB" erofs /mnt/tmpfs/huge '' 'File too large' /mnt/tmpfs/huge
rm /mnt/tmpfs/huge
for options in fsoffset=4096 dax timeout=5 device=/mnt/tmpfs/image; do
	notok "a mount that fails: $options" lm erofs /mnt/tmpfs/image /mnt/a $options
done
ok "it is not in use any more" umount /mnt/tmpfs

# --- truncated files ---

size=$(stat -c %s $OD_BLOBS/v-4096-plain)
for options in '' directio; do
	cp $OD_BLOBS/v-4096-plain $WORK/short
	ok "a file" lm erofs $WORK/short /mnt/a "$options"
	ls -lR /mnt/a >/dev/null
	truncate -s $((size - 100000)) $WORK/short
	wrong_or_missing
	is "a truncated file${options:+, $options}: no other data is read" $WRONG 0
	ok "its missing data is an error: $MISSING files" test $MISSING -gt 0
	umount /mnt/a
done
ok "a short file" lm erofs $WORK/short /mnt/a
wrong_or_missing
is "a short file: no other data is read" $WRONG 0
ok "its missing data is an error, too: $MISSING files" test $MISSING -gt 0
umount /mnt/a

# --- stacked on others, and below others ---

mkdir -p $WORK/lower $WORK/upper $WORK/work $WORK/upper2 $WORK/work2 /mnt/overlay /mnt/overlay2
cp $OD_BLOBS/v-4096-flat $WORK/lower/image
ok "overlayfs" mount -t overlay -o lowerdir=$WORK/lower,upperdir=$WORK/upper,workdir=$WORK/work none /mnt/overlay
right "a file on overlayfs" $OD_SUMS/small erofs /mnt/overlay/image
right "a file on overlayfs, directio" $OD_SUMS/small erofs /mnt/overlay/image directio
ok "overlayfs on overlayfs" mount -t overlay \
	-o lowerdir=/mnt/overlay,upperdir=$WORK/upper2,workdir=$WORK/work2 none /mnt/overlay2
refused "a file on two of them" erofs /mnt/overlay2/image '' 'Invalid argument' 'too many stacked'
umount /mnt/overlay2
umount /mnt/overlay
ok "mount" lm erofs $OD_BLOBS/v-4096-flat /mnt/b
ok "overlayfs above a file" mount -t overlay \
	-o lowerdir=/mnt/b,upperdir=$WORK/upper2,workdir=$WORK/work2 none /mnt/overlay
ok "overlayfs above a file: every byte is right" same_tree /mnt/overlay $OD_SUMS/small "/^[.] d/d"
umount /mnt/overlay
umount /mnt/b
# An image stored in a file of another image, at the location of the file's data.
cp $OD_BLOBS/o-4096-4096 $WORK/outer
ok "mount" lm erofs $WORK/outer /mnt/b
offset=$(readways fiemap /mnt/b/no-hole | awk '{ print $2; exit }')
umount /mnt/b
dd if=$OD_BLOBS/tiny of=$WORK/outer bs=4096 seek=$((offset / 4096)) conv=notrunc 2>/dev/null
treesum_of() {
	lm erofs "$1" /mnt/a && treesum /mnt/a && umount /mnt/a
}
wanted=$(treesum_of $OD_BLOBS/tiny)
ok "mount" lm erofs $WORK/outer /mnt/b
is "an image within an image" "$(treesum_of /mnt/b/no-hole)" "$wanted"
umount /mnt/b

# --- rejected mounts ---

mkfifo $WORK/fifo
refused "no such file" erofs $WORK/none '' 'No such file or directory' "$WORK/none"
refused "a directory" erofs_od $WORK '' 'Block device required' "$WORK"
refused "a FIFO" erofs $WORK/fifo '' 'Block device required' "$WORK/fifo"
refused "a character device" erofs /dev/null '' 'Block device required' /dev/null
ln -s $OD_BLOBS/no-image "$WORK/two
lines"
refused "a path with a line break" erofs "$WORK/two
lines" '' 'Invalid argument' 'two\nlines: '
refused "not an image" erofs $OD_BLOBS/no-image '' 'Invalid argument' 'no EROFS superblock'
for option in dax dax=always dax=never dax=inode; do
	refused "$option" erofs $OD_BLOBS/v-4096-flat $option 'Invalid argument' 'DAX is not supported'
done
for option in domain_id=d cache=c timeout=5; do
	refused "$option of a file" erofs_od $OD_BLOBS/v-4096-flat $option 'Invalid argument' "${option%=*}="
done
for option in fsoffset=4096 directio; do
	refused "$option with fsid=" erofs none fsid=v-4096-flat,$option 'Invalid argument' "${option%=*}"
done
refused "fsoffset=x" erofs $OD_BLOBS/v-4096-flat fsoffset=x 'Invalid argument' fsoffset
refused "an unknown option" erofs $OD_BLOBS/v-4096-flat colour=red 'Invalid argument' colour

# --- the cache, beside them ---

od_fresh_cache
ok "daemon" odd
ok "mount from the cache" mount -t erofs -o ro,fsid=v-4096-flat none /mnt/a
ok "mount of a file" lm erofs $OD_BLOBS/v-4096-flat /mnt/b
ok "from the cache: every byte is right" same_tree /mnt/a $OD_SUMS/small
ok "from the file: every byte is right" same_tree /mnt/b $OD_SUMS/small
is "the cache's table has only the one" "$(tail -n +2 /proc/fs/erofs_od/mounts | wc -l)" 1
umount /mnt/b
umount /mnt/a
kill_daemons
rm -rf $WORK
