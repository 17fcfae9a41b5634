#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: mkimage.sh
#
# Builds the test images from a tree of the host's own files, and a disk with all
# of them for the VMs; prints the disk's path. Everything is kept in the cache
# under a key of its inputs.
#
# On the disk:
#   blobs/one                   the tree as one blob
#   blobs/boot                  the tree's metadata, chunk-based, with a table of two data blobs,
#   blobs/TAG1 blobs/TAG2       those blobs under the names of the table's tags,
#   blobs/data-a blobs/data-b   and under other names, for device=
#   blobs/flat                  like boot, with flat images as data blobs, tagged FLAT1 and FLAT2
#   blobs/v-BLOCK-LAYOUT        a small tree, for each block size and layout; also with 48-bit
#                               addresses, and without "."
#   blobs/v-512-hole            a file that is one hole
#   blobs/layer-base layer-over layer-meta   layers of an overlay; sums/layer-data
#   blobs/boot-tar blobs/layer.tar           the small tree's metadata, over a tar of it
#   blobs/twenty                like boot, of trees/domain with a table of twenty data blobs
#   blobs/reverse               the same with five, whose IDs descend as addresses ascend
#   blobs/over                  the metadata of v-4096-flat, its data blob by flattened addresses
#   blobs/dirs                  directories with many entries, every type, names of every byte
#   blobs/o-BLOCK-CHUNK         files with holes at their ends, for several chunk sizes
#   blobs/u-SUITE-LAYOUT        the small tree, or its b/many, by that suite's erofs-utils
#   blobs/tiny                  an image of a few blocks, to be truncated at every byte
#   blobs/z-NAME                a compressible tree, for each algorithm and packing
#   blobs/m-NAME                the images of matrix.sh
#   blobs/boxed                 one with shared xattrs in its metabox
#   blobs/c-plain c-lz4 c-zstd  small files and a large one, compressed or not, for benchmarks
#   blobs/large                 a file of 4300 MiB, compressed
#   blobs/no-image              a file that is not an image
#   sums/tree sums/small sums/odd sums/zip sums/zip-data sums/matrix sums/data
#                               treesum of the sources
#   sums/images sums/refused    output of matrix.sh
#   trees/domain                files to compare with
#   sums/size                   bytes of data in the tree
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

erofs_utils=$top/scripts/erofs-utils.sh
treesum=$top/build/tests/treesum
splitblob=$top/build/tests/splitblob
oddimage=$top/build/tests/oddimage
tag1=0d000000000000000000000000000001
tag2=0d000000000000000000000000000002
flat1=0d000000000000000000000000000003
flat2=0d000000000000000000000000000004

mkfs() {
	local log
	# mkfs.erofs prints only errors, but 1.9 prints some of them to stdout.
	log=$("$erofs_utils" mkfs.erofs --quiet "$@" 2>&1) || die "mkfs.erofs $*: $log"
}

uuid() {
	sed -E 's/(.{8})(.{4})(.{4})(.{4})(.{12})/\1-\2-\3-\4-\5/' <<<"$1"
}

# Compact inodes have no timestamp of their own.
times=-Eforce-inode-extended

two_blobs() {
	local dir=$1 tree=$2
	# mkfs.erofs opens the blob, but does not create it.
	: >"$work/blob"
	mkfs $times --chunksize=65536 --blobdev="$work/blob" "$dir/boot" "$tree"
	"$splitblob" "$dir/boot" "$work/blob" "$dir/$tag1" "$dir/$tag2" $tag1 $tag2
	ln "$dir/$tag1" "$dir/data-a"
	ln "$dir/$tag2" "$dir/data-b"
	extracts_to "$dir/boot" "$tree" --device="$dir/$tag1" --device="$dir/$tag2"
}

# extracts_to IMAGE TREE [OPTION...]: fsck.erofs, an independent reader, extracts the source tree
extracts_to() {
	local image=$1 tree=$2 extracted=$work/extracted
	shift 2
	"$erofs_utils" fsck.erofs --extract="$extracted" --preserve "$@" "$image" >/dev/null 2>&1 ||
		die "fsck.erofs failed to extract $image"
	diff -r --no-dereference --exclude=special "$tree" "$extracted" >&2 ||
		die "$image: fsck.erofs extracts a different tree"
	rm -rf "$extracted"
}

