# SPDX-License-Identifier: GPL-2.0-only
# seconds: 100, debug 660
# where: stock debug
# thin
# The daemon is killed repeatedly under load: no reader and no mount sees an error, and every
# byte is right. The device stays open in a plain supervisor, which passes it on as --fd, or in
# a service manager's fd store like systemd's (fdstore). On the kernel command line:
#   od.kills=N   number of kills, half of them each way (100; 30 with od.thin=)
LARGE=/mnt/a/large/sequential
ERRORS=/tmp/errors
STOP=/tmp/stop
PIDFILE=/tmp/daemon.pid
READERS=4

tell() {
	printf '%s' "$*" >&7
}

# --- a plain supervisor: this shell ---

plain_start() {
	erofs-odd --fd=7 --source=$OD_BLOBS >>/tmp/erofs-odd.log 2>&1 &
	DAEMON=$!
}

plain_begin() {
	exec 7<>/dev/cachefiles
	tell dir $OD_CACHE && tell bind ondemand && plain_start
}

plain_kill() {
	kill -9 $DAEMON
	wait $DAEMON 2>/dev/null
	plain_start
}

plain_end() {
	kill -9 $DAEMON
	exec 7>&-
}

# --- a service manager with an fd store ---

is_started_again() {
	[ "$(cat $PIDFILE)" != "$DAEMON" ]
}

store_begin() {
	fdstore $PIDFILE erofs-odd --dir=$OD_CACHE --source=$OD_BLOBS >>/tmp/erofs-odd.log 2>&1 &
	MANAGER=$!
	od_wait 10 od_daemon_is bound
}

store_kill() {
	DAEMON=$(cat $PIDFILE)
	kill -9 $DAEMON
	od_wait 10 is_started_again
}

store_end() {
	kill $MANAGER
}

# --- the load ---

# until_stopped COMMAND...: runs it in a loop; logs each failure to $ERRORS
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

# Punches the data that readers have read, so that the next read misses.
punches() {
	sleep 0.3
	od_drop_caches
	od_control punch "$file" "0 $size"
}

mounts_another() {
	od_mount /mnt/b fsid=v-4096-plain && same_tree /mnt/b $OD_SUMS/small && umount /mnt/b || return
	rm -rf $OD_CACHE/cache/Ierofs,v-4096-plain
}

start_load() {
	local nr
	others=
	for nr in $(seq $READERS); do
		until_stopped large_is_right &
		others="$others $!"
	done
	until_stopped punches &
	others="$others $!"
	until_stopped mounts_another &
	others="$others $!"
}

has_filled() {
	[ "$(od_counter bytes_filled)" -gt "$1" ]
}

# kill_it WAY TIMES: kills the daemon, each time while a request waits for it and after it has
# filled something: otherwise no daemon would live long enough, and the requests would time out.
kill_it() {
	local nr
	for nr in $(seq "$2"); do
		od_wait 30 has_filled "$(od_counter bytes_filled)" && od_wait 30 od_waiting 1 ||
			{ echo "no request before kill $nr" >>$ERRORS; return; }
		"$1_kill" || { echo "not started again after kill $nr" >>$ERRORS; return; }
	done
}

# under_load WAY: does half of the kills
under_load() {
	local before
	rm -f $STOP
	: >$ERRORS
	# Not with ok, which runs commands in a subshell, where they cannot set variables.
	"$1_begin"
	is "$1: a daemon serves the cache" $? 0
	ok "$1: mount" od_mount /mnt/a fsid=one
	wanted=$(sha256sum <$LARGE)
	is "$1: it is right" "$(echo "$wanted" | cut -d' ' -f1)" \
		"$(grep '^large/sequential ' $OD_SUMS/tree | cut -d' ' -f10)"
	file=$(od_cache_file one)
	start_load
	before=$(od_reads)
	kill_it "$1" $((kills / 2))
	: >$STOP
	ok "$1: all readers and mounts return" od_wait 120 all_ended
	note "$1: $((kills / 2)) kills, $(($(od_reads) - before)) READs"
	is "$1: no reader and no mount failed" "$(sort $ERRORS | uniq -c | head -n 5)" ""
	is "$1: nothing failed" "$(od_counter failures)" 0
	ok "$1: the file is right" large_is_right
	umount /mnt/a
	"$1_end"
	ok "$1: the cache is unbound" od_wait 10 od_daemon_is none
}

kills=100
[ "$(od_arg thin 1)" = 1 ] || kills=30
kills=$(od_arg kills $kills)
size=$(wc -c <$OD_BLOBS/one)
# READs are small, so that there are many.
ok "modules" od_load window_kib=64
od_fresh_cache
under_load plain
od_fresh_cache
under_load store
