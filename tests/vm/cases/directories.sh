# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 730
# where: stock rows short debug
# thin
# Directories: 100,000 entries, every type, names of every byte; listed in all
# ways and from any position; lookups, cold and warm, of present and missing names.
# od.thin=N: some of the names and positions, for slow debug kernels
many=/mnt/a/many
thin=$(od_arg thin 1)

# takes NAME something|nothing COMMAND...: the command reads something, or nothing, from the
# cache
takes() {
	local name=$1 wanted=$2 before out
	shift 2
	before=$(od_counter bytes_served)
	if ! out=$("$@" 2>&1); then
		fail "$name" "$out"
	elif [ "$wanted" = nothing ]; then
		is "$name: reads nothing" "$(($(od_counter bytes_served) - before))" 0
	else
		ok "$name: reads something" test "$(od_counter bytes_served)" -gt "$before"
	fi
}

is_missing() {
	! stat "$1" 2>/dev/null
}

ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=dirs
before=$(od_reads)
ok "a cold lookup among 100,000 names" stat $many/entry-077777
reads=$(($(od_reads) - before))
note "$reads READs for it"
ok "takes a few READs" test $reads -gt 0 -a $reads -le 6
before=$(od_reads)
ok "a cold lookup of a missing name" is_missing $many/entry-0333333
ok "takes a few READs, too" test $(($(od_reads) - before)) -le 6
before=$(od_reads)
ok "the same lookup again" is_missing $many/entry-0333333
is "takes none" "$(od_reads)" "$before"
# Drops the pages of the directory, but not the dentries.
ok "a lookup of another missing name" is_missing $many/nobody
echo 1 >/proc/sys/vm/drop_caches
takes "a missing name with a negative dentry" nothing is_missing $many/nobody
takes "a missing name without one" something is_missing $many/nobody-else

is "100,000 entries, . and .." "$(dirways count $many)" "100002 entries"
ok "all names are found" dirways lookup $many entry-%06lu $((100001 - 100000 / thin)) 100000
ok "and no others" dirways lacks $many entry-%07lu 1 $((3000 / thin))
ok "none before the first or after the last" dirways lacks $many entry-%06lu 100001 100100
is "seek to any position" "$(dirways seek $many $((500 / thin)))" "100002 entries"
is "any buffer size" "$(dirways buffers $many)" "100002 entries"
is "two readers at once" "$(dirways two $many)" "100002 entries"

is "every type" "$(dirways types /mnt/a/types)" "9 entries, 7 types"
is "types in the large directory" "$(dirways types $many)" "100002 entries, 2 types"
is "names with every byte" "$(dirways bytes /mnt/a/bytes)" "509 entries"
is "names with every byte, from any position" "$(dirways seek /mnt/a/bytes $((1000 / thin)))" "509 entries"
before=$(od_reads)
od_drop_caches
is "warm: listed from the cache" "$(dirways count $many)" "100002 entries"
ok "warm: all names are found" dirways lookup $many entry-%06lu 1 $((5000 / thin))
is "warm: no READ is sent" "$(od_reads)" "$before"
umount /mnt/a

kill_daemons
od_fresh_cache
ok "daemon with an empty cache" odd
ok "mount" od_mount /mnt/a fsid=dirs
ok "two readers at once, cold" sh -c "dirways count $many >/tmp/first & dirways count $many >/tmp/second; wait"
is "the first sees all" "$(cat /tmp/first)" "100002 entries"
is "the second, too" "$(cat /tmp/second)" "100002 entries"
ok "the data is fetched once" test "$(od_counter bytes_filled)" -le "$(stat -c %s $OD_BLOBS/dirs)"
umount /mnt/a

for image in v-512-flat v-1024-plain v-4096-dot; do
	ok "$image: mount" od_mount /mnt/a fsid=$image
	is "$image: from any position" "$(dirways seek /mnt/a/b/many 1000)" "302 entries"
	is "$image: any buffer size" "$(dirways buffers /mnt/a/b/many)" "302 entries"
	is "$image: . and .., once" "$(ls -a /mnt/a/b/many | awk '/^\.\.?$/' | paste -sd' ')" ". .."
	is "$image: long names" "$(dirways seek /mnt/a/a/names 1000)" "9 entries"
	umount /mnt/a
done
