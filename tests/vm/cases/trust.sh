# SPDX-License-Identifier: GPL-2.0-only
# seconds: 65, debug 600
# where: stock rows debug kasan
# What the cache trusts: a range is present only if its map says so, whatever the file
# system shows and whatever has modified the file or the map.

IMAGE=v-4096-plain
XATTR=user.CacheFiles.cache
KEPT=/tmp/kept

column() {
	od_cell $OD_PROC/blobs blob $IMAGE "$1"
}

read_some() {
	find /mnt/a/b/many -type f | sort | head -n "$1" | xargs cat >/dev/null
}

# here NAME COMMAND...: like ok, but runs the command in this shell, as it sets variables
here() {
	local name=$1
	shift
	if "$@" >/tmp/here 2>&1; then
		pass "$name"
	else
		fail "$name" "status $?: $*
$(cat /tmp/here)"
	fi
}

start() {
	od_fresh_cache
	fake --wide "$@"
}

# partly: creates a cache file that is partly filled and committed, then closed
partly() {
	kill_daemons
	od_wait 5 od_daemon_is none
	start && od_mount /mnt/a fsid=$IMAGE && read_some 100 && umount /mnt/a || return 1
	file=$(od_cache_file $IMAGE)
	map=$(od_map_file "$file")
	[ -s "$map" ]
}

# taken NAME: the image is right; sets filled, the bytes that had to be fetched
taken() {
	local before
	od_log_mark
	before=$(od_counter bytes_filled)
	ok "$1: mount" od_mount /mnt/a fsid=$IMAGE
	ok "$1: every byte is right" same_tree /mnt/a $OD_SUMS/small
	filled=$(($(od_counter bytes_filled) - before))
	umount /mnt/a
}

# not_trusted NAME WHY: all of the image is fetched, and one log line says why
not_trusted() {
	taken "$1"
	ok "$1: all is fetched: $filled of $full" test $filled -ge "$full"
	is "$1: one line says why: $2" "$(od_log | grep -c "D$IMAGE is not trusted: $2")" 1
}

# trusted NAME: committed data is not fetched
trusted() {
	taken "$1"
	ok "$1: less is fetched: $filled of $full" test $filled -lt $((full - 100000))
}

# preallocate FILE: turns all of its holes into unwritten blocks, which look like data to
# SEEK_DATA, as after a power cut
preallocate() {
	fallocate -l "$(stat -c %s "$1")" "$1" && od_drop_caches && cat "$1" >/dev/null
}

# copy_over FROM TO: copies a file with its xattr; holes become zeroes
copy_over() {
	cp "$1" "$2" && setfattr -n $XATTR -v "0x$(getfattr --only-values -n $XATTR "$1" | od -An -v -tx1 | tr -d ' \n')" "$2"
}

# keep_map: saves the map in its state while the object is open
keep_map() {
	start && od_mount /mnt/a fsid=$IMAGE && read_some 100 &&
		od_control commit "$(od_cache_file $IMAGE)" || return 1
	file=$(od_cache_file $IMAGE)
	map=$(od_map_file "$file")
	cp "$map" $KEPT
	committed=$(column committed)
}

# Nothing is committed except by a command.
ok "modules" od_load commit_ms=600000 commit_mib=10000 window_kib=64

# --- the file ---

start
taken "an empty cache"
full=$filled
ok "it has to be filled" test "$full" -gt 1000000
here "a blob, partly filled" partly
trusted "nothing was touched"
here "a blob, partly filled" partly
rm "$map"
ok "preallocated" preallocate "$file"
not_trusted "no map" "no presence map"
here "a blob, partly filled" partly
ok "preallocated" preallocate "$file"
not_trusted "preallocated after it was closed" ""
here "a blob, partly filled" partly
copy_over "$file" /mnt/scratch/copy
cat /mnt/scratch/copy >"$file"
not_trusted "holes became zeroes in place" ""
here "a blob, partly filled" partly
copy_over "$file" /mnt/scratch/copy
mv /mnt/scratch/copy "$file"
not_trusted "a copy in its place" ""
here "a blob, partly filled" partly
head -c 65536 /dev/zero | dd of="$file" bs=4096 conv=notrunc 2>/dev/null
not_trusted "overwritten in place" ""

# --- after a crash: the map is that of an object in use ---

kill_daemons
od_wait 5 od_daemon_is none
here "a map of the object in use" keep_map
read_some 200
umount /mnt/a
cp $KEPT "$map"
ok "preallocated" preallocate "$file"
trusted "a crash"
ok "a crash: nothing else is taken for data" test $filled -ge $((full - committed))

# The map of an object in use records no times, but it records the inode, which differs.
kill_daemons
od_wait 5 od_daemon_is none
here "a map of the object in use" keep_map
umount /mnt/a
copy_over "$file" /mnt/scratch/copy
mv /mnt/scratch/copy "$file"
cp $KEPT "$(od_map_file "$file")"
not_trusted "a copy with the map of the file before it" "presence map of another file"

# --- the map ---

damage() {
	case $1 in
	empty) : >"$map" ;;
	short) truncate -s 4100 "$map" ;;
	garbage) head -c 16384 /dev/urandom >"$map" ;;
	slots) head -c 8192 /dev/zero | dd of="$map" conv=notrunc 2>/dev/null ;;
	runs) dd if=/dev/urandom of="$map" bs=4096 seek=2 count=64 conv=notrunc 2>/dev/null ;;
	esac
}

# The state that punching leaves on a full disk.
here "a blob, partly filled" partly
damage empty
not_trusted "map: empty" "no presence map"
for how in garbage slots runs; do
	here "a blob, partly filled" partly
	damage $how
	not_trusted "map: $how" "damaged presence map"
