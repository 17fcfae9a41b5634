# SPDX-License-Identifier: GPL-2.0-only
# seconds: 80, debug 730
# where: stock rows debug
# thin
# Domains: which mounts share which blobs, and for how long; how blobs are
# named; two hundred images over the same twenty blobs, mounted and unmounted
# by many processes at once. od.thin=N: fewer rounds and images
COPIES=$OD_MNT/scratch/copies
TREE=$OD_MNT/images/trees/domain
TWENTY=$OD_BLOBS/twenty
HALF=$((80 / $(od_arg thin 1) + 10))
MANY=$((20 + 2 * HALF))

# The first line of each file in /proc is a header.
blobs_open() {
	tail -n +2 $OD_PROC/blobs | wc -l
}

mounts_shown() {
	tail -n +2 /proc/fs/erofs_od/mounts | cut -f1 | sort -u | wc -l
}

cache_files() {
	find $OD_CACHE/cache -type f | wc -l
}

# Succeeds if the daemon has no blob fds.
all_closed() {
	[ "$(od_blob_fds "$(pidof erofs-odd)")" = 0 ]
}

start() {
	kill_daemons
	od_fresh_cache
	odd --source=$COPIES --source=$OD_BLOBS
}

# nothing_left NAME: no mount, no blob and no fd is left
nothing_left() {
	is "$1: no mount is left" "$(mounts_shown)" 0
	is "$1: no blob is open" "$(blobs_open)" 0
	ok "$1: the daemon has no blob fds" od_wait 10 all_closed
}

# devices NR: prints that many device= options, for blobs under other names
devices() {
	seq 0 $(($1 - 1)) | sed 's/^/,device=piece/' | tr -d '\n'
}

ok "setup" od_setup
mkdir -p $COPIES
ok "$MANY images over the same 20 blobs" oddimage copies $TWENTY $COPIES/copy $MANY
mkdir -p /mnt/c
missing=$(printf 'no-such-blob-%051d' 0)
ok "an image that lacks a blob" oddimage tag $TWENTY $COPIES/lacks-a-blob 14 "$missing"
ok "daemon" start

# --- conflicts and shared superblocks ---
ok "an image without a domain" od_mount /mnt/b fsid=copy0
ok "the daemon has its blobs open" test "$(od_blob_fds "$(pidof erofs-odd)")" -gt 0
ok "mounted again with the same options" od_mount /mnt/c fsid=copy0
is "it is the same superblock" "$(stat -c %d /mnt/b)" "$(stat -c %d /mnt/c)"
umount /mnt/c
mount_fails "mounted again with other options" fsid=copy0,noacl 'esource busy'
mount_fails "a domain with the same name" domain_id=copy0,fsid=copy1 'esource busy'
umount /mnt/b
ok "an image in a domain" od_mount /mnt/b domain_id=one,fsid=copy0
ok "mounted again in its domain" od_mount /mnt/c domain_id=one,fsid=copy0
is "it is the same superblock" "$(stat -c %d /mnt/b)" "$(stat -c %d /mnt/c)"
ok "unmount of the first" umount /mnt/b
ok "the second stays" ls /mnt/c
ok "and can be mounted again" od_mount /mnt/b domain_id=one,fsid=copy0
umount /mnt/c
mount_fails "mounted again in its domain with other options" domain_id=one,fsid=copy0,timeout=5000 'esource busy'
mount_fails "an image with the domain's name" fsid=one 'esource busy'
ok "the image in another domain" od_mount /mnt/a domain_id=two,fsid=copy0
is "shares no blob with the first" "$(blobs_open)" 42
ok "remount in a third domain" mount -o remount,ro,domain_id=three,fsid=copy1 none /mnt/a
ok "changes nothing" grep -q ' /mnt/a .*fsid=copy0,domain_id=two' /proc/mounts
umount /mnt/a /mnt/b
mount_fails "an empty fsid" fsid= 'Invalid argument'
mount_fails "an empty domain" domain_id=,fsid=copy0 'Invalid argument'
mount_fails "an empty device" fsid=copy0,device= 'Invalid argument'
mount_fails "a domain with a slash" domain_id=../x,fsid=copy0 'Invalid argument'
mount_fails "domain_id too long" "domain_id=$(printf 'x%.0s' $(seq 247)),fsid=copy0" 'File name too long'
ok "domain_id of the maximum length" od_mount /mnt/a "domain_id=$(printf 'x%.0s' $(seq 246)),fsid=copy0"
umount /mnt/a
nothing_left "so far"

