#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: build-modules.sh ID [OUT [MAKE ARGUMENT...]]
#
# Builds both modules for a kernel of SUPPORTED, with its suite's compiler and
# W=1, in a copy of the sources in OUT (default build/modules/ID). Run again,
# it builds what changed. Fails if the compiler warns.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || { sed -n '3s/^# //p' "$0" >&2 && exit 2; }
id=$1
out=${2:-$top/build/modules/$id}
shift $(($# > 1 ? 2 : 1))
need_root "it builds in a chroot"

kernel_row "$id"
kernel=${KERNEL_FOLDER:-$("$top/scripts/kernels.sh" fetch "$id")}
[ "$row_arch" = amd64 ] || row_toolchain+=-$row_arch
toolchain=$("$top/scripts/toolchain.sh" "${TOOLCHAIN:-$row_toolchain}")
release=$(<"$kernel/release")
headers=/usr/src/linux-headers-$release

# tar keeps the mtimes, with fractions of a second in this format, so make sees
# what changed; files deleted from the sources are deleted from the copy.
copy_sources() {
	local list=$out/.sources
	mkdir -p "$out"
	touch "$list"
	"$top/scripts/module-sources.sh" kunit >"$list.new"
	comm -23 "$list" "$list.new" | (cd "$out" && xargs -r rm -f)
	tar -C "$top" -T "$list.new" --format=posix -c | tar -C "$out" -x
	mv "$list.new" "$list"
}

# Runs in its own mount namespace.
build() {
	local file
	mount_for_build "$out"
	# Files that replace headers in a variant of the build.
	for file in $([ ! -d "$out/.headers" ] || find "$out/.headers" -type f -printf '%P\n'); do
		mount --bind "$out/.headers/$file" "$toolchain$headers/$file"
	done
	chroot "$toolchain" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C \
		make -j"$(nproc)" -C "$headers" M=/work W=1 "$@" 2>&1
}
export -f build mount_for_build
export kernel toolchain headers out

# compiler: the argument for make, if the headers do not name the compiler that the
# kernel was built with
compiler() {
	local config=$kernel/root$headers
	[ -e "$config/.kernelvariables" ] ||
		sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/CC=\1/p' "$config/.config"
}

# Under a lock: another build in this directory writes the same log.
build_locked() {
	local log=$out/build.log
	copy_sources
	unshare -m --propagation private bash -euo pipefail -c 'build "$@"' build "$@" | tee "$log" >&2
	# They are large. A later build uses the source of an empty one.
	find "$out/compat/generated" -name '*.gch' -exec truncate -s 0 {} +
	# The compiler of a suite may be newer than the one that its kernel was built with.
	if grep -nE 'warning:' "$log" | grep -vE 'the compiler differs from the one used|pahole version differs' >&2; then
		# Make the next run warn again.
		find "$out" -name '*.o' -delete
		die "kernel $id: the build warns"
	fi
}

# Kernel-doc comments are the same for all kernels, so only the newest one checks them: its
# script takes half a second per file.
checks_comments() {
	[ "$id" = "$(awk '$1 == "maximum" { print $2 }' "$top/SUPPORTED")" ]
}

# faster: arguments for make. Modules for rows that are not tested, or built with changed
# headers, are never booted: headers are precompiled, and debugging information is left out
# (some kernels compute the versions of exports from it).
faster() {
	[ "$row_status" = builds ] || [ -n "${KERNEL_FOLDER-}" ] || return 0
	echo OD_PRECOMPILE=y
	grep -q '^CONFIG_GENDWARFKSYMS=y' "$kernel/root$headers/.config" ||
		printf '%s\n' CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES=
}

mapfile -t arguments < <(compiler && faster)
arguments+=("${@:-modules}")
checks_comments || arguments+=(cmd_checkdoc=)
with_lock "build-${out//\//_}" build_locked "${arguments[@]}"
