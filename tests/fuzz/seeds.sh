#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: seeds.sh
#
# Recreates tests/fuzz/corpus: cuts images of mkfs.erofs into inputs of the fuzzers,
# adds commands, keys and the like, and of these, the old seeds and the units found by
# fuzzing (tests/bin/fuzz.sh) keeps a minimal set with the same coverage, within a size
# limit for each target.
#
# A corpus file is text, for a licence line and readable diffs: units in base64, one per
# line.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/fuzz/lib.sh"

# Bytes of base64 for each target.
bound=20000
times=-Eforce-inode-extended

# Each with the same UUID, so that the same tree makes the same seeds.
mkfs() {
	"$top/scripts/erofs-utils.sh" mkfs.erofs --quiet -U 0d000000-0000-0000-0000-000000000000 "$@" >&2
}

make_tree() {
	mkdir -p "$1"/{folder,many}
	echo 'a tail' >"$1/tail"
	head -c 9000 /usr/bin/env >"$1/blocks-and-tail"
	head -c 8192 /usr/bin/env >"$1/folder/two-blocks"
	truncate -s 300k "$1/hole"
	seq 3000 | dd of="$1/hole" bs=4096 seek=30 conv=notrunc status=none
	: >"$1/empty"
	ln -s folder/two-blocks "$1/link"
	mkfifo "$1/fifo"
	mknod "$1/null" c 1 3
	mknod "$1/block" b 259 70000
	(cd "$1/many" && seq -f 'a-name-%.0f' 60 | xargs touch)
	setfattr -n user.first -v value "$1/tail"
	setfattr -n user.empty "$1/tail"
	setfattr -n user.shared -v 'the same in two files' "$1/tail"
	setfattr -n user.shared -v 'the same in two files' "$1/hole"
	setfattr -n user.shatter -v more "$1/hole"
	setfattr -n trusted.overlay.opaque -v y "$1/folder"
	setfacl -m u:1000:rw "$1/empty"
	setfacl -d -m u:1000:rwx "$1/folder"
	find "$1" -exec touch -h -d @1700000000.123456789 {} +
}

make_images() {
	local block
	for block in 512 4096; do
		mkfs -b$block $times "$2/flat-$block" "$1"
		mkfs -b$block -T1700000000 "$2/compact-$block" "$1"
		mkfs -b$block $times,noinline_data "$2/plain-$block" "$1"
		mkfs -b$block $times --chunksize=4096 "$2/chunk-$block" "$1"
		: >"$work/blob"
		mkfs -b$block $times --chunksize=8192 --blobdev="$work/blob" "$2/devices-$block" "$1"
	done
	mkfs $times --xattr-prefix=user.sha "$2/prefix" "$1"
	mkfs -zlz4 $times "$2/compressed" "$1"
	mkfs -zlz4 -C65536 $times "$2/big" "$1"
	mkfs -zlz4 -Elegacy-compress $times "$2/full" "$1"
	mkfs -zlz4 -Eztailpacking $times "$2/tails" "$1"
	mkfs -zzstd -Efragments,dedupe -C16384 $times "$2/fragments" "$1"
	mkfs -zlz4 -b512 -Eall-fragments $times "$2/all-fragments" "$1"
	local -x EROFS_UTILS_SUITE=sid
	mkfs $times,48bit,dot-omitted "$2/48bit" "$1"
	mkfs -zlz4 $times,48bit "$2/records-16" "$1"
	mkfs -zzstd $times,48bit "$2/records-4" "$1"
	mkfs -zzstd -C16384 $times,48bit,fragments "$2/records-8" "$1"
	mkfs -m4096 $times "$2/metabox" "$1"
	mkfs -b512 -m512 $times --chunksize=4096 "$2/metabox-chunk" "$1"
}

# unit TARGET NAME FORMAT [ARGUMENT...]: the output of printf
unit() {
	# shellcheck disable=SC2059 # a format is what it is
	printf "${@:3}" >"$cut/$1/$2"
}

# number BITS VALUE: little-endian
number() {
	local i
	for ((i = 0; i < $1; i += 8)); do
		printf '\\x%02x' $(($2 >> i & 255))
	done
}

