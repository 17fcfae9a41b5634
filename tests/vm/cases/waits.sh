# SPDX-License-Identifier: GPL-2.0-only
# seconds: 40, debug 200
# where: stock rows short debug kasan
# Tasks that wait for metadata that never arrives: they can be killed even while they wait for
# each other, they time out, and they block neither suspend nor a daemon that continues.
file=/mnt/a/large/sequential
# Far from the metadata that a mount reads.
name=/mnt/a/many/05000

# start_over [PARAMETER...]: reloads the modules with the smallest window, so that lookups miss
start_over() {
	kill_daemons
	umount /mnt/a 2>/dev/null
	od_unload
	od_load window_kib=4 "$@" && od_fresh_cache && fake
}

# look NR: that many tasks look up the same name; sets PIDS; their errors are in /tmp/look.*
look() {
	local nr
	PIDS=
	rm -f /tmp/look.*
	for nr in $(seq "$1"); do
		stat $name >/dev/null 2>/tmp/look.$nr &
		PIDS="$PIDS $!"
	done
}

all_ended() {
	local pid
	for pid in $PIDS; do
		has_ended "$pid" || return 1
	done
}

none_ended() {
	local pid
	for pid in $PIDS; do
		! has_ended "$pid" || return 1
	done
}

# --- killed ---
ok "setup" start_over
ok "mount" od_mount /mnt/a fsid=one
killall -STOP fakedaemon
look 3
ok "three tasks look up one name" od_wait 5 od_waiting 1
sleep 1
ok "and wait" none_ended
# shellcheck disable=SC2086 # ids
kill -9 $PIDS
ok "SIGKILL ends all three" od_wait 5 all_ended
ok "drop_caches does not wait for the metadata" timeout -s KILL 20 sh -c 'echo 3 >/proc/sys/vm/drop_caches'
ok "nor does unmount" od_umount /mnt/a

# --- the default deadline for metadata ---
ok "a deadline of 3 s for metadata" start_over metadata_timeout_ms=3000
ok "mount" od_mount /mnt/a fsid=one
killall -STOP fakedaemon
look 3
ok "three tasks wait" od_wait 5 od_waiting 1
# Only the task that does the lookup can be killed at once; the others wait for it.
kill -9 "${PIDS##* }"
ok "the wait times out" od_wait 15 all_ended
is "with ETIMEDOUT" "$(cat /tmp/look.1 /tmp/look.2 | grep -c 'timed out')" 2
killall -CONT fakedaemon
ok "a later lookup succeeds" timeout 20 stat $name $file
killall -STOP fakedaemon
cat $file >/dev/null 2>&1 &
PIDS=$!
ok "a reader of data waits" od_wait 5 od_waiting 1
# A failed page is read twice.
sleep 8
ok "longer than the deadline for metadata" none_ended
kill -9 $PIDS
od_wait 5 all_ended
umount /mnt/a

ok "a deadline of 1 s for metadata" start_over metadata_timeout_ms=1000
ok "mount with timeout=none" od_mount /mnt/a fsid=one,timeout=none
ok "the option shows" grep -q ' /mnt/a .*,timeout=none' /proc/mounts
killall -STOP fakedaemon
look 1
sleep 4
ok "a task waits for metadata longer than the default" none_ended
kill -9 $PIDS
ok "and can be killed" od_wait 5 all_ended
umount /mnt/a
mount_fails "timeout= that is not a number" fsid=one,timeout=soon 'Invalid argument'
kill_daemons
od_fresh_cache
ok "a daemon that does not reply to OPENs" fake --mute-open
mount_fails "the deadline applies to an OPEN, too" fsid=one 'timed out'

# --- suspend ---
# The freezer's timeout, which limits a failure.
echo 8000 >/sys/power/pm_freeze_timeout

