# SPDX-License-Identifier: GPL-2.0-only
# seconds: 90, debug 600
# where: stock debug
# thin
# The daemon is killed repeatedly under load, while a supervisor keeps the device open, as
# systemd's fd store does: no reader and no mount sees an error, and every byte is right. On
# the kernel command line:
#   od.kills=N   number of kills (100; 30 with od.thin=)
LARGE=/mnt/a/large/sequential
ERRORS=/tmp/errors
STOP=/tmp/stop
READERS=4

tell() {
	printf '%s' "$*" >&7
}

supervise() {
	erofs-odd --fd=7 --source=$OD_BLOBS >>/tmp/erofs-odd.log 2>&1 &
	DAEMON=$!
}

# until_stopped COMMAND...: in a loop; logs each failure to $ERRORS
until_stopped() {
	local out
	while [ ! -e $STOP ]; do
		out=$("$@" 2>&1) || echo "$*: $out" >>$ERRORS
	done
}

all_ended() {
	local id
	for id in $others; do
		has_ended "$id" || return 1
	done
}

large_is_right() {
	[ "$(sha256sum <$LARGE)" = "$wanted" ]
}

# Punches what the readers have read, so that it is missing for the next read.
punches() {
	sleep 0.3
	od_drop_caches
	od_control punch "$file" "0 $size"
}

mounts_another() {
	od_mount /mnt/b fsid=v-4096-plain && same_tree /mnt/b $OD_SUMS/small && umount /mnt/b
	rm -rf $OD_CACHE/cache/Ierofs,v-4096-plain
}

# kill_it TIMES: each time while a request waits for the daemon
kill_it() {
	local nr
	for nr in $(seq "$1"); do
		od_wait 30 od_waiting 1 || { echo "no request before kill $nr" >>$ERRORS; return; }
		kill -9 $DAEMON
		wait $DAEMON 2>/dev/null
		supervise
	done
}

kills=100
[ "$(od_arg thin 1)" = 1 ] || kills=30
kills=$(od_arg kills $kills)
rm -f $ERRORS $STOP
: >$ERRORS
# Small READs, so that there are many.
ok "modules" od_load window_kib=64
od_fresh_cache
exec 7<>/dev/cachefiles
ok "a supervisor binds the cache" eval "tell dir $OD_CACHE && tell bind ondemand"
supervise
ok "mount" od_mount /mnt/a fsid=one
wanted=$(sha256sum <$LARGE)
is "it is right" "$(echo "$wanted" | cut -d' ' -f1)" "$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)"
file=$(od_cache_file one)
size=$(wc -c <$OD_BLOBS/one)

others=
for i in $(seq $READERS); do
	until_stopped large_is_right &
	others="$others $!"
done
until_stopped punches &
others="$others $!"
until_stopped mounts_another &
others="$others $!"
before=$(od_reads)
kill_it "$kills"
: >$STOP
ok "all readers and mounts return" od_wait 120 all_ended
note "$kills kills, $(($(od_reads) - before)) READs"
is "no reader and no mount failed" "$(sort $ERRORS | uniq -c | head -n 5)" ""
is "nothing failed" "$(od_counter failures)" 0
ok "the file is right" large_is_right
umount /mnt/a
kill -9 $DAEMON
exec 7>&-
ok "the cache is unbound" od_wait 10 od_daemon_is none
