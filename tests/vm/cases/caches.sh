# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 90
# where: stock debug
# Several caches on one host, with a daemon and a device each, selected by cache=. A cache
# whose directory was removed keeps its mounts, and does not block a new cache.

FIRST=/mnt/scratch/cache
SECOND=/mnt/scratch/second
SMALL=v-4096-plain
FILE=large/sequential

# row TAG COLUMN: prints a column of the table of caches in /proc, for every cache with that tag
row() {
	od_cell $OD_PROC/caches tag "$1" "$2"
}

# daemon TAG DIR [OPTION...]: starts a daemon and writes its PID to /tmp/pid.TAG
daemon() {
	local tag=$1 dir=$2
	shift 2
	mkdir -p "$dir"
	erofs-odd --dir="$dir" --tag="$tag" --source=$OD_BLOBS "$@" >>/tmp/erofs-odd.log 2>&1 &
	echo $! >"/tmp/pid.$tag"
	od_wait 10 is_served "$tag"
}

is_served() {
	row "$1" daemon | grep -qx bound
}

# kill_daemon TAG: kills the daemon that serves that cache
kill_daemon() {
	kill -9 "$(cat "/tmp/pid.$1")"
	od_wait 10 not is_served "$1"
}

not() {
	! "$@"
}

# only_bound TAG: there is one cache with that tag, which has a daemon
only_bound() {
	[ "$(row "$1" daemon)" = bound ]
}

# byte DIR OFFSET: prints one byte in hexadecimal
byte() {
	dd if="$1/$FILE" bs=1 skip="$2" count=1 2>/dev/null | od -An -tx1
}

# far DIR: reads a block that is still missing
far() {
	dd if="$1/$FILE" bs=4096 skip=12288 count=1 of=/dev/null 2>/dev/null
}

mkdir -p /mnt/a /mnt/b /mnt/c

notok "no device" insmod $OD_MODULES/cachefiles_od.ko devices=0
notok "too many devices" insmod $OD_MODULES/cachefiles_od.ko devices=17
ok "two devices" od_load devices=2
ok "/dev/cachefiles1" test -c /dev/cachefiles1
od_fresh_cache
rm -rf $SECOND

# --- a cache each ---

ok "first daemon" daemon one $FIRST
ok "second daemon" daemon two $SECOND --device=/dev/cachefiles1
is "each cache has a row" "$(row one device) $(row two device)" "0 1"
notok "mount of a cache that is not bound" od_mount /mnt/a fsid=one,cache=three
ok "mount from the first, the default" od_mount /mnt/a fsid=$SMALL,domain_id=d
ok "mount from the second, with the same fsid and domain" \
	od_mount /mnt/b fsid=$SMALL,domain_id=d,cache=two
ok "/proc/mounts shows the option" grep -q ' /mnt/b .*cache=two' /proc/mounts
is "each has a volume" "$(row one volumes) $(row two volumes)" "1 1"
before=$(row one bytes_filled)
ok "the whole tree from the second" same_tree /mnt/b $OD_SUMS/small
is "the first has fetched nothing" "$(row one bytes_filled)" "$before"
ok "the second has fetched the data" test "$(row two bytes_filled)" -gt 100000
is "the table of blobs names both caches" \
	"$(cut -f 8 $OD_PROC/blobs | sed 1d | sort | paste -sd' ')" \
	"$( (row one cache && row two cache) | sort | paste -sd' ')"

# --- the caches are independent ---

kill_daemon two
notok "without a daemon, a missing image cannot be mounted" od_mount /mnt/c fsid=one,cache=two
ok "the first mount is not affected" same_tree /mnt/a $OD_SUMS/small
ok "present data is served without a daemon" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
is "an unused cache without a daemon is freed" "$(row two cache)" ""

# --- one directory, one tag, one daemon ---