# freezes NAME: all tasks freeze while PIDS wait
freezes() {
	local out status
	out=$(freezetasks)
	status=$?
	case $status in
	77) skip "$1" "$out" ;;
	0) pass "$1" ;;
	*) fail "$1" "$out
$(dmesg | tail -n 30)" ;;
	esac
}

ok "a daemon" start_over
ok "mount" od_mount /mnt/a fsid=one
freezes "all tasks freeze while nobody waits"
killall -STOP fakedaemon
look 1
ok "a task waits for metadata" od_wait 5 od_waiting 1
freezes "all tasks freeze while it waits"
ok "it continues to wait" none_ended
kill -9 $PIDS
ok "and can be killed" od_wait 5 all_ended
look 1
ok "another task waits" od_wait 5 od_waiting 1
freezes "all tasks freeze again"
killall -CONT fakedaemon
ok "the lookup completes" od_wait 20 all_ended
is "without an error" "$(cat /tmp/look.1)" ""
# Looks up the name first, so that the reader waits for data.
killall -CONT fakedaemon
stat $file >/dev/null
killall -STOP fakedaemon
readways direct $file >/dev/null 2>&1 &
PIDS=$!
ok "a task waits in a direct read" od_wait 5 od_waiting 1
freezes "all tasks freeze while it waits for data"
kill -9 $PIDS
ok "and it can be killed" od_wait 5 all_ended

# Of two mounts that share a blob, one opens it and the other one waits for the first.
# waits_for_mount: some mount waits for another mount, not for the cache
waits_for_mount() {
	local stack
	for stack in /proc/[0-9]*/stack; do
		grep -q erofs_od_open_blob "$stack" || continue
		grep -q cachefiles_od_ "$stack" || return 0
	done 2>/dev/null
	return 1
}

umount /mnt/a
ok "setup again" start_over
kill_daemons
od_wait 5 od_daemon_is none
fake --mute-open-of v-4096-flat
mount -t erofs_od -o ro,domain_id=d,fsid=v-4096-flat none /mnt/a 2>/dev/null &
PIDS=$!
ok "a mount waits for an OPEN" od_wait 10 od_waiting 1
killall -STOP fakedaemon
freezes "all tasks freeze while it waits for an OPEN"
ok "it continues to wait for the OPEN" none_ended
killall -CONT fakedaemon
mount -t erofs_od -o ro,domain_id=d,fsid=over none /mnt/b 2>/dev/null &
PIDS="$PIDS $!"
ok "another mount waits for the same blob" od_wait 20 waits_for_mount
killall -STOP fakedaemon
freezes "all tasks freeze while a mount waits for another one"
ok "both continue to wait" none_ended
# shellcheck disable=SC2086 # ids
kill -9 $PIDS
ok "and both can be killed" od_wait 10 all_ended

# --- a READ for an inode begins at its block ---
ok "a daemon" start_over
ok "mount" od_mount /mnt/a fsid=one
meta=$(od -An -tu4 -j1064 -N4 $OD_BLOBS/one)
# Reads the blocks of the directory, but no inode of its files yet.
ok "a directory is listed" dirways count /mnt/a/many
nr=0
early=
for nr_of in 00500 02500 04500 06500 08500 09900; do
	# Wait for the READs of the previous lookup to complete.
	od_wait 10 od_nothing_waits
	before=$(wc -l </tmp/fake.log)
	nid=$(stat -c %i /mnt/a/many/$nr_of)
	wanted=$(((meta * 4096 + nid * 32) / 4096 * 4096))
	first=$(tail -n +$((before + 1)) /tmp/fake.log | sed -n 's/^READ \([0-9]*\) .*/\1/p' |
		sort -n | head -n 1)
	[ -n "$first" ] || continue
	nr=$((nr + 1))
	[ "$first" -ge $wanted ] || early="$early $nr_of: $first before $wanted;"
done
ok "READs for inodes" test $nr -ge 3
is "no READ begins before the inode" "$early" ""
umount /mnt/a
