#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Usage: version.sh          print the version in dkms.conf
#        version.sh NEW      replace it by NEW, everywhere
#        version.sh check    print places with another version, and fail if there are any
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$top"

number='[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.~+]*'

# Each place as "FILE EXPRESSION", a sed expression for the text before the version.
places() {
	cat <<-'PLACES'
		dkms.conf ^PACKAGE_VERSION="
		cachefiles_od/main.c ^MODULE_VERSION\("
		erofs_od/main.c ^MODULE_VERSION\("
		packaging/deb/changelog ^erofs-od \(
		packaging/rpm/erofs-od.spec ^Version: +
		packaging/rpm/erofs-od-kmod.spec ^Version: +
	PLACES
}

# at FILE EXPRESSION: prints the version there
at() {
	sed -nE "s/$2($number).*/\1/p" "$1" | head -n 1
}

version=$(at dkms.conf '^PACKAGE_VERSION="')
case ${1-} in
'') echo "$version" ;;
check)
	places | while read -r file before; do
		found=$(at "$file" "$before")
		[ "$found" = "$version" ] || echo "$file: ${found:-no version}, dkms.conf has $version"
	done | { ! grep .; }
	;;
[0-9]*)
	grep -qxE "$number" <<<"$1" || die "$1 is not a version"
	places | while read -r file before; do
		# Only the first one: a changelog also has earlier ones.
		sed -Ei "0,/$before$number/s/($before)$number/\1$1/" "$file"
	done
	;;
*) sed -n '3,5s/^# //p' "$0" >&2 && exit 2 ;;
esac
