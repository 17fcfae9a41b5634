# SPDX-License-Identifier: GPL-2.0-only
# seconds: 17, debug 150
# where: stock rows debug
# Operations on a cache, with the real module: drop, refresh, adopt, backup, commit. And a
# source that changes while its image is mounted.

IMAGE=v-4096-plain
BLOBS=/mnt/scratch/blobs
COPY=/mnt/scratch/copy

# fetches_nothing NAME: the image is right, and no READ was sent
fetches_nothing() {
	local before
	before=$(od_reads)
	ok "$1: is right" od_mount_right $IMAGE
	is "$1: nothing is fetched" "$(od_reads)" "$before"
	umount /mnt/a
}

stop_daemon() {
	killall erofs-odd
	od_wait 10 od_daemon_is none
}

is_removed() {
	[ ! -e "$1" ]
}

mkdir -p $BLOBS
cp $OD_BLOBS/$IMAGE $BLOBS
ok "setup" od_setup
ok "daemon" odd --source=$BLOBS
ok "mount" od_mount_right $IMAGE
file=$(od_cache_file $IMAGE)
ok "commit" od_control commit "$(od_cache_file $IMAGE)"
ok "its map exists" test -s "$(od_map_file "$file")"

# --- while it is mounted ---

exits 1 "drop of a mounted image" erofs-od drop $IMAGE
says "it is in use" "^erofs-od: erofs,$IMAGE $IMAGE: in use"
ok "and is kept" test -e "$file"
exits 0 "refresh" erofs-od refresh --source=$BLOBS
says "it is fresh" "$IMAGE: fresh"
exits 1 "adopt" erofs-od adopt --yes $OD_CACHE
says "a bound cache is not adopted" 'cache is bound'
exits 0 "backup" erofs-od backup $OD_CACHE $COPY
says "it is copied" "$IMAGE: copied"
umount /mnt/a
stop_daemon

# --- the copy ---

mv $OD_CACHE /mnt/scratch/first
mv $COPY $OD_CACHE
ok "daemon on the copy" odd --source=$BLOBS
fetches_nothing "the copy"
exits 0 "refresh of the copy" erofs-od refresh --source=$BLOBS
says "the copy is of the same version" "$IMAGE: fresh"
exits 0 "drop" erofs-od drop $IMAGE
is "nothing is left" "$(find $OD_CACHE/cache $OD_CACHE/maps -type f)" ""
ok "mounted again, it is right" od_mount_right $IMAGE
ok "and fetched again" test "$(od_reads)" -gt 0
umount /mnt/a
stop_daemon

# --- a cache without its maps ---

rm -r $OD_CACHE/maps
exits 1 "adopt without --yes" erofs-od adopt $OD_CACHE
says "asks for confirmation" 'use --yes'
exits 0 "adopt" erofs-od adopt --yes --source=$BLOBS $OD_CACHE
says "it is adopted" "$IMAGE: adopted"
ok "daemon" odd --source=$BLOBS
fetches_nothing "an adopted cache"
stop_daemon
rm -r $OD_CACHE/maps
ok "daemon" odd --source=$BLOBS
ok "not adopted: is right" od_mount_right $IMAGE
ok "not adopted: is fetched again" test "$(od_reads)" -gt 0

# --- a source that changes ---

touch $BLOBS/$IMAGE
exits 1 "refresh of a mounted image" erofs-od refresh --source=$BLOBS
says "it is stale, and in use" "$IMAGE: stale, in use"
ok "present data can be read" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
exits 0 "refresh" erofs-od refresh --source=$BLOBS
says "it is dropped" "$IMAGE: stale, dropped"
: >/tmp/erofs-odd.log
ok "mount" od_mount /mnt/a fsid=$IMAGE
touch $BLOBS/$IMAGE
notok "nothing more is fetched from a changed source" same_tree /mnt/a $OD_SUMS/small
is "one log line" "$(grep -c "blob $IMAGE: no more data is fetched" /tmp/erofs-odd.log)" 1
umount /mnt/a
ok "the next mount has the new version" od_mount_right $IMAGE
umount /mnt/a

# --- maps without a file ---

file=$(od_cache_file $IMAGE)
map=$(od_map_file "$file")
stop_daemon
rm "$file"
echo >$OD_CACHE/maps/77
ok "daemon" odd --source=$BLOBS
ok "the map of a deleted file is removed" od_wait 10 is_removed "$map"
ok "a recent map, which may belong to a new file, is kept" test -e $OD_CACHE/maps/77
ok "the image is right" od_mount_right $IMAGE
umount /mnt/a
