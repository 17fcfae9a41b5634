# SPDX-License-Identifier: GPL-2.0-only
# seconds: 45
# where: stock
# alone
# The cost of lazy loading: requests for a walk through thousands of small files,
# throughput with a slow source, requests for one block with many readers, and requests for
# one byte of a mapped file.
ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=one
before=$(od_reads)
find /mnt/a/tiny -type f | head -n 5000 >/tmp/files
is "5,000 small files" "$(wc -l </tmp/files)" 5000
ok "cold read of 5,000 small files" sh -c 'tr "\n" "\0" </tmp/files | xargs -0 cat >/dev/null'
reads=$(($(od_reads) - before))
note "$reads READs for 5,000 small files"
ok "fewer than 150 READs, and some" test "$reads" -gt 0 -a "$reads" -lt 150

# The fault triggers read-around, and the daemon is asked for a window of 1 MiB from there on.
mapped=/mnt/a/large/sequential
stat $mapped >/dev/null	# its name and inode
before=$(od_reads)
filled=$(od_counter bytes_filled)
ok "one byte of a mapped file" sh -c "readways peek $mapped $((20 << 20)) >/dev/null"
sleep 1	# readahead continues after the fault
reads=$(($(od_reads) - before))
filled=$(($(od_counter bytes_filled) - filled))
note "$reads READs of $filled bytes for one mapped byte"
ok "at most 2 READs for it, and some" test $reads -gt 0 -a $reads -le 2
ok "of at most 1 MiB" test $filled -gt 0 -a $filled -le $((1 << 20))
umount /mnt/a
killall erofs-odd
od_wait 10 od_daemon_is gone

# read_cold DELAY: sets best, in MB/s. The delay makes the source slow, not the host's disk.
# As the host may be busy, the best of three rounds counts, each with an empty cache.
read_cold() {
	local round speed
	od_origin --delay-ms="$1"
	best=0
	for round in 1 2 3; do
		od_fresh_cache
		ok "daemon with a source of $1 ms" odd --source="$OD_URL"
		ok "mount" od_mount /mnt/a fsid=one
		speed=$(oddriver sequential /mnt/a/large/sequential)
		note "round $round: $speed MB/s cold, sequential, $1 ms per request; $(od_reads) READs"
		[ "${speed:-0}" -le "$best" ] || best=$speed
		umount /mnt/a
		killall erofs-odd
		od_wait 10 od_daemon_is none
	done
	killall origin
}

# With one request at a time, of 20 ms each, any host would get less than 50 MB/s, and a slow
# host much less than without the delay.
cat $OD_BLOBS/one >/dev/null
read_cold 0
ok "cold reads succeed" test "$best" -gt 0
wanted=$((best * 2 / 3))
[ $wanted -le 60 ] || wanted=60
read_cold 20
ok "more than $wanted MB/s at 20 ms per request: $best" test "$best" -gt $wanted

od_fresh_cache
ok "slow daemon" fake --delay-ms 200
ok "mount" od_mount /mnt/a fsid=one
file=/mnt/a/large/sequential
stat $file >/dev/null	# its name and inode take a READ of their own
before=$(grep -c READ /tmp/fake.log)
ok "32 readers of one missing block get it" oddriver readers $file $((40 << 20)) 32
od_wait 2 test "$(grep -c READ /tmp/fake.log)" -gt "$before"
is "32 readers, one READ" "$(($(grep -c READ /tmp/fake.log) - before))" 1