done
here "a blob, partly filled" partly
damage short
# One of the two versions may be intact, and it is an older one.
taken "map: short"

here "a blob, partly filled" partly
ok "another blob" od_mount /mnt/a fsid=tiny
umount /mnt/a
other=$(od_map_file "$(find $OD_CACHE/cache -name Dtiny)")
ok "with a map of its own" test -s "$other" -a "$other" != "$map"
cp "$other" "$map"
not_trusted "map of another file" "presence map of another file"

# --- a reused inode number ---

# refilled: creates a file whose map has been written many times, and removes only the file
refilled() {
	local nr
	partly || return 1
	for nr in 150 200 250; do
		od_mount /mnt/a fsid=$IMAGE && read_some $nr && umount /mnt/a || return 1
	done
	ino=$(stat -c %i "$file")
	rm "$file" && [ -s "$map" ]
}

here "a map without its file" refilled
ok "another file" od_mount /mnt/a fsid=$IMAGE
read_some 100
umount /mnt/a
is "has its inode number" "$(stat -c %i "$(od_cache_file $IMAGE)")" "$ino"
trusted "after an earlier map"

# --- when data is committed ---

kill_daemons
od_wait 5 od_daemon_is none
ok "a daemon" start
ok "mount" od_mount /mnt/a fsid=$IMAGE
read_some 50
ok "not committed yet" test "$(column committed)" -lt "$(column present)"
ok "commit NAME" od_control commit "$(od_cache_file $IMAGE)"
is "commit NAME: all is committed" "$(column committed)" "$(column present)"
read_some 150
ok "not committed yet" test "$(column committed)" -lt "$(column present)"
sync
is "sync: all is committed" "$(column committed)" "$(column present)"
notok "commit of a name that does not exist" od_control commit "$(dirname "$(od_cache_file $IMAGE)")/Dnone"
umount /mnt/a
ok "commit of a blob that is not open" od_control commit "$(od_cache_file $IMAGE)"
kill_daemons
od_wait 5 od_daemon_is none
notok "without a cache" sh -c "echo 'commit D$IMAGE' >$OD_PROC/control"
ok "a daemon that calls fsync" start --fsync
ok "mount" od_mount /mnt/a fsid=$IMAGE
read_some 50
ok "some is present" test "$(column present)" -gt 100000
is "fsync: all is committed" "$(column committed)" "$(column present)"
umount /mnt/a
kill_daemons
od_wait 5 od_daemon_is none

# A task that was killed, or may not write to files, still commits the blobs that it closes.
# few_files COMMAND...: runs it with a limit for the size of files
few_files() {
	(ulimit -f 0 && "$@")
}

ok "a daemon" start
ok "an image of many blobs" od_mount /mnt/a fsid=twenty
other=$(awk -F '\t' '$6 == "device" { print $5; exit }' /proc/fs/erofs_od/mounts)
ok "unmounted by a task with a limit" few_files umount /mnt/a
ok "what was read is committed" test -s "$(od_map_file "$(od_cache_file twenty)")"
kill_daemons
od_wait 5 od_daemon_is none
ok "a daemon that never opens one of them" start --mute-open-of "$other"
od_log_mark
mount -t erofs_od -o ro,fsid=twenty none /mnt/a &
mounter=$!
ok "a mount waits for that" od_wait 10 grep -q "OPEN.*$other" $OD_PROC/requests
kill -9 $mounter
ok "killed, it ends" od_wait 10 has_ended $mounter
wait $mounter
ok "what it has read is committed" test -s "$(od_map_file "$(od_cache_file twenty)")"
is "nothing failed" "$(od_log | grep -c 'failed to commit')" 0
kill_daemons
od_wait 5 od_daemon_is none

# --- file systems that cannot hold a cache ---

# refused NAME DIR FS
refused() {
	local out
	mkdir -p "$2/cache"
	od_log_mark
	if out=$(timeout 60 fakedaemon --cache "$2/cache" --blobs $OD_BLOBS 2>&1); then
		fail "$1: is refused" "it binds"
		return
	fi
	case $out in
	*"Operation not supported"*) pass "$1: is refused" ;;
	*) fail "$1: is refused" "$out" ;;
	esac
	is "$1: one line names the file system" \
		"$(od_log | wc -l) $(od_log | grep -c "$2/cache: file system \"$3\"")" "1 1"
}

# loop_fs OPTIONS MKFS...: creates an ext4 and mounts it on $loop
loop=/mnt/loop
loop_fs() {
	local options=$1
	shift
	mkdir -p $loop
	rm -f /tmp/loop
	truncate -s 32M /tmp/loop
	/usr/bin/mke2fs -q -F "$@" /tmp/loop && mount -t ext4 -o "loop,$options" /tmp/loop $loop
}

ok "ext4 without a journal" loop_fs rw -t ext4 -O ^has_journal
refused "ext4 without a journal" $loop ext4
umount $loop
ok "ext4 without barriers" loop_fs nobarrier -t ext4
refused "ext4 without barriers" $loop ext4
umount $loop
mkdir -p /mnt/scratch/layers/lower /mnt/scratch/layers/upper /mnt/scratch/layers/work $loop
ok "an overlay" mount -t overlay -o "lowerdir=/mnt/scratch/layers/lower,upperdir=/mnt/scratch/layers/upper,workdir=/mnt/scratch/layers/work" none $loop
refused "an overlay" $loop overlay
umount $loop
ok "ext4 with default options" loop_fs rw -t ext4
OD_CACHE=$loop/cache
mkdir $OD_CACHE
ok "is accepted" fake
kill_daemons
od_wait 5 od_daemon_is none
od_unload
umount $loop