flat_blobs() {
	local dir=$1 tree=$2
	mkfs $times,noinline_data -U "$(uuid $flat1)" "$dir/$flat1" "$tree/a"
	mkfs $times,noinline_data -U "$(uuid $flat2)" "$dir/$flat2" "$tree/b"
	mkfs $times "$dir/flat" "$dir/$flat1" "$dir/$flat2"
}

small_tree() {
	local tree=$1 i
	mkdir -p "$tree"/{a,b}
	cp -a "$2"/links "$2"/xattrs "$2"/names "$tree/a/"
	cp -a "$2"/special "$2"/modes "$tree/b/"
	mkdir "$tree/b/many"
	for i in $(seq 300); do
		echo "file $i" >"$tree/b/many/a-name-of-some-length-$i"
	done
}

variants() {
	local dir=$1 tree=$2 block
	for block in 512 1024 2048 4096; do
		mkfs -b$block $times "$dir/v-$block-flat" "$tree"
		mkfs -b$block $times,noinline_data "$dir/v-$block-plain" "$tree"
		mkfs -b$block $times --chunksize=8192 "$dir/v-$block-chunk" "$tree"
		mkfs -b$block $times --chunksize=4096 -Eforce-chunk-indexes "$dir/v-$block-index" "$tree"
		mkfs -b$block -T1700000000 "$dir/v-$block-compact" "$tree"
	done
	mkfs $times --xattr-prefix=user.sha "$dir/v-4096-prefix" "$tree"
	mkfs -zlz4 $times "$dir/v-4096-compressed" "$tree"
	local -x EROFS_UTILS_SUITE=sid
	mkfs -b512 $times,noinline_data,48bit "$dir/v-512-48bit" "$tree"
	mkfs $times,48bit "$dir/v-4096-48bit" "$tree"
	mkfs $times,dot-omitted "$dir/v-4096-dot" "$tree"
	mkdir "$work/zeroes"
	truncate -s 3000000 "$work/zeroes/zeroes"
	echo data >"$work/zeroes/data"
	mkfs -b512 $times,48bit "$dir/v-512-hole" "$work/zeroes"
}

tiny_image() {
	local tree=$work/tiny
	mkdir -p "$tree/folder"
	echo 'a tail' >"$tree/tail"
	head -c 700 /usr/bin/env >"$tree/block-and-tail"
	echo 'below' >"$tree/folder/file"
	ln -s tail "$tree/link"
	setfattr -n user.name -v value "$tree/tail"
	mkfs -b512 $times "$1/tiny" "$tree"
}

# Files of many sizes, and one that spans several blobs.
domain_tree() {
	local i
	mkdir -p "$1"
	for i in $(seq 40); do
		seq -f "file $i, line %.0f" 100000 | head -c $((i * 3517)) >"$1/file-$i" || true
	done
	seq -f 'across, line %.0f' 1000000 | head -c 1000000 >"$1/across" || true
}

