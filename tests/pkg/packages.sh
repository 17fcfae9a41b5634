#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: packages.sh
#
# Tests of the packages that need no VM: builds them for Debian 12 and 13 and as rpm, runs
# lintian and rpmlint, compares two builds, and in a chroot of a new Debian installs,
# upgrades, removes and purges them, with DKMS building for its kernels; also runs the
# scriptlets of the rpm in such a chroot. tests/pkg/pkgtest.sh boots the new Debian, too.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/pkg/lib.sh"

work=$(mktemp -d)
packages=$top/build/packages
logs=$top/build/pkgtest

# lintian SUITE: it prints only tags that packaging/deb/lintian-known lists with a reason
lintian() {
	! sed 's/ \[.*//; s/ (released.*//' "$packages/$1.lintian" | grep -E '^[EWIPN]: ' |
		grep -vxFf <(grep '^[A-Z]: ' "$top/packaging/deb/lintian-known")
}

rpmlint() {
	tail -n 3 "$packages/rpm.rpmlint"
	grep -q ' 0 errors, 0 warnings' "$packages/rpm.rpmlint"
}

# same_twice SUITE: a build in another environment produces the same bytes
same_twice() {
	local file
	VARY=1 "$top/scripts/deb.sh" "$1" "$work/again-$1" >/dev/null
	for file in "$packages/$1"/*.{deb,dsc,tar.xz}; do
		cmp "$file" "$work/again-$1/$(basename "$file")" || return 1
	done
}

same_rpm_twice() {
	local file
	"$top/scripts/rpm.sh" "$work/again-rpm" >/dev/null
	for file in "$packages"/rpm/*.rpm; do
		cmp "$file" "$work/again-rpm/$(basename "$file")" || return 1
	done
}

# root_test SUITE NAME STEP...: runs steps that need no VM
root_test() {
	local suite=$1 name=$2
	fresh_disk "$suite" "$work/disk-$suite" "$([ "$name" != rpm ] || echo rpm)"
	steps_in_root "$work/disk-$suite" "$logs/$suite-$name" "$suite, $name in a root" "${@:3}"
	rm -f "$work/disk-$suite"
}

need_root "it creates systems and mounts their disks"
mkdir -p "$logs"
"$top/scripts/deps.sh"
for suite in bookworm trixie; do
	check "$suite: the packages build" "$top/scripts/deb.sh" "$suite"
	check "$suite: lintian" lintian "$suite"
	root_test "$suite" deb install out_of_range new_kernel upgrade remove
done
check "trixie: a build in another environment is identical" same_twice trixie
check "rpm: the packages build" "$top/scripts/rpm.sh"
check "rpm: rpmlint" rpmlint
check "rpm: a second build is identical" same_rpm_twice
root_test trixie rpm rpm
finish_packages
