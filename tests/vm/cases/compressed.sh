# SPDX-License-Identifier: GPL-2.0-only
# seconds: 240, debug 1200
# where: stock rows debug
# thin
# Compressed images, of each algorithm and each way to pack: every byte cold, warm, and from
# a cache that has every other pcluster; many readers, direct reads; what a kernel cannot
# decompress is refused by name; changed bytes. On the kernel command line:
#   od.seed=N    changes the bytes that it changed
#   od.steps=N   that many images
#   od.thin=8    fewer images
IMAGES='lz4 lz4-big lz4-huge lz4-legacy lz4-tails lz4-fragments lz4-dedupe lz4-all lz4-512 lz4-old
	lz4-older deflate deflate-big zstd zstd-1024 lzma lzma-fragments'
[ "$(od_arg thin 1)" -lt 8 ] || IMAGES='lz4-big lz4-tails lz4-all deflate zstd-1024 lzma-fragments'
WINDOW=/sys/module/cachefiles_od/parameters/window_kib

# has_alg IMAGE: the kernel has its algorithm, whatever the module thinks of that
has_alg() {
	local function
	case $1 in
	lz4*) function=LZ4_decompress_safe ;;
	deflate*) function=zlib_inflate ;;
	zstd*) function='(ZSTD_decompressStream|zstd_decompress_stream)' ;;
	lzma*) function=xz_dec_microlzma_run ;;
	esac
	grep -qE "[tT] $function(	|\$)" /proc/kallsyms
}

# An empty cache, and a daemon for it
fresh() {
	kill_daemons
	od_wait 10 od_daemon_is_out
	od_fresh_cache
	odd
}

od_daemon_is_out() {
	od_daemon_is none || od_daemon_is gone
}

# direct_sum FILE: by reads around the page cache
direct_sum() {
	dd if="$1" bs=61440 iflag=direct 2>/dev/null | sha256sum | cut -d' ' -f1
}

buffered_sum() {
	sha256sum <"$1" | cut -d' ' -f1
}

# zip_of IMAGE: sets ZIP to the sum of its tree, and DATA to where the data is
zip_of() {
	ZIP=$OD_SUMS/zip DATA=/mnt/a/data
	case $1 in
	lz4-old*) ZIP=$OD_SUMS/zip-data DATA=/mnt/a ;;
	esac
}

# all_of IMAGE: cold, warm, direct, in stripes
all_of() {
	local name=$1 before
	zip_of "$name"
	ok "$name: daemon" fresh
	ok "$name: mount" od_mount /mnt/a fsid=z-$name
	ok "$name: every byte, cold" same_tree /mnt/a $ZIP
	before=$(od_reads)
	note "$name: $before READs, $(od_counter bytes_filled) bytes"
	od_drop_caches
	ok "$name: every byte, warm" same_tree /mnt/a $ZIP
	is "$name: which asks for nothing" "$(od_reads)" "$before"
	is "$name: direct reads" "$(direct_sum $DATA/mixed)" "$(buffered_sum $DATA/mixed)"
	ok "$name: many readers of one block agree" oddriver readers $DATA/code 40960 16
	umount /mnt/a
	ok "$name: another cache" fresh
	ok "$name: mount" od_mount /mnt/a fsid=z-$name
	# So that a READ brings what is asked for, and nothing that was not.
	echo 4 >$WINDOW
	ok "$name: every other block" oddriver stripes /mnt/a 16384
	echo 1024 >$WINDOW
	note "$name: $(od_counter bytes_filled) bytes of them"
	od_drop_caches
	ok "$name: every byte, what is there and what is not" same_tree /mnt/a $ZIP
	umount /mnt/a
}

ok "modules" od_load
case $(uname -r) in
5.10.* | 6.1.*) ;;
*)
	for name in lz4 deflate zstd lzma; do
		ok "this kernel has $name" has_alg $name
	done
	;;
esac
tried=
for name in $IMAGES; do
	if has_alg "$name"; then
		all_of "$name"
		tried="$tried $OD_BLOBS/z-$name"
	else
		ok "$name: daemon" fresh
		mount_fails "$name" fsid=z-$name 'not supported'
		ok "$name: by the name of the algorithm" sh -c "dmesg | grep -i 'z-$name: .*${name%%-*} compression'"
	fi
done

# FIEMAP and lseek(2) do not take what is compressed for what it is not.
ok "a daemon" fresh
ok "mount" od_mount /mnt/a fsid=z-lz4-big
size=$(stat -c %s /mnt/a/data/text)
is "lseek: a compressed file is all data" "$(readways seek /mnt/a/data/text)" "data 0 $size"
ok "statfs and du" du -s /mnt/a
ok "what is compressed takes less than its size" \
	test $((512 * $(stat -c %b /mnt/a/data/text))) -lt "$size"
umount /mnt/a

# Changed bytes: an error or some data, and an end.
seed=$(od_arg seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')")
steps=$(od_arg steps 24)
note "od.seed=$seed od.steps=$steps"
mkdir -p /tmp/blobs
kill_daemons
od_wait 10 od_daemon_is_out
od_fresh_cache
ok "daemon" odd --source=/tmp/blobs --source=$OD_BLOBS
# shellcheck disable=SC2086 # a list
ok "$steps changed images: each ends" mutate "$seed" 0 1 "$steps" /tmp/blobs /mnt/a $tried
ok "mount of one that was not changed" od_mount /mnt/a fsid=z-lz4-all
ok "it is right" same_tree /mnt/a $OD_SUMS/zip
umount /mnt/a
rm -rf /tmp/blobs
