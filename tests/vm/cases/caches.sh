# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 90
# where: stock debug
# Several caches on one host: a daemon and a device each, chosen by cache=. One whose
# directory was removed keeps the mounts that use it, and stands in nobody's way.

FIRST=/mnt/scratch/cache
SECOND=/mnt/scratch/second
SMALL=v-4096-plain
FILE=large/sequential

# row TAG COLUMN: of /proc's table of caches, every cache of that name
row() {
	od_cell $OD_PROC/caches tag "$1" "$2"
}

# daemon TAG DIR [OPTION...]: a daemon; its pid is left in /tmp/pid.TAG
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

# without_daemon TAG: none serves that cache, killing the one that does
without_daemon() {
	kill -9 "$(cat "/tmp/pid.$1")"
	od_wait 10 not is_served "$1"
}

not() {
	! "$@"
}

# only_bound TAG: there is one cache of that name, which has a daemon
only_bound() {
	[ "$(row "$1" daemon)" = bound ]
}

# byte DIR OFFSET: reads one, as od prints it
byte() {
	dd if="$1/$FILE" bs=1 skip="$2" count=1 2>/dev/null | od -An -tx1
}

# far DIR: reads a block that nothing before it has fetched
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
is "each has a row" "$(row one device) $(row two device)" "0 1"
notok "a cache that nobody binds" od_mount /mnt/a fsid=one,cache=three
ok "a mount of the first, by default" od_mount /mnt/a fsid=$SMALL,domain_id=d
ok "a mount of the second, of the same name in the same domain" \
	od_mount /mnt/b fsid=$SMALL,domain_id=d,cache=two
ok "the option shows" grep -q ' /mnt/b .*cache=two' /proc/mounts
is "a volume each" "$(row one volumes) $(row two volumes)" "1 1"
before=$(row one bytes_filled)
ok "the whole tree through the second" same_tree /mnt/b $OD_SUMS/small
is "the first has fetched nothing for it" "$(row one bytes_filled)" "$before"
ok "the second has" test "$(row two bytes_filled)" -gt 100000
is "blobs has the cache of each" \
	"$(cut -f 8 $OD_PROC/blobs | sed 1d | sort | paste -sd' ')" \
	"$( (row one cache && row two cache) | sort | paste -sd' ')"

# --- what one daemon does is nothing to the other ---

without_daemon two
notok "nothing that is not present can be mounted" od_mount /mnt/c fsid=one,cache=two
ok "the first mount goes on" same_tree /mnt/a $OD_SUMS/small
ok "what is present is served without a daemon" same_tree /mnt/b $OD_SUMS/small
umount /mnt/b
is "an unused cache without a daemon is forgotten" "$(row two cache)" ""

# --- one directory, one tag, one daemon ---

out=$(timeout 10 erofs-odd --dir=$FIRST --tag=other --device=/dev/cachefiles1 --source=$OD_BLOBS 2>&1)
is "a directory that is bound by another daemon: status" $? 1
case $out in *[Bb]usy*) pass "and says so" ;; *) fail "and says so" "$out" ;; esac
notok "a tag that is bound by another daemon" timeout 10 erofs-odd --dir=$SECOND --tag=one \
	--device=/dev/cachefiles1 --source=$OD_BLOBS
ok "the first mount goes on" same_tree /mnt/a $OD_SUMS/small

# --- the directory is removed and made anew while a mount uses the old one ---

rm -rf $SECOND
ok "second daemon" daemon two $SECOND --device=/dev/cachefiles1
ok "mount" od_mount /mnt/b fsid=one,domain_id=d,cache=two
want=$(byte /mnt/b 0)
without_daemon two
rm -rf $SECOND
ok "a new daemon binds the new directory" daemon two $SECOND --device=/dev/cachefiles1
is "both caches are listed" "$(row two daemon | sort | paste -sd' ')" "bound gone"
ok "a new mount of the same name joins the new one" od_mount /mnt/c fsid=one,domain_id=d,cache=two
is "and reads the same" "$(byte /mnt/c 0)" "$want"
is "the old mount keeps what it has" "$(byte /mnt/b 0)" "$want"
notok "and fails what it misses" far /mnt/b
ok "which the new one has" far /mnt/c
# Detached, but in use: by whom, an operator has to find out.
sh -c 'exec 6<"$1"; exec sleep 300' sh /mnt/b/$FILE &
holder=$!
ok "a file is held open" od_wait 10 test -e /proc/$holder/fd/6
umount -l /mnt/b
erofs-od status -v >/tmp/users
ok "status names who has a file of a detached mount open" \
	grep -qE "^two +one +$holder \(sleep\) +open file" /tmp/users
ok "and who serves a cache" grep -qE "^one +- +[0-9]+ \(erofs-odd\) +serves it" /tmp/users
is "the old cache is there still" "$(row two daemon | sort | paste -sd' ')" "bound gone"
kill $holder
ok "then the old cache is forgotten" od_wait 10 only_bound two

# --- the same with the one device that unchanged daemons know ---

umount /mnt/c
umount /mnt/a
ok "mount" od_mount /mnt/a fsid=one
want=$(byte /mnt/a 0)
without_daemon one
rm -rf $FIRST
ok "a new daemon binds the new directory" daemon one $FIRST
ok "a mount of the same name is in the new one" od_mount /mnt/b fsid=one
ok "and reads" far /mnt/b
is "the old mount keeps what it has" "$(byte /mnt/a 0)" "$want"

# --- a daemon that takes over one of several devices serves the cache of that one ---

# tell COMMAND...: to the second device
tell() {
	printf '%s' "$*" >&5
}

without_daemon two
mkdir -p $SECOND
exec 5<>/dev/cachefiles1
ok "a cache is bound by whoever has the device" eval \
	"tell dir $SECOND && tell tag taken && tell bind ondemand"
erofs-odd --fd=5 --source=$OD_BLOBS --stats=/tmp/taken.json >/tmp/taken.log 2>&1 &
echo $! >/tmp/pid.taken
exec 5>&-
ok "a daemon takes it over" od_wait 10 test -s /tmp/taken.json
ok "a mount of it" od_mount /mnt/c fsid=$SMALL,cache=taken
ok "is right" same_tree /mnt/c $OD_SUMS/small
is "it knows its directory of the two" "$(grep -c "not possible" /tmp/taken.log)" 0
umount /mnt/c
without_daemon taken

# --- a takeover goes on with the cache, whatever the tag ---

without_daemon one
ok "another daemon, another tag" daemon another $FIRST
ok "the mount goes on" dd if=/mnt/b/$FILE bs=4096 skip=8192 count=1 of=/dev/null
is "under the new name" "$(row another blobs)" 1