# many_blobs IMAGE TREE NR [OPTION]: builds a bootstrap with that many data blobs, whose tags
# have 64 bytes, like digests
many_blobs() {
	local image=$1 tree=$2 i tag tags=() blobs=() devices=()
	for i in $(seq "$3"); do
		tag=$(sha256sum <<<"${image##*/} $i" | cut -c1-64)
		tags+=("$tag")
		blobs+=("${image%/*}/$tag")
	done
	# fsck.erofs expects them in the order of the table.
	for i in "${blobs[@]}"; do
		devices+=(--device="$i")
		[ $# = 3 ] || devices=(--device="$i" "${devices[@]:0:${#devices[@]}-1}")
	done
	: >"$work/blob"
	mkfs $times --chunksize=16384 --blobdev="$work/blob" "$image" "$tree"
	"$splitblob" ${4:+"$4"} "$image" "$work/blob" "${blobs[@]}" "${tags[@]}"
	extracts_to "$image" "$tree" "${devices[@]}"
}

# All bytes except NUL and the slash, which are not valid in names; each file contains its name.
names_of_every_byte() {
	local i byte name
	for i in $(seq 255); do
		printf -v byte '%b' "\\x$(printf %x "$i")"
		for name in "$byte" "a${byte}z"; do
			case $name in
			. | */*) ;;
			*) echo -n "$name" >"$1/$name" ;;
			esac
		done
	done
}

directories() {
	local tree=$work/directories
	mkdir -p "$tree"/{many,types/folder,bytes}
	(cd "$tree/many" && seq -f 'entry-%06.0f' 100000 | xargs touch)
	(
		cd "$tree/types"
		echo regular >regular
		ln -s regular link
		mkfifo fifo
		mknod char c 1 3
		mknod block b 7 0
		perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un("socket")) or die $!'
	)
	names_of_every_byte "$tree/bytes"
	mkfs -T1700000000 "$1/dirs" "$tree"
}

# The data between the holes is shorter than a chunk, or longer.
odd_tree() {
	mkdir -p "$1"
	seq 50000 >"$1/no-hole"
	truncate -s 4M "$1"/{both-ends,at-the-start,at-the-end}
	seq 3000 | dd of="$1/both-ends" bs=1 seek=1835123 conv=notrunc status=none
	seq 3000 | dd of="$1/at-the-start" bs=1 seek=$(((4 << 20) - 13893)) conv=notrunc status=none
	seq 3000 | dd of="$1/at-the-end" conv=notrunc status=none
}

odd_images() {
	local dir=$1 tree=$2 block chunk
	while read -r block chunk; do
		mkfs -b"$block" $times --chunksize="$chunk" "$dir/o-$block-$chunk" "$tree"
	done <<-END
		512 512
		1024 2097152
		4096 4096
		4096 1073741824
	END
	"$oddimage" over "$dir/v-4096-flat" "$dir/over" v-4096-flat
	extracts_to "$dir/over" "$work/small" --device="$dir/v-4096-flat"
}

# Data that compresses well, badly and not at all, in large and small files; all of it twice,
# for dedupe; and other types of files.
zip_tree() {
	local tree=$1 i
	mkdir -p "$tree/data/many"
	cp -a "$2"/a "$2"/b "$tree/"
	seq -f 'a line of text that is like the others but for its number, %.0f' 30000 >"$tree/data/text"
	head -c 1500000 /usr/bin/perl >"$tree/data/code"
	openssl enc -aes-128-ctr -nosalt -K "$(printf '%032d' 0)" -iv "$(printf '%032d' 1)" \
		-in <(head -c 300000 /dev/zero) -out "$tree/data/noise"
	cat "$tree/data/noise" "$tree/data/code" <(head -c 123457 "$tree/data/noise") >"$tree/data/mixed"
	{ echo another; cat "$tree/data/code"; } >"$tree/data/shifted"
	truncate -s 3M "$tree/data/zeroes"
	for i in $(seq 200); do
		tail -c +$((i * 4000)) "$tree/data/code" | head -c $((i * i)) >"$tree/data/many/$i" || true
	done
}

# z NAME SUITE OPTION...: 1.5 cannot handle the whole tree, and gets only the data
z() {
	local tree=$work/zip
	[ "$2" != bookworm ] || tree=$tree/data
	EROFS_UTILS_SUITE=$2 mkfs $times "${@:3}" "$zip/z-$1" "$tree"
}

# Names begin with the algorithm. --zD=0 makes 1.9.4 compress directories, contrary to its
# documentation, which says --zD=1.
zip_images() {
	zip=$1
	z lz4 trixie -zlz4
	z lz4-big trixie -zlz4hc -C65536
	z lz4-huge trixie -zlz4 -C1048576
	z lz4-legacy trixie -zlz4 -Elegacy-compress
	z lz4-tails trixie -zlz4hc -Eztailpacking
	z lz4-fragments trixie -zlz4 -Efragments -C16384
	z lz4-dedupe trixie -zlz4hc -Ededupe -C32768
	z lz4-all trixie -zlz4hc -Eall-fragments,dedupe -C65536
	z lz4-512 sid -zlz4 -b512
	z lz4-dirs sid -zlz4 -b512 --zD=0
	z lz4-old bookworm -zlz4 -Eztailpacking
	z lz4-older bookworm -zlz4 -Elegacy-compress
	z lz4-48bit sid -zlz4 -E48bit,dot-omitted
	z lz4-48bit-dedupe sid -zlz4hc -C16384 -E48bit,dedupe
	z lz4-48bit-fragments sid -zlz4 -C16384 -E48bit,fragments
	z lz4-metabox sid -zlz4hc -C16384 -m16384 -Eztailpacking
	z deflate trixie -zdeflate
	z deflate-big sid -zlibdeflate -C65536 -Efragments
	z zstd trixie -zzstd -C65536
	z zstd-1024 trixie -zzstd -b1024 -C8192 -Efragments,dedupe
	z zstd-48bit sid -zzstd -E48bit
	z zstd-48bit-fragments sid -zzstd -C65536 -E48bit,fragments
	z zstd-metabox sid -zzstd -C65536 -m65536 -Efragments,dedupe --zD=0
	z lzma trixie -zlzma -C65536 -Eztailpacking
	z lzma-fragments sid -zlzma -C32768 -Efragments --zD=0
}

# Files that the benchmark reads.
bench_images() {
	local tree=$work/bench
	mkdir -p "$tree/large"
	cp -a "$2/tiny" "$tree/"
	cp -a "$2/large/sequential" "$tree/large/"
	mkfs $times "$1/c-plain" "$tree"
	mkfs $times -zlz4hc -C16384 "$1/c-lz4" "$tree"
	mkfs $times -zzstd -C65536 "$1/c-zstd" "$tree"
	rm -r "$tree"
}

# A file of more than 4 GiB: only such files get records of 32 bytes.
large_image() {
	mkdir "$work/large"
	truncate -s 4300M "$work/large/file"
	seq 3000 | dd of="$work/large/file" bs=1M seek=4250 conv=notrunc status=none
	EROFS_UTILS_SUITE=sid mkfs $times -zlz4 -C1048576 -E48bit "$1/large" "$work/large"
}

# A little of everything, as many images are built from it.
matrix_tree() {
	local tree=$1 i
	mkdir -p "$tree/data/many"
	cp -a "$2/a/links" "$2/a/xattrs" "$2/b/modes" "$tree/"
	seq -f 'a line of text that is like the others but for its number, %.0f' 2500 >"$tree/data/text"
	head -c 200000 /usr/bin/perl >"$tree/data/code"
	head -c 60000 "$work/zip/data/noise" >"$tree/data/noise"
	cat "$tree/data/noise" "$tree/data/code" >"$tree/data/mixed"
	truncate -s 300k "$tree/data/zeroes"
	: >"$tree/data/empty"
	touch -d '1903-04-05 06:07:08.123456789 UTC' "$tree/before-1970"
	touch -d '2345-06-07 08:09:10.987654321 UTC' "$tree/after-2038"
	for i in $(seq 40); do
		tail -c +$((i * 4000)) "$tree/data/code" | head -c $((i * i * 4)) >"$tree/data/many/$i" || true
	done
}

matrix_images() {
	local name suite tree options
	"$top/tests/images/matrix.sh" >"$disk/sums/images"
	"$top/tests/images/matrix.sh" refused >"$disk/sums/refused"
	while read -r name suite tree options; do
		tree=$work/$tree
		[ "$tree" != "$work/data" ] || tree=$work/matrix/data
		# shellcheck disable=SC2086 # a list
		EROFS_UTILS_SUITE=$suite mkfs $options "$1/$name" "$tree"
	done <"$disk/sums/images"
	"$oddimage" boxed "$1/m-inline-boxed-prefix" "$1/boxed"
}

# Layers for overlayfs, lowest first, in the format of upper directories.
layers() {
	local dir=$1 base=$work/layer-base over=$work/layer-over meta=$work/layer-meta
	mkdir -p "$base"/{folder,opaque,moved-from} "$over"/{folder,opaque,moved-to} "$meta"/folder
	echo base >"$base/file"
	echo base >"$base/folder/kept"
	echo base >"$base/folder/gone"
	echo base >"$base/opaque/hidden"
	echo base >"$base/moved-from/moved"
	head -c 200000 /usr/bin/env >"$base/data"
	echo over >"$over/file"
	mknod "$over/folder/gone" c 0 0
	echo over >"$over/opaque/seen"
	setfattr -n trusted.overlay.opaque -v y "$over/opaque"
	mknod "$over/moved-from" c 0 0
	setfattr -n trusted.overlay.redirect -v /moved-from "$over/moved-to"
	# Metadata only: size, owner and mode in this layer, the data in another.
	truncate -s "$(stat -c %s "$base/data")" "$meta/renamed"
	chmod 751 "$meta/renamed"
	setfattr -n trusted.overlay.metacopy "$meta/renamed"
	setfattr -n trusted.overlay.redirect -v /data "$meta/renamed"
	mkfs $times "$dir/layer-base" "$base"
	mkfs $times "$dir/layer-over" "$over"
	mkfs $times "$dir/layer-meta" "$meta"
	sha256sum <"$base/data" | cut -d' ' -f1 >"$disk/sums/layer-data"
}

# A bootstrap over an unmodified tar layer: the tar is the blob.
tar_layer() {
	tar -C "$2" --format=posix --xattrs --xattrs-include='*' --sort=name -cf "$1/layer.tar" .
	mkfs --tar=i "$1/boot-tar" "$1/layer.tar"
}

# Images of older and newer erofs-utils. 1.5 cannot handle the small tree, and gets one
# directory of it.
other_utils() {
	local dir=$1 tree=$2 suite
	for suite in bookworm sid; do
		[ $suite != bookworm ] || tree=$2/b/many
		EROFS_UTILS_SUITE=$suite mkfs $times "$dir/u-$suite-flat" "$tree"
		EROFS_UTILS_SUITE=$suite mkfs $times --chunksize=8192 "$dir/u-$suite-chunk" "$tree"
		tree=$2
	done
}

make_disk() {
	local out=$1 tree=$work/tree disk=$work/disk
	mkdir -p "$disk"/{blobs,sums,trees}
	say "test images: the source tree"
	"$top/tests/images/mktree.sh" "$tree"
	"$treesum" "$tree" >"$disk/sums/tree"
	du -sb "$tree" | cut -f1 >"$disk/sums/size"
	small_tree "$work/small" "$tree"
	"$treesum" "$work/small" >"$disk/sums/small"
	say "test images: mkfs.erofs $("$erofs_utils" --version)"
	mkfs $times "$disk/blobs/one" "$tree"
	two_blobs "$disk/blobs" "$tree"
	flat_blobs "$disk/blobs" "$work/small"
	variants "$disk/blobs" "$work/small"
	tiny_image "$disk/blobs"
	layers "$disk/blobs"
	tar_layer "$disk/blobs" "$work/small"
	other_utils "$disk/blobs" "$work/small"
	domain_tree "$disk/trees/domain"
	many_blobs "$disk/blobs/twenty" "$disk/trees/domain" 20
	many_blobs "$disk/blobs/reverse" "$disk/trees/domain" 5 --reverse
	directories "$disk/blobs"
	odd_tree "$work/odd"
	"$treesum" "$work/odd" >"$disk/sums/odd"
	odd_images "$disk/blobs" "$work/odd"
	zip_tree "$work/zip" "$work/small"
	"$treesum" "$work/zip" >"$disk/sums/zip"
	"$treesum" "$work/zip/data" >"$disk/sums/zip-data"
	zip_images "$disk/blobs"
	say "test images: the matrix"
	matrix_tree "$work/matrix" "$work/small"
	"$treesum" "$work/matrix" >"$disk/sums/matrix"
	"$treesum" "$work/matrix/data" >"$disk/sums/data"
	matrix_images "$disk/blobs"
	bench_images "$disk/blobs" "$tree"
	large_image "$disk/blobs"
	head -c 100000 /dev/zero >"$disk/blobs/no-image"
	say "test images: the disk"
	# Debian 12's mke2fs prints to stdout even with -q.
	mke2fs -q -t ext4 -O ^has_journal -d "$disk" "$work/image" "$(($(du -sm "$disk" | cut -f1) * 11 / 10 + 64))M" >/dev/null
	mv "$work/image" "$out"
}

have_locked() {
	local key
	# On the file system of the cache, so that the last step is a rename.
	work=$(mktemp -d "$cache/images/tmp.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	# The host's files are not part of the key: any set of them will do, and each new package
	# changes it.
	key=$({
		"$erofs_utils" --version
		cat "$top/tests/images/mkimage.sh" "$top/tests/images/mktree.sh" \
			"$top/tests/images/matrix.sh" \
			"$top/tests/vm/treesum.c" "$top/tests/images/"{image.h,splitblob.c,oddimage.c}
	} | sha256sum | cut -c1-16)
	if [ ! -e "$cache/images/$key" ]; then
		make_disk "$cache/images/$key"
	fi
	echo "$cache/images/$key"
}

need_root "the tree has device nodes and files of other owners"
make -s -C "$top/tests/vm" >&2
mkdir -p "$cache/images"
with_lock images have_locked
