#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: matrix.sh           print the images of the matrix: NAME SUITE TREE OPTION...
#        matrix.sh refused   print what kernels refuse: KERNEL ALGORITHM REASON...
#
# mkimage.sh creates them; the guest test `images` reads each on every kernel and compares
# the outcome with the second list; scripts/imagetable.py writes both to
# Documentation/images.rst.
#
# Not all combinations: every layout and every feature with every algorithm, while block sizes,
# pcluster sizes and the version of mkfs.erofs (suites of Debian: bookworm 1.5, trixie 1.8,
# sid 1.9) take turns. TREE is the contents of the image: matrix, or only its data.
set -euo pipefail

turn=0
# next VARIABLE VALUE...: sets it to the next of the values, in rotation
next() {
	local -n variable=$1
	shift
	variable=${*:turn % $# + 1:1}
}

# image NAME SUITE OPTION...
image() {
	local tree=matrix
	[ "$2" != bookworm ] || tree=data
	echo "m-$1" "$2" $tree "${@:3}"
	turn=$((turn + 1))
}

plain_images() {
	local layout feature suite block options
	for layout in inline plain chunk index compact; do
		case $layout in
		inline) options=-Eforce-inode-extended ;;
		plain) options=-Eforce-inode-extended,noinline_data ;;
		chunk) options='-Eforce-inode-extended --chunksize=8192' ;;
		index) options='-Eforce-inode-extended,force-chunk-indexes --chunksize=16384' ;;
		compact) options=-T1700000000 ;;
		esac
		for feature in '' -prefix -48bit -dot -metabox -boxed-prefix -ishare; do
			next block 4096 512 2048 1024 4096
			set -- sid -b$block $options
			case $feature in
			'') next suite trixie sid && set -- $suite "${@:2}" ;;
			-prefix) set -- trixie "${@:2}" --xattr-prefix=user.s ;;
			-48bit) set -- "$@" -E48bit ;;
			-dot) set -- "$@" -Edot-omitted ;;
			-metabox) set -- "$@" -m$block ;;
			-boxed-prefix) set -- "$@" -m$block --xattr-prefix=user.s -x1 ;;
			-ishare) set -- "$@" --xattr-inode-digest ;;
			esac
			image $layout$feature "$@"
		done
	done
}

# zip FEATURE SUITE OPTION...: an image for each algorithm, with pclusters of one block or several
zip() {
	local feature=$1 suite=$2 algorithm this block cluster
	shift 2
	for algorithm in lz4 lz4hc deflate zstd lzma; do
		next block 4096 4096 512 1024
		next cluster 1 4 16
		# shellcheck disable=SC2086 # of either suite
		[ $suite != any ] || next this trixie sid
		[ $suite = any ] || this=$suite
		cluster=$((block * cluster))
		image $algorithm-$feature $this -Eforce-inode-extended -z$algorithm -C$cluster -b$block "${@//CLUSTER/$cluster}"
	done
}

zip_images() {
	zip one any
	zip index any -Elegacy-compress
	zip tails any -Eztailpacking
	zip fragments any -Efragments
	zip dedupe any -Ededupe
	zip all any -Eall-fragments,dedupe
	zip dirs sid --zD=0
	zip 48bit sid -E48bit
	zip 48bit-all sid -E48bit,all-fragments,dedupe
	zip metabox sid -mCLUSTER
	zip boxed-tails sid -mCLUSTER -Eztailpacking
	zip boxed-fragments sid -mCLUSTER -Efragments --zD=0
	zip boxed-ishare sid -mCLUSTER --xattr-inode-digest -x1
	image lz4-old bookworm -Eforce-inode-extended -zlz4
	image lz4-old-tails bookworm -Eforce-inode-extended -zlz4 -Eztailpacking
	image lz4hc-old-index bookworm -Eforce-inode-extended -zlz4hc -C16384 -Elegacy-compress
}

refused() {
	cat <<-END
		5.10 lzma v5.16 added the decompressor
		6.1 lzma built without XZ_DEC_MICROLZMA
	END
}

case ${1-} in
'')
	plain_images
	zip_images
	;;
refused) refused ;;
*) sed -n '3,4s/^# //p' "$0" >&2 && exit 2 ;;
esac
