# SPDX-License-Identifier: GPL-2.0-only
# seconds: debug 430
# where: debug kasan
# thin
# Fault injection, in allocations and disk I/O: every call fails with an errno,
# nothing leaks or hangs, and data that is read without an error is right.
# od.thin=N: one round of random failures

FAULTS=/sys/kernel/debug

# faults KIND NAME=VALUE...: settings of failslab, fail_page_alloc, fail_make_request
faults() {
	local kind=$1 setting
	shift
	for setting in times=-1 verbose=0 interval=1 probability=0 task-filter=N "$@"; do
		echo "${setting#*=}" >"$FAULTS/$kind/${setting%%=*}" || return 1
	done
}

# failnth selects single allocations; those that may sleep fail, too.
fail_chosen() {
	faults failslab ignore-gfp-wait=N && faults fail_page_alloc ignore-gfp-wait=N min-order=0
}

# text_of MODULE: prints the first and last address of its code
text_of() {
	awk -v module="[$1]" '$NF == module && tolower($2) == "t" { print $1 }' /proc/kallsyms |
		sort | sed -n '1p;$p'
}

# fail_within MODULE PERCENT: fails that share of the allocations made by the module's code
fail_within() {
	local range first last
	range=$(text_of "$1")
	first=0x${range%%[!0-9a-f]*}
	last=0x${range##*[!0-9a-f]}
	faults failslab ignore-gfp-wait=N "require-start=$first" "require-end=$last" \
		stacktrace-depth=16 "probability=$2" &&
	faults fail_page_alloc ignore-gfp-wait=N min-order=0 "require-start=$first" "require-end=$last" \
		stacktrace-depth=16 "probability=$2"
}

no_faults() {
	local kind
	for kind in failslab fail_page_alloc fail_make_request; do
		faults $kind
	done
	for kind in failslab fail_page_alloc; do
		echo 0 >$FAULTS/$kind/require-start
		echo 0xffffffffffffffff >$FAULTS/$kind/require-end
	done
}

# each NAME CALL ARGUMENT...: one check; prints how many calls failed
each() {
	local name=$1
	shift
	if timeout 600 failnth "$@" >/tmp/failnth 2>&1; then
		pass "$name"
		sed 's/^/# /' /tmp/failnth
	else
		fail "$name" "$(tail -n 5 /tmp/failnth)"
	fi
}

# read_all DIR: reads all files; prints how many cannot be read
read_all() {
	timeout 300 find "$1" -type f -exec cat {} + 2>&1 >/dev/null | wc -l
}

# same_tree_or_error DIR SUM: all files that can be read are right, and some can be read
same_tree_or_error() {
	treesum "$1" >/tmp/mine 2>/tmp/errors
	cp "$2" /tmp/theirs
	note "$(wc -l </tmp/errors) errors in $(wc -l </tmp/mine) paths"
	awk '
		FILENAME == "/tmp/errors" { sub(/^treesum: /, ""); sub(/: .*/, ""); bad[$0] = 1; next }
		FILENAME == "/tmp/theirs" { right[$0] = 1; next }
		$0 in right { n++; next }
		# could not be read
		/ ! / { next }
		!($1 in bad) { print "wrong: " $0; wrong = 1 }
		END { exit wrong || n < 10 }' /tmp/errors /tmp/theirs /tmp/mine
}

# disk: prints the block device of the cache's file system, without /dev/
disk() {
	awk '$2 == "/mnt/bad" { sub("^/dev/", "", $1); print $1 }' /proc/mounts
}

# new_disk: creates a disk for the cache only, as fault injection may damage its file system
#
# If ext4 (seen in 6.12.117) fails to insert an extent, the preallocation that its blocks came
# from still claims them, and the next write there hits a BUG. That applies to preallocations
# of inodes, not to those that small files share.
new_disk() {
	mkdir -p /mnt/bad
	truncate -s 512M /tmp/disk
	ok "a disk for the cache" /usr/bin/mke2fs -q -t ext4 /tmp/disk
	ok "mount of the disk" mount -o loop,errors=continue /tmp/disk /mnt/bad
	ok "preallocation as for small files" set_stream_request 1048576
	OD_CACHE=/mnt/bad/cache
	od_fresh_cache
	od_load
}

# set_stream_request BLOCKS: sets the size from which a file has preallocations of its own
set_stream_request() {
	echo "$1" >"/sys/fs/ext4/$(disk)/mb_stream_req"
}

# Nothing may reference the cache any more.
old_disk() {
	ok "both modules unload" od_unload
	ok "the disk can be unmounted" umount /mnt/bad
	rm /tmp/disk
}

new_disk
ok "single allocations can be failed" fail_chosen
each "bind" bind $OD_CACHE
each "each call of a daemon" serve $OD_CACHE $OD_BLOBS v-4096-flat /mnt/a
od_fresh_cache
ok "daemon" odd
each "mount" mount fsid=v-4096-plain /mnt/a
each "mount with blobs in a domain" mount fsid=boot,domain_id=faults /mnt/a
ok "mount" od_mount /mnt/a fsid=v-4096-plain
each "listing of a directory" list /mnt/a/b/special
each "read of a file" read "$(find /mnt/a -type f -size +8k | head -n 1)"
umount /mnt/a
no_faults

# Allocations anywhere, including in work items, while a whole tree is read.
total=0
rates="4 8 12 16"
[ "$(od_arg thin 1)" = 1 ] || rates=12
for rate in $rates; do
	for module in cachefiles_od erofs_od; do
		od_cleanup
		old_disk
		new_disk
		ok "$module: daemon" odd
		ok "$module: mount" od_mount /mnt/a fsid=v-4096-plain
		ok "$module: random allocations fail" fail_within $module $rate
		errors=$(read_all /mnt/a)
		note "$module: $errors files could not be read"
		total=$((total + errors))
		no_faults
		ok "$module: all requests complete" od_wait 20 od_nothing_waits
		od_drop_caches
		ok "$module: wrong data is never served" same_tree_or_error /mnt/a $OD_SUMS/small
		umount /mnt/a
	done
done

ok "some files could not be read" test $total -gt 0

# I/O errors of the cache's disk.
od_cleanup
old_disk
new_disk
ok "daemon" odd
ok "mount" od_mount /mnt/a fsid=v-4096-plain
echo 1 >"/sys/block/$(disk)/make-it-fail"
ok "random disk I/O fails" faults fail_make_request probability=10
note "$(read_all /mnt/a) files could not be read"
no_faults
ok "wrong data is never served" same_tree_or_error /mnt/a $OD_SUMS/small
umount /mnt/a
od_cleanup
old_disk
