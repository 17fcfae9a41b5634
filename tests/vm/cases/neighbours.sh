# SPDX-License-Identifier: GPL-2.0-only
# seconds: 25, debug 80
# where: stock rows short debug kasan
# If the daemon does not deliver a block, only reads of that block fail, however large the
# folios are; once delivered, it can be read.
file=/mnt/a/large/sequential
good=$OD_MNT/scratch/good
# A block of the file in the middle of a MiB, where a sequential reader has large folios.
bad=$((8 * 256 + 100))
from=$((bad - 40))
to=$((bad + 40))
TRACING=/sys/kernel/tracing
ADD=$TRACING/events/filemap/mm_filemap_add_to_page_cache

# block NR: writes a block of the file to standard output
block() {
	dd if=$file bs=4096 skip="$1" count=1 2>/dev/null
}

# is_right NR
is_right() {
	block "$1" >/tmp/block
	dd if=$good bs=4096 skip="$1" count=1 2>/dev/null | cmp -s /tmp/block -
}

wrong_blocks() {
	local nr
	for nr in $(seq $from $to); do
		is_right "$nr" || echo "$nr"
	done
}

# only_bad_fails NAME: after a sequential read, no other block around it fails
only_bad_fails() {
	dd if=$file of=/dev/null bs=64k count=256 2>/tmp/dd.err
	ok "$1: a sequential reader fails" grep -q 'Input/output error' /tmp/dd.err
	is "$1: of the blocks around it only that one fails" "$(wrong_blocks | paste -sd' ')" "$bad"
	is "$1: of the blocks around it only that one fails, again" \
		"$(wrong_blocks | paste -sd' ')" "$bad"
}

# largest_order: prints the largest order of the traced folios that were added to the file's
# page cache; clears the trace. 0 if the kernel does not trace orders.
largest_order() {
	local ino
	[ -e $ADD ] || { echo 0 && return; }
	ino=$(printf 'ino %x ' "$(stat -c %i $file)")
	sed -n "s/.* $ino.* order=\([0-9]*\)$/\1/p" $TRACING/trace | sort -n | tail -n 1 | grep . || echo 0
	: >$TRACING/trace
}

mkdir -p $TRACING
[ -e $TRACING/events ] || mount -t tracefs none $TRACING 2>/dev/null
[ ! -e $ADD ] || echo 1 >$ADD/enable

ok "setup" od_setup
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=one
ok "a copy of the right data" dd if=$file of=$good bs=1M count=16
# Offset of the block in the blob: the file is one extent.
hole=$(readways fiemap $file | awk -v pos=$((bad * 4096)) '$1 <= pos && pos < $1 + $3 { print pos - $1 + $2; exit }')
ok "its offset in the blob is known" test -n "$hole"
umount /mnt/a
kill_daemons
od_fresh_cache

ok "a daemon that leaves out a block" fake --hole "$hole,4096"
ok "mount" od_mount /mnt/a fsid=one
only_bad_fails "never fetched"
order=$(largest_order)
od_drop_caches
block $bad >/dev/null 2>&1
is "only that one fails if it is read first" "$(wrong_blocks | paste -sd' ')" "$bad"
ok "mmap: the block before it" readways peek $file $(((bad - 1) * 4096))
notok "mmap: that block" readways peek $file $((bad * 4096))
killall -USR2 fakedaemon
ok "the daemon delivers it" od_wait 5 is_right $bad
is "all blocks are right" "$(wrong_blocks)" ""
ok "and the whole file" sh -c "dd if=$file bs=1M count=16 2>/dev/null | cmp - $good"

# In a filled image, folios are larger. Adopting a whole copy fills this one; then a block is
# punched.
umount /mnt/a
kill_daemons
cp $OD_BLOBS/one "$(od_cache_file one)"
ok "adopt" erofs-od adopt --yes $OD_CACHE
ok "a daemon that leaves out a block" fake --hole "$hole,4096"
ok "mount" od_mount /mnt/a fsid=one
ok "read the inode" stat $file
ok "punch" od_control punch "$(od_cache_file one)" "$hole 4096"
only_bad_fails "given back"
# If the kernel has large folios at all.
[ "$order" = 0 ] || ok "folios of a filled image are larger" test "$(largest_order)" -gt "$order"
killall -USR2 fakedaemon
ok "the daemon delivers it" od_wait 5 is_right $bad
is "all blocks are right" "$(wrong_blocks)" ""
umount /mnt/a

# --- log lines are rate-limited per mount ---
kill_daemons
od_fresh_cache
ok "a daemon that leaves out a block" fake --hole "$hole,4096"
ok "mount" od_mount /mnt/a domain_id=d,fsid=one
ok "mount in another domain" od_mount /mnt/b domain_id=e,fsid=one
od_log_mark
for nr in $(seq 30); do
	block $bad
done >/tmp/block
is "the block fails each time" "$(wc -c </tmp/block)" 0
file=/mnt/b/large/sequential
block $bad >/dev/null
ok "lines of one mount do not hide those of another" \
	test "$(od_log | grep -c 'volume erofs,e: blob .*: the daemon completed a READ without')" -ge 1
umount /mnt/a
umount /mnt/b
rm -f $good
[ ! -e $ADD ] || echo 0 >$ADD/enable
umount $TRACING 2>/dev/null
