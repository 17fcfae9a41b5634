# SPDX-License-Identifier: GPL-2.0-only
# seconds: 55, debug 900
# where: stock rows debug
# A cache directory modified by others: untrusted data is fetched again, data
# lost under a mount reads as an error, and nothing reads as zeroes.

IMAGE=v-4096-plain
XATTR=user.CacheFiles.cache

# directory of the image's volume
volume=$OD_CACHE/cache/Ierofs,$IMAGE

# again NAME: the image is right, and its data was fetched again
again() {
	local before
	before=$(od_reads)
	ok "$1: is right" od_mount_right $IMAGE
	ok "$1: is fetched again" test "$(od_reads)" -gt "$before"
	umount /mnt/a
}

xattr_of() {
	getfattr --only-values -n $XATTR "$1" | od -An -v -tx1 | tr -d ' \n'
}

# set_xattr HEX
set_xattr() {
	setfattr -n $XATTR -v "0x$1" "$(od_cache_file $IMAGE)"
}

ok "setup" od_setup
ok "daemon" odd
ok "first mount" od_mount_right $IMAGE
umount /mnt/a
before=$(od_reads)
ok "second mount" od_mount_right $IMAGE
is "sends no READ" "$(od_reads)" "$before"
umount /mnt/a

file=$(od_cache_file $IMAGE)
good=$(xattr_of "$file")
is "the xattr has 18 bytes" ${#good} 36
setfattr -x $XATTR "$file"
again "no xattr"
set_xattr "${good%??}"
again "xattr too short"
set_xattr "${good}00"
again "xattr too long"
set_xattr "0000000000001000${good#????????????????}"
again "xattr with another size"
set_xattr "ffffffffffffffff${good#????????????????}"
again "xattr with an impossible size"
set_xattr "${good%????}0900"
again "xattr with another type"
set_xattr "${good%??}04"
again "xattr of a dirty file"
set_xattr "${good%??}63"
again "xattr with unknown content"

truncate -s 4096 "$(od_cache_file $IMAGE)"
again "a truncated file"
truncate -s $(($(stat -c %s "$(od_cache_file $IMAGE)") + 4096)) "$(od_cache_file $IMAGE)"
again "an extended file"
rm "$(od_cache_file $IMAGE)"
again "a deleted file"
file=$(od_cache_file $IMAGE)
rm "$file"
mkdir "$file"
again "a directory in its place"
rm -r "$file"
ln -s /etc/passwd "$file"
again "a symlink in its place"
cp /etc/passwd "$OD_CACHE/passwd"
ok "the symlink is not followed" cmp /etc/passwd "$OD_CACHE/passwd"
rm "$(od_cache_file $IMAGE)"
mkfifo "$file"
# Opening a FIFO read-write does not block.
again "a FIFO in its place"
fanout=$(dirname "$(od_cache_file $IMAGE)")
rm -r "$fanout"
again "no fan-out directory"
rm -r "$fanout"
echo >"$fanout"
notok "a file in place of a fan-out directory" timeout 60 mount -t erofs_od -o ro,fsid=$IMAGE none /mnt/a
rm "$fanout"
again "that file removed"
setfattr -x $XATTR "$volume"
again "a volume without its xattr"
ok "its directory is moved to the graveyard" test -n "$(ls $OD_CACHE/graveyard)"
rm -r "$volume"
again "no volume directory"

# while it is mounted
ok "mount" od_mount /mnt/a fsid=one
ok "a file is read" cat /mnt/a/large/sequential
file=$(find $OD_CACHE/cache -name Done)
truncate -s 0 "$file"
od_drop_caches
notok "truncated while mounted: the read fails" cmp -s /mnt/a/large/sequential /dev/zero
cat /mnt/a/large/sequential 2>&1 >/tmp/read | grep -q 'Input/output error'
is "with EIO" $? 0
ok "and returns no zeroes" test ! -s /tmp/read
rm -f "$file"
ok "removed while mounted: unmount" umount /mnt/a
ok "the next mount" od_mount /mnt/a fsid=one
ok "reads" cat /mnt/a/large/sequential
umount /mnt/a

# directories that cannot hold a cache
kill_daemons
od_wait 5 od_daemon_is none
bind_fails() {
	local out
	od_log_mark
	out=$(timeout 60 erofs-odd --dir="$2" --source=$OD_BLOBS 2>&1) && { fail "$1" "it binds"; return; }
	case $out in
	*"$3"*) pass "$1: $3" ;;
	*) fail "$1" "wanted $3, got $out" ;;
	esac
}
bind_fails "a missing directory" /mnt/scratch/none "No such file or directory"
echo >/mnt/scratch/file
bind_fails "a file" /mnt/scratch/file "Not a directory"
bind_fails "a read-only file system" /mnt/images "Read-only file system"
mkdir -p /mnt/scratch/odd-cache
echo >/mnt/scratch/odd-cache/cache
bind_fails "a file in place of the store" /mnt/scratch/odd-cache "Not a directory"
rm -r /mnt/scratch/odd-cache /mnt/scratch/file
mkdir -p /mnt/full
mount -t tmpfs -o size=64k,nr_inodes=2 full /mnt/full
bind_fails "a full file system" /mnt/full "No space left"
umount /mnt/full
ok "a valid cache afterwards" odd
ok "the image is right" od_mount_right $IMAGE
umount /mnt/a