# All commands of Documentation/protocol.rst.
commands() {
	local n=0 line
	while read -r line; do
		n=$((n + 1))
		unit command $n '%s' "$line"
	done <<-'END'
		dir /var/cache/od
		tag demo
		secctx system_u:object_r:cachefiles_var_t:s0
		brun 7%
		bcull 5%
		bstop 1%
		frun 10%
		fcull 07%
		fstop 100%
		bind ondemand
		bind
		copen 1,8392704
		copen 1,-2
		copen 4294967295,-4095
		copen 4294967296,0
		copen 2,9223372036854710272
		copen 2,9223372036854710273
		copen 3,-4096
		copen 3,-0
		copen 18446744073709551616,1
		copen 7,garbage
		copen 8,4096,"etag, with a comma"
		copen 8,-2,v
		copen 8,4096,
		commit Dsha256-abc
		wide
		restore
		inuse Dsha256-abc
		cull E0xZyo
		debug 0
	END
	unit command newline 'copen 5,12\nrest'
	unit command blanks '\tdir  \t /with blanks '
	unit command nul 'dir a\0b'
	unit command validator 'copen 8,1,%0256d' 0
	unit command long 'dir /%0300d' 0
}

keys() {
	local key
	for key in test sha256-abc a/b 'a b' '    ' ////// erofs,test; do
		unit key "${key//[^a-z]/_}${#key}" '%s' "$key"
	done
	unit key words '\1\0\0\0\2\0\0\0\0\0\0\0'
	unit key big '\0\0\0\1\0\0\0\2\0\0\0\0'
	unit key longest '%0252d' 0
	unit key too-long '%0253d' 0
	unit key odd '\xff%0188d' 0
}

messages() {
	local opcode
	for opcode in 0 1 2; do
		unit message $opcode "$(number 32 1)$(number 8 $opcode)$(number 32 1)$(number 32 12)$(
			number 64 1048576)$(number 64 524288)$(number 8 10)erofs,test%stest" ''
	done
}

states() {
	local widen
	widen=$(number 64 8392704)$(number 8 8)$(number 64 70000)$(number 64 70000)$(number 64 8392704)
	# Fetched, undelivered, delivered, requeued, completed; then the lifetime of a blob.
	unit request life "$widen"'\x80\x82\x80\x81\x84\x80\x81\x83\x85\x0\x2\x4\x1\x2\x5\x0'
	unit request refused "$widen"'\x0\x3\x1\x3\x5\x85'
	unit extents merge '\x8\xc\x0\x1\x2\x4\x1\x8\xa\x1\x4\x8\x0\x2\x4\x3\x0\xff\x1\xff\xff'
	unit extents full '\x2\xc\x1\x1\x2\x4\x1\x8\xa\x1\xe\xf\x0\x2\x4\x8\x8\xc'
	unit extents remove '\x8\xc\x0\x3\x2\x40\x1\x8\xa\xd\x4\x38\x0\x2\x4\x11\x0\xff'
	unit limit default "$(number 32 7)$(number 32 5)$(number 32 1)$(number 64 1000)$(number 64 60)"
	unit limit huge "$(number 32 99)$(number 32 5)$(number 32 0)$(number 64 -1)$(number 64 $((1 << 60)))"
	unit xxhash empty "$(number 32 625692687)"
	unit xxhash name "$(number 32 625692688)overlay.opaque"
	unit xxhash stripes "$(number 32 1)0123456789abcdef0123456789abcdef01234"
}

# A map with some runs, valid and with a wrong field.
maps() {
	local runs head
	head="$(number 64 8392704)$(number 64 0)"'\x2'"$(number 32 300)"
	runs="$(number 64 0)$(number 64 4096)$(number 64 8192)$(number 64 8392704)"
	map whole '\x3'"$head$runs" 8392704 2 12288 Ierofs,test Dtest
	map largest '\x3'"$head$runs" $(((1 << 63) - 65537)) 4194304 8192 I D
	map unsealed '\x2'"$head$runs" 8392704 2 12288 Ierofs,test Dtest
	map hidden '\x3'"$head$runs" 8392704 2 12288 Ierofs,test .
	map off '\x3'"$head$runs" 8392704 2 4096 Ierofs,test Dtest
	runs="$(number 64 4096)$(number 64 8192)$(number 64 8192)$(number 64 12288)"
	map touching '\x3'"$head$runs" 8392704 2 12288 Ierofs,test Dtest
}

