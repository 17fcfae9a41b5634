# SPDX-License-Identifier: GPL-2.0-only
# seconds: 60, debug 300
# where: stock rows short pages debug
# Small files (small.c) are read without a page cache of their own: from the page of their inode,
# or several at once as far as they are present. No READ is sent for neighbours, and no page is
# used before it has been read.
SUMS=/tmp/small.sums
PAGE=$(getconf PAGESIZE 2>/dev/null || echo 4096)

hits() {
	od_cell $OD_PROC/caches cache 1 hits
}

served() {
	od_cell $OD_PROC/caches cache 1 bytes_served
}

# right LIST: all files of a list of checksums are right
right() {
	(cd /mnt/a && sha256sum -c "$1") >/tmp/small.out 2>&1 || { grep -v ': OK$' /tmp/small.out; return 1; }
}

# less_than NR LIMIT
less_than() {
	echo "$1, must be less than $2"
	test "$1" -lt "$2"
}

# alone BYTES: no more was read than one page
alone() {
	echo "$1 bytes"
	test "$1" -gt 0 && test "$1" -le "$PAGE"
}

# far NR: the first block of the NRth of ten files that are far apart
far() {
	local file
	file=$(awk -v nr="$1" -v all="$files" 'FNR == int(nr * all / 11) { print $2 }' $SUMS)
	head -c 1 "/mnt/a/$file" >/dev/null
}

# both: two tasks read the same file at once
both() {
	local name=$1 pid
	sha256sum "/mnt/a/$name" >/tmp/small.one &
	pid=$!
	sha256sum "/mnt/a/$name" >/tmp/small.two
	wait $pid
	is "$name: the first reader" "$(cut -d' ' -f1 /tmp/small.one)" "$(awk -v f="$name" '$2 == f { print $1 }' $SUMS)"
	is "$name: the second reader" "$(cut -d' ' -f1 /tmp/small.two)" "$(awk -v f="$name" '$2 == f { print $1 }' $SUMS)"
}

awk '$1 ~ /^tiny\// && $10 ~ /^[0-9a-f]*$/ && length($10) == 64 { print $10 "  " $1 }' $OD_SUMS/tree >/tmp/small.tree
ok "both modules" od_load window_kib=4
od_fresh_cache
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=boot
# In the order of the directories.
(cd /mnt/a && find tiny -type f) |
	awk 'NR == FNR { sum[$2] = $1; next } $0 in sum { print sum[$0] "  " $0 }' /tmp/small.tree - >$SUMS
files=$(wc -l <$SUMS)
ok "the tree has small files" test "$files" -gt 3000

head -n 400 $SUMS | awk 'NR % 2' >/tmp/small.some
ok "every second file: right" right /tmp/small.some
reads=$(od_reads)
od_drop_caches
ok "once more: right" right /tmp/small.some
is "takes no READ" "$(od_reads)" "$reads"
ok "all files: right" right $SUMS

od_drop_caches
before=$(hits)
ok "all files, present: right" right $SUMS
ok "takes few reads of the cache" less_than $(($(hits) - before)) $((files / 3))
od_drop_caches
ok "metadata is in memory" sh -c 'find /mnt/a/tiny -type f -size +0 | wc -l'
for nr in 1 2 3 4 5 6 7 8; do far $nr; done
before=$(served)
far 9
ok "a file far from the last ones is read alone" alone $(($(served) - before))

kill_daemons
od_drop_caches
ok "without a daemon: right" right $SUMS
umount /mnt/a

# Metadata, and data of small files, arrives while other tasks look for it.
od_unload
ok "both modules" od_load
od_fresh_cache
ok "a slow daemon" fake --delay-ms 300
for image in one boot; do
	ok "mount of $image" od_mount /mnt/a fsid=$image
	for nr in 1 3 5 7; do
		both "$(awk -v nr=$nr -v all="$files" 'FNR == int(nr * all / 11) { print $2 }' $SUMS)"
	done
	umount /mnt/a
done
