# SPDX-License-Identifier: GPL-2.0-only
# seconds: 35, debug 170
# where: stock short debug
# Counters of the cache, of each blob and of each mount: hits, misses, wait times, errors; and
# tracepoints.
FILE=/mnt/a/large/sequential
TRACING=/sys/kernel/tracing

blob() {
	od_cell $OD_PROC/blobs blob one "$1"
}

mounted() {
	od_cell /proc/fs/erofs_od/stats fsid one "$1"
}

cache() {
	od_cell $OD_PROC/caches cache 1 "$1"
}

# all_three COLUMN: prints the counters of the cache, the blob and the mount
all_three() {
	echo "$(cache "$1") $(blob "$1") $(mounted "$1")"
}

# block NR: reads a block of the file
block() {
	dd if=$FILE bs=4096 skip="$1" count=1 of=/dev/null 2>/dev/null
}

# up COLUMN BEFORE: all three counters have increased
up() {
	local now
	now=$(all_three "$1")
	echo "$1: $2, then $now"
	echo "$2 $now" | awk '{ exit !($4 > $1 && $5 > $2 && $6 > $3) }'
}

# long_waits FROM COUNTERS: prints the number of waits in that histogram bucket or above
long_waits() {
	"$2" waits_ms | awk -F, -v from="$1" '{ for (i = from + 1; i <= NF; i++) n += $i; print n + 0 }'
}

waiting_now() {
	[ "$(blob waiting)" -ge 1 ] && [ "$(cache waiting)" -ge 1 ] &&
		[ "$(blob oldest_ms)" -ge 500 ] && [ "$(cache oldest_ms)" -ge 500 ]
}

ok "setup" od_setup
ok "daemon" fake --delay-ms 300
ok "mount" od_mount /mnt/a fsid=one,timeout=3000
stat $FILE >/dev/null
misses=$(all_three misses) hits=$(all_three hits)
ok "read of a missing block" block 100
ok "counts as a miss" up misses "$misses"
# 300 ms is in the bucket from 2^8 to 2^9.
for of in cache blob mounted; do
	ok "a wait of 256 ms or more: $of" test "$(long_waits 9 $of)" -ge 1
done
misses=$(all_three misses)
od_drop_caches
ok "read of the same block" block 100
ok "counts as a hit" up hits "$hits"
is "and not as a miss" "$(all_three misses)" "$misses"
ok "READs of the blob" test "$(blob reads_sent)" -ge 1
is "equal those of the cache" "$(cache reads_sent)" "$(blob reads_sent)"
is "bytes filled of the blob equal those of the cache" "$(cache bytes_filled)" "$(blob bytes_filled)"
# More than one READ may cover: none of them is widened.
widened=$(blob bytes_widened)
ok "read of 32 MiB" dd if=$FILE bs=1M skip=64 count=32 of=/dev/null
ok "the bytes beyond it: $widened, then $(blob bytes_widened)" test "$(blob bytes_widened)" -ge "$widened"
is "nothing failed" "$(all_three errors)" "- - -"
erofs-od status -v >/tmp/out
ok "status shows them" grep -q '^Reads: ' /tmp/out
ok "those of the mount, too" grep -qE '^IMAGE +HITS +MISSES' /tmp/out
erofs-od status --json >/tmp/out
ok "status --json shows the histogram" grep -q '"waits_ms": \[' /tmp/out

mkdir -p $TRACING
if [ -e $TRACING/events ] || mount -t tracefs none $TRACING 2>/dev/null; then
	echo 1 >$TRACING/events/cachefiles_od/enable
	echo 1 >$TRACING/events/erofs_od/enable
	ok "read of another block" block 5000
	sync
	for event in cachefiles_od_read_sent cachefiles_od_read_completed cachefiles_od_commit; do
		ok "$event is traced" grep -qE "$event: cache=1 volume=erofs,one blob=Done .*" \
			$TRACING/trace
	done
	umount /mnt/a
	file=$(od_cache_file one)
	ok "cull" od_control cull "$file"
	ok "cull is traced" grep -q 'cachefiles_od_cull: cache=1 name=Done .*error=0' $TRACING/trace
	ok "mount" od_mount /mnt/a fsid=one,timeout=3000
	ok "mount is traced" grep -q 'erofs_od_mount: fsid=one .*error=0' $TRACING/trace
	stat $FILE >/dev/null
else
	skip "tracing" "the kernel has no tracefs"
fi

kill -STOP "$(pidof fakedaemon)"
block 9000 &
reader=$!
ok "the waiting reader and its wait time are shown" od_wait 5 waiting_now
wait $reader
ok "its deadline passes: a timeout" test "$(mounted timeouts)" -ge 1
is "each of the three counts it" "$(all_three timeouts)" \
	"$(mounted timeouts) $(mounted timeouts) $(mounted timeouts)"
kill -CONT "$(pidof fakedaemon)"
[ ! -e $TRACING/events/erofs_od ] ||
	ok "the failed read is traced" grep -q 'erofs_od_read_failed: .*error=-110' $TRACING/trace
kill_daemons
od_wait 5 od_daemon_is gone
notok "without a daemon a miss fails" block 12000
for of in cache blob mounted; do
	ok "the error is counted: $of" sh -c "echo '$($of errors)' | grep -q EIO:"
done
[ ! -e $TRACING/events/erofs_od ] || {
	echo 0 >$TRACING/events/enable
	umount $TRACING 2>/dev/null
}
umount /mnt/a

# --- bytes that no read has used ---

small() {
	od_cell $OD_PROC/blobs blob v-4096-plain "$1"
}

od_fresh_cache
ok "a daemon that takes wide READs" odd
ok "mount" od_mount /mnt/a fsid=v-4096-plain
# The widened part of a READ arrives after the mount has the part that it needs.
ok "all READs are completed" od_wait 10 od_nothing_waits
unused=$(small bytes_unused) filled=$(small bytes_filled)
ok "of what the mount fetched most is unused: $unused of $filled" test "$unused" -gt $((filled / 2))
is "the cache counts the same" "$(od_counter bytes_unused) $(od_counter bytes_filled)" "$unused $filled"
ok "all files are read" same_tree /mnt/a $OD_SUMS/small
ok "all READs are completed" od_wait 10 od_nothing_waits
unused=$(small bytes_unused) filled=$(small bytes_filled)
ok "now most is used: $unused of $filled" test "$unused" -lt $((filled / 8))
is "the cache counts that, too" "$(od_counter bytes_unused)" "$unused"
umount /mnt/a
kill_daemons
od_wait 10 od_daemon_is none
od_fresh_cache
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-plain
ok "all READs are completed" od_wait 10 od_nothing_waits
unused=$(small bytes_unused)
ok "all is punched" od_control punch "$(od_cache_file v-4096-plain)" "0 $(stat -c %s $OD_BLOBS/v-4096-plain)"
is "unused bytes that were punched remain counted" "$(small bytes_unused)" "$unused"
umount /mnt/a