# map NAME FRONT SIZE NR_RUNS RUNS_OFF VOLUME FILE
map() {
	# shellcheck disable=SC2059 # a format is what it is
	{
		printf "$2"'ODPRESMP\1\0\0\0\0\0\0\0'"$(number 64 7)$(number 64 "$3")$(number 64 4711)"
		printf "$(number 32 99)$(number 32 1)$(number 64 1700000000)$(number 32 5)"
		printf "$(number 32 "$4")$(number 64 "$5")$(number 32 0)$(number 32 0)"
		printf '%s' "$6" | dd bs=256 conv=sync status=none
		printf '%s' "$7" | dd bs=256 conv=sync status=none
		printf '"etag"'
	} >"$cut/mapfile/$1"
}

traces() {
	local head='erofs-od trace 1\n'
	unit trace empty "$head"
	unit trace good "${head}blob 41944274 big\nblob 8192 a b\nread 0 8388608 1048576\nread 1 4096 4096\nread 0 41938944 5330\nread 0 0 4096\nread 0 32768 4096\n"
	unit trace long "${head}blob 9223372036854775807 a\nread 0 4096 9223372036854771711\n"
	unit trace overlap "${head}blob 16384 a\nread 0 0 8192\nread 0 4096 4096\n"
	unit trace beyond "${head}blob 8192 a\nread 0 4096 8192\n"
	unit trace block "${head}blob 8192 a\nread 0 1 4096\n"
	unit trace late "${head}blob 8192 a\nread 0 0 4096\nblob 8192 b\n"
	unit trace other 'erofs-od trace 2\nblob 8192 a\n'
}

# merge TARGET: by edges only, or each target would have hundreds of units
merge() {
	local old="$out/seeds/$1"
	unpack_seeds "$1" "$old"
	mkdir -p "$units/$1" "$out/merged/$1"
	in_root "/tmp/out/bin/fuzz_$1" -merge=1 -use_counters=0 -max_len=8000 "/tmp/out/merged/$1" \
		"/tmp/out/cut/$1" "/tmp/out/seeds/$1" "/tmp/units/$1" >"$out/merge-$1.log" 2>&1 ||
		die "$1: $(tail -n 3 "$out/merge-$1.log")"
}

# corpus TARGET: the merged units, then as many of the cut ones as fit
corpus() {
	local file left=$bound size
	echo '# SPDX-License-Identifier: GPL-2.0-only'
	echo "# Seeds of tests/fuzz/fuzz_$1.c, by tests/fuzz/seeds.sh."
	{
		find "$out/merged/$1" -type f -size -16 -printf '0 %s %p\n'
		find "$out/cut/$1" -type f -size -8 -printf '1 %s %p\n'
	} | sort -n | while read -r _ size file; do
		[ "$size" -gt 0 ] || continue
		left=$((left - (size + 2) / 3 * 4 - 1))
		# Reads on: sort must not get SIGPIPE.
		[ $left -ge 0 ] || continue
		base64 -w0 "$file"
		echo
	done | awk '!seen[$0]++'
}

need_root "images have device nodes, and clang is in a chroot"
toolchain=$("$top/scripts/toolchain.sh" trixie-llvm)
fuzz_build
cut=$out/cut
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$cut" "$out/merged"
mapfile -t targets < <(fuzz_targets)
for target in "${targets[@]}"; do
	mkdir -p "$cut/$target"
done
mkdir "$work/images"
make_tree "$work/tree"
make_images "$work/tree" "$work/images"
cc -O1 -Wall -Wextra -Werror -o "$work/mkseeds" "$top/tests/fuzz/mkseeds.c"
for image in "$work"/images/*; do
	"$work/mkseeds" "$image" "$cut"
done
commands
keys
messages
maps
states
traces
mkdir -p "$top/tests/fuzz/corpus"
for target in "${targets[@]}"; do
	merge "$target"
	corpus "$target" >"$work/corpus"
	mv "$work/corpus" "$top/tests/fuzz/corpus/$target"
	say "$target: $(grep -vc '^#' "$top/tests/fuzz/corpus/$target") seeds, $(
		stat -c %s "$top/tests/fuzz/corpus/$target") bytes"
done
