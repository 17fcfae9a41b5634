# SPDX-License-Identifier: GPL-2.0-only
# seconds: 420, debug 3000
# where: stock rows debug
# thin
# The matrix of images (tests/images/matrix.sh), which is the table in Documentation/images.rst.
# Each is mounted and compared with its source, from an empty cache, from one with every other
# pcluster, and from a full one; or the table says that this kernel lacks its algorithm, and the
# mount must fail with a message that names it. On the kernel command line:
#   od.thin=N    an Nth of the images
#   od.seed=N    seed of that choice, to repeat it
#   od.images=NAME,NAME    these images
WINDOW=/sys/module/cachefiles_od/parameters/window_kib

# chosen: prints the lines of the table to test
chosen() {
	local names thin
	names=$(od_arg images)
	thin=$(od_arg thin 1)
	if [ -n "$names" ]; then
		awk -v names=",$names," 'index(names, "," $1 ",")' $OD_SUMS/images
		return
	fi
	awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand(), $0 }' $OD_SUMS/images | sort -n |
		cut -d' ' -f2- | head -n $((($(wc -l <$OD_SUMS/images) + thin - 1) / thin))
}

# refusal_of NAME: sets WHY to the algorithm of the image if this kernel lacks it, or to nothing
refusal_of() {
	local kernel algorithm reason
	WHY=
	while read -r kernel algorithm reason; do
		case $(uname -r) in
		"$kernel".*) ;;
		*) continue ;;
		esac
		case $1 in
		m-"$algorithm"*) WHY=$algorithm ;;
		esac
	done <$OD_SUMS/refused
}

# right NAME TREE: the image mounted at /mnt/a has the contents of the source
right() {
	case $1 in
	# All compact inodes have the same timestamp.
	m-compact*) same_tree /mnt/a $OD_SUMS/$2 's/ -?[0-9]+\.[0-9]{9} / /' ;;
	*) same_tree /mnt/a $OD_SUMS/$2 ;;
	esac
}

# read_all NAME TREE
read_all() {
	local name=$1 before
	if ! od_mount /mnt/a "fsid=$name"; then
		fail "$name: mount" "$(dmesg | tail -n 5)"
		return
	fi
	ok "$name: every byte, cold" right "$name" "$2"
	before=$(od_reads)
	od_drop_caches
	ok "$name: every byte, warm" right "$name" "$2"
	is "$name: no READ is sent" "$(od_reads)" "$before"
	umount /mnt/a
	# Another domain has its own cache files.
	echo 4 >$WINDOW
	ok "$name: mount in another domain" od_mount /mnt/a "domain_id=half,fsid=$name"
	ok "$name: every other block" oddriver stripes /mnt/a 8192
	echo 1024 >$WINDOW
	od_drop_caches
	ok "$name: every byte, present and missing" right "$name" "$2"
	umount /mnt/a
}

seed=$(od_arg seed "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')")
note "od.seed=$seed"
ok "modules" od_load
od_fresh_cache
ok "daemon" odd
chosen >/tmp/chosen
ok "images are chosen" test -s /tmp/chosen
while read -r name suite tree options; do
	refusal_of "$name"
	if [ -n "$WHY" ]; then
		mount_fails "$name" "fsid=$name" 'not supported'
		ok "$name: the log names the algorithm" \
			expr "$(od_log | tr a-z A-Z)" : ".*UNSUPPORTED FEATURE: $(echo "$WHY" | tr a-z A-Z) COMPRESSION"
	else
		read_all "$name" "$tree"
	fi
done </tmp/chosen
note "$(wc -l </tmp/chosen) of $(wc -l <$OD_SUMS/images) images"

# No mkfs.erofs puts shared xattrs into the metabox.
ok "shared xattrs in the metabox: mount" od_mount /mnt/a fsid=boxed
ok "same as the source" same_tree /mnt/a $OD_SUMS/matrix
umount /mnt/a

# held IMAGE FILE: the inode stays in memory while its inline data is dropped
held() {
	local wanted
	ok "$1: mount" od_mount /mnt/a "fsid=$1"
	wanted=$(md5sum <"/mnt/a/$2")
	exec 3<"/mnt/a/$2"
	od_drop_caches
	is "$1: an open file, after its metadata was dropped" "$(md5sum <&3)" "$wanted"
	od_drop_caches
	is "$1: and by direct I/O" \
		"$(dd if="/proc/self/fd/3" bs=65536 iflag=direct 2>/dev/null | md5sum)" "$wanted"
	exec 3<&-
	umount /mnt/a
}

held m-inline-metabox data/many/7
ok "inline data in a metabox: mount" od_mount /mnt/a fsid=m-inline-metabox
# FIEMAP_EXTENT_LAST, _UNKNOWN, _NOT_ALIGNED, _DATA_INLINE
is "FIEMAP reports no physical offset" "$(readways fiemap /mnt/a/data/many/7)" "0 0 196 303"
is "inode numbers leave the top bits free" "$(stat -c %i /mnt/a)" "$((1 << 48 | ($(stat -c %i /mnt/a) & 0xffffffff)))"
umount /mnt/a
held m-lz4-boxed-tails data/many/4
ok "an inline pcluster in a metabox: mount" od_mount /mnt/a fsid=m-lz4-boxed-tails
# As above, and FIEMAP_EXTENT_ENCODED
is "FIEMAP shows an inline pcluster" "$(readways fiemap /mnt/a/data/many/4 | cut -d' ' -f4)" 30b
# Its map is on the same page, which only memory management drops between the two.
touch /tmp/dropping
while [ -e /tmp/dropping ]; do
	echo 1 >/proc/sys/vm/drop_caches
done &
dropper=$!
ok "it is right while metadata is dropped all the time" readways again /mnt/a/data/many/4 10
rm /tmp/dropping
wait $dropper
umount /mnt/a

# The xattr with a file's digest is not listed, and files that have one can be read.
ok "digests of files: mount" od_mount /mnt/a fsid=m-inline-ishare
is "they are not listed" "$(getfattr -m - /mnt/a/data/text 2>/dev/null)" ""
umount /mnt/a
