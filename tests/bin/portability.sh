#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: portability.sh [CHECK...]      clang, sparse, 32bit, bigendian; default: all
#
# Builds for other architectures and with other compilers than those of the guest
# tests. Ends with "portability: N passed, N failed, N skipped".
#
# clang      both modules with clang
# sparse     both modules: lock balance, byte order, user pointers
# 32bit      both modules for armhf, the unit tests on armhf and i386
# bigendian  both modules and the unit tests for s390x
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

out=$top/build/portability
passed=0 failed=0 skipped=0

# Kernels that are only built for. They come from a suite whose package lists no longer change:
# on many mirrors the lists of minor architectures are outdated after each update.
foreign=$out/SUPPORTED
foreign_kernels() {
	cat <<-END
		kernel 6.1-armmp  bookworm  bookworm  6.1.  armmp  builds
		kernel 6.1-s390x  bookworm  bookworm  6.1.  s390x  builds
	END
}

# try NAME COMMAND...: one check, skipped if a download fails, except in CI
try() {
	local name="portability: $1" status=0 log
	log=$out/${1//[^a-z0-9.]/-}.log
	shift
	set +e
	# Not within a condition, where set -e has no effect.
	(set -e && "$@") >"$log" 2>&1
	status=$?
	set -e
	if [ $status = 0 ]; then
		echo "ok - $name"
		passed=$((passed + 1))
	elif [ $status = 3 ] && [ "${CI-}" != true ]; then
		echo "ok - $name # SKIP $(tail -n 1 "$log")"
		skipped=$((skipped + 1))
	else
		echo "not ok - $name"
		{ grep -E '(error|warning|ERROR|FAILED|\*\*\*)' "$log" || tail "$log"; } |
			head -n 20 | sed 's/^/#   /'
		failed=$((failed + 1))
	fi
}

have_kernel() {
	"$top/scripts/kernels.sh" fetch "$1" || cannot_be_had "kernel $1 is not available"
}

have_toolchain() {
	"$top/scripts/toolchain.sh" "$1" || cannot_be_had "tool chain $1 is not available"
}

# --- clang ---

# clang_for SUITE: tool chain and version for a suite's kernels. All of them have return
# thunks, which need clang 15; Debian 11 has an older one, so its kernels use Debian 12's.
clang_for() {
	case $1 in
	bullseye | bookworm) echo bookworm-llvm 16 ;;
	trixie) echo trixie-llvm 19 ;;
	*) die "no clang for kernels of $1" ;;
	esac
}

# Symbols that Kconfig sets for clang: the headers are of a kernel built by gcc, and
# both make and the headers depend on them.
clang_config() {
	cat <<-END
		CONFIG_CC_IS_GCC
		CONFIG_GCC_VERSION=0
		CONFIG_CC_IS_CLANG=y
		CONFIG_CLANG_VERSION=$1
		CONFIG_CC_IMPLICIT_FALLTHROUGH="-Wimplicit-fallthrough"
		CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT
		CONFIG_CC_HAS_NAMED_AS
		CONFIG_USE_X86_SEG_SUPPORT
		CONFIG_FTRACE_MCOUNT_USE_CC
		CONFIG_FTRACE_MCOUNT_USE_OBJTOOL=y
		CONFIG_UBSAN_BOUNDS_STRICT
		CONFIG_UBSAN_ARRAY_BOUNDS=y
	END
}

# number_of TOOLCHAIN CLANG: its version in the form of Kconfig, 190107 for 19.1.7
number_of() {
	chroot "$1" "$2" -dumpversion | awk -F. '{ printf "%d%02d%02d\n", $1, $2, $3 }'
}

# clang_headers HEADERS TO VERSION: writes the files that build-modules.sh uses in place of
# those of the headers. Keeps the mtimes, to avoid a full rebuild.
clang_headers() {
	local from=$1 to=$2 conf=include/config/auto.conf header=include/generated/autoconf.h
	mkdir -p "$to"/include/{config,generated}
	clang_config "$3" | awk -F= -v conf="$from/$conf" -v header="$from/$header" \
		-v to_conf="$to/$conf" -v to_header="$to/$header" '
		{ known[$1] = 1; value[$1] = $2 }
		END {
			while ((getline line <conf) > 0) {
				name = line; sub(/=.*/, "", name)
				if (!(name in known)) print line >to_conf
			}
			while ((getline line <header) > 0) {
				split(line, word, " ")
				if (!(word[2] in known)) print line >to_header
			}
			for (name in value) if (value[name] != "") {
				print name "=" value[name] >to_conf
				sub(/^y$/, "1", value[name])
				print "#define " name " " value[name] >to_header
			}
		}'
	touch -r "$from/$conf" "$to/$conf"
	touch -r "$from/$header" "$to/$header"
}

# llvm VERSION: prints arguments for make. The headers set CC themselves, and LLVM=-16
# exists only since v5.18.
llvm() {
	local tool
	printf '%s\n' LLVM=1 "CC=clang-$1" "LD=ld.lld-$1"
	for tool in ar nm objcopy objdump readelf strip; do
		echo "${tool^^}=llvm-$tool-$1"
	done
}

