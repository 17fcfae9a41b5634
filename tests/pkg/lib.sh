# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Shared by the tests of the packages: sourced, after scripts/lib.sh.

passed=0
failed=0
skipped=0

work=

# cleanup: removes the work directory, and unmounts a disk in it
cleanup() {
	[ -n "$work" ] || return 0
	umount "$work/mnt" 2>/dev/null || true
	rm -rf --one-file-system "$work"
	work=
}
trap cleanup EXIT

pass() {
	passed=$((passed + 1))
	echo "ok - packages: $1"
}

# notok NAME [WHY]
notok() {
	failed=$((failed + 1))
	echo "not ok - packages: $1"
	[ $# -lt 2 ] || sed 's/^/#   /' <<<"$2"
}

# check NAME COMMAND...: passes if the command succeeds; prints its output otherwise
check() {
	local out
	if out=$("${@:2}" 2>&1); then
		pass "$1"
	else
		notok "$1" "$(tail -n 20 <<<"$out")"
	fi
}

# add_results LOG SUITE: adds the counts of a run in a new Debian, and checks that it completed
add_results() {
	local skips
	sed "s/^\(ok\|not ok\) [0-9]* - /\1 - $2: /" "$1" | grep -E '^(ok|not ok|#)' || true
	skips=$(grep -c '^ok .*# SKIP' "$1" || true)
	passed=$((passed + $(grep -c '^ok ' "$1" || true) - skips))
	failed=$((failed + $(grep -c '^not ok ' "$1" || true)))
	skipped=$((skipped + skips))
	tail -n 1 "$1" | grep -q '^od-vm: end status=' || notok "$2: the run is complete" "$(tail -n 5 "$1")"
}

finish_packages() {
	echo "packages: $passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# newer_packages SUITE|rpm: builds the same sources as a higher version; sets newer
newer_packages() {
	local tree=$work/newer-$1
	newer=$tree/build/packages/$1
	"$top/scripts/source-tree.sh" "$tree"
	"$tree/scripts/version.sh" "$(next_version)"
	if [ "$1" = rpm ]; then
		"$tree/scripts/rpm.sh" >/dev/null
	else
		"$tree/scripts/deb.sh" "$1" >/dev/null
	fi
}

# next_version: 0.1.0 -> 0.1.1
next_version() {
	local version
	version=$("$top/scripts/version.sh")
	echo "${version%.*}.$((${version##*.} + 1))"
}

# fresh_disk SUITE DISK [rpm]: creates a copy of a new Debian, with packages and tests in /pkg
fresh_disk() {
	local from mnt=$work/mnt suite=$1 disk=$2
	from=$("$top/tests/pkg/mkdebian.sh" "$suite")
	old=$(<"$from/old")
	new=$(<"$from/new")
	cp --sparse=always "$from/disk" "$disk"
	mkdir -p "$mnt"
	mount -o loop "$disk" "$mnt"
	mkdir -p "$mnt"/pkg/{packages,newer,rpm,newer-rpm}
	newer_packages "$suite"
	cp "$top/build/packages/$suite"/*.deb "$mnt/pkg/packages/"
	cp "$newer"/*.deb "$mnt/pkg/newer/"
	rm -f "$mnt"/pkg/*/*-dbgsym_*.deb
	if [ -n "${3-}" ]; then
		newer_packages rpm
		cp "$top"/build/packages/rpm/*.rpm "$mnt/pkg/rpm/"
		cp "$newer"/*.rpm "$mnt/pkg/newer-rpm/"
	fi
	cp "$top/README.md" "$top/tests/vm/guest/lib.sh" "$top"/tests/pkg/guest/* "$mnt/pkg/"
	cat >"$mnt/pkg/settings" <<-END
		OLD=$old
		NEW=$new
		V1=$("$top/scripts/version.sh")
		V2=$(next_version)
	END
	umount "$mnt"
}

# Runs in its own mount namespace, in a chroot of a new Debian whose kernel is not running:
# its uname pretends that it is.
in_root() {
	local disk=$1 release=$2 mnt=$3
	mkdir -p "$mnt"
	mount -o loop "$disk" "$mnt"
	mount -t proc proc "$mnt/proc"
	mount -t tmpfs tmpfs "$mnt/run"
	mount --bind /dev "$mnt/dev"
	cat >"$mnt/usr/local/bin/uname" <<-END
		#!/bin/sh
		[ "\$*" = -r ] || exec /bin/uname "\$@"
		echo $release
	END
	chmod 755 "$mnt/usr/local/bin/uname"
	chroot "$mnt" "${@:4}"
	rm "$mnt/usr/local/bin/uname"
}
export -f in_root

# steps_in_root DISK LOG NAME STEP...: runs steps that need no VM, at the speed of the host
steps_in_root() {
	local disk=$1 log=$2 name=$3
	unshare -m --propagation private bash -euo pipefail -c 'in_root "$@"' bash "$disk" "$old" "$work/mnt" \
		/pkg/run /var/tmp/report "" "${@:4}" >"$log.log" 2>&1 || true
	rm -f "$log.results"
	debugfs -R "dump /var/tmp/report $log.results" "$disk" 2>/dev/null
	add_results "$log.results" "$name"
}
