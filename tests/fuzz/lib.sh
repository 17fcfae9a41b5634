# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by tests/bin/fuzz.sh and seeds.sh: sourced, after scripts/lib.sh.

out=$top/build/fuzz
units=$cache/fuzz

# Runs in its own mount namespace: the sources are read-only at /work, the fuzzers and
# failing inputs at /tmp/out, the units of earlier runs at /tmp/units.
enter_root() {
	mount --bind "$top" "$toolchain/work"
	mount -o remount,bind,ro "$toolchain/work"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	mkdir "$toolchain"/tmp/{out,units}
	mount --bind "$out" "$toolchain/tmp/out"
	mount --bind "$units" "$toolchain/tmp/units"
	# exec, so that the fuzzer gets the signals of this process.
	exec chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C \
		ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
		ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19 "$@"
}
export -f enter_root

# in_root COMMAND...: in the root of the tool chain with clang
in_root() {
	export toolchain top out units
	unshare -m --propagation private bash -euo pipefail -c 'enter_root "$@"' enter_root "$@"
}

# fuzz_targets: names of all fuzzers
fuzz_targets() {
	make -s -C "$top/tests/fuzz" list
}

fuzz_build() {
	mkdir -p "$out/bin" "$units"
	in_root make -s -j2 -C /work/tests/fuzz B=/tmp/out/bin
}

# unpack_seeds TARGET DIR: each base64 line of corpus/TARGET is a unit; others are comments
unpack_seeds() {
	local line n=0
	rm -rf "$2"
	mkdir -p "$2"
	[ -e "$top/tests/fuzz/corpus/$1" ] || return 0
	while read -r line; do
		case $line in
		'#'* | '') continue ;;
		esac
		n=$((n + 1))
		base64 -d <<<"$line" >"$2/seed-$n"
	done <"$top/tests/fuzz/corpus/$1"
}