# --- lifetimes: first in, first out; last in, first out; mounts that fail ---
ok "a new cache" start
ok "first in" od_mount /mnt/a domain_id=d,fsid=copy0
is "has a bootstrap and 20 blobs" "$(blobs_open)" 21
ok "second in" od_mount /mnt/b domain_id=d,fsid=copy1
is "adds its bootstrap" "$(blobs_open)" 22
mount_fails "an image that lacks its 15th blob" domain_id=d,fsid=lacks-a-blob 'No such file'
is "leaves only the blobs of the others" "$(blobs_open)" 22
umount /mnt/a
is "first out: its bootstrap is closed" "$(blobs_open)" 21
ok "the other one reads missing data" mountstorm same /mnt/b $TREE
ok "third in" od_mount /mnt/a domain_id=d,fsid=copy2
umount /mnt/a
ok "last in, first out: the other one stays right" sh -c "echo 3 >/proc/sys/vm/drop_caches
	mountstorm same /mnt/b $TREE"
umount /mnt/b
nothing_left "last out"
mount_fails "an image that lacks a blob, in a domain of its own" domain_id=d,fsid=lacks-a-blob 'No such file'
nothing_left "a failed mount"

# Entirely present blobs need no daemon. In this test only the bootstraps are present.
only_bootstraps() {
	local n
	start
	for n in 0 1; do
		od_mount /mnt/a domain_id=d,fsid=copy$n && find /mnt/a >/dev/null && umount /mnt/a
	done
}
ok "two images with present bootstraps and missing blobs" only_bootstraps
killall -STOP erofs-odd
mount -t erofs_od -o ro,domain_id=d,fsid=copy0 none /mnt/a 2>/dev/null &
first=$!
ok "a mount waits for a blob" od_wait 5 od_waiting 1
mount_fails "another mount has a shorter deadline" domain_id=d,fsid=copy1,timeout=500 'timed out'
mount -t erofs_od -o ro,domain_id=d,fsid=copy1 none /mnt/b &
second=$!
sleep 0.5
kill -9 $first
wait $first 2>/dev/null
ok "the first is killed, a third mount waits instead" od_wait 5 od_waiting 1
killall -CONT erofs-odd
wait $second
is "the third mount succeeds" $? 0
ok "every byte is right" mountstorm same /mnt/b $TREE
umount /mnt/b
nothing_left "a killed mount"

# --- names of blobs ---
for n in $(seq 0 19); do
	tag=$(dd if=$TWENTY bs=128 skip=$(($(od -An -tu2 -j1112 -N2 $TWENTY) + n)) count=1 2>/dev/null | head -c 64)
	ln -sf $OD_BLOBS/"$tag" $COPIES/piece$n
done
is "tags have 64 bytes, and no NUL" "${#tag}" 64
ok "names by device=" od_mount /mnt/a "fsid=copy0$(devices 20)"
ok "every byte is right" mountstorm same /mnt/a $TREE
umount /mnt/a
mount_fails "one device= too few" "fsid=copy0$(devices 19)" 'Invalid argument'
mount_fails "one device= too many" "fsid=copy0$(devices 21)" 'Invalid argument'
mount_fails "device= for an image without blobs" fsid=v-4096-flat,device=piece0 'Invalid argument'
oddimage tag $TWENTY $COPIES/empty-tag 3 ''
mount_fails "an empty tag" fsid=empty-tag 'Invalid argument'
ok "an empty tag, overridden by device=" od_mount /mnt/a "fsid=empty-tag$(devices 20)"
ok "every byte is right" mountstorm same /mnt/a $TREE
umount /mnt/a
oddimage tag $TWENTY $COPIES/odd-tag 3 "$(printf '../../etc/\001passwd')"
mount_fails "a tag that is not a valid name" fsid=odd-tag 'Invalid argument'
oddimage twice $TWENTY $COPIES/twice 7
ok "the same blob twice in one image" od_mount /mnt/a domain_id=d,fsid=twice
is "it is open once" "$(blobs_open)" 21
ok "every byte is right" mountstorm same /mnt/a $TREE
ok "a second mount" od_mount /mnt/b domain_id=d,fsid=copy5
umount /mnt/a
is "the second mount keeps its blobs" "$(blobs_open)" 21
ok "and is right" sh -c "echo 3 >/proc/sys/vm/drop_caches; mountstorm same /mnt/b $TREE"
umount /mnt/b
oddimage tag $OD_BLOBS/over $COPIES/itself 0 itself
ok "an image that is its own blob" od_mount /mnt/a fsid=itself
is "is open once" "$(blobs_open)" 1
ok "its files are right" same_tree /mnt/a $OD_SUMS/small
umount /mnt/a
nothing_left "names of blobs"