# clang_modules ID
clang_modules() {
	local dir=$out/$1-clang name version kernel toolchain number arguments module
	kernel_row "$1"
	read -r name version <<<"$(clang_for "$row_toolchain")"
	kernel=$(have_kernel "$1")
	toolchain=$(have_toolchain "$name")
	number=$(number_of "$toolchain" "clang-$version")
	clang_headers "$kernel/root/usr/src/linux-headers-$(<"$kernel/release")" "$dir/.headers" "$number"
	mapfile -t arguments < <(llvm "$version")
	TOOLCHAIN=$name "$top/scripts/build-modules.sh" "$1" "$dir" "${arguments[@]}" modules
	for module in cachefiles_od erofs_od; do
		grep -aq 'clang version' "$dir/$module.ko" || die "$1: $module was not built by clang"
	done
}

# For each clang version, the oldest and the newest series that it builds.
check_clang() {
	local id
	for id in 5.10 6.1 6.12 7.3; do
		try "both modules for $id by clang without a warning" clang_modules "$id"
	done
}

# --- sparse ---

# sparse_modules ID: in the directory of the normal build, without changing its output.
# sparse does not support __has_include_next(), which is true for these kernels. Checks of
# byte order need no -D__CHECK_ENDIAN__ since v4.10.
sparse_modules() {
	local dir=$top/build/modules/$1 log=$out/$1-sparse.build checked sources
	have_kernel "$1"
	"$top/scripts/build-modules.sh" "$1" "$dir" C=2 "CF=-D'__has_include_next(x)=1'" modules 2>"$log" || {
		cat "$log"
		return 1
	}
	# Errors from sparse do not make the build fail, and sparse may not have run at all.
	! grep -E '(warning|error):' "$log" || die "$1: sparse reports warnings"
	checked=$(grep -c '^  CHECK ' "$log" || true)
	sources=$(grep -cE '^(cachefiles_od|erofs_od|compat)/(core/)?[a-z0-9_]+\.c$' "$dir/.sources")
	[ "$checked" -ge "$sources" ] || die "$1: sparse has checked $checked of $sources files"
}

# Since 7.0 the headers have no lock annotations for sparse, and the packages of 7.3
# lack the script that runs it.
check_sparse() {
	local id
	for id in 6.1 6.12; do
		try "both modules for $id under sparse without a warning" sparse_modules "$id"
	done
}

# --- other architectures ---

# cross_modules ID TARGET: the headers of these kernels do not name their compiler
cross_modules() {
	export SUPPORTED_FILE=$foreign TOOLCHAIN=bookworm-cross
	have_kernel "$1"
	have_toolchain "$TOOLCHAIN"
	"$top/scripts/build-modules.sh" "$1" "$out/$1" "CROSS_COMPILE=$2-" modules
}

# Runs in its own mount namespace, with the sources read-only.
in_cross() {
	mount --bind "$top" "$toolchain/work"
	mount -o remount,bind,ro "$toolchain/work"
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
	mount --bind "$emulators" "$toolchain/mnt"
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C "$@"
}
export -f in_cross

# libraries_for TARGET [LIBRARIES]: the libraries that match the loader's version first, then
# those of the cross compiler
libraries_for() {
	echo "LD_LIBRARY_PATH=/lib/${2:-$1}:/usr/$1/lib"
}

# cross_tests TARGET SANITIZERS RUNNER...: runs the unit tests under RUNNER, with the
# sanitizers of the cross compiler
cross_tests() {
	local target=$1 sanitizers=$2
	shift 2
	toolchain=$(have_toolchain bookworm-cross)
	# Statically linked, and newer than those of bookworm.
	emulators=$("$top/scripts/aptroot.sh" unpack trixie qemu-user)
	export top toolchain emulators
	unshare -m --propagation private bash -euo pipefail -c 'in_cross "$@"' in_cross \
		env EMULATOR="$*" make -C /work/tests/unit -j"$(nproc)" B=/tmp/unit \
		CC="$target-gcc-12" AR="$target-ar" \
		SANITIZE="-fsanitize=$sanitizers -fno-sanitize-recover=all" check
}

check_32bit() {
	try "both modules for 6.1 on armhf without a warning" cross_modules 6.1-armmp arm-linux-gnueabihf
	try "the unit tests on i386" cross_tests i686-linux-gnu address,undefined \
		env "$(libraries_for i686-linux-gnu i386-linux-gnu)"
	# LeakSanitizer does not work in the emulator.
	try "the unit tests on armhf" cross_tests arm-linux-gnueabihf address,undefined \
		env ASAN_OPTIONS=detect_leaks=0 \
		/mnt/usr/bin/qemu-arm -E "$(libraries_for arm-linux-gnueabihf)"
}

# The emulator lacks the address space that ASan needs on s390x.
check_bigendian() {
	try "both modules for 6.1 on s390x without a warning" cross_modules 6.1-s390x s390x-linux-gnu
	try "the unit tests on s390x" cross_tests s390x-linux-gnu undefined \
		/mnt/usr/bin/qemu-s390x -E "$(libraries_for s390x-linux-gnu)"
}

checks=(clang sparse 32bit bigendian)
[ $# = 0 ] || checks=("$@")
for check in "${checks[@]}"; do
	declare -F "check_$check" >/dev/null || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
done
need_root "it builds in a chroot"
mkdir -p "$out"
foreign_kernels >"$foreign"
for check in "${checks[@]}"; do
	"check_$check"
done
echo "portability: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
