#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: packages.sh
#
# The packages, as far as that needs no machine: built for Debian 12 and 13 and as rpm,
# looked at by lintian and rpmlint, built twice and compared, and in the root of a fresh
# Debian installed, with DKMS building for its kernels, upgraded, removed and purged;
# the rpm's scriptlets run in such a root, too. tests/pkg/pkgtest.sh boots it as well.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$top/tests/pkg/lib.sh"

work=$(mktemp -d)
packages=$top/build/packages
logs=$top/build/pkgtest

# lintian SUITE: nothing but what packaging/deb/lintian-known has with a reason
lintian() {
	! sed 's/ \[.*//; s/ (released.*//' "$packages/$1.lintian" | grep -E '^[EWIPN]: ' |
		grep -vxFf <(grep '^[A-Z]: ' "$top/packaging/deb/lintian-known")
}

rpmlint() {
	tail -n 3 "$packages/rpm.rpmlint"
	grep -q ' 0 errors, 0 warnings' "$packages/rpm.rpmlint"
}

# same_twice SUITE: somebody else's build comes out the same, byte by byte
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

# root_test SUITE NAME STEP...: the steps that need no machine
root_test() {
	local suite=$1 name=$2
	fresh_disk "$suite" "$work/disk-$suite" "$([ "$name" != rpm ] || echo rpm)"
	steps_in_root "$work/disk-$suite" "$logs/$suite-$name" "$suite, $name in a root" "${@:3}"
	rm -f "$work/disk-$suite"
}

need_root "it makes systems and mounts their disks"
mkdir -p "$logs"
"$top/scripts/deps.sh"
for suite in bookworm trixie; do
	fact "$suite: they are built" "$top/scripts/deb.sh" "$suite"
	fact "$suite: lintian" lintian "$suite"
	root_test "$suite" deb install out_of_range new_kernel upgrade remove
done
fact "trixie: built twice, in other surroundings, they are equal" same_twice trixie
fact "rpm: they are built" "$top/scripts/rpm.sh"
fact "rpm: rpmlint" rpmlint
fact "rpm: built twice, they are equal" same_rpm_twice
root_test trixie rpm rpm
finish_packages
