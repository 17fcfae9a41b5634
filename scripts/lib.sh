# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by all scripts, never run.

export LC_ALL=C
# shellcheck disable=SC2034 # for the scripts that source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${EROFS_OD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/erofs-od}
# SUPPORTED_FILE=FILE is for trying a kernel that is not in the list yet.
supported=${SUPPORTED_FILE:-$top/SUPPORTED}

say() {
	echo "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# The exit status for a missing download that is not a failure: the configured mirror
# does not carry the archive.
no_archive=3

# cannot_be_had WHY: prints WHY and exits with that status
cannot_be_had() {
	say "${0##*/}: $*"
	exit $no_archive
}

need_root() {
	[ "$(id -u)" = 0 ] || die "has to run as root: $1"
}

# with_lock NAME COMMAND...: one process at a time, by a lock in the cache directory
with_lock() {
	local name=$1
	shift
	mkdir -p "$cache/locks"
	(
		flock 9
		"$@" 9>&-
	) 9>"$cache/locks/${name//\//_}"
}

# kernel_ids: the IDs of SUPPORTED, in its order
kernel_ids() {
	awk '$1 == "kernel" { print $2 }' "$supported"
}

# supported_range: in the form that messages use
supported_range() {
	awk '
		$1 == "minimum" { min = $2 }
		$1 == "maximum" { max = $2 }
		$1 == "also" { $1 = $2 = ""; also = also ", and " substr($0, 3) }
		END { print min " to " max also }' "$supported"
}

# The row of SUPPORTED for this host's Debian release, or else the first one.
own_kernel() {
	local codename
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	awk -v suite="$codename" '$1 == "kernel" && $3 == suite { print $2; exit }' "$supported" |
		grep . || kernel_ids | head -n 1
}

# What the kernel of a test VM must never print on its console. The pattern must not match
# anything on its command line, which it also prints.
# shellcheck disable=SC2034 # for the scripts that source this
splat='Oops|BUG:|WARNING:|UBSAN|KASAN|INFO: task|possible circular|suspicious RCU'
splat+='|general protection|Call Trace|blocked for more than|Kernel panic|soft lockup|hard LOCKUP'

# is_test_kernel ID: it is one that scripts/test-kernel.sh builds
is_test_kernel() {
	[ "$1" != base ] && [ -e "$top/tests/kernels/$1.config" ]
}

# kernel_row ID: sets row_toolchain, row_suite, row_prefix, row_flavour, row_status,
# and row_arch, which follows from the flavour
kernel_row() {
	local row
	row=$(awk -v id="$1" '$1 == "kernel" && $2 == id { print $3, $4, $5, $6, $7 }' "$supported")
	[ -n "$row" ] || ! is_test_kernel "$1" || row="trixie trixie 6.12. amd64 made"
	[ -n "$row" ] || die "SUPPORTED has no kernel $1, it has: $(kernel_ids | paste -sd' ')"
	# shellcheck disable=SC2034 # for the caller
	read -r row_toolchain row_suite row_prefix row_flavour row_status <<<"$row"
	row_arch=$(arch_of "$row_flavour")
}

# kernel_image DIR: the image of a kernel in the cache. Debian has it in boot/ up to 7.0,
# and beside the modules since.
kernel_image() {
	find "$1/root/boot/" "$1/root/usr/lib/modules/" -maxdepth 2 -name 'vmlinu*' \
		2>/dev/null | head -n 1
}

# arch_of FLAVOUR: Debian's name for the architecture that this kernel runs on
arch_of() {
	case $1 in
	amd64 | *-amd64 | generic) echo amd64 ;;
	arm64 | arm64-* | *-arm64) echo arm64 ;;
	armmp) echo armhf ;;
	s390x) echo s390x ;;
	powerpc64le | powerpc64le-*) echo ppc64el ;;
	*) die "no architecture is known for the flavour $1" ;;
	esac
}

# triplet_of ARCH: the GNU triplet, as in the names of compilers and directories
triplet_of() {
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	esac
}

# root_for ARCH: the root with the compiler, the libraries and the programs for VMs of
# an architecture other than this host's
root_for() {
	"$top/scripts/toolchain.sh" "trixie-$1"
}

# distribution_of SUITE: the distribution whose archive has it
distribution_of() {
	case $1 in
	bionic* | jammy* | noble*) echo ubuntu ;;
	*) echo debian ;;
	esac
}

# mount_for_build DIR: DIR as /work in $toolchain, and the headers of $kernel where they are
# installed; for a mount namespace of its own, so that parallel builds do not interfere
mount_for_build() {
	local kbuild
	mount --bind "$1" "$toolchain/work"
	mount --bind "$kernel/root/usr/src" "$toolchain/usr/src"
	for kbuild in "$kernel"/root/usr/lib/linux-kbuild-*; do
		# Ubuntu's headers contain it.
		[ -e "$kbuild" ] || continue
		mkdir -p "$toolchain/usr/lib/${kbuild##*/}"
		mount --bind "$kbuild" "$toolchain/usr/lib/${kbuild##*/}"
	done
	mount -t proc proc "$toolchain/proc"
	mount -t tmpfs tmpfs "$toolchain/tmp"
	mount --bind /dev "$toolchain/dev"
}
