# SPDX-License-Identifier: GPL-2.0-only
# seconds: 95, debug 350
# where: stock debug
# thin
# A blob is rebuilt at its source, under the same name: in a directory and over HTTP, with
# the same size and with another, between two mounts and while mounted. Bytes of two versions
# are never mixed.

IMAGE=v-4096-plain
OTHER=v-4096-flat
BLOBS=/mnt/scratch/blobs
FILE=b/many/a-name-of-some-length-7
# How much is read before the blob changes; od.thin=N: only some of these
parts="partly wholly"
[ "$(od_arg thin 1)" = 1 ] || parts=partly

# source_of KIND: starts a daemon for $BLOBS
source_of() {
	case $1 in
	directory) odd --source=$BLOBS ;;
	http) OD_BLOBS=$BLOBS od_origin && odd --source="$OD_URL" ;;
	esac
}

stop_all() {
	kill_daemons
	od_wait 5 od_daemon_is none
}

# rebuild: rebuilds the blob with the same size, and other data in one file
rebuild() {
	sleep 1
	cp $BLOBS/$IMAGE $BLOBS/.new &&
		echo "FILE 7" | dd of=$BLOBS/.new bs=1 seek="$offset" conv=notrunc 2>/dev/null &&
		mv $BLOBS/.new $BLOBS/$IMAGE
}

# build IMAGE: makes this image the one that is served
build() {
	mkdir -p $BLOBS
	cp "$OD_BLOBS/$1" $BLOBS/.new && mv $BLOBS/.new $BLOBS/$IMAGE
}

fresh() {
	stop_all
	od_fresh_cache
	build $IMAGE && source_of "$1"
}

# is_new NAME: every byte is from the new version
is_new() {
	ok "$1: mount" od_mount /mnt/a fsid=$IMAGE
	is "$1: the rebuilt file is new" "$(cat /mnt/a/$FILE)" "FILE 7"
	ok "$1: the rest is right" same_tree_but
	umount /mnt/a
}

same_tree_but() {
	same_tree /mnt/a $OD_SUMS/small '\,^b/many/a-name-of-some-length-7 ,d'
}

between_mounts() {
	local source=$1 whole
	for whole in $parts; do
		ok "$source, $whole read: daemon" fresh "$source"
		ok "$source, $whole read: mount" od_mount /mnt/a fsid=$IMAGE
		if [ $whole = wholly ]; then
			ok "$source: every byte is right" same_tree /mnt/a $OD_SUMS/small
		fi
		is "$source, $whole read: the old version" "$(cat /mnt/a/$FILE)" "file 7"
		offset=$(oddriver where /mnt/a/$FILE 0)
		umount /mnt/a
		ok "$source, $whole read: rebuild" rebuild
		is_new "$source, $whole read"
		before=$(od_reads)
		is_new "$source, $whole read, again"
		is "$source, $whole read, again: fetches nothing" "$(od_reads)" "$before"
	done
}

another_size() {
	ok "$1, another size: daemon" fresh "$1"
	ok "$1, another size: mount" od_mount /mnt/a fsid=$IMAGE
	ok "$1, another size: every byte of the old version" same_tree /mnt/a $OD_SUMS/small
	umount /mnt/a
	sleep 1
	ok "$1, another size: rebuild" build $OTHER
	is_other=$(stat -c %s $BLOBS/$IMAGE)
	ok "$1, another size: mount" od_mount /mnt/a fsid=$IMAGE
	ok "$1, another size: every byte of the new version" same_tree /mnt/a $OD_SUMS/small
	is "$1, another size: size of the new version" "$(awk -F '\t' -v i=$IMAGE '$2 == i { print $3 }' $OD_PROC/blobs)" "$is_other"
	umount /mnt/a
}

under_a_mount() {
	local log=/tmp/erofs-odd.log
	ok "$1, mounted: daemon" fresh "$1"
	ok "$1, mounted: mount" od_mount /mnt/a fsid=$IMAGE
	find /mnt/a/b/many -name '*-1?' -type f -exec cat {} + >/dev/null
	is "$1, mounted: the old version" "$(cat /mnt/a/$FILE)" "file 7"
	offset=$(oddriver where /mnt/a/$FILE 0)
	: >$log
	ok "$1, mounted: rebuild" rebuild
	treesum /mnt/a >/tmp/mine 2>/tmp/errors
	ok "$1, mounted: missing data cannot be read" grep -q "Input/output error" /tmp/errors
	ok "$1, mounted: all readable files are the old version" sh -c "grep -v ' ! ' /tmp/mine | grep ' f ' | grep -vxFf $OD_SUMS/small >/tmp/wrong; cat /tmp/wrong; test ! -s /tmp/wrong"
	is "$1, mounted: and so is the file read before" "$(cat /mnt/a/$FILE)" "file 7"
	is "$1, mounted: the daemon logs one line" "$(grep -c "blob $IMAGE: no more data is fetched" $log)" 1
	umount /mnt/a
	is_new "$1, mounted, and mounted again"
}

ok "modules" od_load window_kib=16
for source in directory http; do
	between_mounts $source
	another_size $source
	under_a_mount $source
done