# --- metadata of a shared blob is cached once ---
ok "a bootstrap" od_mount /mnt/a domain_id=d,fsid=v-4096-flat
ok "which is a data blob of another image" od_mount /mnt/b domain_id=d,fsid=over
is "is open once" "$(blobs_open)" 2
ok "the other one is right" same_tree /mnt/b $OD_SUMS/small
# Blocks that the first mount has read are not read again for the other one.
od_drop_caches
stat /mnt/b/b/many >/dev/null
served=$(od_counter bytes_served)
ok "a directory is listed" dirways count /mnt/a/b/many
ok "and read from the cache" test "$(od_counter bytes_served)" -gt "$served"
served=$(od_counter bytes_served)
ok "the same blocks as a directory of the other mount" dirways count /mnt/b/b/many
is "are not read again" "$(od_counter bytes_served)" "$served"
umount /mnt/a /mnt/b
nothing_left "metadata"

# --- concurrent first mounts of a domain, which create its directory ---
first_blobs() {
	local n
	for n in $(seq "$1"); do
		mountstorm mount /mnt/many "domain_id=first$n" copy 0 8 8 &&
			mountstorm umount /mnt/many 0 8 8 || return 1
	done
}

dirs_discarded() {
	od_log | grep -c 'discarding stale directory'
}

mkdir -p /mnt/many /mnt/storm
ok "a new cache" start
od_log_mark
rounds=$((24 / $(od_arg thin 1) + 6))
ok "eight first mounts of a domain at once, $rounds times" first_blobs $rounds
is "no directory in use was discarded as stale" "$(dirs_discarded)" 0
is "every blob has its file" "$(cache_files)" $((rounds * 28))
nothing_left "first blobs"

# --- two hundred ---
ok "a new cache" start
blank=$(od_pinned)
ok "20 mounts by 8 processes" mountstorm mount /mnt/many domain_id=many copy 0 20 8
first=$(od_pinned)
ok "$HALF more" mountstorm mount /mnt/many domain_id=many copy 20 $HALF 8
ok "$HALF more" mountstorm mount /mnt/many domain_id=many copy $((20 + HALF)) $HALF 8
all=$(od_pinned)
more=$((2 * HALF))
note "memory pinned: $(((first - blank) / 20)) KiB for each of the first 20 mounts," \
	"$(((all - first) / more)) KiB for each of the other $more"
ok "less than 300 KiB for each of the other $more" test $(((all - first) / more)) -lt 300
is "$MANY mounts" "$(mounts_shown)" $MANY
is "20 blobs and $MANY bootstraps" "$(blobs_open)" $((20 + MANY))
is "as many OPENs" "$(od_counter opens)" $((20 + MANY))
is "as many cache files" "$(cache_files)" $((20 + MANY))
ok "each reads a file, at the same time" mountstorm read /mnt/many $TREE 0 $MANY 8
ok "and another file" mountstorm read /mnt/many $TREE 0 $MANY 8
is "no OPEN since" "$(od_counter opens)" $((20 + MANY))
size=$(stat -c %s $COPIES/copy0)
total=$(($(find $OD_CACHE/cache -type f -exec stat -c %s {} + | awk '{ sum += $1 } END { print sum }')))
ok "nothing was fetched twice" test "$(od_counter bytes_filled)" -le "$total" -a "$total" -gt "$size"
ok "$MANY unmounts by 8 processes" mountstorm umount /mnt/many 0 $MANY 8
nothing_left "$MANY mounts"

# --- a storm ---
(while sleep 1; do echo 3 >/proc/sys/vm/drop_caches; done) &
dropper=$!
for seed in 1 1001; do
	ok "a storm of mounts" sh -c "mountstorm storm /mnt/storm $TREE copy 12 3 8 25 $seed >/tmp/storm"
	note "$(cat /tmp/storm)"
done
kill $dropper
wait $dropper 2>/dev/null
nothing_left "storms"
is "no request is pending" "$(tail -n +2 $OD_PROC/requests | wc -l)" 0
ok "mount of one of its images" od_mount /mnt/a domain_id=storm1,fsid=copy3
ok "every byte is right" mountstorm same /mnt/a $TREE
umount /mnt/a
kill_daemons
ok "both modules unload" od_unload
rm -rf $COPIES