out=$(timeout 10 erofs-odd --dir=$FIRST --tag=other --device=/dev/cachefiles1 --source=$OD_BLOBS 2>&1)
is "a directory bound by another daemon: exit status" $? 1
case $out in *[Bb]usy*) pass "with EBUSY" ;; *) fail "with EBUSY" "$out" ;; esac
notok "a tag bound by another daemon" timeout 10 erofs-odd --dir=$SECOND --tag=one \
	--device=/dev/cachefiles1 --source=$OD_BLOBS
ok "the first mount is not affected" same_tree /mnt/a $OD_SUMS/small

# --- the directory is removed and recreated while a mount uses the old one ---

rm -rf $SECOND
ok "second daemon" daemon two $SECOND --device=/dev/cachefiles1
ok "mount" od_mount /mnt/b fsid=one,domain_id=d,cache=two
want=$(byte /mnt/b 0)
kill_daemon two
rm -rf $SECOND
ok "a new daemon binds the new directory" daemon two $SECOND --device=/dev/cachefiles1
is "both caches are listed" "$(row two daemon | sort | paste -sd' ')" "bound gone"
ok "a new mount with the same fsid uses the new cache" od_mount /mnt/c fsid=one,domain_id=d,cache=two
is "and reads the same data" "$(byte /mnt/c 0)" "$want"
is "the old mount keeps its present data" "$(byte /mnt/b 0)" "$want"
notok "and fails to read missing data" far /mnt/b
ok "which the new mount fetches" far /mnt/c
# Detached, but in use: an operator needs to find out by which process.
sh -c 'exec 6<"$1"; exec sleep 300' sh /mnt/b/$FILE &
holder=$!
ok "a file is held open" od_wait 10 test -e /proc/$holder/fd/6
umount -l /mnt/b
erofs-od status -v >/tmp/users
ok "status names the process with an open file on a detached mount" \
	grep -qE "^two +one +$holder \(sleep\) +open file" /tmp/users
ok "and the one that serves a cache" grep -qE "^one +- +[0-9]+ \(erofs-odd\) +serves it" /tmp/users
is "the old cache is still listed" "$(row two daemon | sort | paste -sd' ')" "bound gone"
kill $holder
ok "after its last use the old cache is freed" od_wait 10 only_bound two

# --- the same with the one device that unmodified daemons use ---

umount /mnt/c
umount /mnt/a
ok "mount" od_mount /mnt/a fsid=one
want=$(byte /mnt/a 0)
kill_daemon one
rm -rf $FIRST
ok "a new daemon binds the new directory" daemon one $FIRST
ok "a mount with the same fsid uses the new cache" od_mount /mnt/b fsid=one
ok "and reads missing data" far /mnt/b
is "the old mount keeps its present data" "$(byte /mnt/a 0)" "$want"

# --- a daemon that takes over one of several devices serves that device's cache ---

# tell COMMAND...: writes it to the second device
tell() {
	printf '%s' "$*" >&5
}

kill_daemon two
mkdir -p $SECOND
exec 5<>/dev/cachefiles1
ok "the holder of the device binds a cache" eval \
	"tell dir $SECOND && tell tag taken && tell bind ondemand"
erofs-odd --fd=5 --source=$OD_BLOBS --stats=/tmp/taken.json >/tmp/taken.log 2>&1 &
echo $! >/tmp/pid.taken
exec 5>&-
ok "a daemon takes it over" od_wait 10 test -s /tmp/taken.json
ok "mount from it" od_mount /mnt/c fsid=$SMALL,cache=taken
ok "every byte is right" same_tree /mnt/c $OD_SUMS/small
is "it has found the directory of its cache" "$(grep -c "not possible" /tmp/taken.log)" 0
umount /mnt/c
kill_daemon taken

# --- a takeover keeps the cache, whatever the tag ---

kill_daemon one
ok "another daemon, with another tag" daemon another $FIRST
ok "the mount fetches missing data" dd if=/mnt/b/$FILE bs=4096 skip=8192 count=1 of=/dev/null
is "the cache has the new tag" "$(row another blobs)" 1
